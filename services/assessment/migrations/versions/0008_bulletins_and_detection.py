"""Bulletins made from publications."""

from alembic import op
from sqlalchemy import Column, String

from kernel.storage.spine import guard_statements
from kernel.storage.types import Id, Moment, one_of

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; it only grows."""
    op.create_table(
        "bulletins",
        Column("id", Id, primary_key=True),
        Column("publication", Id, nullable=False),
        Column("kind", String(20), nullable=False),
        Column("title", String(200), nullable=False),
        Column("pdf", String(80), nullable=False),
        Column("docx", String(80), nullable=False),
        Column("account", String(100), nullable=False),
        Column("made_at", Moment, nullable=False),
        one_of("bulletins", "kind", "monthly", "yearly"),
    )
    op.create_index("ix_bulletins_publication", "bulletins", ["publication"])
    for statement in guard_statements(op.get_bind().dialect.name, "bulletins"):
        op.execute(statement)
