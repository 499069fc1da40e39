"""Versions of units, so that a past moment is shown with the names and places of that moment."""

from contextlib import suppress
from datetime import UTC, date, datetime

from alembic import op
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, text

from kernel.clock import start_of_day
from kernel.storage.spine import guard_statements
from kernel.storage.types import BigInt, Moment

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TEXT = (
    ("name", 200),
    ("parent", 100),
    ("path", 500),
    ("region_code", 12),
    ("credit_code", 18),
    ("field", 50),
    ("valid_from", 10),
    ("valid_to", 10),
    ("successor", 100),
)


def upgrade() -> None:
    """Make the table, with what the copy has now as the first versions."""
    made = op.create_table(
        "unit_versions",
        Column("code", String(100), primary_key=True),
        Column("version", BigInt, primary_key=True),
        Column("kind", Integer, nullable=False),
        Column("level", Integer, nullable=False),
        *(Column(name, String(length), nullable=False) for name, length in _TEXT),
        Column(
            "known_from", Moment, nullable=False, comment="since when this version counts; see lineage.py"
        ),
        comment="every version of a unit the copy heard of; append-only",
    )
    op.create_index("ix_unit_versions_known", "unit_versions", ["code", "known_from"])
    connection = op.get_bind()
    names = [column.name for column in made.columns if column.name != "known_from"]
    units = Table("units", MetaData(), *(Column(name) for name in names))
    rows = [dict(row) for row in connection.execute(select(units)).mappings()]
    if rows:
        connection.execute(insert(made), [{**row, "known_from": _since(row["valid_from"])} for row in rows])
    for statement in guard_statements(connection.dialect.name, "unit_versions"):
        connection.execute(text(statement))


def _since(valid_from: str) -> datetime:
    """A first version counts from the day on which the unit was set up."""
    now = datetime.now(UTC)
    with suppress(ValueError):
        return min(now, start_of_day(date.fromisoformat(valid_from)))
    return now


def downgrade() -> None:
    """What was known is never deleted."""
