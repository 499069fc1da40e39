"""
Effect 计分影响: how a unit handled an order is a fact of its own in the log (ASM-02), corrected as the order goes on.

An order that runs late counts against the unit at once; when it ends, the event of the end corrects that one, so
one event of an order stands, and both stay visible (R26). Lateness that an objection has struck out since is not counted
again when the order ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from contracts.findings import Evidence, Mode, Outcome
from kernel.storage.work import Work
from services.assessment.rectification.model import ORDERS
from services.assessment.rectification.rules import PROBES, Handled
from services.assessment.scoring.model import EVENT_LOG
from services.assessment.scoring.own import SOURCE, OwnFact, append_own

Scored = tuple[Mapping[str, object], Handled, tuple[Evidence, ...]]


def score(work: Work, handled: Sequence[Scored]) -> list[str]:
    """Append the event of each (order row, how it was handled, its proof), in this transaction."""
    if not handled:
        return []
    (probe,) = PROBES
    now = work.clock.now()
    facts = [
        OwnFact(
            unit=str(row["unit"]),
            subject=f"assessment/orders/{row['id']}",
            mode=Mode.REAL_TIME,
            finding=replace(probe.look(how, now), evidence=evidence),
            corrects=str(row["scored_event"] or ""),
        )
        for row, how, evidence in handled
    ]
    events = append_own(work, facts)
    statement = update(ORDERS).where(ORDERS.c.id == bindparam("of")).values(scored_event=bindparam("event"))
    pairs = zip(handled, events, strict=True)
    work.connection.execute(statement, [{"of": row["id"], "event": event} for (row, _, _), event in pairs])
    return events


def is_struck_out(session: Session, event: str | None) -> bool:
    """Whether the standing event of a running order, once of its lateness, says no failure since an objection."""
    said = select(EVENT_LOG.c.outcome).where(EVENT_LOG.c.event_id == event, EVENT_LOG.c.source == SOURCE)
    return event is not None and session.execute(said).scalar_one() != Outcome.FAIL
