"""
Bundle 存证包: everything a stranger needs to check the ledger without us, as plain files.

    leaves.jsonl        one leaf a line, the exact bytes that were hashed, in the order of the log
    checkpoints.jsonl   {"size", "sealed_at", "note"}: every checkpoint with its cosignatures, in order
    keys.json           {"origin", "log", "witnesses", "exported_at", "events", "sealed", "limits"}

Canonical JSON has no line feed in it, so a line is a leaf and nothing else. The keys are there for convenience; which
of them to believe must be known from elsewhere. Tiles and proofs follow from the leaves.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.errors import Conflict
from kernel.ledger.note import NoteKey
from kernel.storage.types import time_text
from services.assessment.ledger.model import CHECKPOINTS
from services.assessment.ledger.rules import LIMITS
from services.assessment.ledger.stored import checkpoints_between, leaves, log_size, newest_checkpoint

LEAVES, CHECKPOINTS_FILE, KEYS = "leaves.jsonl", "checkpoints.jsonl", "keys.json"


def export(
    session: Session,
    folder: Path,
    *,
    origin: str,
    log_keys: Sequence[NoteKey],
    witness_keys: Sequence[NoteKey],
    now: datetime,
) -> int:
    """Write a bundle into a new folder; returns how many leaves. Raises Conflict where it is there already."""
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} 不是空目录，请另选一个。", code="assessment.bundle_exists")
    folder.mkdir(parents=True, exist_ok=True)
    last = newest_checkpoint(session)
    size, sealed = log_size(session), last.size if last else 0
    with (folder / LEAVES).open("wb") as file:
        for rows in leaves(session, 0, size):
            file.writelines(row.leaf.encode() + b"\n" for row in rows)
    sealed_at = {
        row.size: row.sealed_at
        for row in session.execute(select(CHECKPOINTS.c.size, CHECKPOINTS.c.sealed_at))
    }
    with (folder / CHECKPOINTS_FILE).open("wb") as file:
        for at, note, lines in checkpoints_between(session, 0, sealed):
            said = {"size": at, "sealed_at": time_text(sealed_at[at]), "note": note + lines}
            file.write(orjson.dumps(said) + b"\n")
    said_keys = {
        "origin": origin,
        "log": [str(key) for key in log_keys],
        "witnesses": [str(key) for key in witness_keys],
        "exported_at": time_text(now),
        "events": size,
        "sealed": sealed,
        "limits": LIMITS,
    }
    (folder / KEYS).write_bytes(orjson.dumps(said_keys, option=orjson.OPT_INDENT_2) + b"\n")
    return size
