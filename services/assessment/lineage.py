"""
Lineage 单位沿革: a copy of the directory that keeps every version of a unit it heard of, and knows which stood when.

What was shown on a day is shown again with the names, places and peer groups of that day. A version counts from the
moment it was heard; the first of a unit counts from the day the unit was set up, for nobody had shown it otherwise
before. Who may see a unit is still decided by where it stands today.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    FromClause,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    select,
)
from sqlalchemy.orm import Session

from contracts.directory.v1.directory_pb2 import Unit
from contracts.units import COLUMNS, UnitCopy
from kernel.clock import start_of_day
from kernel.messages import Item
from kernel.storage.setwise import write_rows
from kernel.storage.types import BigInt, Moment
from kernel.storage.work import Work

# The units as they stood at the moment `:units_at`, with the columns of the copy; put where a statement says `units`.
# Looked up unit by unit, so that a question about one of a hundred thousand reads one.
_UNITS_AT = (
    "(SELECT v.* FROM unit_versions v WHERE v.version = (SELECT max(o.version) FROM unit_versions o "
    "WHERE o.code = v.code AND o.known_from <= :units_at))"
)


class Lineage(UnitCopy):
    """The `units` table as everywhere, and `unit_versions` beside it."""

    def __init__(self, metadata: MetaData) -> None:
        super().__init__(metadata)
        self.versions = Table(
            "unit_versions",
            metadata,
            Column("code", String(100), primary_key=True),
            Column("version", BigInt, primary_key=True),
            Column("name", String(200), nullable=False),
            Column("kind", Integer, nullable=False),
            Column("level", Integer, nullable=False),
            Column("parent", String(100), nullable=False),
            Column("path", String(500), nullable=False),
            Column("region_code", String(12), nullable=False),
            Column("credit_code", String(18), nullable=False),
            Column("field", String(50), nullable=False),
            Column("valid_from", String(10), nullable=False),
            Column("valid_to", String(10), nullable=False),
            Column("successor", String(100), nullable=False),
            Column(
                "known_from", Moment, nullable=False, comment="since when this version counts; see lineage.py"
            ),
            comment="every version of a unit the copy heard of; append-only",
        )
        Index("ix_unit_versions_known", self.versions.c.code, self.versions.c.known_from)

    def apply(self, work: Work, items: Sequence[Item]) -> None:
        """Take over units told by the gateway, and keep each version, in three statements."""
        super().apply(work, items)
        units = (item.value for item in items)
        told = {(unit.code, unit.version): unit for unit in units if isinstance(unit, Unit)}
        columns = self.versions.c
        heard = select(columns.code).where(columns.code.in_({code for code, _ in told})).distinct()
        known, now, rows = set(work.session.scalars(heard)), work.clock.now(), []
        for (code, _), unit in sorted(told.items()):
            since = now if code in known else min(now, _set_up_at(unit.valid_from) or now)
            known.add(code)
            rows.append({**{name: getattr(unit, name) for name in COLUMNS}, "known_from": since})
        write_rows(work.session, self.versions, rows, keys=("code", "version"), on_conflict="nothing")

    def table_at(self, at: datetime | None) -> FromClause:
        """The units as they stood at a moment, None for now, for statements that are put together."""
        if at is None:
            return self.table
        other = self.versions.alias()
        newest = select(func.max(other.c.version)).where(
            other.c.code == self.versions.c.code, other.c.known_from <= at
        )
        return select(self.versions).where(self.versions.c.version == newest.scalar_subquery()).subquery()

    def path_today(self, session: Session, unit: str) -> str:
        """Where a unit stands in the tree today, dissolved or not; "" for one never heard of."""
        wanted = select(self.table.c.path).where(self.table.c.code == unit)
        return str(session.execute(wanted).scalar() or "")


def units_at(at: datetime | None) -> tuple[str, dict[str, Any], list[BindParameter[Any]]]:
    """For written statements: what to select units from (None: as they stand now), its value, its typed parameter."""
    if at is None:
        return "units", {}, []
    return _UNITS_AT, {"units_at": at}, [bindparam("units_at", type_=Moment())]


def _set_up_at(valid_from: str) -> datetime | None:
    """The beginning of the day on which a unit was set up; None where the directory does not say."""
    try:
        return start_of_day(date.fromisoformat(valid_from))
    except ValueError:
        return None
