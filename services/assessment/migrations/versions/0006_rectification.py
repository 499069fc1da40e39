"""Warnings, rectification orders and objections."""

from alembic import op
from sqlalchemy import CheckConstraint, Column, Integer, String, Text, text

from kernel.storage.spine import guard_statements
from kernel.storage.types import BigInt, Id, Moment, one_of

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_RUNNING = text("state <> 'closed'")


def upgrade() -> None:
    """Create the tables of this subject; what is a fact is append-only from the start."""
    _warnings()
    _orders()
    _objections()
    for facts in ("order_events", "objection_events"):
        _facts(facts)
    connection = op.get_bind()
    for table in ("warnings", "order_events", "objection_events"):
        for statement in guard_statements(connection.dialect.name, table):
            op.execute(statement)


def _warnings() -> None:
    op.create_table(
        "warnings",
        Column("id", Id, primary_key=True),
        Column("kind", String(20), nullable=False),
        Column("unit", String(100), nullable=False),
        Column("node", String(64), nullable=False),
        Column("framework", String(100), nullable=False),
        Column("year", String(4), nullable=False),
        Column("at_seq", BigInt, nullable=False),
        Column("title", String(200), nullable=False),
        Column("seen", Text, nullable=False),
        Column("raised_at", Moment, nullable=False),
        Column("order_id", Id),
        one_of("warnings", "kind", "line", "trend", "overdue", "finding"),
        comment="early warnings 预警, written once",
    )
    op.create_index("ix_warnings_unit", "warnings", ["unit", "raised_at"])
    op.create_index("ix_warnings_raised", "warnings", ["raised_at"])
    op.create_table(
        "watched",
        Column("framework", String(100), primary_key=True),
        Column("year", String(4), primary_key=True),
        Column("unit", String(100), primary_key=True),
        Column("node", String(70), primary_key=True),
        Column("is_below", Integer, nullable=False),
        Column("at_seq", BigInt, nullable=False),
        comment="on which side of its line a node was seen last: only a crossing warns",
    )
    op.create_table(
        "looked",
        Column("what", String(130), primary_key=True),
        Column("upto", BigInt, nullable=False),
        comment="up to which event, or month, warnings were looked for",
    )


def _orders() -> None:
    op.create_table(
        "orders",
        Column("id", Id, primary_key=True),
        Column("unit", String(100), nullable=False),
        Column("node", String(64), nullable=False),
        Column("matter", String(200), nullable=False),
        Column("title", String(200), nullable=False),
        Column("reason", Text, nullable=False),
        Column("proof", Text, nullable=False),
        Column("started_by", String(100), nullable=False),
        Column("started_unit", String(100), nullable=False),
        Column("started_at", Moment, nullable=False),
        Column("relapse_of", Id),
        Column("state", String(20), nullable=False),
        Column("version", Integer, nullable=False),
        Column("due_at", Moment),
        Column("escalated_due", Moment),
        Column("supervisor", String(100), nullable=False),
        Column("issuer", String(100), nullable=False),
        Column("is_late", Integer, nullable=False),
        Column("outcome", String(30), nullable=False),
        Column("closed_at", Moment),
        Column("scored_event", Id),
        one_of("orders", "state", "proposed", "open", "answered", "checked", "closed"),
        CheckConstraint("(state = 'closed') = (due_at IS NULL)", name="ck_orders_due"),
        CheckConstraint("(state = 'closed') = (outcome <> '')", name="ck_orders_outcome"),
        comment="rectification orders 督办事项, what their facts add up to",
    )
    op.create_index(
        "uq_orders_running",
        "orders",
        ["unit", "node", "matter"],
        unique=True,
        postgresql_where=_RUNNING,
        sqlite_where=_RUNNING,
    )
    op.create_index("ix_orders_due", "orders", ["due_at"], postgresql_where=_RUNNING, sqlite_where=_RUNNING)
    op.create_index("ix_orders_unit", "orders", ["unit", "node", "closed_at"])


def _objections() -> None:
    op.create_table(
        "objections",
        Column("id", Id, primary_key=True),
        Column("unit", String(100), nullable=False),
        Column("event_id", Id, nullable=False),
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
        Column("correction", Id),
        Column("closed_at", Moment),
        one_of("objections", "state", "filed", "accepted", "drafted", "correcting", "closed"),
        CheckConstraint("(state = 'closed') = (due_at IS NULL)", name="ck_objections_due"),
        comment="objections 申诉, what their facts add up to",
    )
    counts = text("outcome NOT IN ('refused', 'withdrawn')")
    op.create_index(
        "uq_objections_event",
        "objections",
        ["event_id", "source"],
        unique=True,
        postgresql_where=counts,
        sqlite_where=counts,
    )
    op.create_index(
        "ix_objections_due", "objections", ["due_at"], postgresql_where=_RUNNING, sqlite_where=_RUNNING
    )
    op.create_index("ix_objections_unit", "objections", ["unit", "filed_at"])


def _facts(name: str) -> None:
    op.create_table(
        name,
        Column("id", Id, primary_key=True),
        Column("matter", Id, nullable=False),
        Column("seq", Integer, nullable=False),
        Column("kind", String(20), nullable=False),
        Column("actor", String(100), nullable=False),
        Column("actor_unit", String(100), nullable=False),
        Column("recorded_at", Moment, nullable=False),
        Column("due_at", Moment),
        Column("note", Text, nullable=False),
        Column("detail", Text, nullable=False),
        comment="facts of matters, written once",
    )
    op.create_index(f"uq_{name}_seq", name, ["matter", "seq"], unique=True)
    escalated = text("kind = 'escalated'")
    op.create_index(
        f"uq_{name}_escalated",
        name,
        ["matter", "due_at"],
        unique=True,
        postgresql_where=escalated,
        sqlite_where=escalated,
    )
