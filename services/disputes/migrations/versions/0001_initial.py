"""Cases with their append-only steps and deadlines; matters and court outcomes."""

from alembic import op
from sqlalchemy import Boolean, Column, Index, Integer, String, Text, UniqueConstraint

from contracts.findings.register import create_findings_v1
from contracts.units import create_units_v1
from kernel.storage.migrate import create_spine_v1
from kernel.storage.spine import guard_statements
from kernel.storage.types import Day, Id, Moment, one_of

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CASE_STATES = (
    "abandoned",
    "accepted",
    "awaiting_material",
    "decided",
    "draft",
    "effective",
    "received",
    "refused",
    "returned",
    "suspended",
)


def upgrade() -> None:
    """Create everything; steps and deadlines are append-only from the start."""
    connection = op.get_bind()
    create_spine_v1(connection)
    create_units_v1(connection)
    create_findings_v1(connection)
    _cases()
    _matters()
    for table in ("case_steps", "deadlines"):
        for statement in guard_statements(connection.dialect.name, table):
            op.execute(statement)


def _cases() -> None:
    op.create_table(
        "cases",
        Column("id", Id, primary_key=True),
        Column("number", String(100), nullable=False),
        Column("organ", String(100), nullable=False),
        Column("respondent", String(100), nullable=False),
        Column("applicant", String(500), nullable=False),
        Column("applicant_kind", String(50), nullable=False),
        Column("mode", Integer, nullable=False),
        Column("state", String(20), nullable=False),
        Column("track", String(20), nullable=False),
        Column("steps", Integer, nullable=False),
        Column("received_on", Day),
        Column("accepted_on", Day),
        Column("deemed", Boolean, nullable=False),
        Column("decided_on", Day),
        Column("effective_on", Day),
        Column("outcome", String(10), nullable=False),
        Column("grounds", String(200), nullable=False),
        Column("settled", Boolean),
        Column("act_changed", Boolean),
        Column("in_time", Boolean),
        Column("due_on", Day),
        Column("provisional", Boolean, nullable=False),
        Column("next_look_on", Day),
        Column("receipt", String(36), nullable=False),
        Column("source_digest", String(80), nullable=False),
        Column("recorded_at", Moment, nullable=False),
        UniqueConstraint("organ", "number", name="uq_cases_number"),
        one_of("cases", "state", *CASE_STATES),
        one_of("cases", "track", "ordinary", "simple"),
        Index("ix_cases_respondent", "respondent"),
        Index("ix_cases_next_look", "next_look_on"),
        Index("ix_cases_received", "received_on"),
        Index("ix_cases_decided", "decided_on"),
    )
    op.create_table(
        "case_steps",
        Column("id", Id, primary_key=True),
        Column("of_case", Id, nullable=False),
        Column("seq", Integer, nullable=False),
        Column("kind", String(30), nullable=False),
        Column("happened_on", Day, nullable=False),
        Column("body", Text, nullable=False),
        Column("digest", String(80), nullable=False),
        Column("corrects", String(36), nullable=False),
        Column("actor", String(100), nullable=False),
        Column("actor_unit", String(100), nullable=False),
        Column("recorded_at", Moment, nullable=False),
        UniqueConstraint("of_case", "seq", name="uq_case_steps_seq"),
    )
    op.create_table(
        "deadlines",
        Column("of_case", Id, primary_key=True),
        Column("seq", Integer, primary_key=True),
        Column("clock", String(60), primary_key=True),
        Column("from_on", Day, nullable=False),
        Column("due_on", Day, nullable=False),
        Column("provisional", Boolean, nullable=False),
        Column("calendar_version", String(200), nullable=False),
    )


def _matters() -> None:
    op.create_table(
        "matters",
        Column("receipt", Id, primary_key=True),
        Column("kind", String(30), nullable=False),
        Column("system", String(30), nullable=False),
        Column("external_id", String(100), nullable=False),
        Column("unit", String(100), nullable=False),
        Column("region_code", String(12), nullable=False),
        Column("title", String(500), nullable=False),
        Column("content", Text, nullable=False),
        Column("state", String(20), nullable=False),
        Column("note", Text, nullable=False),
        Column("subject", String(200), nullable=False),
        Column("received_at", Moment, nullable=False),
        Column("due_at", Moment),
        Column("answered_at", Moment),
        Index("ix_matters_unit", "unit"),
        Index("ix_matters_state", "state"),
        one_of("matters", "state", "answered", "open", "returned"),
    )
    op.create_table(
        "court_outcomes",
        Column("id", Id, primary_key=True),
        Column("receipt", String(36), nullable=False),
        Column("case_number", String(100), nullable=False),
        Column("instance", String(20), nullable=False),
        Column("court", String(100), nullable=False),
        Column("unit", String(100), nullable=False),
        Column("review_organ", String(100), nullable=False),
        Column("outcome", String(10), nullable=False),
        Column("lost", String(10), nullable=False),
        Column("ground", String(30), nullable=False),
        Column("act_number", String(128), nullable=False),
        Column("head_attended", String(20), nullable=False),
        Column("performed", String(20), nullable=False),
        Column("decided_on", Day, nullable=False),
        Column("effective_on", Day),
        Column("version", Integer, nullable=False),
        UniqueConstraint("case_number", "instance", "unit", name="uq_court_outcomes_case"),
        Index("ix_court_outcomes_unit", "unit", "effective_on"),
    )


def downgrade() -> None:
    """The first version has nothing before it."""
