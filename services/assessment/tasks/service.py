"""
Yearly tasks 年度任务: publishing them, giving them to other units, telling progress, and reminding.

A plan is published from the framework in force for its year, for every area under its scope at once. What changes
afterwards is a new revision of one task; what units tell are notes; reminders exist once for a task and a unit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import orjson
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.clock import SHANGHAI, local_date
from kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Problem, RuleViolation
from kernel.ids import new_id
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from kernel.text import clean_text
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework
from services.assessment.tables import UNITS
from services.assessment.tasks.assigning import (
    Assignment,
    areas_under,
    check_units,
    units_of,
    write_tasks,
)
from services.assessment.tasks.model import (
    DONE,
    ITEMS,
    NOTES,
    PLANS,
    REOPENED,
    TASKS,
)
from services.assessment.tasks.records import (
    NoSuchTask,
    area_of,
    is_done,
    plan_of,
    task_of,
    with_what_it_has,
)
from services.assessment.tasks.reminding import remind_of
from services.assessment.tasks.rules import (
    Assigned,
    TaskItem,
    TaskSettings,
    assign,
    items_of,
    reminder_kinds,
)


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication made."""

    plan: str
    areas: int
    tasks: int


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """A plan to publish; no nodes: all results. `due` by node, where it is not `due_on`."""

    year: int
    scope: str
    title: str
    note: str = ""
    due_on: date | None = None
    nodes: Sequence[str] = ()
    due: Mapping[str, date] = field(default_factory=dict)


