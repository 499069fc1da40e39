"""
Event log 计分事件日志: takes scored events, in the transaction of the inbox.

A batch is four statements whatever its size: numbers from the head, rows into the log, tallies merged into
the states, and, only where events correct one another, those states counted anew from the log. Numerator,
marks and counts just add, so the order of arrival changes nothing.

Every state also says how many events it has, between which numbers, and which changed it last, so that a question
as of an event takes from the projection what has not changed since, and counts anew only what has (tallies.py).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

import orjson
from sqlalchemy import text

from contracts.events.v1.scored_pb2 import ScoredEvent
from contracts.findings import Outcome
from contracts.findings.statement import Statement, statement
from contracts.findings.wire import Told
from kernel.clock import from_microseconds, local_period
from kernel.messages import Item
from kernel.storage.setwise import OnConflict, write_rows
from kernel.storage.work import Work
from services.assessment.scoring.leaves import leaf_bytes, leaf_hash
from services.assessment.scoring.model import EVENT_LOG, PROBE_STATES, STANDING, TALLIES

StateKey = tuple[str, str, str]
COUNTS = (
    "passed",
    "failed",
    "graded_milli",
    "not_applicable",
    "not_computable",
    "not_due",
    "numerator",
    "denominator",
    "reported",
    "entered",
    "real_time",
    "external",
)
SPAN = ("events", "first_seq", "last_seq", "changed_seq")
KEY = ("unit", "period", "probe")
_GROWS: OnConflict = {
    **dict.fromkeys((*COUNTS, "events"), "add"),
    **dict.fromkeys(("last_seq", "changed_seq"), "replace"),
}
_MODE_PLACE = 7  # before the first mode's, whose number is 1
_PLACE = {
    Outcome.PASS: 0,
    Outcome.FAIL: 1,
    Outcome.NOT_APPLICABLE: 3,
    Outcome.NOT_COMPUTABLE: 4,
    Outcome.NOT_DUE: 5,
}


def record(work: Work, items: Sequence[Item]) -> None:
    """Take fresh events of other services."""
    told = cast(list[Told], [item.value for item in items])
    _append(work, [(each.event, each.said) for each in told])


def append(work: Work, events: Sequence[ScoredEvent]) -> None:
    """Append events to the log and bring the states up to them."""
    _append(work, [(event, statement(event)) for event in events])


def _append(work: Work, told: Sequence[tuple[ScoredEvent, Statement]]) -> None:
    first = _take_numbers(work, len(told))
    now = work.clock.now()
    rows = [_row(event, said, first + offset, now) for offset, (event, said) in enumerate(told)]
    write_rows(work.session, EVENT_LOG, rows)
    corrected = _keys_touched_by_corrections(work, rows)
    _merge(work, (row for row in rows if _key(row) not in corrected))
    if corrected:
        _recount(work, corrected, rows[-1]["seq"])


def _take_numbers(work: Work, count: int) -> int:
    """The first of `count` numbers; the head stays locked until this transaction ends."""
    statement = text("UPDATE log_head SET size = size + :count WHERE id = 1 RETURNING size")
    size: int = work.session.execute(statement, {"count": count}).scalar_one()
    return size - count + 1


def _row(event: ScoredEvent, said: Statement, seq: int, received_at: datetime) -> dict[str, Any]:
    leaf = leaf_bytes(event, seq, received_at, said)
    occurred_at = from_microseconds(event.occurred_at_us)
    return {
        "seq": seq,
        "event_id": event.id,
        "source": event.source,
        "unit": event.unit,
        "period": local_period(occurred_at),
        "probe": event.probe,
        "outcome": event.outcome,
        "score_milli": event.score_milli,
        "numerator": event.numerator,
        "denominator": event.denominator,
        "mode": event.mode,
        "corrects": event.corrects or None,
        "occurred_at": occurred_at,
        "recorded_at": from_microseconds(event.recorded_at_us),
        "received_at": received_at,
        "leaf": leaf.decode(),
        "leaf_hash": leaf_hash(leaf),
    }


def _key(row: dict[str, Any]) -> StateKey:
    return row["unit"], row["period"], row["probe"]


def _place(row: Any) -> StateKey:
    return row.unit, row.period, row.probe


def _merge(work: Work, rows: Iterable[dict[str, Any]]) -> None:
    tallies: dict[StateKey, list[int]] = {}
    spans: dict[StateKey, list[int]] = {}
    for row in rows:
        key, seq = _key(row), row["seq"]
        tally = tallies.setdefault(key, [0] * len(COUNTS))
        span = spans.setdefault(key, [0, seq, seq, seq])
        span[0] += 1
        span[2] = span[3] = seq
        outcome = row["outcome"]
        tally[_PLACE[outcome]] += 1
        if outcome <= Outcome.FAIL:
            tally[2] += row["score_milli"]
            tally[6] += row["numerator"]
            tally[7] += row["denominator"]
            tally[_MODE_PLACE + row["mode"]] += 1
    write_rows(
        work.session,
        PROBE_STATES,
        [
            dict(zip((*KEY, *COUNTS, *SPAN), (*key, *tally, *spans[key]), strict=True))
            # sorted, so that two writers take the same locks in the same order
            for key, tally in sorted(tallies.items())
        ],
        keys=KEY,
        on_conflict=_GROWS,
    )


def _keys_touched_by_corrections(work: Work, rows: Sequence[dict[str, Any]]) -> set[StateKey]:
    """States of events that correct, are corrected, were corrected before they arrived, or no longer correct."""
    touched = {_key(row) for row in rows if row["corrects"]}
    targets = {row["corrects"] for row in rows if row["corrects"]}
    if targets:
        found = _select_among(work, "SELECT unit, period, probe FROM event_log WHERE event_id IN", targets)
        touched |= {_place(row) for row in found}
        rivals = "SELECT unit, period, probe FROM event_log WHERE corrects IS NOT NULL AND corrects IN"
        touched |= {_place(row) for row in _select_among(work, rivals, targets)}
    arrived = {row["event_id"]: _key(row) for row in rows}
    already = _select_among(
        work, "SELECT corrects FROM event_log WHERE corrects IS NOT NULL AND corrects IN", arrived
    )
    return touched | {arrived[str(row.corrects)] for row in already}


def _select_among(work: Work, statement: str, ids: Iterable[str]) -> Sequence[Any]:
    listed = orjson.dumps(list(ids)).decode()
    if work.connection.dialect.name == "postgresql":
        source = "(SELECT CAST(w AS uuid) FROM json_array_elements_text(CAST(:ids AS json)) AS w)"
    else:
        source = "(SELECT value FROM json_each(:ids))"
    return work.session.execute(text(f"{statement} {source}"), {"ids": listed}).fetchall()


def _recount(work: Work, keys: Iterable[StateKey], changed_seq: int) -> None:
    """Count these states anew from the events that stand: one statement reads, one writes."""
    if work.connection.dialect.name == "postgresql":
        wanted = (
            "SELECT w->>0 AS unit, w->>1 AS period, w->>2 AS probe "
            "FROM json_array_elements(CAST(:keys AS json)) AS w"
        )
    else:
        wanted = (
            "SELECT json_extract(value, '$[0]') AS unit, json_extract(value, '$[1]') AS period, "
            "json_extract(value, '$[2]') AS probe FROM json_each(:keys)"
        )
    counted = work.session.execute(
        text(
            f"SELECT k.unit, k.period, k.probe, {TALLIES}, count(*) AS events, min(every.seq) AS first_seq, "
            f"max(every.seq) AS last_seq, {changed_seq} AS changed_seq FROM ({wanted}) k JOIN event_log every "
            "ON every.unit = k.unit AND every.period = k.period AND every.probe = k.probe "
            f"LEFT JOIN event_log e ON e.seq = every.seq AND {STANDING} "
            "GROUP BY k.unit, k.period, k.probe ORDER BY k.unit, k.period, k.probe"
        ),
        {"keys": orjson.dumps(sorted(keys)).decode()},
    )
    rows = [
        dict(zip(KEY, row[: len(KEY)], strict=True))
        | {name: int(getattr(row, name)) for name in (*COUNTS, *SPAN)}
        for row in counted
    ]
    write_rows(
        work.session,
        PROBE_STATES,
        rows,
        keys=KEY,
        on_conflict=dict.fromkeys((*COUNTS, *SPAN), "replace"),
    )
