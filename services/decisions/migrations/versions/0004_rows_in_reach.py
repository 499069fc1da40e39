"""Row level security for procedures and their steps."""

from alembic import op
from sqlalchemy import Connection

from kernel.storage.walls import is_own_unit_v1, other_in_reach_v1, raise_wall_v1, unit_in_area_v1

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Raise the walls."""
    raise_walls(op.get_bind())


def raise_walls(connection: Connection) -> None:
    """Give each table its policy; again if need be. A decision is also its lead's and its reviewing department's."""
    raise_wall_v1(
        connection,
        "procedures",
        unit_in_area_v1("procedures.unit"),
        is_own_unit_v1("procedures.lead"),
        is_own_unit_v1("procedures.reviewer"),
    )
    raise_wall_v1(connection, "steps", other_in_reach_v1("steps.procedure", "procedures"))
