"""Row level security for clues, their originals and their course."""

from alembic import op
from sqlalchemy import Connection

from kernel.storage.walls import is_own_account_v1, other_in_reach_v1, path_in_area_v1, raise_wall_v1

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Raise the walls."""
    raise_walls(op.get_bind())


def raise_walls(connection: Connection) -> None:
    """Give each table its policy; again if need be. A clue is its unit's area's, and that of the system that sent it."""
    raise_wall_v1(connection, "clues", path_in_area_v1("clues.unit_path"), is_own_account_v1("clues.system"))
    for table in ("clue_originals", "clue_progress"):
        raise_wall_v1(connection, table, other_in_reach_v1(f"{table}.receipt", "clues", "receipt"))
