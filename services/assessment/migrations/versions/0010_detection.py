"""Drafts of the gaming detector, and decisions on them."""

from alembic import op
from sqlalchemy import Column, ForeignKey, String, Text

from kernel.storage.spine import guard_statements
from kernel.storage.types import Id, Moment, one_of

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; both only grow."""
    op.create_table(
        "detection_drafts",
        Column("id", Id, primary_key=True),
        Column("kind", String(20), nullable=False),
        Column("unit", String(100), nullable=False),
        Column("year", String(4), nullable=False),
        Column("fingerprint", String(64), nullable=False),
        Column("seen", Text, nullable=False),
        Column("words", Text, nullable=False),
        Column("drafted_at", Moment, nullable=False),
        one_of("detection_drafts", "kind", "gap", "bunching", "backdating", "copied", "reopened"),
    )
    op.create_index(
        "uq_detection_drafts_seen", "detection_drafts", ["unit", "year", "kind", "fingerprint"], unique=True
    )
    op.create_table(
        "detection_decisions",
        Column("draft", Id, ForeignKey("detection_drafts.id"), primary_key=True),
        Column("decision", String(20), nullable=False),
        Column("reason", Text, nullable=False),
        Column("account", String(100), nullable=False),
        Column("decided_at", Moment, nullable=False),
        one_of("detection_decisions", "decision", "confirmed", "dismissed"),
    )
    for table in ("detection_drafts", "detection_decisions"):
        for statement in guard_statements(op.get_bind().dialect.name, table):
            op.execute(statement)
