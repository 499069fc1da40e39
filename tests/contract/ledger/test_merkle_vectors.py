"""Proofs are judged as the transparency-dev libraries judge them: their test vectors, good and tampered."""

import base64
import json
from pathlib import Path

import pytest

from kernel.ledger.tree import SHA256, ProofWrong, verify_consistency, verify_inclusion

VECTORS = Path("/work/shared/data/merkle")
pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason=f"the Merkle vectors are not in {VECTORS}")


def vectors(kind):
    files = sorted((VECTORS / kind).rglob("*.json"))
    return [
        pytest.param(json.loads(file.read_bytes()), id=f"{file.parent.name}/{file.stem}") for file in files
    ]


def raw(encoded):
    return base64.b64decode(encoded)


def accepts(check, **what):
    try:
        check(SHA256, **what)
    except ProofWrong:
        return False
    return True


def test_there_are_196_of_them():
    assert len(vectors("inclusion")) + len(vectors("consistency")) == 196


@pytest.mark.parametrize("vector", vectors("inclusion"))
def test_inclusion(vector):
    assert (
        accepts(
            verify_inclusion,
            index=vector["leafIdx"],
            size=vector["treeSize"],
            leaf_hash=raw(vector["leafHash"]),
            proof=[raw(one) for one in vector["proof"] or ()],
            expected_root=raw(vector["root"]),
        )
        is not vector["wantErr"]
    )


@pytest.mark.parametrize("vector", vectors("consistency"))
def test_consistency(vector):
    assert (
        accepts(
            verify_consistency,
            old=vector["size1"],
            new=vector["size2"],
            old_root=raw(vector["root1"]),
            new_root=raw(vector["root2"]),
            proof=[raw(one) for one in vector["proof"] or ()],
        )
        is not vector["wantErr"]
    )


def earlier_trees():
    """Subtrees that begin elsewhere, or are empty, belong to a draft of the IETF that no log of ours speaks."""
    every = vectors("subtreeconsistency")
    return [vector for vector in every if vector.values[0]["start"] == 0 and vector.values[0]["end"] > 0]


@pytest.mark.parametrize("vector", earlier_trees())
def test_a_subtree_that_starts_at_the_beginning_is_an_earlier_tree(vector):
    assert (
        accepts(
            verify_consistency,
            old=vector["end"],
            new=vector["size"],
            old_root=raw(vector["root1"]),
            new_root=raw(vector["root2"]),
            proof=[raw(one) for one in vector["proof"] or ()],
        )
        is not vector["wantErr"]
    )