class Tasks:
    """The yearly tasks of an installation."""

    def __init__(self, store: Store, frameworks: Frameworks, settings: TaskSettings) -> None:
        self._store = store
        self._frameworks = frameworks
        self.settings = settings

    def publish(self, who: Principal, request: PlanRequest) -> Published:
        """Publish the tasks of a year under a unit. Raises NotFound, NotAllowed, Invalid, RuleViolation."""
        framework = self._frameworks.in_force(request.year)
        items = _chosen(framework, request)
        today = local_date(self._store.clock.now())
        due_on = request.due_on or date(request.year, self.settings.due_month, self.settings.due_day)
        _check_days([due_on, *request.due.values()], today)
        plan = new_id()

        def act(work: Work) -> Published:
            scope = _scope(work.session, who, request.scope)
            areas = areas_under(work.session, framework, scope)
            if not areas:
                raise RuleViolation(
                    "此范围内没有可分解任务的政府，请选择市、县政府或其上级。", code="assessment.no_area"
                )
            row = {
                "id": plan,
                "framework": framework.id,
                "version": framework.version,
                "year": request.year,
                "scope": scope,
                "title": clean_text(request.title, max_characters=200),
                "note": clean_text(request.note, max_characters=2000),
                "published_by": who.account,
                "published_at": work.clock.now(),
            }
            work.session.execute(insert(PLANS).values(**row))
            write_rows(work.session, ITEMS, [_item_row(plan, item) for item in items])
            total = write_tasks(
                work,
                who,
                plan,
                ((one, request.due.get(one.node, due_on)) for one in assign(framework, items, areas)),
            )
            work.audit(who, "tasks.published", f"task_plans/{plan}", object_version=str(request.year))
            return Published(plan, len(areas), total)

        return self._store.transact(act)

    def reassign(
        self,
        who: Principal,
        plan: str,
        area: str,
        assignments: Sequence[Assignment],
        *,
        dry_run: bool = False,
    ) -> int:
        """
        Give tasks of an area to other units, or other days: all or none; returns how many changed.

        Raises NotFound, NotAllowed, UnknownUnits (each place named), Conflict.
        """

        def act(work: Work) -> int:
            session = work.session
            plan_of(session, who, plan)
            place = area_of(session, who, area)
            if not who.reaches(place.path):
                raise NotAllowed("只有负责本地区的审核员、督察员可以调整任务分解。")
            check_units(session, place.path, assignments)
            changed = 0
            for one in assignments:
                before = task_of(session, plan, area, one.node)
                held = units_of(session, before.id)
                if (held, before.due_on) == ((one.lead, frozenset(one.responsible)), one.due_on):
                    continue
                changed += 1
                assigned = Assigned(area, one.node, one.lead, one.responsible)
                rows = [(assigned, one.due_on)]
                try:
                    write_tasks(work, who, plan, rows, revision=before.revision + 1, reason=one.reason)
                except IntegrityError as twice:  # somebody gave it at the same moment
                    raise Conflict(
                        "任务刚由他人调整，未作任何修改，请刷新后再试。", code="assessment.task_changed"
                    ) from twice
                work.audit(
                    who,
                    "task.reassigned",
                    f"tasks/{before.id}",
                    object_version=str(before.revision + 1),
                )
            return changed

        if not dry_run:
            return self._store.transact(act)
        with self._store.work() as work:  # never committed: a dry run takes the same way and leaves nothing
            return act(work)

    def tell(self, who: Principal, plan: str, area: str, node: str, kind: str, text: str) -> None:
        """Progress, or done, told by a unit that has the task; reopened by whoever looks over the area."""

        def act(work: Work) -> None:
            with with_what_it_has(work.session, who):
                told(work)

        def told(work: Work) -> None:
            session = work.session
            task = task_of(session, plan_of(session, who, plan).id, area, node)
            lead, responsible = units_of(session, task.id)
            if kind == REOPENED:
                if not who.reaches(area_of(session, who, area).path):
                    raise NoSuchTask
            elif who.unit not in (lead, *responsible):
                raise NoSuchTask
            if kind == DONE and who.unit != lead:
                raise RuleViolation(
                    "任务由牵头单位报告办结，责任单位请报告进展。", code="assessment.not_lead"
                )
            query = select(is_done()).select_from(TASKS).where(TASKS.c.id == task.id)
            done = bool(session.execute(query).scalar_one())
            if (kind == DONE and done) or (kind == REOPENED and not done):
                raise RuleViolation("任务状态已变化，请刷新后再试。", code="assessment.task_state")
            session.execute(
                insert(NOTES).values(
                    id=new_id(),
                    plan=plan,
                    area=area,
                    node=node,
                    unit=who.unit,
                    kind=kind,
                    text=clean_text(text, max_characters=2000),
                    noted_by=who.account,
                    noted_at=work.clock.now(),
                )
            )
            work.audit(who, f"task.{kind}", f"tasks/{task.id}")

        self._store.transact(act)

    def export_note(self, who: Principal, plan: str, area: str) -> str:
        """Record the export of a table; what its footer says of who exported it and when (R47)."""
        with self._store.work() as work:
            work.audit(who, "tasks.exported", f"task_plans/{plan}/{area}"[:200])
            work.commit()
            return f"{who.account} {work.clock.now().astimezone(SHANGHAI):%Y-%m-%d %H:%M}"

    def remind(self) -> int:
        """Remind every unit of what is due soon or overdue, each once; returns how many were reminded."""

        def act(work: Work) -> int:
            now = work.clock.now()
            made = 0
            for kind, first, last in reminder_kinds(local_date(now), self.settings):
                made += remind_of(work, kind, first, last, now)
            return made

        return self._store.transact(act)


def _chosen(framework: Framework, request: PlanRequest) -> list[TaskItem]:
    items = items_of(framework)
    known = {item.node for item in items}
    unknown = [node for node in (*request.nodes, *request.due) if node not in known]
    if unknown:
        raise Invalid(
            problems=[
                Problem(f"nodes.{node}", "assessment.unknown_result", f"体系中没有成果 {node}，请核对。")
                for node in unknown
            ]
        )
    wanted = set(request.nodes)
    return [item for item in items if not wanted or item.node in wanted]


def _check_days(days: Iterable[date], today: date) -> None:
    if any(day < today or day > today + timedelta(days=800) for day in days):
        raise Invalid("完成时限应在今天以后、两年以内，请核对。", code="assessment.wrong_due_day")


def _scope(session: Session, who: Principal, unit: str) -> str:
    query = select(UNITS.table.c.path).where(UNITS.table.c.code == unit)
    path = session.execute(query).scalar_one_or_none()
    if path is None or not who.reaches(path):
        raise NotFound("没有此单位，或不在您负责的范围内。", code="assessment.no_such_unit")
    return str(path)


def _item_row(plan: str, item: TaskItem) -> dict[str, Any]:
    return {
        "plan": plan,
        "node": item.node,
        "title": item.title,
        "standard": item.standard,
        "deliverables": orjson.dumps(item.deliverables).decode(),
        "lead_field": item.lead_field,
        "responsible_fields": orjson.dumps(item.responsible_fields).decode(),
    }
