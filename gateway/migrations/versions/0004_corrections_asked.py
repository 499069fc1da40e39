"""Corrections asked of the gateway, and the amendments of clues that answer them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection

from contracts.corrections.register import create_corrections_v1
from kernel.storage.spine import guard_statements
from kernel.storage.types import Id, Moment, one_of
from kernel.storage.walls import other_in_reach_v1, raise_wall_v1

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """New tables, and a column that the version before does not know: it leaves it empty."""
    connection = op.get_bind()
    create_corrections_v1(connection)
    op.add_column("clues", sa.Column("excluded_at", Moment))
    op.create_table(
        "clue_amendments",
        sa.Column("id", Id, primary_key=True),
        sa.Column("receipt", Id, sa.ForeignKey("clues.receipt"), nullable=False),
        sa.Column("asked", Id, sa.ForeignKey("corrections_asked.id"), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("former", Moment),
        sa.Column("amended", Moment),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.Column("recorded_by", sa.String(100), nullable=False),
        one_of("clue_amendments", "kind", "answered", "due", "excluded"),
    )
    op.create_index("ix_clue_amendments_receipt", "clue_amendments", ["receipt"])
    for statement in guard_statements(connection.dialect.name, "clue_amendments"):
        op.execute(statement)
    raise_walls(connection)


def raise_walls(connection: Connection) -> None:
    """An amendment is in reach where its clue is."""
    raise_wall_v1(
        connection, "clue_amendments", other_in_reach_v1("clue_amendments.receipt", "clues", "receipt")
    )


def downgrade() -> None:
    """What was asked and amended is never deleted."""
