"""Questions to the directory: units below a superior, by name, and the lineage 沿革 of one; within one's scope."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from gateway.directory.model import UNIT_VERSIONS
from gateway.directory.service import UnknownUnit
from gateway.tables import UNITS
from kernel.access.principal import Principal
from kernel.storage.work import Store

MAX_ROWS = 200


@dataclass(frozen=True, slots=True)
class UnitLine:
    """A unit in a list; `children` counts the units directly below it."""

    code: str
    name: str
    kind: int
    level: int
    parent: str
    path: str
    region_code: str
    valid_to: str
    successor: str
    children: int


@dataclass(frozen=True, slots=True)
class UnitPage:
    """A bounded part of a list, and how long the whole is."""

    rows: list[UnitLine]
    total: int


@dataclass(frozen=True, slots=True)
class UnitVersion:
    """One state of a unit and why it was recorded."""

    version: int
    name: str
    parent: str
    valid_from: str
    valid_to: str
    successor: str
    recorded_at: datetime
    recorded_by: str
    reason: str


class DirectoryQuery:
    """Reads the directory for one caller at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, who: Principal, *, parent: str, query: str, limit: int, offset: int = 0) -> UnitPage:
        """Units directly below `parent`, or whose name or code contains `query`, or else the caller's own."""
        units = UNITS.table
        wanted = select(units).where(_within(who))
        if parent:
            wanted = wanted.where(units.c.parent == parent)
        if query:
            named = units.c.name.contains(query, autoescape=True) | (units.c.code == query)
            wanted = wanted.where(named | (units.c.credit_code == query))
        if not parent and not query:
            wanted = wanted.where(units.c.path == who.unit_path)
        with self._store.reading() as session:
            total = session.execute(select(func.count()).select_from(wanted.subquery())).scalar_one()
            page = wanted.order_by(units.c.path).limit(min(limit, MAX_ROWS)).offset(offset)
            return UnitPage(_lines(session, page), total)

    def history(self, who: Principal, code: str) -> list[UnitVersion]:
        """Every version of a unit, newest first; raises UnknownUnit."""
        versions = UNIT_VERSIONS
        with self._store.reading() as session:
            known = session.execute(select(UNITS.table.c.path).where(UNITS.table.c.code == code)).scalar()
            if known is None or not who.reaches(known):
                raise UnknownUnit()
            rows = session.execute(
                select(versions)
                .where(versions.c.code == code)
                .order_by(versions.c.version.desc())
                .limit(MAX_ROWS)
            )
            return [
                UnitVersion(**{name: getattr(row, name) for name in UnitVersion.__slots__}) for row in rows
            ]


def _within(who: Principal) -> Any:
    path = UNITS.table.c.path
    return path.startswith(who.unit_path or "?", autoescape=True)


def _lines(session: Session, page: Select[Any]) -> list[UnitLine]:
    rows = session.execute(page).fetchall()
    units = UNITS.table
    counted = session.execute(
        select(units.c.parent, func.count())
        .where(units.c.parent.in_([row.code for row in rows]))
        .group_by(units.c.parent)
    )
    children = {row.parent: row[1] for row in counted}
    return [_line(row, children.get(row.code, 0)) for row in rows]


def _line(row: Row[Any], children: int) -> UnitLine:
    names = [name for name in UnitLine.__slots__ if name != "children"]
    return UnitLine(**{name: getattr(row, name) for name in names}, children=children)
