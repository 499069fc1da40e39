"""Drafts and lives of frameworks, yearly tasks."""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of this subject."""
