"""Looking at tasks, now or as of a past moment 截至: the table of an area, what a unit has to do, home, a month."""

import calendar
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Integer, case, cast, func, select
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.clock import local_date
from kernel.storage.work import Store
from services.assessment.ranking.known import end_of, until
from services.assessment.reach import seen_by, within
from services.assessment.tables import UNITS
from services.assessment.tasks.model import DUTIES, ITEMS, NOTES, PLANS, REMINDERS, TASKS
from services.assessment.tasks.records import (
    area_of,
    counts,
    duty_rows,
    is_done,
    plan_of,
    state_columns,
    task_of,
    with_what_it_has,
)
from services.assessment.tasks.rules import StatutoryDate, TaskSettings

MOST = 500
SOON_DAYS = 30


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task of an area as people see it; units as (code, name), the lead first."""

    plan: str
    area: str
    area_name: str
    node: str
    title: str
    standard: str
    deliverables: Sequence[str]
    revision: int
    due_on: date
    done: bool
    overdue: bool
    lead: tuple[str, str]
    responsible: Sequence[tuple[str, str]]
    role: str = ""


@dataclass(frozen=True, slots=True)
class AreaLine:
    """How the tasks of an area stand."""

    code: str
    name: str
    total: int
    done: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder 提醒: the task, and why."""

    task: TaskLine
    kind: str
    reminded_at: datetime


