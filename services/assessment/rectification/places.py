"""
Places 管辖: which government's inspectors answer for a unit, who is next above, and what a caller may reach.

A department is supervised by the government it belongs to, a government by the one above it (行政执法监督条例
Arts. 2, 6); the highest stays with itself.
"""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from contracts.directory.v1.directory_pb2 import UnitKind
from kernel.access.principal import Principal
from kernel.errors import NotFound, RuleViolation
from services.assessment.tables import UNITS

_TABLE = UNITS.table


class OwnMatter(RuleViolation):
    """Nobody handles a matter of his own unit (R37)."""

    code = "assessment.own_matter"
    message = "不得办理本单位的督办、申诉事项，请由其他单位的人员办理。"


def path_of(session: Session, unit: str) -> str:
    """A unit's path; "" when the directory has not told of it."""
    return str(session.execute(select(_TABLE.c.path).where(_TABLE.c.code == unit)).scalar() or "")


def reached_path(session: Session, who: Principal, unit: str) -> str:
    """A unit's path, as far as the caller may know of it. Raises NotFound."""
    path = path_of(session, unit)
    if not path or not who.reaches(path):
        raise NotFound("没有这个单位，或不在您的管辖范围内，请核对单位代码。", code="assessment.unknown_unit")
    return path


def names_of(session: Session, units: Iterable[str]) -> dict[str, str]:
    """Names of units by code."""
    query = select(_TABLE.c.code, _TABLE.c.name).where(_TABLE.c.code.in_(set(units)))
    return {row.code: row.name for row in session.execute(query)}


def refuse_own(session: Session, who: Principal, unit: str) -> None:
    """Raise OwnMatter for a person of this unit, or of one under it."""
    if is_own_matter(session, who, unit):
        raise OwnMatter()


def is_own_matter(session: Session, who: Principal, unit: str) -> bool:
    """Whether somebody belongs to this unit, or to one under it; roles held for another unit change nothing."""
    home = path_of(session, who.own_unit)
    return who.own_unit == unit or home.startswith(path_of(session, unit) or "?")


def supervisors(session: Session, units: Iterable[str]) -> dict[str, str]:
    """Unit -> the nearest government above it; where there is none, the unit itself."""
    return _nearest(session, units, {unit: unit for unit in units})


def superiors(session: Session, governments: Iterable[str]) -> dict[str, str]:
    """Government -> the next above it; the highest stays with itself."""
    return supervisors(session, governments)


def _nearest(session: Session, units: Iterable[str], otherwise: dict[str, str]) -> dict[str, str]:
    wanted = list(dict.fromkeys(units))
    if not wanted:
        return {}
    rows = session.execute(select(_TABLE.c.code, _TABLE.c.path).where(_TABLE.c.code.in_(wanted)))
    above = {row.code: [part for part in row.path.split("/") if part][:-1] for row in rows}
    codes = {code for ancestors in above.values() for code in ancestors}
    government = UnitKind.UNIT_KIND_GOVERNMENT
    query = select(_TABLE.c.code).where(_TABLE.c.code.in_(codes), _TABLE.c.kind == government)
    governments = set(session.execute(query).scalars())
    return {
        unit: next((code for code in reversed(above.get(unit, [])) if code in governments), otherwise[unit])
        for unit in wanted
    }
