"""Areas 管辖范围: which rows a caller may see or touch, by the place of the row's unit in the unit tree (R35)."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, exists, false, select, true
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from services.enforcement.tables import UNITS

WHOLE_TREE = "/"


def within(who: Principal, unit: ColumnElement[str]) -> ColumnElement[bool]:
    """The SQL condition that a unit code lies in the caller's part of the tree."""
    if who.unit_path == WHOLE_TREE:
        return true()
    if not who.unit_path:
        return false()
    # asked of the row's own unit: a list of all units in the area would be made anew for a single row
    area = UNITS.table.alias("area")
    return exists().where(area.c.code == unit, area.c.path.startswith(who.unit_path, autoescape=True))


def reaches(session: Session, who: Principal, unit: str) -> bool:
    """Whether one unit lies in the caller's part of the tree."""
    return who.unit_path == WHOLE_TREE or who.reaches(path_of(session, unit))


def path_of(session: Session, unit: str) -> str:
    """A unit's path in the tree; empty when the directory has not told of it."""
    table = UNITS.table
    return str(session.execute(select(table.c.path).where(table.c.code == unit)).scalar() or "")


def unit_names(session: Session, codes: Iterable[str]) -> dict[str, str]:
    """Names of units by code."""
    table = UNITS.table
    rows = session.execute(select(table.c.code, table.c.name).where(table.c.code.in_(set(codes))))
    return {row.code: row.name for row in rows}
