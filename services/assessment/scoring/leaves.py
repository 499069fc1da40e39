"""
Leaves 存证叶: the exact bytes of a scored event that are hashed and kept (R20–R22).

The leaf says when the event reached the log too (`received_at`): what was known on a day rests on it.

Canonical JSON after RFC 8785. Keys are ASCII and values are strings, integers, lists and objects of such, for
which sorted keys without white space are the canonical form; a test holds this against the reference library.
"""

import hashlib
from datetime import datetime

import orjson

from contracts.events.v1.scored_pb2 import ScoredEvent
from contracts.findings import Mode, Outcome
from kernel.clock import from_microseconds
from kernel.storage.types import time_text

LEAF_TYPE = "scored_event"
LEAF_VERSION = 2
_OUTCOMES = {int(outcome): outcome.name.lower() for outcome in Outcome}
_MODES = {int(mode): mode.name.lower() for mode in Mode}


def leaf_bytes(event: ScoredEvent, seq: int, received_at: datetime) -> bytes:
    """The canonical bytes of an event at its place in the log."""
    return orjson.dumps(
        {
            "basis": [[basis.document, basis.version, basis.article] for basis in event.basis],
            "corrects": event.corrects,
            "denominator": event.denominator,
            "doc_sha": [[e.digest, e.media_type, e.name, e.place] for e in event.evidence],
            "event_id": event.id,
            "mode": _MODES[event.mode],
            "numerator": event.numerator,
            "occurred_at": time_text(from_microseconds(event.occurred_at_us)),
            "outcome": _OUTCOMES[event.outcome],
            "probe": event.probe,
            "reason": event.reason,
            "received_at": time_text(received_at),
            "recorded_at": time_text(from_microseconds(event.recorded_at_us)),
            "rule_version": str(event.probe_version),
            "score": score_text(event.score_milli),
            "seq": seq,
            "source": event.source,
            "source_sig": "",
            "subject": event.subject,
            "trace": event.trace,
            "type": LEAF_TYPE,
            "unit": event.unit,
            "version": LEAF_VERSION,
        },
        option=orjson.OPT_SORT_KEYS,
    )


def leaf_hash(leaf: bytes) -> str:
    """RFC 6962 leaf hash, in hex."""
    return hashlib.sha256(b"\x00" + leaf).hexdigest()


def score_text(score_milli: int) -> str:
    """Thousandths as a decimal string: 500 is "0.500"."""
    return f"{score_milli // 1000}.{score_milli % 1000:03d}"
