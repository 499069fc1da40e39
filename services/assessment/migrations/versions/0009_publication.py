"""Closing of periods, and published rankings."""

from alembic import op
from sqlalchemy import Column, ForeignKey, Integer, String, Text

from kernel.storage.spine import guard_statements
from kernel.storage.types import BigInt, Id, Moment, one_of

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = ("period_acts", "publication_requests", "publication_decisions", "publications")


def upgrade() -> None:
    """Create the tables; all of them only grow."""
    op.create_table(
        "period_acts",
        Column("id", Id, primary_key=True),
        Column("period", String(7), nullable=False),
        Column("act", String(20), nullable=False),
        Column("answers", Id, ForeignKey("period_acts.id")),
        Column("account", String(100), nullable=False),
        Column("reason", Text, nullable=False),
        Column("at", Moment, nullable=False),
        Column("at_seq", BigInt, nullable=False),
        one_of("period_acts", "act", "close_asked", "closed", "reopen_asked", "reopened", "refused"),
    )
    op.create_index("uq_period_acts_answers", "period_acts", ["answers"], unique=True)
    op.create_index("ix_period_acts_period", "period_acts", ["period", "at"])
    op.create_table(
        "publication_requests",
        Column("id", Id, primary_key=True),
        Column("period", String(4), nullable=False),
        Column("upto", String(7), nullable=False),
        Column("peer_group", String(50), nullable=False),
        Column("account", String(100), nullable=False),
        Column("note", Text, nullable=False),
        Column("asked_at", Moment, nullable=False),
    )
    op.create_table(
        "publication_decisions",
        Column("request", Id, ForeignKey("publication_requests.id"), primary_key=True),
        Column("agreed", Integer, nullable=False),
        Column("account", String(100), nullable=False),
        Column("reason", Text, nullable=False),
        Column("decided_at", Moment, nullable=False),
    )
    op.create_table(
        "publications",
        Column("id", Id, ForeignKey("publication_requests.id"), primary_key=True),
        Column("framework", String(100), nullable=False),
        Column("at_seq", BigInt, nullable=False),
        Column("published_at", Moment, nullable=False),
        Column("replaces", Id, ForeignKey("publications.id")),
        Column("manifest", Text, nullable=False),
        Column("signed", Text, nullable=False),
        Column("files", Text, nullable=False),
    )
    op.create_index("ix_publications_published", "publications", ["published_at"])
    dialect = op.get_bind().dialect.name
    for table in TABLES:
        for statement in guard_statements(dialect, table):
            op.execute(statement)