@dataclass(frozen=True, slots=True)
class Home:
    """What the home page of a unit shows."""

    today: date
    open: int
    due_soon: Sequence[TaskLine]
    overdue: Sequence[TaskLine]
    reminders: Sequence[Reminder]


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day of the calendar 日历 on which something is due."""

    day: date
    tasks: Sequence[TaskLine]
    total: int
    statutory: Sequence[StatutoryDate]


class TaskViews:
    """Questions about tasks."""

    def __init__(self, store: Store, settings: TaskSettings) -> None:
        self._store = store
        self._settings = settings

    def end_of(self, day: date | None) -> datetime | None:
        """The moment as of which a past day is shown; None for now. Raises Invalid."""
        return end_of(self._store.clock, day)

    def plans(self, who: Principal, at: datetime | None = None) -> list[Any]:
        """The plans that touch the caller's part of the tree, newest first."""
        query = (
            select(PLANS)
            .where(seen_by(who, PLANS.c.scope), until(PLANS.c.published_at, at))
            .order_by(PLANS.c.published_at.desc(), PLANS.c.id.desc())
            .limit(MOST)
        )
        with self._store.reading() as session:
            return list(session.execute(query).all())

    def areas(self, who: Principal, plan: str, at: datetime | None = None) -> list[AreaLine]:
        """The areas of a plan the caller may see, with how their tasks stand. Raises NotFound."""
        units, then = UNITS.table, UNITS.table_at(at)
        done, overdue = state_columns(self._day(at), at)
        with self._store.reading() as session:
            plan_of(session, who, plan, at)
            states = (
                select(TASKS.c.area, done, overdue)
                .join(units, units.c.code == TASKS.c.area)
                .where(TASKS.c.plan == plan, counts(at), seen_by(who, units.c.path))
                .subquery()
            )
            query = (
                select(
                    states.c.area,
                    then.c.name,
                    func.count().label("total"),
                    func.sum(_one(states.c.done)).label("done"),
                    func.sum(_one(states.c.overdue)).label("overdue"),
                )
                .join(then, then.c.code == states.c.area)
                .group_by(states.c.area, then.c.name, then.c.path)
                .order_by(then.c.path)
            )
            return [
                AreaLine(row.area, row.name, row.total, int(row.done), int(row.overdue))
                for row in session.execute(query)
            ]

    def table(self, who: Principal, plan: str, area: str, at: datetime | None = None) -> list[TaskLine]:
        """The table of decomposition 任务分解表 of an area. Raises NotFound."""
        with self._store.reading() as session:
            plan_of(session, who, plan, at)
            area_of(session, who, area)
            rows = session.execute(self._tasks(at).where(TASKS.c.plan == plan, TASKS.c.area == area)).all()
            return sorted(_lines(session, rows, at), key=lambda line: _in_order(line.node))

    def notes(self, who: Principal, plan: str, area: str, node: str, at: datetime | None = None) -> list[Any]:
        """What was told of a task, newest first. Raises NotFound."""
        units = UNITS.table_at(at)
        query = (
            select(NOTES, units.c.name.label("unit_name"))
            .outerjoin(units, units.c.code == NOTES.c.unit)
            .where(NOTES.c.plan == plan, NOTES.c.area == area, NOTES.c.node == node)
            .where(until(NOTES.c.noted_at, at))
            .order_by(NOTES.c.id.desc())
            .limit(MOST)
        )
        with self._store.reading() as session:
            plan_of(session, who, plan, at)
            area_of(session, who, area)
            task_of(session, plan, area, node)
            return list(session.execute(query).all())

    def mine(
        self, who: Principal, *, offset: int = 0, limit: int = 100, at: datetime | None = None
    ) -> tuple[int, list[TaskLine]]:
        """The tasks of the caller's unit, those that are due first: total, and one page."""
        with self._store.reading() as session, with_what_it_has(session, who):
            own = self._tasks(at).add_columns(DUTIES.c.role).join(DUTIES, DUTIES.c.task == TASKS.c.id)
            own = own.where(DUTIES.c.unit == who.unit)
            total = session.execute(select(func.count()).select_from(own.subquery())).scalar_one()
            page = (
                own.order_by(is_done(at), TASKS.c.due_on, TASKS.c.node).offset(offset).limit(min(limit, MOST))
            )
            return total, _lines(session, session.execute(page).all(), at)

    def home(self, who: Principal, at: datetime | None = None) -> Home:
        """What is due soon, what is overdue, and of what the caller's unit was reminded."""
        today = self._day(at)
        own = self._tasks(at).add_columns(DUTIES.c.role).join(DUTIES, DUTIES.c.task == TASKS.c.id)
        own = own.where(DUTIES.c.unit == who.unit, ~is_done(at))
        with self._store.reading() as session, with_what_it_has(session, who):
            total = session.execute(select(func.count()).select_from(own.subquery())).scalar_one()
            soon = own.where(TASKS.c.due_on >= today, TASKS.c.due_on <= today + timedelta(days=SOON_DAYS))
            due, late = (
                _lines(
                    session, session.execute(query.order_by(TASKS.c.due_on, TASKS.c.node).limit(20)).all(), at
                )
                for query in (soon, own.where(TASKS.c.due_on < today))
            )
            reminded = (
                own.add_columns(REMINDERS.c.kind.label("reminder"), REMINDERS.c.reminded_at)
                .join(REMINDERS, (REMINDERS.c.task == TASKS.c.id) & (REMINDERS.c.unit == DUTIES.c.unit))
                .where(until(REMINDERS.c.reminded_at, at))
                .order_by(REMINDERS.c.reminded_at.desc(), TASKS.c.node)
                .limit(20)
            )
            rows = session.execute(reminded).all()
            reminders = [
                Reminder(line, row.reminder, row.reminded_at)
                for line, row in zip(_lines(session, rows, at), rows, strict=True)
            ]
        return Home(today, total, due, late, reminders)

    def month(self, who: Principal, year: int, month: int, at: datetime | None = None) -> list[CalendarDay]:
        """What falls due in a month: tasks of the caller's unit, or of the areas it looks over, and the law's dates."""
        first, last = date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
        held = select(DUTIES.c.task).where(DUTIES.c.unit == who.unit)
        seen = TASKS.c.id.in_(held) | within(who, TASKS.c.area)
        query = (
            self._tasks(at)
            .where(TASKS.c.due_on >= first, TASKS.c.due_on <= last, seen)
            .order_by(TASKS.c.due_on, TASKS.c.node)
        )
        with self._store.reading() as session, with_what_it_has(session, who):
            counted = query.order_by(None).subquery()
            by_day = select(counted.c.due_on, func.count().label("total")).group_by(counted.c.due_on)
            totals = {row.due_on: row.total for row in session.execute(by_day)}
            lines = _lines(session, session.execute(query.limit(MOST)).all(), at)
        found = []
        for number in range(1, last.day + 1):
            day = date(year, month, number)
            statutory = [one for one in self._settings.statutory if (one.month, one.day) == (month, number)]
            if day in totals or statutory:
                tasks = [line for line in lines if line.due_on == day][:50]
                found.append(CalendarDay(day, tasks, totals.get(day, 0), statutory))
        return found

    def _tasks(self, at: datetime | None = None) -> Any:
        """Rows of the tasks that count, with what they ask, their area and their state."""
        units = UNITS.table_at(at)
        items = (ITEMS.c.plan == TASKS.c.plan) & (ITEMS.c.node == TASKS.c.node)
        return (
            select(
                TASKS,
                ITEMS.c.title,
                ITEMS.c.standard,
                ITEMS.c.deliverables,
                units.c.name.label("area_name"),
                *state_columns(self._day(at), at),
            )
            .join(ITEMS, items)
            .join(units, units.c.code == TASKS.c.area)
            .where(counts(at))
        )

    def _day(self, at: datetime | None = None) -> date:
        return local_date(at or self._store.clock.now())


def _in_order(code: str) -> list[tuple[int, str]]:
    """A key that puts A1.M2 before A1.M10, as the framework has them."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", code)]


def _one(flag: Any) -> Any:
    return cast(case((flag, 1), else_=0), Integer)


def _lines(session: Session, rows: Iterable[Any], at: datetime | None = None) -> list[TaskLine]:
    rows = list(rows)
    duties = duty_rows(session, [row.id for row in rows], at)
    return [_line(row, duties.get(row.id, [])) for row in rows]


def _line(row: Any, duties: Sequence[Any]) -> TaskLine:
    named = {duty.unit: duty.name or duty.unit for duty in duties}
    others = [(duty.unit, named[duty.unit]) for duty in duties if duty.unit != row.lead]
    return TaskLine(
        plan=row.plan,
        area=row.area,
        area_name=row.area_name,
        node=row.node,
        title=row.title,
        standard=row.standard,
        deliverables=orjson.loads(row.deliverables),
        revision=row.revision,
        due_on=row.due_on,
        done=bool(row.done),
        overdue=bool(row.overdue),
        lead=(row.lead, named.get(row.lead, row.lead)),
        responsible=others,
        role=getattr(row, "role", ""),
    )
