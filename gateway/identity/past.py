"""
As of 截至, of accounts and grants: who held which role on a day, by whom granted, as it was known at its end.

The rows of accounts and grants are what they came to; each change of them is kept beside, append-only, in the
transaction that makes it (`note_account`, `note_grants`), and what a row was earlier is what its last change until then
said. Second factors and their removals keep their times themselves. Who may see an account or a grant is said of today.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, case, func, insert, null, or_, select

from gateway.directory.model import UNIT_VERSIONS
from gateway.identity.model import Account, AccountEvent, Grant, GrantEvent, SecondFactor
from gateway.tables import UNITS
from kernel.clock import Clock, end_of_day, local_date
from kernel.errors import Invalid
from kernel.ids import new_id
from kernel.storage.work import Work

ACCOUNTS, GRANTS, _FACTORS = Account.__table__, Grant.__table__, SecondFactor.__table__
ACCOUNT_EVENTS, GRANT_EVENTS = AccountEvent.__table__, GrantEvent.__table__
PASSWORD_CHANGED = "password_changed"  # noqa: S105  # the name of an act


def note_account(work: Work, account: str, act: str, unit: str, by: str) -> None:
    """Keep what was done to an account: created, active, disabled, transferred, password_changed; `unit` is its own then."""
    row = {"id": new_id(), "account": account, "act": act, "unit": unit, "at": work.clock.now(), "by": by}
    work.session.execute(insert(AccountEvent).values(**row))


def note_grants(work: Work, grants: Sequence[Grant]) -> None:
    """Keep what became of grants, as their rows say now."""
    rows = [
        {
            "id": new_id(),
            "grant": one.id,
            "state": one.state,
            "at": one.decided_at or one.proposed_at,
            "by": one.decided_by or one.proposed_by,
            "note": one.note or "",
        }
        for one in grants
    ]
    if rows:
        work.session.execute(insert(GrantEvent), rows)


def end_of(clock: Clock, day: date | None) -> datetime | None:
    """The last moment of a day in Asia/Shanghai that has been; None for None. Raises Invalid for days to come."""
    if day is None:
        return None
    if day > local_date(clock.now()):
        raise Invalid("截至日期不能晚于今天，请重新选择。", code="identity.as_of_day")
    return min(clock.now(), end_of_day(day))


def accounts_at(at: datetime | None) -> FromClause:
    """The accounts as they stood at a moment (None: now), with what is shown of them."""
    shown = ("account", "name", "unit", "state", "created_at", "created_by", "password_changed_at")
    if at is None:
        return select(*(ACCOUNTS.c[name] for name in shown)).subquery()
    event = ACCOUNT_EVENTS.c

    def last(column: ColumnElement[Any], *acts: str) -> Any:
        wanted = select(column).where(event.account == ACCOUNTS.c.account, event.at <= at)
        if acts:
            wanted = wanted.where(event.act.in_(acts))
        return wanted.order_by(event.at.desc(), event.id.desc()).limit(1).scalar_subquery()

    then = {
        "unit": last(event.unit),
        "state": func.coalesce(last(event.act, "active", "disabled"), "active"),
        "password_changed_at": last(event.at, PASSWORD_CHANGED),
    }
    columns = [then[name].label(name) if name in then else ACCOUNTS.c[name] for name in shown]
    return select(*columns).where(ACCOUNTS.c.created_at <= at).subquery()


def grants_at(at: datetime | None) -> FromClause:
    """The grants as they stood at a moment (None: now), with the columns of `grants`."""
    if at is None:
        return GRANTS
    event = GRANT_EVENTS.c

    def last(column: ColumnElement[Any]) -> Any:
        wanted = select(column).where(event.grant == GRANTS.c.id, event.at <= at)
        return wanted.order_by(event.at.desc(), event.id.desc()).limit(1).scalar_subquery()

    state = func.coalesce(last(event.state), "proposed")
    is_decided = state != "proposed"
    then: dict[str, ColumnElement[Any]] = {
        "state": state,
        "decided_at": case((is_decided, last(event.at)), else_=null()),
        "decided_by": case((is_decided, last(event.by)), else_=null()),
        "note": case((is_decided, last(event.note)), else_=""),
    }
    columns = [then[one.name].label(one.name) if one.name in then else one for one in GRANTS.c]
    return select(*columns).where(GRANTS.c.proposed_at <= at).subquery()


def in_force(grants: FromClause, day: date) -> ColumnElement[bool]:
    """The condition that a grant holds on a day."""
    begun = or_(grants.c.from_on.is_(None), grants.c.from_on <= day)
    ends = or_(grants.c.until_on.is_(None), grants.c.until_on >= day)
    return and_(grants.c.state == "active", begun, ends)


def has_factor(at: datetime | None) -> ColumnElement[bool]:
    """The condition that a second factor is in use, or was at a moment."""
    factor = _FACTORS.c
    if at is None:
        return factor.state == "active"
    return and_(factor.enrolled_at <= at, or_(factor.ended_at.is_(None), factor.ended_at > at))


def units_at(at: datetime | None) -> FromClause:
    """The units of the directory with their names at a moment (None: now)."""
    if at is None:
        return UNITS.table
    other = UNIT_VERSIONS.alias()
    newest = select(func.max(other.c.version)).where(
        other.c.code == UNIT_VERSIONS.c.code, other.c.recorded_at <= at
    )
    return select(UNIT_VERSIONS).where(UNIT_VERSIONS.c.version == newest.scalar_subquery()).subquery()
