"""Versions of holders, so that who could review on a past day is known as it was on that day."""

from alembic import op
from sqlalchemy import Boolean, Column, MetaData, String, Table, insert, select, text

from kernel.storage.spine import guard_statements
from kernel.storage.types import BigInt, Day, Moment

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, with what the copy has now; it counts from when the gateway told it, what was before is not known."""
    versions = op.create_table(
        "holder_versions",
        Column("account", String(100), primary_key=True),
        Column("version", BigInt, primary_key=True, autoincrement=False),
        Column("name", String(100), nullable=False),
        Column("unit", String(100), nullable=False),
        Column("is_active", Boolean, nullable=False),
        Column("occurred_at", Moment, nullable=False),
        Column("recorded_at", Moment, nullable=False),
        Column("heard_at", Moment, nullable=False, comment="since when this version counts here"),
        comment="every version of a holder that was the newest when it was heard; append-only",
    )
    roles = op.create_table(
        "holder_role_versions",
        Column("account", String(100), primary_key=True),
        Column("version", BigInt, primary_key=True, autoincrement=False),
        Column("role", String(30), primary_key=True),
        Column("unit", String(100), primary_key=True),
        Column("unit_path", String(500), nullable=False),
        Column("from_on", Day, nullable=False),
        Column("until_on", Day),
        comment="roles of every version of a holder; append-only",
    )
    _seed(versions, roles)
    connection = op.get_bind()
    for table in ("holder_versions", "holder_role_versions"):
        for statement in guard_statements(connection.dialect.name, table):
            connection.execute(text(statement))


def _seed(versions: Table, roles: Table) -> None:
    connection, known = op.get_bind(), MetaData()
    holders = Table(
        "holders", known, *(Column(c.name, c.type) for c in versions.columns if c.name != "heard_at")
    )
    held = Table(
        "holder_roles", known, *(Column(c.name, c.type) for c in roles.columns if c.name != "version")
    )
    of_holders = select(*holders.columns, holders.c.recorded_at.label("heard_at"))
    connection.execute(
        insert(versions).from_select([c.name for c in of_holders.selected_columns], of_holders)
    )
    of_roles = select(*held.columns, holders.c.version).join(holders, holders.c.account == held.c.account)
    connection.execute(insert(roles).from_select([c.name for c in of_roles.selected_columns], of_roles))


def downgrade() -> None:
    """What was known is never deleted."""
