"""
Reach of a caller 查看范围: which reports and units exist for whom (R35, R36, P5).

A draft exists for its unit alone; what was submitted exists for inspectors of the area too. Whatever lies outside
is NotFound, never NotAllowed.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from contracts.roles import INSPECTOR, REPORTER, UNIT_HEAD
from kernel.access.principal import Principal
from kernel.errors import Conflict, NotFound
from kernel.storage.work import Work
from services.assessment.framework.values import Framework, Node
from services.assessment.reporting.records import Head, head_of, locked
from services.assessment.reporting.rules import SEEN_BY_OTHERS
from services.assessment.scoring.tallies import Assessed, assessed_units
from services.assessment.tables import UNITS


def own_unit(session: Session, framework: Framework, who: Principal) -> Assessed:
    """The caller's unit as one that is assessed. Raises NotFound."""
    found = assessed_units(session, framework, [who.unit])
    if not found:
        raise NotFound("本单位不是考核对象，没有需要填报的成果。", code="assessment.not_assessed")
    return found[0]


def own_head(work: Work, who: Principal, report: str) -> Head:
    """The head of a report of the caller's own unit, held. Raises NotFound."""
    head = locked(work, report)
    if head is None or not who.unit or head["unit"] != who.unit:
        raise no_such_report()
    return head


def visible_head(session: Session, who: Principal, report: str) -> tuple[Head, bool, str]:
    """(head, whether it is the caller's own, name of the unit). Raises NotFound."""
    head = head_of(session, report)
    if head is None:
        raise no_such_report()
    table = UNITS.table
    unit = session.execute(
        select(table.c.name, table.c.path).where(table.c.code == head["unit"])
    ).one_or_none()
    is_own = head["unit"] == who.unit and who.has(REPORTER, UNIT_HEAD)
    in_area = unit is not None and who.has(INSPECTOR) and who.reaches(unit.path)
    if not is_own and not (in_area and head["state"] in SEEN_BY_OTHERS):
        raise no_such_report()
    return head, is_own, unit.name if unit else head["unit"]


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
