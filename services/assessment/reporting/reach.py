"""
Reach of a caller 查看范围: which reports and units exist for whom (R35, R36, P5).

A draft exists for its unit alone; what was submitted exists for inspectors of the area too. Whatever lies outside
is NotFound, never NotAllowed. As of a past moment 截至 the same holds of what a report was then; whose area a unit lies
in is always said of today.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from contracts.roles import INSPECTOR, REPORTER, UNIT_HEAD
from kernel.access.principal import Principal
from kernel.errors import Conflict, NotFound
from kernel.storage.work import Work
from services.assessment.framework.values import Framework, Node
from services.assessment.reporting.records import Head, head_of, locked
from services.assessment.reporting.rules import SEEN_BY_OTHERS, STATE_WORDS, WrongState
from services.assessment.scoring.tallies import Assessed, assessed_units
from services.assessment.tables import UNITS


def own_unit(session: Session, framework: Framework, who: Principal, at: datetime | None = None) -> Assessed:
    """The caller's unit as one that is assessed, or was at a moment. Raises NotFound."""
    found = assessed_units(session, framework, [who.unit], at=at)
    if not found:
        raise NotFound("本单位不是考核对象，没有需要填报的成果。", code="assessment.not_assessed")
    return found[0]


def own_head(work: Work, who: Principal, report: str) -> Head:
    """The head of a report of the caller's own unit, held. Raises NotFound."""
    head = locked(work, report)
    if head is None or not who.unit or head["unit"] != who.unit:
        raise no_such_report()
    return head


def visible_head(
    session: Session, who: Principal, report: str, at: datetime | None = None
) -> tuple[Head, bool, str]:
    """(head, whether it is the caller's own, name of the unit), now or as of a moment. Raises NotFound."""
    head = head_of(session, report, at)
    if head is None:
        raise no_such_report()
    path = UNITS.path_today(session, head["unit"])
    is_own = head["unit"] == who.unit and who.has(REPORTER, UNIT_HEAD)
    in_area = bool(path) and who.has(INSPECTOR) and who.reaches(path)
    if not is_own and not (in_area and head["state"] in SEEN_BY_OTHERS):
        raise no_such_report()
    unit: str = head["unit"]
    return head, is_own, unit_names(session, [unit], at).get(unit, unit)


def unit_names(session: Session, codes: Iterable[str], at: datetime | None = None) -> dict[str, str]:
    """Names of units by code, as they stood at a moment."""
    units = UNITS.table_at(at)
    rows = session.execute(select(units.c.code, units.c.name).where(units.c.code.in_(list(codes))))
    return {row.code: row.name for row in rows}


def result_of(framework: Framework, head: Head) -> Node:
    """The result a report is about. Raises NotFound when the framework no longer has it."""
    node = framework.node(head["result"])
    if node is None or node.method is None:
        raise NotFound("现行指标体系中已没有这项成果。", code="assessment.unknown_result")
    return node


def check_version(head: Head, version: int) -> None:
    """Refuse to write over what the caller has not seen. Raises Conflict."""
    if head["version"] != version:
        raise Conflict(
            f"本单位已有人保存了第 {head['version']} 版，您看到的是第 {version} 版；请刷新，合并内容后再保存。",
            code="assessment.report_changed",
        )


def no_such_report() -> NotFound:
    """There is no such report, or none this caller may know of."""
    return NotFound("没有这份填报，或不在您的查看范围内，请核对编号。", code="assessment.unknown_report")


def not_writable(head: Head) -> WrongState:
    """Why a report that was handed in is not changed."""
    return WrongState(
        f"填报目前为“{STATE_WORDS[head['state']]}”，不能修改；审核开始前可由单位负责人撤回后再改。"
    )
