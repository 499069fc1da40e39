"""Drafts and lives of frameworks, yearly tasks."""

from alembic import op
from sqlalchemy import Boolean, Column, Integer, String, Text

from kernel.storage.spine import guard_statements
from kernel.storage.types import Day, Id, Moment, one_of

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "framework_drafts",
    "framework_proposals",
    "framework_decisions",
    "task_plans",
    "task_items",
    "tasks",
    "task_duties",
    "task_notes",
    "task_reminders",
)


def upgrade() -> None:
    """Create the tables of this subject, append-only from the start."""
    _frameworks()
    _tasks()
    for table in APPEND_ONLY:
        for statement in guard_statements(op.get_bind().dialect.name, table):
            op.execute(statement)


def _frameworks() -> None:
    op.create_table(
        "framework_drafts",
        Column("id", Id, primary_key=True),
        Column("framework", String(64), nullable=False),
        Column("version", String(20), nullable=False),
        Column("title", String(200), nullable=False),
        Column("year", Integer, nullable=False),
        Column("document", Text, nullable=False),
        Column("digest", String(64), nullable=False),
        Column("source", String(200), nullable=False),
        Column("drafted_by", String(100), nullable=False),
        Column("drafted_at", Moment, nullable=False),
    )
    op.create_index("ix_framework_drafts_version", "framework_drafts", ["framework", "version", "drafted_at"])
    op.create_table(
        "framework_proposals",
        Column("id", Id, primary_key=True),
        Column("act", String(20), nullable=False),
        Column("framework", String(64), nullable=False),
        Column("version", String(20), nullable=False),
        Column("draft", Id),
        Column("year", Integer, nullable=False),
        Column("note", String(500), nullable=False),
        Column("proposed_by", String(100), nullable=False),
        Column("proposed_at", Moment, nullable=False),
        one_of("framework_proposals", "act", "publish", "in_force", "retire"),
    )
    op.create_index("ix_framework_proposals_version", "framework_proposals", ["framework", "version"])
    op.create_table(
        "framework_decisions",
        Column("proposal", Id, primary_key=True),
        Column("approved", Boolean, nullable=False),
        Column("note", String(500), nullable=False),
        Column("decided_by", String(100), nullable=False),
        Column("decided_at", Moment, nullable=False),
    )


def _tasks() -> None:
    op.create_table(
        "task_plans",
        Column("id", Id, primary_key=True),
        Column("framework", String(64), nullable=False),
        Column("version", String(20), nullable=False),
        Column("year", Integer, nullable=False),
        Column("scope", String(500), nullable=False),
        Column("title", String(200), nullable=False),
        Column("note", String(2000), nullable=False),
        Column("published_by", String(100), nullable=False),
        Column("published_at", Moment, nullable=False),
    )
    op.create_table(
        "task_items",
        Column("plan", Id, primary_key=True),
        Column("node", String(64), primary_key=True),
        Column("title", String(500), nullable=False),
        Column("standard", Text, nullable=False),
        Column("deliverables", Text, nullable=False),
        Column("lead_field", String(50), nullable=False),
        Column("responsible_fields", Text, nullable=False),
    )
    op.create_table(
        "tasks",
        Column("id", Id, primary_key=True),
        Column("plan", Id, nullable=False),
        Column("node", String(64), nullable=False),
        Column("area", String(100), nullable=False),
        Column("revision", Integer, nullable=False),
        Column("lead", String(100), nullable=False),
        Column("due_on", Day, nullable=False),
        Column("reason", String(500), nullable=False),
        Column("assigned_by", String(100), nullable=False),
        Column("assigned_at", Moment, nullable=False),
    )
    op.create_index("uq_tasks_revision", "tasks", ["plan", "area", "node", "revision"], unique=True)
    op.create_index("ix_tasks_due", "tasks", ["due_on"])
    op.create_table(
        "task_duties",
        Column("task", Id, primary_key=True),
        Column("unit", String(100), primary_key=True),
        Column("role", String(20), nullable=False),
        one_of("task_duties", "role", "lead", "responsible"),
    )
    op.create_index("ix_task_duties_unit", "task_duties", ["unit"])
    op.create_table(
        "task_notes",
        Column("id", Id, primary_key=True),
        Column("plan", Id, nullable=False),
        Column("area", String(100), nullable=False),
        Column("node", String(64), nullable=False),
        Column("unit", String(100), nullable=False),
        Column("kind", String(20), nullable=False),
        Column("text", Text, nullable=False),
        Column("noted_by", String(100), nullable=False),
        Column("noted_at", Moment, nullable=False),
        one_of("task_notes", "kind", "progress", "done", "reopened"),
    )
    op.create_index("ix_task_notes_task", "task_notes", ["plan", "area", "node", "noted_at"])
    op.create_table(
        "task_reminders",
        Column("task", Id, primary_key=True),
        Column("unit", String(100), primary_key=True),
        Column("kind", String(20), primary_key=True),
        Column("due_on", Day, nullable=False),
        Column("reminded_at", Moment, nullable=False),
    )
    op.create_index("ix_task_reminders_unit", "task_reminders", ["unit", "reminded_at"])
