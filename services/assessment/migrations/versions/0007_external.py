"""Surveys, on-site sheets and third-party evaluations."""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of this subject."""
