"""
Who holds a role now 任职授权副本: what the gateway told of accounts, and which reviews it leaves without a reviewer.

Whole accounts under a version: a late or repeated message never wins over a newer one. A term ends by its day, a day
of Asia/Shanghai, without a message. Somebody never told of holds nothing, so gets no work; but only what somebody was
told to hold no more, or to have become partial in by moving, is to be handed on, so an installation that has not heard
yet calls nobody back. Every version
that was the newest when it was heard stays, with the moment of that, for questions about the past (past.py).
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Join, and_, delete, exists, func, or_

from contracts.directory.v1.directory_pb2 import UnitKind
from contracts.holders.v1.holders_pb2 import Holder
from contracts.holders.wire import day_of
from contracts.roles import REVIEWER
from kernel.clock import from_microseconds
from kernel.messages import Item
from kernel.storage.setwise import write_rows
from kernel.storage.work import Work
from services.assessment.review.model import (
    HOLDER_ROLE_VERSIONS,
    HOLDER_ROLES,
    HOLDER_VERSIONS,
    HOLDERS,
)
from services.assessment.review.rules import ARBITRATION

ROWS_A_STATEMENT = 1000
_H, _R = HOLDERS.c, HOLDER_ROLES.c


def hear(work: Work, items: Sequence[Item]) -> None:
    """Take over what the gateway told, account by account as a whole, in one statement a table."""
    newest: dict[str, Holder] = {}
    for item in items:
        told = item.value
        assert isinstance(told, Holder)
        if told.account not in newest or newest[told.account].version < told.version:
            newest[told.account] = told
    # In one order, so that two hearers never wait for each other in a ring.
    rows = [_holder(newest[account]) for account in sorted(newest)]
    replaced = {name: "replace" for name in rows[0] if name != "account"} if rows else {}
    written = write_rows(
        work.session,
        HOLDERS,
        rows,
        keys=("account",),
        on_conflict=replaced,  # type: ignore[arg-type]
        only_if="excluded.version > old.version",
        returning=("account",),
    )
    taken = [row.account for row in written]
    for start in range(0, len(taken), ROWS_A_STATEMENT):
        some = taken[start : start + ROWS_A_STATEMENT]
        work.session.execute(delete(HOLDER_ROLES).where(_R.account.in_(some)))
    write_rows(work.session, HOLDER_ROLES, [row for account in taken for row in _roles(newest[account])])
    _keep(work, [newest[account] for account in taken])


def _keep(work: Work, told: Sequence[Holder]) -> None:
    """What was heard becomes the past of later: whole accounts, as they count from now on."""
    heard_at = work.clock.now()
    rows = [{**_holder(one), "heard_at": heard_at} for one in told]
    write_rows(work.session, HOLDER_VERSIONS, rows)
    roles = [{**row, "version": one.version} for one in told for row in _roles(one)]
    write_rows(work.session, HOLDER_ROLE_VERSIONS, roles)


def reviewing(today: date) -> tuple[Join, ColumnElement[bool]]:
    """Holders joined with their roles, and the condition that they may review today."""
    joined = HOLDERS.join(HOLDER_ROLES, _R.account == _H.account)
    return joined, _may_review(HOLDERS, HOLDER_ROLES, today)


def is_lost(
    assignments: FromClause, holders: FromClause, roles: FromClause, units: FromClause, day: date
) -> ColumnElement[bool]:
    """
    The condition that an assignment is to be handed on 待移交: its reviewer was told to hold the role over the
    reporting unit no more, or to be of a unit that may not review it (R37), which may have come after the assignment.

    `units` are the reporting ones. The tables are as they stood on `day`, or as they are (past.py).
    """
    one, held, role, theirs = assignments.c, holders.c, roles.c, units.alias("theirs")
    told = exists().where(held.account == one.reviewer)
    holds = exists().where(
        held.account == one.reviewer,
        role.account == one.reviewer,
        _may_review(holders, roles, day),
        _begins(units.c.path, role.unit_path),
    )
    of_the_matter = exists().where(
        held.account == one.reviewer, theirs.c.code == held.unit, _is_partial(theirs, units)
    )
    return and_(one.place < ARBITRATION, told, or_(~holds, of_the_matter))


def _is_partial(theirs: FromClause, unit: FromClause) -> ColumnElement[bool]:
    """Where `rules.may_review` says no of somebody of one unit and another unit, asked of the directory."""
    reviewer, reporting = theirs.c, unit.c
    is_government = reviewer.kind == UnitKind.UNIT_KIND_GOVERNMENT
    is_over = _begins(reporting.path, reviewer.path)
    seats = [
        func.substr(one.path, 1, func.length(one.path) - func.length(one.code) - 1)
        for one in (reviewer, reporting)
    ]
    same_line = and_(
        reviewer.field != "",
        reviewer.field == reporting.field,
        ~is_government,
        reporting.kind != UnitKind.UNIT_KIND_GOVERNMENT,
        or_(_begins(seats[0], seats[1]), _begins(seats[1], seats[0])),
    )
    return or_(
        reviewer.path == "",
        _begins(reviewer.path, reporting.path),
        and_(is_over, ~is_government),
        and_(~is_over, same_line),
    )


def _begins(path: ColumnElement[str], start: ColumnElement[str]) -> ColumnElement[bool]:
    return func.substr(path, 1, func.length(start)) == start


def _may_review(holders: FromClause, roles: FromClause, day: date) -> ColumnElement[bool]:
    role = roles.c
    ends = or_(role.until_on.is_(None), role.until_on >= day)
    return and_(holders.c.is_active, role.role == REVIEWER, role.unit_path != "", role.from_on <= day, ends)


def _holder(told: Holder) -> dict[str, Any]:
    return {
        "account": told.account,
        "name": told.name,
        "unit": told.unit,
        "is_active": told.is_active,
        "version": told.version,
        "occurred_at": from_microseconds(told.occurred_at_us),
        "recorded_at": from_microseconds(told.recorded_at_us),
    }


def _roles(told: Holder) -> list[dict[str, Any]]:
    return [
        {
            "account": told.account,
            "role": role.role,
            "unit": role.unit,
            "unit_path": role.unit_path,
            "from_on": day_of(role.from_on),
            "until_on": day_of(role.until_on),
        }
        for role in told.roles
    ]
