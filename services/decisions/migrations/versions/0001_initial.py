"""Procedures, their append-only steps, and pinned templates."""

from alembic import op
from sqlalchemy import Column, Index, Integer, String, Text, UniqueConstraint

from contracts.findings.register import create_findings_v1
from contracts.units import create_units_v1
from kernel.storage.migrate import create_spine_v1
from kernel.storage.spine import guard_statements
from kernel.storage.types import Day, Id, Moment, one_of

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PHASES = (
    "",
    "archive",
    "change",
    "decision",
    "discussion",
    "drafting",
    "end",
    "evaluation",
    "execution",
    "parallel",
    "party_report",
    "proposal",
    "publication",
    "review",
    "start",
    "study",
    "submission",
    "suspension",
)


def upgrade() -> None:
    """Create everything; steps and pinned templates are append-only from the start."""
    connection = op.get_bind()
    create_spine_v1(connection)
    create_units_v1(connection)
    create_findings_v1(connection)
    op.create_table(
        "procedures",
        Column("id", Id, primary_key=True),
        Column("number", String(100), nullable=False),
        Column("unit", String(100), nullable=False),
        Column("title", String(500), nullable=False),
        Column("lead", String(100), nullable=False),
        Column("reviewer", String(100), nullable=False),
        Column("mode", Integer, nullable=False),
        Column("phase", String(20), nullable=False),
        Column("template_id", String(100), nullable=False),
        Column("template_version", String(20), nullable=False),
        Column("source_digest", String(80), nullable=False),
        Column("steps", Integer, nullable=False),
        Column("started_on", Day),
        Column("decided_on", Day),
        Column("published_on", Day),
        Column("archived_on", Day),
        Column("score_milli", Integer),
        Column("coverage_milli", Integer),
        Column("band", String(20), nullable=False),
        Column("next_look_on", Day),
        Column("recorded_at", Moment, nullable=False),
        UniqueConstraint("unit", "number", name="uq_procedures_number"),
        one_of("procedures", "phase", *PHASES),
        Index("ix_procedures_lead", "lead"),
        Index("ix_procedures_reviewer", "reviewer"),
        Index("ix_procedures_next_look", "next_look_on"),
        Index("ix_procedures_decided", "decided_on"),
    )
    op.create_table(
        "steps",
        Column("id", Id, primary_key=True),
        Column("procedure", Id, nullable=False),
        Column("seq", Integer, nullable=False),
        Column("kind", String(30), nullable=False),
        Column("happened_on", Day, nullable=False),
        Column("body", Text, nullable=False),
        Column("digest", String(80), nullable=False),
        Column("corrects", String(36), nullable=False),
        Column("actor", String(100), nullable=False),
        Column("actor_unit", String(100), nullable=False),
        Column("recorded_at", Moment, nullable=False),
        UniqueConstraint("procedure", "seq", name="uq_steps_seq"),
    )
    op.create_table(
        "templates",
        Column("id", String(100), primary_key=True),
        Column("version", String(20), primary_key=True),
        Column("digest", String(80), nullable=False),
        Column("body", Text, nullable=False),
        Column("pinned_at", Moment, nullable=False),
    )
    for table in ("steps", "templates"):
        for statement in guard_statements(connection.dialect.name, table):
            op.execute(statement)


def downgrade() -> None:
    """The first version has nothing before it."""
