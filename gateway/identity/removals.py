"""
Removing a lost second factor 双因素解绑: one asks, the security administrator decides, neither for himself (R37, R39).

A factor is the last thing between a stolen password and a case file, so nobody removes one alone, and both are on
record. What is removed ends every session; the next sign-in leads to a new enrolment. A request is about the factor
that was lost: one enrolled after it is not removed by it.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from gateway.identity.accounts import reached
from gateway.identity.factors import held
from gateway.identity.model import Account, FactorRemoval
from gateway.identity.past import accounts_at, end_of, units_at
from gateway.identity.register import MAX_ROWS, within
from gateway.identity.sessions import revoke_sessions
from gateway.tables import UNITS
from kernel.access.principal import SYSTEM, Principal
from kernel.errors import Conflict, NotAllowed, NotFound
from kernel.ids import is_id, new_id
from kernel.storage.work import Store, Work
from kernel.text import clean_name, clean_text


@dataclass(frozen=True, slots=True)
class RemovalLine:
    """A request in a list."""

    id: str
    account: str
    account_name: str
    unit_name: str
    state: str
    reason: str
    proposed_at: datetime
    proposed_by: str
    decided_at: datetime | None
    decided_by: str | None
    note: str


class Removals:
    """Requests to remove factors."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def propose(self, who: Principal, *, account: str, reason: str) -> str:
        """Ask that a factor be removed; returns the id of the request. Somebody else decides."""
        removal = new_id()
        with self._store.work() as work:
            known = reached(work.session, who, account)
            if known.account == who.account:
                raise NotAllowed("不能为自己申请解绑，请由他人提出。", code="identity.own_factor")
            if held(work.session, account, "active") is None:
                raise Conflict("该账号没有绑定双因素验证，无须解绑。", code="identity.no_factor")
            work.session.add(
                FactorRemoval(
                    id=removal,
                    account=account,
                    state="proposed",
                    reason=clean_name(reason, max_characters=200),
                    proposed_at=work.clock.now(),
                    proposed_by=who.account,
                )
            )
            try:
                work.session.flush()
            except IntegrityError as error:
                raise Conflict("该账号已有解绑申请，请等待处理。", code="identity.removal_exists") from error
            work.audit(who, "factor.removal_proposed", f"accounts/{account}", object_version=removal)
            work.commit()
        return removal

    def decide(self, who: Principal, removal: str, *, approve: bool, note: str = "") -> None:
        """Remove the factor or refuse: never at one's own request, nor one's own factor."""
        with self._store.work() as work:
            row = work.session.get(FactorRemoval, removal, with_for_update=True) if is_id(removal) else None
            if row is None or not _is_reached(work.session, who, row.account):
                raise NotFound("没有这项解绑申请，请刷新列表。", code="identity.unknown_removal")
            if row.state != "proposed":
                raise Conflict("该解绑申请已经处理，请刷新列表。", code="identity.removal_settled")
            if who.account in (row.proposed_by, row.account):
                raise NotAllowed("不能审批自己提出或与自己有关的解绑。", code="identity.four_eyes")
            factor = held(work.session, row.account, "active")
            if approve and factor is not None and (factor.enrolled_at or row.proposed_at) > row.proposed_at:
                raise Conflict(
                    "提出申请后该账号已重新绑定双因素验证，请不予解绑；确需解绑新绑定的，请重新提出申请。",
                    code="identity.factor_renewed",
                )
            row.state, row.note = "done" if approve else "refused", clean_text(note, max_characters=200)
            row.decided_at, row.decided_by = work.clock.now(), who.account
            if approve:
                _remove(work, row.account)
            action = "factor.removed" if approve else "factor.removal_refused"
            work.audit(who, action, f"accounts/{row.account}", object_version=removal)
            work.commit()

    def by_operator(self, account: str, *, reason: str) -> None:
        """
        Remove a factor from the machine itself, for the installation's operator: the only security administrator
        lost it, and there is nobody to decide. On record as the system's act with its reason.
        """
        with self._store.work() as work:
            if work.session.get(Account, account) is None or held(work.session, account, "active") is None:
                raise NotFound("没有这个账号，或者它没有绑定双因素验证。", code="identity.no_factor")
            now, removal = work.clock.now(), new_id()
            work.session.add(
                FactorRemoval(
                    id=removal,
                    account=account,
                    state="done",
                    reason=clean_name(reason, max_characters=200),
                    proposed_at=now,
                    proposed_by=SYSTEM.account,
                    decided_at=now,
                    decided_by=SYSTEM.account,
                )
            )
            _remove(work, account)
            work.audit(SYSTEM, "factor.removed", f"accounts/{account}", object_version=removal)
            work.commit()

    def page(self, who: Principal, *, limit: int, offset: int, day: date | None = None) -> list[RemovalLine]:
        """Requests about accounts within the caller's scope, newest first; as they stood at a day's end. Raises Invalid."""
        at = end_of(self._store.clock, day)
        then, names, units = accounts_at(at), units_at(at), UNITS.table
        own = select(Account.account).join(units, units.c.code == Account.unit).where(within(who))
        wanted = (
            select(FactorRemoval, then.c.name, names.c.name)
            .join(then, then.c.account == FactorRemoval.account)
            .join(names, names.c.code == then.c.unit)
            .where(FactorRemoval.account.in_(own))
            .order_by(FactorRemoval.proposed_at.desc())
        )
        if at is not None:
            wanted = wanted.where(FactorRemoval.proposed_at <= at)
        with self._store.reading() as session:
            rows = session.execute(wanted.limit(min(limit, MAX_ROWS)).offset(offset))
            return [_then(_line(row, name, unit), at) for row, name, unit in rows]


def _remove(work: Work, account: str) -> None:
    factor = held(work.session, account, "active")
    if factor is not None:
        factor.state, factor.ended_at = "removed", work.clock.now()
    revoke_sessions(work, account)


def _is_reached(session: Session, who: Principal, account: str) -> bool:
    try:
        reached(session, who, account)
    except NotFound:
        return False
    return True


def _then(line: RemovalLine, at: datetime | None) -> RemovalLine:
    """A request as it stood: it is decided once, and waited before."""
    if at is None or line.decided_at is None or line.decided_at <= at:
        return line
    return replace(line, state="proposed", decided_at=None, decided_by=None, note="")


def _line(row: FactorRemoval, name: str, unit_name: str) -> RemovalLine:
    return RemovalLine(
        row.id,
        row.account,
        name,
        unit_name,
        row.state,
        row.reason,
        row.proposed_at,
        row.proposed_by,
        row.decided_at,
        row.decided_by,
        row.note,
    )
