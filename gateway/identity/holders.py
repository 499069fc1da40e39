"""
Telling of holders 任职授权: who holds which role where, told in the transaction that changes it.

Every telling is a new version. Versions grow with the clock, so that what a gateway tells after it was put back from
an old copy still wins over what others heard before. Accounts that never held anything are nobody's business and are
not told of. Whoever changes grants, the state or the unit of an account, or where a unit stands, tells it after the change
and before sessions are ended: rows are held in that order everywhere. The wire form is proto/contracts/holders.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from contracts.holders.v1.holders_pb2 import HeldRole, Holder
from contracts.holders.wire import HOLDERS_PER_MESSAGE, pack_holders
from contracts.topology import HOLDERS
from gateway.identity.model import Account, Grant
from gateway.tables import UNITS
from kernel.access.principal import SYSTEM, Principal
from kernel.clock import local_date, microseconds
from kernel.storage.work import Store, Work


class Holders:
    """Telling again what was told, or never was."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def tell_untold(self) -> int:
        """Tell once of every account that holds a role and was never told of; how many there were."""
        held = select(Grant.account).where(Grant.state == "active")
        untold = select(Account.account).where(Account.told_version == 0, Account.account.in_(held))
        with self._store.reading() as session:
            accounts = session.scalars(untold).all()
        return self._tell_in_parts(accounts, SYSTEM) if accounts else 0

    def tell_again(self, who: Principal = SYSTEM) -> int:
        """Tell of every account again, for a service that rebuilds its copy; how many there were."""
        with self._store.reading() as session:
            accounts = session.scalars(select(Account.account)).all()
        return self._tell_in_parts(accounts, who)

    def _tell_in_parts(self, accounts: Sequence[str], who: Principal) -> int:
        told = 0
        for part in _parts(accounts):
            told += self._store.transact(partial(_tell, accounts=part, is_change=False))
        with self._store.work() as work:
            work.audit(who, "holders.told", f"accounts/{told}")
            work.commit()
        return told


def tell_holders(work: Work, accounts: Collection[str]) -> None:
    """Tell what these accounts hold after the changes made in `work`; call it when the last of them is made."""
    for part in _parts(accounts):
        _tell(work, part, is_change=True)


def tell_placed(work: Work, units: Collection[str]) -> None:
    """Tell of whoever holds a role on one of these units: they stand elsewhere now."""
    held = select(Grant.account).distinct().where(Grant.state == "active")
    touched: set[str] = set()
    for part in _parts(units):
        touched.update(work.session.scalars(held.where(Grant.unit.in_(part))))
    tell_holders(work, touched)


def _tell(work: Work, accounts: Sequence[str], *, is_change: bool) -> int:
    session, now = work.session, work.clock.now()
    session.flush()
    # Held to the end, so that of two changes at once the later version knows of both; in one order, against deadlock.
    wanted = select(Account).where(Account.account.in_(accounts)).order_by(Account.account)
    held = wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
    rows = session.scalars(held).all()
    roles = _roles(session, accounts)
    told = []
    for row in rows:
        if not roles[row.account] and not row.told_version:
            continue
        row.told_version = max(row.told_version + 1, microseconds(now))
        if is_change or row.rights_changed_at is None:
            row.rights_changed_at = now
        told.append(
            Holder(
                account=row.account,
                name=row.name,
                unit=row.unit,
                is_active=row.state == "active",
                roles=roles[row.account],
                version=row.told_version,
                occurred_at_us=microseconds(row.rights_changed_at),
                recorded_at_us=microseconds(now),
            )
        )
    for body in pack_holders(told):
        work.tell(HOLDERS, body)
    return len(told)


def _roles(session: Session, accounts: Sequence[str]) -> dict[str, list[HeldRole]]:
    """What is granted; on a unit the directory does not know a role reaches nothing, and is not told."""
    units = UNITS.table
    wanted = (
        select(Grant, units.c.path)
        .join(units, units.c.code == Grant.unit)
        .where(Grant.account.in_(accounts), Grant.state == "active")
        .order_by(Grant.account, Grant.role, Grant.unit)
    )
    found: dict[str, list[HeldRole]] = defaultdict(list)
    for grant, path in session.execute(wanted):
        decided_on = local_date(grant.decided_at or grant.proposed_at)
        since = max(decided_on, grant.from_on or decided_on)
        until = grant.until_on.isoformat() if grant.until_on else ""
        found[grant.account].append(
            HeldRole(
                role=grant.role, unit=grant.unit, unit_path=path, from_on=since.isoformat(), until_on=until
            )
        )
    return found


def _parts(names: Collection[str]) -> Iterator[Sequence[str]]:
    ordered = sorted(names)
    for start in range(0, len(ordered), HOLDERS_PER_MESSAGE):
        yield ordered[start : start + HOLDERS_PER_MESSAGE]
