"""Row level security for reconsideration cases, their steps and deadlines, matters and court outcomes."""

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
    """Give each table its policy; again if need be. A case is its organ's and its respondent's."""
    for table, columns in (
        ("cases", ("organ", "respondent")),
        ("matters", ("unit",)),
        ("court_outcomes", ("unit",)),
    ):
        conditions = [
            rule(f"{table}.{column}") for column in columns for rule in (unit_in_area_v1, is_own_unit_v1)
        ]
        raise_wall_v1(connection, table, *conditions)
    for table in ("case_steps", "deadlines"):
        raise_wall_v1(connection, table, other_in_reach_v1(f"{table}.of_case", "cases"))
