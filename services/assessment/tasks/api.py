"""Doors: yearly tasks, their decomposition, progress, calendar and the home page over HTTP."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response, UploadFile
from pydantic import BaseModel, Field

from contracts.roles import INSPECTOR, REPORTER, REVIEWER, STAFF, UNIT_HEAD
from kernel.access.rules import allow
from kernel.clock import SHANGHAI
from kernel.hosting.api import Caller
from kernel.hosting.attachments import attachment
from kernel.hosting.validation import Body, WrittenDay
from services.assessment.ranking.api import Day
from services.assessment.tasks.assigning import Assignment
from services.assessment.tasks.looking import TaskLine, TaskViews
from services.assessment.tasks.service import PlanRequest, Tasks
from services.assessment.tasks.sheet import read_table, table_workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_BYTES = 8 * 1024 * 1024
Code = Annotated[str, Field(min_length=1, max_length=100)]
Month = Annotated[str, Query(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="月份，如 2026-03")]


class UnitName(BaseModel):
    """A unit by code and name."""

    code: str
    name: str


class PlanView(BaseModel):
    """Published yearly tasks."""

    id: str
    year: int
    title: str
    note: str
    framework: str
    version: str
    published_by: str
    published_at: str


class AreaView(BaseModel):
    """How the tasks of an area stand."""

    code: str
    name: str
    total: int
    done: int
    overdue: int


class TaskView(BaseModel):
    """A task of an area; `role` is that of the caller's unit, where it has one."""

    plan: str
    area: UnitName
    node: str
    title: str
    standard: str
    deliverables: list[str]
    revision: int
    due_on: str
    done: bool
    overdue: bool
    lead: UnitName
    responsible: list[UnitName]
    role: str


class TaskPage(BaseModel):
    """A page of a unit's tasks."""

    total: int
    rows: list[TaskView]


class NoteView(BaseModel):
    """What was told of a task."""

    kind: str
    text: str
    unit: UnitName
    noted_by: str
    noted_at: str


class ReminderView(BaseModel):
    """A reminder: before-<days> or overdue."""

    kind: str
    reminded_at: str
    task: TaskView


class HomeView(BaseModel):
    """What the home page of a unit shows of tasks."""

    today: str
    open: int
    due_soon: list[TaskView]
    overdue: list[TaskView]
    reminders: list[ReminderView]


class StatutoryView(BaseModel):
    """A reporting date of the law; `verified`: checked against the text it cites."""

    title: str
    who: str
    document: str
    article: str
    verified: bool


class DayView(BaseModel):
    """A day on which something is due; `tasks` are the first of `total`."""

    day: str
    total: int
    tasks: list[TaskView]
    statutory: list[StatutoryView]


class PlanBody(Body):
    """Yearly tasks to publish: of all results, or of the nodes named; under a unit of the caller's area."""

    year: Annotated[int, Field(ge=2000, le=2100)]
    scope: Code
    title: Annotated[str, Field(min_length=1, max_length=200)]
    note: Annotated[str, Field(max_length=2000)] = ""
    due_on: WrittenDay | None = None
    nodes: Annotated[list[Code], Field(max_length=1000, default_factory=list)]
    due: Annotated[dict[Code, WrittenDay], Field(max_length=1000, default_factory=dict)]


class PublishedView(BaseModel):
    """What was published."""

    plan: str
    areas: int
    tasks: int


class AssignmentBody(Body):
    """A task given to these units, due on this day."""

    lead: Code
    responsible: Annotated[list[Code], Field(max_length=50, default_factory=list)]
    due_on: WrittenDay
    reason: Annotated[str, Field(max_length=500)] = ""


class NoteBody(Body):
    """Progress of a task; done is told by its lead, reopened by whoever looks over the area."""

    kind: Literal["progress", "done", "reopened"]
    text: Annotated[str, Field(min_length=1, max_length=2000)]


class Changed(BaseModel):
    """How many tasks changed; `dry_run`: would change."""

    changed: int
    dry_run: bool


def router(tasks: Tasks, views: TaskViews) -> APIRouter:
    """Routes under /task_plans, /tasks and /home/tasks."""
    routes = APIRouter(tags=["tasks"])
    _plan_routes(routes, tasks, views)
    _task_routes(routes, tasks, views)
    _own_routes(routes, views)
    return routes


