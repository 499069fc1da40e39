"""
Reminders 提醒: every unit that has a task is told once that it is due soon, and once that it is overdue.

One statement a kind, for a province as for a county; the primary key of the table is the promise that none comes twice.
"""

from datetime import date, datetime

from sqlalchemy import String, cast, exists, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from kernel.storage.types import Day, Moment
from kernel.storage.work import Work
from services.assessment.tasks.model import DUTIES, REMINDERS, TASKS
from services.assessment.tasks.records import counts, is_done


def remind_of(work: Work, kind: str, first: date, last: date, now: datetime) -> int:
    """One statement: the reminders of a kind that do not exist yet."""
    known = exists().where(
        REMINDERS.c.task == DUTIES.c.task, REMINDERS.c.unit == DUTIES.c.unit, REMINDERS.c.kind == kind
    )
    wanted = (
        select(
            DUTIES.c.task,
            DUTIES.c.unit,
            cast(literal(kind), String(20)),
            TASKS.c.due_on,
            literal(now, Moment),
        )
        .join(TASKS, TASKS.c.id == DUTIES.c.task)
        .where(TASKS.c.due_on >= literal(first, Day), TASKS.c.due_on <= literal(last, Day))
        .where(counts(), ~is_done(), ~known)
    )
    columns = ["task", "unit", "kind", "due_on", "reminded_at"]
    dialect = postgresql if work.connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(REMINDERS).from_select(columns, wanted).on_conflict_do_nothing()
    return len(work.session.execute(statement.returning(REMINDERS.c.task)).all())
