"""
Datum 数据: the contested event as the log has it, who made it, and the event that corrects it.

Assessment corrects its own facts; a datum of another service is corrected by that service, and seen here when its
correcting event arrives.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, select, text, update
from sqlalchemy.orm import Session

from contracts.findings import Basis, Evidence, Finding, Mode, Outcome
from kernel.ids import is_id
from kernel.storage.work import Work
from services.assessment.objections.model import OBJECTIONS
from services.assessment.objections.rules import Answer, corrected_marks
from services.assessment.rectification.model import ORDER_EVENTS, ORDERS
from services.assessment.reporting.scored import follow_correction
from services.assessment.scoring.model import EVENT_LOG
from services.assessment.scoring.own import SOURCE, OwnFact, append_own


@dataclass(frozen=True, slots=True)
class Datum:
    """One event of the log, with its leaf; `is_corrected`: another event of its source stands in its place."""

    event_id: str
    seq: int
    source: str
    unit: str
    probe: str
    period: str
    outcome: int
    score_milli: int
    mode: int
    occurred_at: datetime
    received_at: datetime
    leaf: dict[str, Any]
    is_corrected: bool


def datum_of(session: Session, event_id: str, unit: str, *, at: datetime | None = None) -> Datum | None:
    """A unit's event by id; None when there is none. `at`: with the corrections known at that moment."""
    if not is_id(event_id):
        return None
    log = EVENT_LOG
    row = session.execute(select(log).where(log.c.event_id == event_id, log.c.unit == unit)).first()
    if row is None:
        return None
    correcting = select(log.c.seq).where(log.c.corrects == event_id, log.c.source == row.source).limit(1)
    if at is not None:
        correcting = correcting.where(log.c.received_at <= at)
    return Datum(
        event_id=row.event_id,
        seq=row.seq,
        source=row.source,
        unit=row.unit,
        probe=row.probe,
        period=row.period,
        outcome=row.outcome,
        score_milli=row.score_milli,
        mode=row.mode,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
        leaf=orjson.loads(row.leaf),
        is_corrected=session.execute(correcting).first() is not None,
    )


def standing_of(session: Session, datum: Datum, *, at: datetime | None = None) -> Datum:
    """What stands in the place of an own datum (at a moment; None: now): itself, or the last of its corrections."""
    log = EVENT_LOG.c
    while datum.is_corrected:
        corrected = select(log.event_id).where(log.corrects == datum.event_id, log.source == datum.source)
        if at is not None:
            corrected = corrected.where(log.received_at <= at)
        last = corrected.order_by(log.recorded_at.desc(), log.event_id.desc()).limit(1)
        found = datum_of(session, session.execute(last).scalar_one(), datum.unit, at=at)
        assert found is not None  # a correction of an own fact is about the same unit
        datum = found
    return datum


def makers_of(session: Session, source: str, subject: str) -> set[str]:
    """
    Accounts that made an own datum of assessment: whoever acted on the object it came from.

    A datum of another service is made by the people there, whom assessment does not know by name.
    """
    kind, _, key = subject.removeprefix(f"{SOURCE}/").partition("/")
    if source != SOURCE or not key:
        return set()
    if kind == "orders" and is_id(key):
        made = select(ORDER_EVENTS.c.actor).where(ORDER_EVENTS.c.matter == key)
        return set(session.execute(made).scalars())
    audited = text("SELECT DISTINCT actor FROM audit WHERE object = :object AND result = 'done'")
    return set(session.execute(audited, {"object": f"{kind}/{key}"}).scalars())


def correct(work: Work, datum: Datum, asked: str, answer: Answer, objection: str) -> str:
    """Append the event that corrects an own datum as the answer says; returns its id."""
    outcome, score_milli = corrected_marks(answer, asked)
    leaf = datum.leaf
    finding = Finding(
        probe=datum.probe,
        probe_version=int(leaf["rule_version"]),
        outcome=Outcome(outcome),
        score_milli=score_milli,
        occurred_at=datum.occurred_at,
        basis=tuple(Basis(*basis) for basis in leaf["basis"]),
        numerator=_measured(leaf, score_milli) if outcome <= Outcome.FAIL else 0,
        denominator=leaf["denominator"] if outcome <= Outcome.FAIL else 0,
        reason=f"申诉{objection[:8]}成立：{answer.reasons}"[:300],
        evidence=tuple(Evidence(*evidence) for evidence in leaf["doc_sha"]),
    )
    (event,) = append_own(
        work,
        [
            OwnFact(
                unit=datum.unit,
                subject=str(leaf["subject"]),
                mode=Mode(datum.mode),
                finding=finding,
                corrects=datum.event_id,
            )
        ],
    )
    work.session.execute(
        update(ORDERS).where(ORDERS.c.scored_event == datum.event_id).values(scored_event=event)
    )
    marks = score_milli if outcome <= Outcome.FAIL else None
    actor = f"objections/{objection}"
    follow_correction(work, leaf["subject"], event, marks, actor=actor, reasons=answer.reasons)
    return event


def corrections(session: Session) -> list[Row[Any]]:
    """Objections that wait for their source, whose datum has been corrected by now: (id, version, event)."""
    log, table = EVENT_LOG, OBJECTIONS
    query = (
        select(table.c.id, table.c.version, table.c.unit, log.c.event_id, log.c.seq)
        .join(log, (log.c.corrects == table.c.event_id) & (log.c.source == table.c.source))
        .where(table.c.state == "correcting")
        .order_by(table.c.id, log.c.seq)
    )
    return list(_first(session.execute(query)))


def _first(rows: Iterable[Row[Any]]) -> Iterable[Row[Any]]:
    seen: set[str] = set()
    for row in rows:
        if row.id not in seen:
            seen.add(row.id)
            yield row


def _measured(leaf: dict[str, Any], score_milli: int) -> int:
    """What was measured, in proportion to the marks now given."""
    denominator: int = leaf["denominator"]
    return denominator * score_milli // 1000 if denominator else int(leaf["numerator"])
