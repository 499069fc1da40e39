"""The local copy of who holds which role, told by the gateway; filled by its facts."""

from alembic import op
from sqlalchemy import Boolean, Column, String

from kernel.storage.types import BigInt, Day, Moment

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; the gateway tells once of everybody when it is upgraded."""
    op.create_table(
        "holders",
        Column("account", String(100), primary_key=True),
        Column("name", String(100), nullable=False),
        Column("unit", String(100), nullable=False),
        Column("is_active", Boolean, nullable=False),
        Column("version", BigInt, nullable=False),
        Column("occurred_at", Moment, nullable=False),
        Column("recorded_at", Moment, nullable=False),
        comment="local copy of who holds a role 任职授权; rebuilt from the gateway's facts",
    )
    op.create_table(
        "holder_roles",
        Column("account", String(100), primary_key=True),
        Column("role", String(30), primary_key=True),
        Column("unit", String(100), primary_key=True),
        Column("unit_path", String(500), nullable=False),
        Column("from_on", Day, nullable=False),
        Column("until_on", Day),
        comment="roles of the newest version heard of each holder",
    )


def downgrade() -> None:
    """The copy stays; the version before does not read it."""
