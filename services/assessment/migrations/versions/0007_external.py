"""Surveys, on-site sheets and third-party evaluations."""

from alembic import op
from sqlalchemy import Column, ForeignKey, Integer, String, Text, text

from kernel.storage.spine import guard_statements
from kernel.storage.types import BigInt, Day, Id, Moment, one_of

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = (
    "surveys",
    "survey_codes",
    "survey_batches",
    "survey_answers",
    "survey_counts",
    "sheets",
    "sheet_files",
    "sheet_versions",
)


def upgrade() -> None:
    """Create the tables; all of them only grow."""
    _surveys()
    _answers()
    _sheets()
    dialect = op.get_bind().dialect.name
    for table in TABLES:
        for statement in guard_statements(dialect, table):
            op.execute(statement)


def _surveys() -> None:
    op.create_table(
        "surveys",
        Column("id", Id, primary_key=True),
        Column("framework", String(64), nullable=False),
        Column("period", String(4), nullable=False),
        Column("title", String(200), nullable=False),
        Column("way", String(20), nullable=False),
        Column("opens_on", Day, nullable=False),
        Column("closes_on", Day, nullable=False),
        Column("questions", Text, nullable=False),
        Column("created_by", String(100), nullable=False),
        Column("created_at", Moment, nullable=False),
        one_of("surveys", "way", "telephone", "on_site", "web", "questionnaire"),
    )
    op.create_table(
        "survey_codes",
        Column("digest", String(64), primary_key=True),
        Column("survey", Id, ForeignKey("surveys.id"), nullable=False),
        Column("unit", String(100), nullable=False),
        Column("issued_at", Moment, nullable=False),
    )
    op.create_index("ix_survey_codes_survey", "survey_codes", ["survey", "unit"])
    op.create_table(
        "survey_batches",
        Column("survey", Id, ForeignKey("surveys.id"), primary_key=True),
        Column("digest", String(80), primary_key=True),
        Column("name", String(200), nullable=False),
        Column("media_type", String(100), nullable=False),
        Column("answers", Integer, nullable=False),
        Column("account", String(100), nullable=False),
        Column("taken_at", Moment, nullable=False),
    )


def _answers() -> None:
    op.create_table(
        "survey_answers",
        Column("id", Id, primary_key=True),
        Column("survey", Id, ForeignKey("surveys.id"), nullable=False),
        Column("unit", String(100), nullable=False),
        Column("code", String(64), ForeignKey("survey_codes.digest")),
        Column("batch", String(80)),
        Column("marks", Text, nullable=False),
        Column("answered_at", Moment, nullable=False),
    )
    op.create_index("ix_survey_answers_survey", "survey_answers", ["survey", "unit"])
    coded = text("code IS NOT NULL")
    op.create_index(
        "uq_survey_answers_code",
        "survey_answers",
        ["code"],
        unique=True,
        postgresql_where=coded,
        sqlite_where=coded,
    )
    op.create_table(
        "survey_counts",
        Column("event_id", Id, primary_key=True),
        Column("survey", Id, ForeignKey("surveys.id"), nullable=False),
        Column("unit", String(100), nullable=False),
        Column("result", String(64), nullable=False),
        Column("responses", Integer, nullable=False),
        Column("counted_at", Moment, nullable=False),
    )
    op.create_index("ix_survey_counts_survey", "survey_counts", ["survey", "unit", "result"])


def _sheets() -> None:
    op.create_table(
        "sheets",
        Column("id", Id, primary_key=True),
        Column("kind", String(20), nullable=False),
        Column("framework", String(64), nullable=False),
        Column("period", String(4), nullable=False),
        Column("unit", String(100), nullable=False),
        Column("results", Text, nullable=False),
        Column("assignee", String(100), nullable=False),
        Column("due_on", Day, nullable=False),
        Column("issued_by", String(100), nullable=False),
        Column("issued_at", Moment, nullable=False),
        one_of("sheets", "kind", "on_site", "third_party"),
    )
    op.create_index("ix_sheets_assignee", "sheets", ["assignee"])
    op.create_index("ix_sheets_unit", "sheets", ["unit", "period"])
    op.create_table(
        "sheet_files",
        Column("sheet", Id, ForeignKey("sheets.id"), primary_key=True),
        Column("digest", String(80), primary_key=True),
        Column("name", String(200), nullable=False),
        Column("media_type", String(100), nullable=False),
        Column("size", BigInt, nullable=False),
        Column("account", String(100), nullable=False),
        Column("added_at", Moment, nullable=False),
    )
    op.create_table(
        "sheet_versions",
        Column("sheet", Id, ForeignKey("sheets.id"), primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("items", Text, nullable=False),
        Column("events", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("account", String(100), nullable=False),
        Column("handed_in_at", Moment, nullable=False),
    )
