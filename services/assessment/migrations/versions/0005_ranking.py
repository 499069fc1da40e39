"""Replays of periods under other frameworks."""

from alembic import op
from sqlalchemy import Column, Integer, String, Text

from kernel.storage.types import BigInt, Id, Moment, one_of

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of this subject."""
    op.create_table(
        "replays",
        Column("id", Id, primary_key=True),
        Column("framework", String(100), nullable=False),
        Column("document", Text, nullable=False),
        Column("digest", String(64), nullable=False),
        Column("period", String(7), nullable=False),
        Column("upto", String(7), nullable=False),
        Column("at_seq", BigInt, nullable=False),
        Column("state", String(20), nullable=False),
        Column("done", Integer, nullable=False),
        Column("total", Integer, nullable=False),
        Column("summary", Text, nullable=False),
        Column("asked_by", String(100), nullable=False),
        Column("asked_at", Moment, nullable=False),
        Column("moved_at", Moment, nullable=False),
        one_of("replays", "state", "queued", "running", "done", "failed"),
    )
    op.create_index("ix_replays_state", "replays", ["state", "asked_at"])
    op.create_table(
        "replay_rows",
        Column("replay", Id, primary_key=True),
        Column("peer_group", String(50), primary_key=True),
        Column("place", Integer, primary_key=True, autoincrement=False),
        Column("unit", String(100), nullable=False),
        Column("path", String(500), nullable=False),
        Column("rank_change", Integer, nullable=False),
        Column("row", Text, nullable=False),
    )
