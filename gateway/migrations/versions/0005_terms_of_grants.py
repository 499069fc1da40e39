"""First and last day of grants, and under which version others last heard what an account holds."""

import sqlalchemy as sa
from alembic import op

from kernel.storage.types import BigInt, Day, Moment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns that the version before does not know: it leaves them at their defaults, and grants without end."""
    for name in ("from_on", "until_on"):
        op.add_column("grants", sa.Column(name, Day))
    op.add_column("accounts", sa.Column("told_version", BigInt, nullable=False, server_default="0"))
    op.add_column("accounts", sa.Column("rights_changed_at", Moment))


def downgrade() -> None:
    """What was granted until when is never forgotten."""
