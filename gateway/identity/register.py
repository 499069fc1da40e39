"""
The register of accounts and grants 账号与授权名册, as the three administrators and heads of units read it (R36): never
a secret in it.

Lists stay within the caller's part of the tree, as it is today. What belongs to a page of accounts, roles and factors,
is read for the whole page at once. As of a past day 截至 they are what they were at its end (past.py).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session

from contracts.roles import TITLES
from gateway.identity import rules
from gateway.identity.model import DemonstrationAccount, SecondFactor
from gateway.identity.past import (
    ACCOUNTS,
    accounts_at,
    end_of,
    grants_at,
    has_factor,
    in_force,
    units_at,
)
from gateway.tables import UNITS
from kernel.access.principal import Principal
from kernel.clock import local_date
from kernel.storage.work import Store

MAX_ROWS = 200


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role in force, and the unit it reaches from."""

    role: str
    title: str
    unit: str
    unit_name: str


@dataclass(frozen=True, slots=True)
class AccountLine:
    """
    An account in a list. `factor` is "enrolled", "missing" where a role asks for one, or "none"; `must_change`: the
    password was set by somebody else and opens nothing yet.
    """

    account: str
    name: str
    unit: str
    unit_name: str
    state: str
    created_at: datetime
    created_by: str
    must_change: bool
    factor: str
    is_demonstration: bool
    roles: list[HeldRole]


@dataclass(frozen=True, slots=True)
class GrantLine:
    """A grant in a list: its term, who asked for it and why, who decided and what they said."""

    id: str
    account: str
    account_name: str
    role: str
    role_title: str
    unit: str
    unit_name: str
    state: str
    from_on: date | None
    until_on: date | None
    proposed_by: str
    proposed_at: datetime
    reason: str
    decided_by: str | None
    decided_at: datetime | None
    note: str


class Register:
    """Reads accounts and grants."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def accounts(
        self,
        who: Principal,
        *,
        limit: int,
        offset: int,
        query: str = "",
        state: str = "",
        day: date | None = None,
    ) -> list[AccountLine]:
        """
        Accounts of units within the caller's scope; `query` is part of the account, the name or the unit's name.

        `day`: as they stood at its end. Raises Invalid.
        """
        at = end_of(self._store.clock, day)
        then, names, units = accounts_at(at), units_at(at), UNITS.table
        own = select(ACCOUNTS.c.account).join(units, units.c.code == ACCOUNTS.c.unit).where(within(who))
        wanted = (
            select(then, names.c.name.label("unit_name"))
            .join(names, names.c.code == then.c.unit)
            .where(then.c.account.in_(own))
            .order_by(then.c.account)
        )
        if state:
            wanted = wanted.where(then.c.state == state)
        if query:
            named = [column.contains(query, autoescape=True) for column in (then.c.name, names.c.name)]
            wanted = wanted.where(
                then.c.account.contains(query.lower(), autoescape=True) | named[0] | named[1]
            )
        with self._store.reading() as session:
            rows = session.execute(wanted.limit(min(limit, MAX_ROWS)).offset(offset)).all()
            return _lines(session, at, local_date(at or self._store.clock.now()), rows)

    def grants(
        self,
        who: Principal,
        *,
        state: str,
        limit: int,
        offset: int,
        account: str = "",
        day: date | None = None,
    ) -> list[GrantLine]:
        """Grants on units within the caller's scope, newest first; `day`: as they stood at its end. Raises Invalid."""
        at = end_of(self._store.clock, day)
        then, names, units = grants_at(at), units_at(at), UNITS.table
        own = select(units.c.code).where(within(who))
        wanted = (
            select(then, ACCOUNTS.c.name.label("account_name"), names.c.name.label("unit_name"))
            .join(ACCOUNTS, ACCOUNTS.c.account == then.c.account)
            .join(names, names.c.code == then.c.unit)
            .where(then.c.unit.in_(own))
            .order_by(then.c.proposed_at.desc(), then.c.id.desc())
        )
        if state:
            wanted = wanted.where(then.c.state == state)
        if account:
            wanted = wanted.where(then.c.account == account)
        with self._store.reading() as session:
            rows = session.execute(wanted.limit(min(limit, MAX_ROWS)).offset(offset))
            return [_grant_line(row) for row in rows]


def within(who: Principal) -> ColumnElement[bool]:
    """The condition that a unit joined from the directory lies in the caller's part of the tree."""
    return UNITS.table.c.path.startswith(who.unit_path or "?", autoescape=True)


def _lines(session: Session, at: datetime | None, day: date, rows: Sequence[Row[Any]]) -> list[AccountLine]:
    names = [row.account for row in rows]
    roles = _roles(session, names, at, day)
    factors = select(SecondFactor.account).where(SecondFactor.account.in_(names), has_factor(at))
    enrolled = set(session.scalars(factors))
    shown = set(
        session.scalars(select(DemonstrationAccount.account).where(DemonstrationAccount.account.in_(names)))
    )
    return [
        AccountLine(
            account=row.account,
            name=row.name,
            unit=row.unit,
            unit_name=row.unit_name,
            state=row.state,
            created_at=row.created_at,
            created_by=row.created_by,
            must_change=row.password_changed_at is None,
            factor=_factor(roles[row.account], is_enrolled=row.account in enrolled),
            is_demonstration=row.account in shown,
            roles=roles[row.account],
        )
        for row in rows
    ]


def _roles(
    session: Session, accounts: Sequence[str], at: datetime | None, day: date
) -> dict[str, list[HeldRole]]:
    then, names = grants_at(at), units_at(at)
    wanted = (
        select(then.c.account, then.c.role, then.c.unit, names.c.name)
        .join(names, names.c.code == then.c.unit)
        .where(then.c.account.in_(accounts), in_force(then, day))
        .order_by(then.c.unit, then.c.role)
    )
    found: dict[str, list[HeldRole]] = defaultdict(list)
    for account, role, unit, unit_name in session.execute(wanted):
        found[account].append(HeldRole(role, TITLES.get(role, role), unit, unit_name))
    return found


def _factor(roles: Sequence[HeldRole], *, is_enrolled: bool) -> str:
    if is_enrolled:
        return "enrolled"
    return "none" if rules.WITH_FACTOR.isdisjoint(held.role for held in roles) else "missing"


def _grant_line(row: Row[Any]) -> GrantLine:
    return GrantLine(
        id=str(row.id),
        account=row.account,
        account_name=row.account_name,
        role=row.role,
        role_title=TITLES.get(row.role, row.role),
        unit=row.unit,
        unit_name=row.unit_name,
        state=row.state,
        from_on=row.from_on,
        until_on=row.until_on,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        reason=row.reason,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        note=row.note,
    )
