"""Tiles, checkpoints and cosignatures over the event log."""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of this subject."""
