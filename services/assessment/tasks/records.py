"""
Statements over tasks that several rooms need: which revision counts, what is done, what a caller may see.

Everything said of tasks is append-only, so each of them can be asked of a past moment too (`at`, as of 截至): what was
written later is not looked at, and units have the names of then. Who may see an area is always said of today.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, FromClause, Row, and_, exists, select
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.errors import NotFound
from kernel.ids import is_id
from kernel.storage.reach import beyond
from services.assessment.ranking.known import until
from services.assessment.reach import seen_by
from services.assessment.tables import UNITS
from services.assessment.tasks.model import DONE, DUTIES, LEAD, NOTES, PLANS, REOPENED, TASKS


class NoSuchTask(NotFound):
    """There is no such task, or none this caller may know of."""

    code: ClassVar[str] = "assessment.no_such_task"
    message: ClassVar[str] = "没有此任务，请刷新后再试。"


def counts(at: datetime | None = None) -> ColumnElement[bool]:
    """Whether a row of TASKS is the revision that counts."""
    later = TASKS.alias("later")
    superseded = exists().where(
        later.c.plan == TASKS.c.plan,
        later.c.area == TASKS.c.area,
        later.c.node == TASKS.c.node,
        later.c.revision > TASKS.c.revision,
        until(later.c.assigned_at, at),
    )
    return and_(until(TASKS.c.assigned_at, at), ~superseded)


def is_done(at: datetime | None = None) -> ColumnElement[bool]:
    """Whether the lead said that a row of TASKS is done, and nobody reopened it since."""
    said, taken_back = NOTES.alias("said"), NOTES.alias("taken_back")
    reopened = exists().where(
        _of_task(taken_back),
        taken_back.c.kind == REOPENED,
        taken_back.c.id > said.c.id,
        until(taken_back.c.noted_at, at),
    )
    return exists().where(_of_task(said), said.c.kind == DONE, until(said.c.noted_at, at), ~reopened)


def _of_task(notes: FromClause) -> ColumnElement[bool]:
    return and_(notes.c.plan == TASKS.c.plan, notes.c.area == TASKS.c.area, notes.c.node == TASKS.c.node)


@contextmanager
def with_what_it_has(session: Session, who: Principal) -> Iterator[None]:
    """With the tasks the caller's unit has in areas it was moved out of, beside those of the areas it lies in."""
    # one by one, for PostgreSQL would read all tasks to find the few that are not in reach
    in_reach = select(TASKS.c.id).where(TASKS.c.id == DUTIES.c.task).scalar_subquery()
    elsewhere = select(DUTIES.c.task).where(DUTIES.c.unit == who.unit, in_reach.is_(None))
    if session.execute(elsewhere.limit(1)).first() is None:
        yield
        return
    with beyond("a unit that was moved out of an area keeps the tasks it has there", session):
        yield


def plan_of(session: Session, who: Principal, plan: str, at: datetime | None = None) -> Row[Any]:
    """A plan the caller may see. Raises NotFound."""
    query = select(PLANS).where(
        PLANS.c.id == plan, seen_by(who, PLANS.c.scope), until(PLANS.c.published_at, at)
    )
    row = session.execute(query).one_or_none() if is_id(plan) else None
    if row is None:
        raise NotFound("没有此年度任务，请刷新后再试。", code="assessment.no_such_plan")
    return row


def area_of(session: Session, who: Principal, area: str) -> Row[Any]:
    """The unit that is an area, as the caller may see it. Raises NotFound."""
    units = UNITS.table
    query = select(units.c.code, units.c.name, units.c.path).where(
        units.c.code == area, seen_by(who, units.c.path)
    )
    row: Row[Any] | None = session.execute(query).one_or_none()  # type: ignore[assignment]  # its columns' types
    if row is None:
        raise NotFound("没有此地区，请刷新后再试。", code="assessment.no_such_area")
    return row


def task_of(session: Session, plan: str, area: str, node: str) -> Row[Any]:
    """The revision of a task that counts. Raises NoSuchTask."""
    query = (
        select(TASKS)
        .where(TASKS.c.plan == plan, TASKS.c.area == area, TASKS.c.node == node)
        .order_by(TASKS.c.revision.desc())
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    if row is None:
        raise NoSuchTask
    return row


def state_columns(today: date, at: datetime | None = None) -> list[ColumnElement[Any]]:
    """`done` and `overdue` of a row of TASKS."""
    done = is_done(at)
    return [done.label("done"), and_(TASKS.c.due_on < today, ~done).label("overdue")]


def duty_rows(session: Session, tasks: Iterable[str], at: datetime | None = None) -> dict[str, list[Any]]:
    """Task -> its units with names, the lead first."""
    found: dict[str, list[Any]] = {}
    units = UNITS.table_at(at)
    wanted = list(tasks)
    for start in range(0, len(wanted), 500):
        query = (
            select(DUTIES.c.task, DUTIES.c.unit, DUTIES.c.role, units.c.name)
            .outerjoin(units, units.c.code == DUTIES.c.unit)
            .where(DUTIES.c.task.in_(wanted[start : start + 500]))
            .order_by(DUTIES.c.task, DUTIES.c.role != LEAD, DUTIES.c.unit)
        )
        for row in session.execute(query):
            found.setdefault(row.task, []).append(row)
    return found


def unit_names(session: Session, codes: Sequence[str]) -> dict[str, str]:
    """Code -> name of the units in force among these."""
    units = UNITS.table
    found: dict[str, str] = {}
    for start in range(0, len(codes), 500):
        query = select(units.c.code, units.c.name).where(
            units.c.code.in_(codes[start : start + 500]), units.c.valid_to == ""
        )
        found.update((row.code, row.name) for row in session.execute(query))
    return found
