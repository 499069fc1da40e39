"""
Every state of a probe says how many events it has, between which numbers, and which changed it last.

Of states there are already the log tells all but the last; that is taken to be the newest event, so that a question as of
a day counts them anew, as before, until an event or `fazhi rebuild` tells it better.
"""

from alembic import op
from sqlalchemy import Column, text

from kernel.storage.types import BigInt

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# A rebuild used to leave out states whose events were all corrected.
MISSING = """
    INSERT INTO probe_states (unit, period, probe, passed, failed, graded_milli, not_applicable, not_computable, not_due,
                              numerator, denominator, reported, entered, real_time, external)
    SELECT unit, period, probe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM event_log WHERE true
    GROUP BY unit, period, probe
    ON CONFLICT (unit, period, probe) DO NOTHING
"""
TOLD_BY_THE_LOG = """
    UPDATE probe_states SET events = e.events, first_seq = e.first_seq, last_seq = e.last_seq,
        changed_seq = (SELECT size FROM log_head WHERE id = 1)
    FROM (SELECT unit, period, probe, count(*) AS events, min(seq) AS first_seq, max(seq) AS last_seq
          FROM event_log GROUP BY unit, period, probe) e
    WHERE e.unit = probe_states.unit AND e.period = probe_states.period AND e.probe = probe_states.probe
"""


def upgrade() -> None:
    """Four numbers a state, and an index of failures, which are what people ask for first."""
    for name in ("events", "first_seq", "last_seq", "changed_seq"):
        op.add_column("probe_states", Column(name, BigInt, nullable=False, server_default=text("0")))
    op.execute(MISSING)
    op.execute(TOLD_BY_THE_LOG)
    failures = text("outcome = 2")
    op.create_index(
        "ix_event_log_failed",
        "event_log",
        ["unit", "probe", "period", "seq"],
        postgresql_where=failures,
        sqlite_where=failures,
    )
