"""Writing who has which task: areas and their departments, revisions of tasks, and whether named units may have them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, ClassVar

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.errors import Invalid, Problem
from kernel.ids import derived_id
from kernel.storage.setwise import write_rows
from kernel.storage.work import Work
from services.assessment.framework.values import Framework
from services.assessment.scoring.tallies import assessed_units, kind_name, level_name
from services.assessment.tables import UNITS
from services.assessment.tasks.model import DUTIES, LEAD, RESPONSIBLE, TASKS
from services.assessment.tasks.records import unit_names
from services.assessment.tasks.rules import Area, Assigned

ROWS_A_STATEMENT = 5_000
GENERAL = "general"  # 综合: the government itself and its offices (catalog/codes/fields.yaml)
_DEPARTMENTS = ("department", "authorised")
_GOVERNMENTS = ("government", "dispatched")
_AREA_LEVELS = ("city", "county")


class UnknownUnits(Invalid):
    """A table of decomposition names units that do not exist, or do not belong to the area."""

    code: ClassVar[str] = "assessment.unknown_unit"
    message: ClassVar[str] = "任务分解中的单位有误，未作任何修改，请按提示逐项修改后重新提交。"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A task given anew: its units, its day and why; `place` names it in a file."""

    node: str
    lead: str
    responsible: tuple[str, ...]
    due_on: date
    reason: str = ""
    place: str = ""


def areas_under(session: Session, framework: Framework, scope: str) -> list[Area]:
    """The governments of cities and counties under a path, with their departments by field."""
    units = UNITS.table
    below = units.c.path.startswith(scope, autoescape=True)
    columns = (units.c.code, units.c.parent, units.c.field, units.c.kind, units.c.level)
    rows = session.execute(select(*columns).where(below, units.c.valid_to == "").order_by(units.c.code)).all()
    departments: dict[str, dict[str, str]] = {}
    for (
        kind
    ) in _DEPARTMENTS:  # where several work in a field, a department comes before an authorised organisation
        for row in rows:
            if row.field not in ("", GENERAL) and kind_name(row.kind) == kind:
                departments.setdefault(row.parent, {}).setdefault(row.field, row.code)
    governments = [
        row.code
        for row in rows
        if kind_name(row.kind) in _GOVERNMENTS and level_name(row.level) in _AREA_LEVELS
    ]
    return [
        Area(unit.code, unit.group.id, departments.get(unit.code, {}))
        for unit in assessed_units(session, framework, governments)
    ]


def write_tasks(
    work: Work,
    who: Principal,
    plan: str,
    assigned: Iterable[tuple[Assigned, date]],
    *,
    revision: int = 1,
    reason: str = "",
) -> int:
    """Write tasks and their units, some thousand a statement; returns how many tasks."""
    now = work.clock.now()
    waiting = iter(assigned)
    total = 0
    while part := list(islice(waiting, ROWS_A_STATEMENT)):
        tasks, duties = [], []
        for one, due_on in part:
            task = derived_id("task", plan, one.area, one.node, str(revision))
            tasks.append(
                {
                    "id": task,
                    "plan": plan,
                    "node": one.node,
                    "area": one.area,
                    "revision": revision,
                    "lead": one.lead,
                    "due_on": due_on,
                    "reason": reason,
                    "assigned_by": who.account,
                    "assigned_at": now,
                }
            )
            duties.append({"task": task, "unit": one.lead, "role": LEAD})
            duties += [{"task": task, "unit": unit, "role": RESPONSIBLE} for unit in one.responsible]
        _write_all(work, TASKS, tasks)
        _write_all(work, DUTIES, duties)
        total += len(part)
    return total


def _write_all(work: Work, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    for start in range(0, len(rows), ROWS_A_STATEMENT):
        write_rows(work.session, table, rows[start : start + ROWS_A_STATEMENT])


def units_of(session: Session, task: str) -> tuple[str, frozenset[str]]:
    """(lead, responsible units) of a revision."""
    rows = session.execute(select(DUTIES.c.unit, DUTIES.c.role).where(DUTIES.c.task == task)).all()
    lead = next(row.unit for row in rows if row.role == LEAD)
    return lead, frozenset(row.unit for row in rows if row.role == RESPONSIBLE)


def check_units(session: Session, area_path: str, assignments: Sequence[Assignment]) -> None:
    """Units exist, are in force and lie in the area; a unit has a task once. Raises UnknownUnits."""
    wanted = {unit for one in assignments for unit in (one.lead, *one.responsible)}
    names = unit_names(session, sorted(wanted))
    units = UNITS.table
    inside = {
        row.code
        for start in range(0, len(names), 500)
        for row in session.execute(
            select(units.c.code).where(
                units.c.code.in_(sorted(names)[start : start + 500]),
                units.c.path.startswith(area_path, autoescape=True),
            )
        )
    }
    problems = []
    for one in assignments:
        mentioned = [one.lead, *one.responsible]
        for unit in mentioned:
            if unit not in names:
                problems.append(
                    Problem(one.place or one.node, "unknown_unit", f"没有单位 {unit}，请核对单位代码。")
                )
            elif unit not in inside:
                message = f"{names[unit]}（{unit}）不在本地区，请改为本地区的单位。"
                problems.append(Problem(one.place or one.node, "unit_outside", message))
        if len(set(mentioned)) < len(mentioned):
            problems.append(Problem(one.place or one.node, "unit_twice", "同一单位不能重复列入一项任务。"))
    if problems:
        raise UnknownUnits(problems=problems)
