"""Row level security for reports, reviews, sheets, orders and objections; an assignment says whose report it is about."""

from alembic import op
from sqlalchemy import Column, Connection, String

from kernel.storage.walls import is_own_account_v1, other_in_reach_v1, raise_wall_v1, unit_in_area_v1

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Whoever was asked to review sees the report by the assignment. An assignment must therefore not ask the report
# whether it may be seen: policies that ask each other in a circle are refused by the database.
_ASKED = other_in_reach_v1(
    "reports.id", "review_assignments", "report", and_also=is_own_account_v1("other.reviewer")
)


def upgrade() -> None:
    """Add the column and fill it; then raise the walls."""
    with op.batch_alter_table("review_assignments") as table:
        table.add_column(Column("unit", String(100), nullable=False, server_default=""))
    op.execute(
        "UPDATE review_assignments SET unit = "
        "coalesce((SELECT r.unit FROM reports r WHERE r.id = review_assignments.report), '')"
    )
    raise_walls(op.get_bind())


def raise_walls(connection: Connection) -> None:
    """Give each table its policy; again if need be."""
    raise_wall_v1(
        connection,
        "review_assignments",
        unit_in_area_v1("review_assignments.unit"),
        is_own_account_v1("review_assignments.reviewer"),
    )
    raise_wall_v1(connection, "reports", unit_in_area_v1("reports.unit"), _ASKED)
    for table in ("report_versions", "report_events", "review_marks"):
        raise_wall_v1(connection, table, other_in_reach_v1(f"{table}.report", "reports"))
    for table in ("report_files", "report_workbooks", "orders", "objections"):
        raise_wall_v1(connection, table, unit_in_area_v1(f"{table}.unit"))
    raise_wall_v1(connection, "order_events", other_in_reach_v1("order_events.matter", "orders"))
    raise_wall_v1(connection, "objection_events", other_in_reach_v1("objection_events.matter", "objections"))
    raise_wall_v1(connection, "sheets", unit_in_area_v1("sheets.unit"), is_own_account_v1("sheets.assignee"))
    for table in ("sheet_versions", "sheet_files"):
        raise_wall_v1(connection, table, other_in_reach_v1(f"{table}.sheet", "sheets"))
