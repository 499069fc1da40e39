"""Evidence: what was handed in, by digest and place in its blob; append-only."""

from alembic import op

from contracts.findings.evidence import create_evidence_v1

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the register; the version before this one does not know it and goes on as it did."""
    create_evidence_v1(op.get_bind())


def downgrade() -> None:
    """Evidence is never deleted."""
