"""
Rebuild 重建: throw the projections away and make them again from the event log.

One statement counts the whole log; scores follow from the states. While it runs the head is locked, so new
events wait at the door instead of being counted twice. A state whose events were all corrected is kept with
zeros: as of a day before, there was something.
"""

from dataclasses import dataclass

from sqlalchemy import delete, select, text

from kernel.storage.work import Store
from services.assessment.scoring.log import COUNTS, SPAN
from services.assessment.scoring.model import LOG_HEAD, PROBE_STATES, STANDING, TALLIES
from services.assessment.scoring.roll_up import RollUp


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did."""

    events: int
    states: int
    scores: int


# Who unseats whom is looked up among corrections only, few beside the log; the log itself is read once for what
# stands and once for between which numbers a state came about.
_COUNT_ALL = text(f"""
    INSERT INTO probe_states (unit, period, probe, {", ".join((*COUNTS, *SPAN))})
    SELECT k.unit, k.period, k.probe, {", ".join(f"coalesce(s.{name}, 0)" for name in COUNTS)},
           k.events, k.first_seq, k.last_seq, k.changed_seq
    FROM (SELECT unit, period, probe, count(*) FILTER (WHERE is_own = 1) AS events,
                 min(own) AS first_seq, max(own) AS last_seq, max(seq) AS changed_seq
          FROM (SELECT unit, period, probe, seq AS own, seq, 1 AS is_own FROM event_log
                UNION ALL
                SELECT t.unit, t.period, t.probe, t.seq, c.seq, 0 FROM event_log c
                JOIN event_log t ON t.event_id = c.corrects WHERE c.corrects IS NOT NULL
                UNION ALL
                SELECT t.unit, t.period, t.probe, t.seq, c.seq, 0 FROM event_log c
                JOIN event_log t ON t.corrects = c.corrects
                WHERE c.corrects IS NOT NULL AND t.corrects IS NOT NULL) touched
          GROUP BY unit, period, probe) k
    LEFT JOIN (SELECT e.unit, e.period, e.probe, {TALLIES} FROM event_log e WHERE {STANDING}
               GROUP BY e.unit, e.period, e.probe) s
           ON s.unit = k.unit AND s.period = k.period AND s.probe = k.probe
""")


def rebuild(store: Store, roll_up: RollUp) -> Rebuilt:
    """Make all projections anew; returns how many events, states and scores there are."""
    with store.work() as work:
        if work.connection.dialect.name == "postgresql":
            work.session.execute(text("SET LOCAL statement_timeout = 0"))
        events = work.session.execute(select(LOG_HEAD.c.size).with_for_update()).scalar_one()
        work.session.execute(delete(PROBE_STATES))
        states = work.session.execute(_COUNT_ALL).rowcount  # type: ignore[attr-defined]
        work.commit()
    return Rebuilt(events, states, roll_up.everything())
