"""Merkle proofs held against the vectors of the transparency-dev libraries, where those are at hand."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from kernel.ledger.tree import SHA256, ProofWrong, verify_consistency, verify_inclusion

VECTORS = Path("/work/shared/data/merkle")


def vectors_passed() -> tuple[int, int]:
    """How many of the Merkle vectors of the kinds our log speaks are judged as they must be, and how many there are."""
    passed = total = 0
    for kind, accepts in (("inclusion", _is_included), ("consistency", _is_consistent)):
        for file in sorted((VECTORS / kind).rglob("*.json")):
            vector = orjson.loads(file.read_bytes())
            total += 1
            passed += accepts(vector) is not vector["wantErr"]
    return passed, total


def _is_included(vector: dict[str, Any]) -> bool:
    return _holds(
        lambda: verify_inclusion(
            SHA256,
            index=vector["leafIdx"],
            size=vector["treeSize"],
            leaf_hash=base64.b64decode(vector["leafHash"]),
            proof=[base64.b64decode(one) for one in vector["proof"] or ()],
            expected_root=base64.b64decode(vector["root"]),
        )
    )


def _is_consistent(vector: dict[str, Any]) -> bool:
    return _holds(
        lambda: verify_consistency(
            SHA256,
            old=vector["size1"],
            new=vector["size2"],
            old_root=base64.b64decode(vector["root1"]),
            new_root=base64.b64decode(vector["root2"]),
            proof=[base64.b64decode(one) for one in vector["proof"] or ()],
        )
    )


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except ProofWrong:
        return False
    return True
