"""
Escalation 逾期升级: what is past its due time goes to the next level up, exactly once for each due time.

The fact is unique in the database for a matter and a due time (timeline.py), and its id is made from both, so a
killed, doubled or clock-shifted worker may try again as often as it likes. Who acts on a matter past its due time
before a worker looked escalates it first, or the act would set another due time and the one that passed be forgotten.
Rows are taken without waiting for those that somebody is acting on just now; the next turn, seconds later, looks again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Table, bindparam, or_, select, update

from kernel.access.principal import SYSTEM
from kernel.ids import derived_id
from kernel.storage.setwise import write_rows
from kernel.storage.types import time_text
from kernel.storage.work import Work
from services.assessment.rectification.places import superiors
from services.assessment.rectification.timeline import fact_row

MATTERS_A_STEP = 500


@dataclass(frozen=True, slots=True)
class Register:
    """One kind of matter: its rows, and the facts they repeat. Rows have state, version, due_at, supervisor."""

    matters: Table
    facts: Table


def escalate(work: Work, register: Register, matter: str = "") -> tuple[int, list[Row[Any]]]:
    """
    Escalate up to a batch of overdue matters; returns how many were overdue and the rows that were escalated now.

    `matter`: this one, if it is overdue.

    The caller commits; rows are as they were before.
    """
    now = work.clock.now()
    overdue = _overdue(work, register, matter)
    to = superiors(work.session, {row.supervisor for row in overdue})
    facts = [
        fact_row(
            row.id,
            row.version + 1,
            "escalated",
            SYSTEM,
            now,
            due_at=row.due_at,
            detail={"from": row.supervisor, "to": to[row.supervisor], "state": row.state},
            id=derived_id("escalated", register.facts.name, row.id, time_text(row.due_at)),
        )
        for row in overdue
    ]
    written = write_rows(work.session, register.facts, facts, on_conflict="nothing", returning=("matter",))
    new = {str(row.matter) for row in written}
    if overdue:
        _mark(work, register, overdue, new, to)
        work.audit(SYSTEM, f"{register.matters.name}.escalated", f"{register.matters.name}/{len(new)}")
    return len(overdue), [row for row in overdue if row.id in new]


def _overdue(work: Work, register: Register, matter: str) -> Sequence[Row[Any]]:
    table = register.matters
    query = (
        select(table)
        .where(
            table.c.due_at <= work.clock.now(),
            table.c.state != "closed",
            or_(table.c.escalated_due.is_(None), table.c.escalated_due != table.c.due_at),
        )
        .order_by(table.c.due_at, table.c.id)
        .limit(MATTERS_A_STEP)
        .with_for_update(skip_locked=True)
    )
    if matter:
        query = query.where(table.c.id == matter)
    return work.session.execute(query).all()


def _mark(
    work: Work, register: Register, overdue: Sequence[Row[Any]], new: set[str], to: dict[str, str]
) -> None:
    """The rows repeat what the facts say; one whose fact was there already only learns of it."""
    table = register.matters
    statement = (
        update(table)
        .where(table.c.id == bindparam("of"))
        .values(escalated_due=bindparam("due"), version=bindparam("now"), supervisor=bindparam("superior"))
    )
    work.connection.execute(
        statement,
        [
            {
                "of": row.id,
                "due": row.due_at,
                "now": row.version + (row.id in new),
                "superior": to[row.supervisor] if row.id in new else row.supervisor,
            }
            for row in overdue
        ],
    )
