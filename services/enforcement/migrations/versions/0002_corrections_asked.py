"""Corrections asked: upheld objections against what this service told, from the notice to its correcting event."""

from alembic import op

from contracts.corrections.register import create_corrections_v1

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the register; the version before this one does not know it and goes on as it did."""
    create_corrections_v1(op.get_bind())


def downgrade() -> None:
    """What was asked is never deleted."""
