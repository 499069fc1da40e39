"""
Statement 陈述: what a source says with a scored event, as canonical bytes (RFC 8785) that it signs.

The statement is the leaf of the event in assessment's log without what assessment adds to it: its number, when it was
received, the signature itself, and the form of the leaf. So whoever has the leaf has the statement, and can check the
signature without us (signing.py; services/assessment/scoring/leaves.py).

Keys are ASCII and values are strings, integers and lists of such, for which sorted keys without white space are the
canonical form; a test holds this against the reference library.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from contracts.events.v1.scored_pb2 import ScoredEvent
from contracts.findings.values import Mode, Outcome
from kernel.clock import from_microseconds
from kernel.storage.types import time_text

Statement = dict[str, Any]
ADDED = frozenset({"received_at", "seq", "source_sig", "type", "version"})
_OUTCOMES = {int(outcome): outcome.name.lower() for outcome in Outcome}
_MODES = {int(mode): mode.name.lower() for mode in Mode}


def statement(event: ScoredEvent) -> Statement:
    """What the source of an event says with it; raises KeyError, OverflowError for an event that breaks the contract."""
    return {
        "basis": [[basis.document, basis.version, basis.article] for basis in event.basis],
        "corrects": event.corrects,
        "denominator": event.denominator,
        "doc_sha": [[e.digest, e.media_type, e.name, e.place] for e in event.evidence],
        "event_id": event.id,
        "mode": _MODES[event.mode],
        "numerator": event.numerator,
        "occurred_at": _moment(event.occurred_at_us),
        "outcome": _OUTCOMES[event.outcome],
        "probe": event.probe,
        "reason": event.reason,
        "recorded_at": _moment(event.recorded_at_us),
        "rule_version": str(event.probe_version),
        "score": score_text(event.score_milli),
        "source": event.source,
        "subject": event.subject,
        "trace": event.trace,
        "unit": event.unit,
    }


@lru_cache(maxsize=1000)  # the events of a message were recorded at one moment
def _moment(at_us: int) -> str:
    return time_text(from_microseconds(at_us))


def stated_in(leaf: Mapping[str, Any]) -> Statement:
    """The statement in a leaf."""
    return {name: value for name, value in leaf.items() if name not in ADDED}


def canonical(said: Mapping[str, Any]) -> bytes:
    """The canonical bytes of a statement, or of a leaf."""
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def score_text(score_milli: int) -> str:
    """Thousandths as a decimal string: 500 is "0.500"."""
    return f"{score_milli // 1000}.{score_milli % 1000:03d}"
