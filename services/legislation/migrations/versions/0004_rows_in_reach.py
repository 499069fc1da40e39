"""Row level security for the register of normative documents and for citations."""

from alembic import op
from sqlalchemy import Connection

from kernel.storage.walls import raise_wall_v1, unit_in_area_v1

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Raise the walls."""
    raise_walls(op.get_bind())


def raise_walls(connection: Connection) -> None:
    """Give each table its policy; again if need be."""
    for table in ("normative_documents", "citations"):
        raise_wall_v1(connection, table, unit_in_area_v1(f"{table}.unit"))
