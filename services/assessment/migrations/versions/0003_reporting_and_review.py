"""Self-reports and their reviews."""

from alembic import op
from sqlalchemy import Boolean, Column, Integer, String, Text, text

from kernel.storage.spine import guard_statements
from kernel.storage.types import BigInt, Day, Id, Moment, one_of

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APPEND_ONLY = ("report_versions", "report_events", "report_files", "review_marks")


def upgrade() -> None:
    """Create the tables of this subject; what was said and answered is append-only from the start."""
    _reports()
    _said()
    _handed_in()
    _reviews()
    for table in APPEND_ONLY:
        for statement in guard_statements(op.get_bind().dialect.name, table):
            op.execute(statement)


def _reports() -> None:
    op.create_table(
        "reports",
        Column("id", Id, primary_key=True),
        Column("framework", String(64), nullable=False),
        Column("result", String(64), nullable=False),
        Column("unit", String(100), nullable=False),
        Column("period", String(7), nullable=False),
        Column("peer_group", String(50), nullable=False),
        Column("state", String(20), nullable=False),
        Column("version", Integer, nullable=False),
        Column("submitted_version", Integer, nullable=False),
        Column("round", Integer, nullable=False),
        Column("score_milli", Integer),
        Column("due_on", Day, nullable=False),
        Column("submitted_at", Moment),
        Column("changed_at", Moment, nullable=False),
        one_of("reports", "state", "draft", "submitted", "reviewing", "returned", "scored"),
    )
    op.create_index("uq_reports_result", "reports", ["framework", "unit", "period", "result"], unique=True)
    op.create_index("ix_reports_state", "reports", ["state", "submitted_at"])


def _said() -> None:
    op.create_table(
        "report_versions",
        Column("report", Id, primary_key=True),
        Column("version", Integer, primary_key=True),
        Column("numerator", BigInt),
        Column("denominator", BigInt),
        Column("statement", Text, nullable=False),
        Column("evidence", Text, nullable=False),
        Column("digest", String(64), nullable=False),
        Column("written_by", String(100), nullable=False),
        Column("written_at", Moment, nullable=False),
    )
    op.create_table(
        "report_events",
        Column("report", Id, primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("act", String(20), nullable=False),
        Column("round", Integer, nullable=False),
        Column("version", Integer, nullable=False),
        Column("actor", String(100), nullable=False),
        Column("at", Moment, nullable=False),
        Column("reasons", String(2000), nullable=False),
        Column("score_milli", Integer),
        Column("fact", String(36), nullable=False),
        one_of(
            "report_events",
            "act",
            "submitted",
            "withdrawn",
            "review_opened",
            "returned",
            "scored",
            "rescored",
        ),
    )
    scored = text("act = 'scored'")
    op.create_index(
        "uq_report_events_scored",
        "report_events",
        ["report"],
        unique=True,
        postgresql_where=scored,
        sqlite_where=scored,
    )


def _handed_in() -> None:
    op.create_table(
        "report_files",
        Column("unit", String(100), primary_key=True),
        Column("digest", String(71), primary_key=True),
        Column("year", String(4), primary_key=True),
        Column("name", String(200), nullable=False),
        Column("media_type", String(100), nullable=False),
        Column("size", BigInt, nullable=False),
        Column("uploaded_by", String(100), nullable=False),
        Column("uploaded_at", Moment, nullable=False),
    )
    op.create_table(
        "report_workbooks",
        Column("digest", String(64), primary_key=True),
        Column("unit", String(100), primary_key=True),
        Column("name", String(200), nullable=False),
        Column("period", String(7), nullable=False),
        Column("state", String(20), nullable=False),
        Column("rows", Integer, nullable=False),
        Column("faults", Text, nullable=False),
        Column("drafts", Text, nullable=False),
        Column("checked_by", String(100), nullable=False),
        Column("checked_at", Moment, nullable=False),
        Column("imported_at", Moment),
        one_of("report_workbooks", "state", "checked", "refused", "imported"),
    )


def _reviews() -> None:
    op.create_table(
        "reviewers",
        Column("account", String(100), primary_key=True),
        Column("unit", String(100), nullable=False),
        Column("area", String(500), nullable=False),
        Column("is_active", Boolean, nullable=False),
        Column("changed_by", String(100), nullable=False),
        Column("changed_at", Moment, nullable=False),
    )
    op.create_table(
        "review_assignments",
        Column("id", Id, primary_key=True),
        Column("report", Id, nullable=False),
        Column("round", Integer, nullable=False),
        Column("place", Integer, nullable=False),
        Column("turn", Integer, nullable=False),
        Column("reviewer", String(100), nullable=False),
        Column("assigned_by", String(100), nullable=False),
        Column("reason", String(500), nullable=False),
        Column("due_on", Day, nullable=False),
        Column("is_provisional", Boolean, nullable=False),
        Column("assigned_at", Moment, nullable=False),
        Column("opened_at", Moment),
        Column("done_at", Moment),
        Column("replaced_at", Moment),
        one_of("review_assignments", "place", "1", "2", "3"),
    )
    op.create_index(
        "uq_review_assignments_turn",
        "review_assignments",
        ["report", "round", "place", "turn"],
        unique=True,
    )
    still_open = text("done_at IS NULL AND replaced_at IS NULL")
    op.create_index(
        "ix_review_assignments_open",
        "review_assignments",
        ["reviewer", "due_on"],
        postgresql_where=still_open,
        sqlite_where=still_open,
    )
    op.create_index("ix_review_assignments_reviewer", "review_assignments", ["reviewer", "done_at"])
    op.create_table(
        "review_marks",
        Column("report", Id, primary_key=True),
        Column("round", Integer, primary_key=True),
        Column("place", Integer, primary_key=True),
        Column("assignment", Id, nullable=False),
        Column("reviewer", String(100), nullable=False),
        Column("decision", String(10), nullable=False),
        Column("score_milli", Integer),
        Column("numerator", BigInt),
        Column("denominator", BigInt),
        Column("reasons", String(2000), nullable=False),
        Column("marked_at", Moment, nullable=False),
        one_of("review_marks", "decision", "score", "return"),
    )
