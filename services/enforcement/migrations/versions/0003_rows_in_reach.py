"""Row level security for cases, case files and leads."""

from alembic import op
from sqlalchemy import Connection

from kernel.storage.walls import other_in_reach_v1, path_in_area_v1, raise_wall_v1, unit_in_area_v1

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A lead that names no unit of the directory is for those who have units in its region.
_OF_THE_REGION = (
    "(NOT EXISTS (SELECT 1 FROM units AS known WHERE known.code = leads.unit) AND leads.region_code <> '' AND "
    "EXISTS (SELECT 1 FROM units AS near WHERE near.region_code = leads.region_code AND {}))"
)


def upgrade() -> None:
    """Raise the walls."""
    raise_walls(op.get_bind())


def raise_walls(connection: Connection) -> None:
    """Give each table its policy; again if need be."""
    for table in ("cases", "case_files", "case_file_parts"):
        raise_wall_v1(connection, table, unit_in_area_v1(f"{table}.unit"))
    raise_wall_v1(connection, "case_versions", other_in_reach_v1("case_versions.case_id", "cases"))
    raise_wall_v1(
        connection,
        "leads",
        unit_in_area_v1("leads.unit"),
        _OF_THE_REGION.format(path_in_area_v1("near.path")),
    )
