"""How far a caller reaches in the unit tree, where it is not about one unit: lists of units, and what holds for all."""

from sqlalchemy import ColumnElement, false, func, literal, or_, select
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.errors import NotAllowed
from services.assessment.tables import UNITS

_TABLE = UNITS.table


class NotForAllUnits(NotAllowed):
    """What holds for every unit is decided, and taken whole, only by who reaches every unit."""

    code = "assessment.not_for_all_units"
    message = "此事对全部单位生效或涉及全部单位的数据，只有负责全域的人员可以办理，请联系上级考核部门。"


def within(who: Principal, unit: ColumnElement[str]) -> ColumnElement[bool]:
    """The SQL condition that a unit code lies in the caller's part of the tree."""
    if not who.unit_path:
        return false()
    return unit.in_(select(_TABLE.c.code).where(_TABLE.c.path.startswith(who.unit_path, autoescape=True)))


def seen_by(who: Principal, path: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a part of the tree lies under the caller, or the caller in it."""
    if not who.unit_path:
        return false()
    return or_(
        path.startswith(who.unit_path, autoescape=True),
        literal(who.unit_path).like(func.replace(path, "_", r"\_") + "%", escape="\\"),
    )


def require_all_units(session: Session, who: Principal) -> None:
    """Raise NotForAllUnits for a caller out of whose reach any unit lies."""
    outside = select(_TABLE.c.code).where(~within(who, _TABLE.c.code))
    if session.execute(outside.limit(1)).first() is not None:
        raise NotForAllUnits()
