"""Tiles, checkpoints and cosignatures over the event log."""

from alembic import op
from sqlalchemy import Column, ForeignKey, Integer, String, Text

from kernel.storage.spine import guard_statements
from kernel.storage.types import BigInt, Moment, one_of

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("ledger_tiles", "checkpoints", "cosignatures", "ledger_alarms", "ledger_verifications")


def upgrade() -> None:
    """Create the tables; all of them only grow."""
    op.create_table(
        "ledger_tiles",
        Column("tree", String(10), primary_key=True),
        Column("level", Integer, primary_key=True, autoincrement=False),
        Column("tile", BigInt, primary_key=True, autoincrement=False),
        Column("start", Integer, primary_key=True, autoincrement=False),
        Column("hashes", Text, nullable=False),
        one_of("ledger_tiles", "tree", "sha256", "sm3"),
    )
    op.create_table(
        "checkpoints",
        Column("size", BigInt, primary_key=True, autoincrement=False),
        Column("note", Text, nullable=False),
        Column("sealed_at", Moment, nullable=False),
    )
    op.create_table(
        "cosignatures",
        Column("size", BigInt, ForeignKey("checkpoints.size"), primary_key=True, autoincrement=False),
        Column("witness", String(200), primary_key=True),
        Column("line", Text, nullable=False),
        Column("witnessed_at", Moment, nullable=False),
        Column("received_at", Moment, nullable=False),
    )
    op.create_table(
        "ledger_alarms",
        Column("origin", String(200), primary_key=True),
        Column("witness", String(200), primary_key=True),
        Column("kind", String(20), primary_key=True),
        Column("size", BigInt, primary_key=True, autoincrement=False),
        Column("detail", Text, nullable=False),
        Column("raised_at", Moment, nullable=False),
        one_of("ledger_alarms", "kind", "ahead", "damaged", "forked", "went_back"),
    )
    op.create_table(
        "ledger_verifications",
        Column("verified_at", Moment, primary_key=True),
        Column("size", BigInt, nullable=False),
        Column("faults", BigInt, nullable=False),
        Column("first_fault", Text, nullable=False),
    )
    dialect = op.get_bind().dialect.name
    for table in TABLES:
        for statement in guard_statements(dialect, table):
            op.execute(statement)
