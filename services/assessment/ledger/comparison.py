"""Comparison 比对: what an event's row says against its leaf; the leaf is what was hashed, the row what is counted."""

from typing import Any

import orjson
from sqlalchemy import Row

from contracts.findings import Mode, Outcome
from contracts.findings.statement import score_text
from kernel.clock import local_period
from kernel.storage.types import parse_time, time_text

_OUTCOMES = {int(outcome): outcome.name.lower() for outcome in Outcome}
_MODES = {int(mode): mode.name.lower() for mode in Mode}
SINCE_VERSION = {"received_at": 2}


def differences(row: Row[Any]) -> list[str]:
    """The names of columns that say something else than the leaf."""
    try:
        leaf = orjson.loads(row.leaf)
        shown = _as_in_leaf(row)
        version = int(leaf["version"])
        found = [
            name
            for name, value in shown.items()
            if version >= SINCE_VERSION.get(name, 1) and leaf.get(name) != value
        ]
        if row.period != local_period(parse_time(leaf["occurred_at"])):
            found.append("period")
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return ["leaf"]
    return found


def _as_in_leaf(row: Row[Any]) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "event_id": str(row.event_id),
        "source": row.source,
        "unit": row.unit,
        "probe": row.probe,
        "outcome": _OUTCOMES.get(row.outcome),
        "score": score_text(row.score_milli),
        "numerator": row.numerator,
        "denominator": row.denominator,
        "mode": _MODES.get(row.mode),
        "corrects": str(row.corrects) if row.corrects else "",
        "occurred_at": time_text(row.occurred_at),
        "recorded_at": time_text(row.recorded_at),
        "received_at": time_text(row.received_at),
    }
