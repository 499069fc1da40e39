"""The spine, and a table of things."""

import sqlalchemy as sa
from alembic import op

from kernel.storage.migrate import create_spine_v1

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_spine_v1(op.get_bind())
    op.create_table("things", sa.Column("name", sa.String(50), primary_key=True))
