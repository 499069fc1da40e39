"""
Overdue duties 逾期任务: units that were reminded that a task of the year is overdue, and have not been warned of it.

The tasks keep their own dates and reminders (tasks/reminding.py); a unit is warned once a year of a node of a framework.
"""

from sqlalchemy import String, cast, literal, select
from sqlalchemy.orm import Session

from services.assessment.tasks.model import ITEMS, PLANS, REMINDERS, TASKS
from services.assessment.warnings.model import WARNINGS
from services.assessment.warnings.rules import Raised

DUTIES_A_STEP = 500


def overdue_tasks(session: Session) -> list[Raised]:
    """A batch of the warnings that are still to be raised."""
    version = PLANS.c.framework + literal("@") + PLANS.c.version
    warned = select(WARNINGS.c.id).where(
        WARNINGS.c.kind == "overdue",
        WARNINGS.c.unit == REMINDERS.c.unit,
        WARNINGS.c.node == TASKS.c.node,
        WARNINGS.c.framework == version,
        WARNINGS.c.year == cast(PLANS.c.year, String(4)),
    )
    query = (
        select(
            REMINDERS.c.unit,
            TASKS.c.node,
            TASKS.c.due_on,
            ITEMS.c.title,
            PLANS.c.year,
            version.label("framework"),
        )
        .join(TASKS, TASKS.c.id == REMINDERS.c.task)
        .join(PLANS, PLANS.c.id == TASKS.c.plan)
        .join(ITEMS, (ITEMS.c.plan == TASKS.c.plan) & (ITEMS.c.node == TASKS.c.node))
        .where(REMINDERS.c.kind == "overdue", ~warned.exists())
        .order_by(REMINDERS.c.reminded_at, REMINDERS.c.unit, TASKS.c.node)
        .limit(DUTIES_A_STEP)
    )
    return [
        Raised(
            kind="overdue",
            unit=row.unit,
            node=row.node,
            framework=row.framework,
            year=str(row.year),
            at_seq=0,
            title=f"任务逾期：{row.title}",
            seen={"due_on": row.due_on.isoformat()},
        )
        for row in session.execute(query)
    ]
