"""
Rebuild 重建: throw the projections away and make them again from the event log.

One statement counts the whole log; scores follow from the states. While it runs the head is locked, so new
events wait at the door instead of being counted twice.
"""

from dataclasses import dataclass

from sqlalchemy import delete, select, text

from kernel.storage.work import Store
from services.assessment.scoring.log import COUNTS
from services.assessment.scoring.model import LOG_HEAD, PROBE_STATES, STANDING, TALLIES
from services.assessment.scoring.roll_up import RollUp


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did."""

    events: int
    states: int
    scores: int


def rebuild(store: Store, roll_up: RollUp) -> Rebuilt:
    """Make all projections anew; returns how many events, states and scores there are."""
    with store.work() as work:
        if work.connection.dialect.name == "postgresql":
            work.session.execute(text("SET LOCAL statement_timeout = 0"))
        events = work.session.execute(select(LOG_HEAD.c.size).with_for_update()).scalar_one()
        work.session.execute(delete(PROBE_STATES))
        states = work.session.execute(
            text(
                f"INSERT INTO probe_states (unit, period, probe, {', '.join(COUNTS)}) "
                f"SELECT e.unit, e.period, e.probe, {TALLIES} FROM event_log e WHERE {STANDING} "
                "GROUP BY e.unit, e.period, e.probe"
            )
        ).rowcount  # type: ignore[attr-defined]
        work.commit()
    return Rebuilt(events, states, roll_up.everything())
