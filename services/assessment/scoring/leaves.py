"""
Leaves 存证叶: the exact bytes of a scored event that are hashed and kept (R20–R22).

A leaf is what the source says (contracts/findings/statement.py), as canonical JSON after RFC 8785, with what we add:
the number in the log, when the event reached it (what was known on a day rests on that), and the source's signature.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from contracts.events.v1.scored_pb2 import ScoredEvent
from contracts.findings.statement import canonical, statement
from kernel.storage.types import time_text

LEAF_TYPE = "scored_event"
LEAF_VERSION = 2


def leaf_bytes(
    event: ScoredEvent, seq: int, received_at: datetime, said: Mapping[str, Any] | None = None
) -> bytes:
    """The canonical bytes of an event at its place in the log; `said` is its statement where that is made already."""
    return canonical(
        {
            **(statement(event) if said is None else said),
            "received_at": time_text(received_at),
            "seq": seq,
            "source_sig": event.source_sig,
            "type": LEAF_TYPE,
            "version": LEAF_VERSION,
        }
    )


def leaf_hash(leaf: bytes) -> str:
    """RFC 6962 leaf hash, in hex."""
    return hashlib.sha256(b"\x00" + leaf).hexdigest()
