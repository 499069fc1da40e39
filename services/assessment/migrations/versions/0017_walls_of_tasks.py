"""The walls of tasks by what is looked up: a caller's areas by their paths, a duty's task by its id (decision 0065)."""

from alembic import op
from sqlalchemy import Connection

from kernel.storage.walls import (
    is_own_unit_v1,
    one_in_reach_v1,
    raise_wall_v1,
    unit_around_v2,
    unit_in_area_v1,
)

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Raise them again; the same rows are in reach as before."""
    raise_walls(op.get_bind())


def raise_walls(connection: Connection) -> None:
    """Give each table its policy; again if need be. What is looked up comes before what reads every unit."""
    for table in ("tasks", "task_notes"):
        raise_wall_v1(connection, table, unit_around_v2(f"{table}.area"), unit_in_area_v1(f"{table}.area"))
    raise_wall_v1(
        connection,
        "task_duties",
        is_own_unit_v1("task_duties.unit"),
        one_in_reach_v1("task_duties.task", "tasks"),
        unit_in_area_v1("task_duties.unit"),
    )