def _plan_routes(routes: APIRouter, tasks: Tasks, views: TaskViews) -> None:
    @routes.get("/task_plans")
    @allow(*STAFF)
    def list_plans(who: Caller, as_of: Day = None) -> list[PlanView]:
        """Yearly tasks that touch the caller's part of the tree."""
        return [
            PlanView(
                id=row.id,
                year=row.year,
                title=row.title,
                note=row.note,
                framework=row.framework,
                version=row.version,
                published_by=row.published_by,
                published_at=_time(row.published_at),
            )
            for row in views.plans(who, views.end_of(as_of))
        ]

    @routes.post("/task_plans", status_code=201)
    @allow(REVIEWER, INSPECTOR)
    def publish(request: PlanBody, who: Caller) -> PublishedView:
        """Publish yearly tasks from the framework in force, decomposed to units in every area under a unit."""
        made = tasks.publish(who, PlanRequest(**request.model_dump()))
        return PublishedView(plan=made.plan, areas=made.areas, tasks=made.tasks)

    @routes.get("/task_plans/{plan}/areas")
    @allow(*STAFF)
    def list_areas(plan: str, who: Caller, as_of: Day = None) -> list[AreaView]:
        """The areas of a plan, with how their tasks stand."""
        return [
            AreaView(code=one.code, name=one.name, total=one.total, done=one.done, overdue=one.overdue)
            for one in views.areas(who, plan, views.end_of(as_of))
        ]

    @routes.get("/task_plans/{plan}/areas/{area}")
    @allow(*STAFF)
    def table(plan: str, area: str, who: Caller, as_of: Day = None) -> list[TaskView]:
        """The table of decomposition of an area."""
        return [_task(line) for line in views.table(who, plan, area, views.end_of(as_of))]

    @routes.get("/task_plans/{plan}/areas/{area}/file", response_class=Response)
    @allow(*STAFF)
    def table_file(plan: str, area: str, who: Caller, as_of: Day = None) -> Response:
        """The table as a workbook, as it is or was on a day, an audited export; sheet and footer say of which day."""
        lines = views.table(who, plan, area, views.end_of(as_of))
        note = tasks.export_note(who, plan, area)
        return attachment(table_workbook(lines, note, as_of), name=f"任务分解-{area}.xlsx", media_type=XLSX)

    @routes.post("/task_plans/{plan}/areas/{area}/file")
    @allow(REVIEWER, INSPECTOR)
    def hand_in_table(
        plan: str,
        area: str,
        who: Caller,
        file: UploadFile,
        dry_run: bool = True,  # noqa: FBT001, FBT002 - a query parameter
    ) -> Changed:
        """The table mended: all rows or none; a dry run only says how many tasks would change."""
        assignments = read_table(file.file.read(MOST_BYTES + 1))
        return Changed(changed=tasks.reassign(who, plan, area, assignments, dry_run=dry_run), dry_run=dry_run)


def _task_routes(routes: APIRouter, tasks: Tasks, views: TaskViews) -> None:
    @routes.post("/task_plans/{plan}/areas/{area}/tasks/{node}/assignment")
    @allow(REVIEWER, INSPECTOR)
    def reassign(plan: str, area: str, node: str, request: AssignmentBody, who: Caller) -> Changed:
        """Give one task to other units, or another day."""
        one = Assignment(node, request.lead, tuple(request.responsible), request.due_on, request.reason)
        return Changed(changed=tasks.reassign(who, plan, area, [one]), dry_run=False)

    @routes.get("/task_plans/{plan}/areas/{area}/tasks/{node}/notes")
    @allow(*STAFF)
    def list_notes(plan: str, area: str, node: str, who: Caller, as_of: Day = None) -> list[NoteView]:
        """What was told of a task, newest first."""
        return [
            NoteView(
                kind=row.kind,
                text=row.text,
                unit=UnitName(code=row.unit, name=row.unit_name or row.unit),
                noted_by=row.noted_by,
                noted_at=_time(row.noted_at),
            )
            for row in views.notes(who, plan, area, node, views.end_of(as_of))
        ]

    @routes.post("/task_plans/{plan}/areas/{area}/tasks/{node}/notes", status_code=204)
    @allow(REPORTER, UNIT_HEAD, REVIEWER, INSPECTOR)
    def tell(plan: str, area: str, node: str, request: NoteBody, who: Caller) -> None:
        """Tell progress, or that a task is done; or reopen it."""
        tasks.tell(who, plan, area, node, request.kind, request.text)


def _own_routes(routes: APIRouter, views: TaskViews) -> None:
    @routes.get("/tasks")
    @allow(*STAFF)
    def mine(
        who: Caller,
        as_of: Day = None,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> TaskPage:
        """The tasks of the caller's unit, those that are due first."""
        total, lines = views.mine(who, offset=offset, limit=limit, at=views.end_of(as_of))
        return TaskPage(total=total, rows=[_task(line) for line in lines])

    @routes.get("/tasks/calendar")
    @allow(*STAFF)
    def month(who: Caller, month: Month, as_of: Day = None) -> list[DayView]:
        """What falls due in a month: tasks, and the reporting dates of the law."""
        year, number = (int(part) for part in month.split("-"))
        return [
            DayView(
                day=one.day.isoformat(),
                total=one.total,
                tasks=[_task(line) for line in one.tasks],
                statutory=[
                    StatutoryView(
                        title=due.title,
                        who=due.who,
                        document=due.document,
                        article=due.article,
                        verified=due.is_verified,
                    )
                    for due in one.statutory
                ],
            )
            for one in views.month(who, year, number, views.end_of(as_of))
        ]

    @routes.get("/home/tasks")
    @allow(*STAFF)
    def home(who: Caller, as_of: Day = None) -> HomeView:
        """What is due soon, what is overdue, and of what the caller's unit was reminded; now or on a past day."""
        found = views.home(who, views.end_of(as_of))
        return HomeView(
            today=found.today.isoformat(),
            open=found.open,
            due_soon=[_task(line) for line in found.due_soon],
            overdue=[_task(line) for line in found.overdue],
            reminders=[
                ReminderView(kind=one.kind, reminded_at=_time(one.reminded_at), task=_task(one.task))
                for one in found.reminders
            ],
        )


def _task(line: TaskLine) -> TaskView:
    return TaskView(
        plan=line.plan,
        area=UnitName(code=line.area, name=line.area_name),
        node=line.node,
        title=line.title,
        standard=line.standard,
        deliverables=list(line.deliverables),
        revision=line.revision,
        due_on=line.due_on.isoformat(),
        done=line.done,
        overdue=line.overdue,
        lead=UnitName(code=line.lead[0], name=line.lead[1]),
        responsible=[UnitName(code=code, name=name) for code, name in line.responsible],
        role=line.role,
    )


def _time(at: datetime) -> str:
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds")
