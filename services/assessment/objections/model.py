"""What is kept of objections 申诉: facts, and one row an objection that repeats where it stands."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Table, Text, text

from kernel.storage.types import BigInt, Id, Moment, one_of
from services.assessment.objections.rules import STATES
from services.assessment.rectification.timeline import timeline
from services.assessment.tables import Base

OBJECTION_EVENTS = timeline("objection_events", Base.metadata)

OBJECTIONS = Table(
    "objections",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("unit", String(100), nullable=False),
    Column("event_id", Id, nullable=False, comment="the contested event of the log"),
    Column("event_seq", BigInt, nullable=False),
    Column("source", String(50), nullable=False),
    Column("probe", String(130), nullable=False),
    Column("period", String(7), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("asked", String(20), nullable=False),
    Column("grounds", Text, nullable=False),
    Column("filed_by", String(100), nullable=False),
    Column("filed_at", Moment, nullable=False),
    Column("state", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("due_at", Moment),
    Column("escalated_due", Moment),
    Column("supervisor", String(100), nullable=False),
    Column("drafter", String(100), nullable=False),
    Column("outcome", String(30), nullable=False),
    Column("correction", Id, comment="the event that corrected the datum"),
    Column("closed_at", Moment),
    one_of("objections", "state", *STATES),
    CheckConstraint("(state = 'closed') = (due_at IS NULL)", name="ck_objections_due"),
    comment="objections 申诉, what their facts add up to",
)
_counts = text("outcome NOT IN ('refused', 'withdrawn')")
Index(
    "uq_objections_event",
    OBJECTIONS.c.event_id,
    OBJECTIONS.c.source,
    unique=True,
    postgresql_where=_counts,
    sqlite_where=_counts,
)
_running = text("state <> 'closed'")
Index("ix_objections_due", OBJECTIONS.c.due_at, postgresql_where=_running, sqlite_where=_running)
Index("ix_objections_unit", OBJECTIONS.c.unit, OBJECTIONS.c.filed_at)
