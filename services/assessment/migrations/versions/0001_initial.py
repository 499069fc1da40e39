"""The event log, its projections, and published frameworks."""

from alembic import op
from sqlalchemy import Column, Integer, String, Text, text

from contracts.units import create_units_v1
from kernel.storage.migrate import create_spine_v1
from kernel.storage.spine import guard_statements
from kernel.storage.types import BigInt, Id, Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

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


def upgrade() -> None:
    """Create everything; the log is append-only from the start."""
    connection = op.get_bind()
    create_spine_v1(connection)
    create_units_v1(connection)
    _log()
    _projections()
    op.create_table(
        "frameworks",
        Column("id", String(64), primary_key=True),
        Column("version", String(20), primary_key=True),
        Column("title", String(200), nullable=False),
        Column("year", Integer, nullable=False),
        Column("document", Text, nullable=False),
        Column("digest", String(64), nullable=False),
        Column("published_at", Moment, nullable=False),
    )
    for table in ("event_log", "frameworks"):
        for statement in guard_statements(connection.dialect.name, table):
            op.execute(statement)


def _log() -> None:
    op.create_table(
        "event_log",
        Column("seq", BigInt, primary_key=True, autoincrement=False),
        Column("event_id", Id, nullable=False),
        Column("source", String(50), nullable=False),
        Column("unit", String(100), nullable=False),
        Column("period", String(7), nullable=False),
        Column("probe", String(130), nullable=False),
        Column("outcome", Integer, nullable=False),
        Column("score_milli", Integer, nullable=False),
        Column("numerator", BigInt, nullable=False),
        Column("denominator", BigInt, nullable=False),
        Column("mode", Integer, nullable=False),
        Column("corrects", Id),
        Column("occurred_at", Moment, nullable=False),
        Column("recorded_at", Moment, nullable=False),
        Column("received_at", Moment, nullable=False),
        Column("leaf", Text, nullable=False),
        Column("leaf_hash", String(64), nullable=False),
    )
    op.create_index("uq_event_log_event", "event_log", ["event_id", "source"], unique=True)
    op.create_index("ix_event_log_state", "event_log", ["unit", "probe", "period"])
    corrections = text("corrects IS NOT NULL")
    op.create_index(
        "ix_event_log_corrects",
        "event_log",
        ["corrects"],
        postgresql_where=corrections,
        sqlite_where=corrections,
    )
    op.create_table(
        "log_head",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("size", BigInt, nullable=False),
    )
    op.execute("INSERT INTO log_head (id, size) VALUES (1, 0)")


def _projections() -> None:
    op.create_table(
        "probe_states",
        Column("unit", String(100), primary_key=True),
        Column("period", String(7), primary_key=True),
        Column("probe", String(130), primary_key=True),
        *(Column(name, BigInt, nullable=False) for name in COUNTS),
    )
    op.create_table(
        "unit_scores",
        Column("framework", String(100), primary_key=True),
        Column("year", String(4), primary_key=True),
        Column("unit", String(100), primary_key=True),
        Column("peer_group", String(50), nullable=False),
        Column("score", BigInt),
        Column("coverage", BigInt, nullable=False),
        Column("vetoes", Integer, nullable=False),
        Column("applicable", BigInt, nullable=False),
        Column("earned", BigInt, nullable=False),
        Column("aspects", Text, nullable=False),
        Column("modes", Text, nullable=False),
        Column("findings", BigInt, nullable=False),
        Column("at_seq", BigInt, nullable=False),
        Column("known_at", Moment, nullable=False),
    )
    op.create_index("ix_unit_scores_group", "unit_scores", ["framework", "year", "peer_group", "score"])
    op.create_index("ix_unit_scores_seq", "unit_scores", ["at_seq"])
    op.create_table(
        "rolled_up", Column("framework", String(100), primary_key=True), Column("seq", BigInt, nullable=False)
    )
