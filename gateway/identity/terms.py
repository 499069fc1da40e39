"""
Terms of grants 授权期限: what becomes of a grant when its last day is over.

Whoever asks what somebody may do asks by the day (model.Grant.in_force), so a term ends at midnight in Shanghai though
no clock runs. The clock puts the end on record as the system's act, so that the role can be granted anew.
"""

from datetime import date

from sqlalchemy import select

from gateway.identity.holders import tell_holders
from gateway.identity.model import Grant
from gateway.identity.past import note_grants
from gateway.identity.sessions import revoke_sessions
from kernel.access.principal import SYSTEM
from kernel.clock import local_date
from kernel.errors import Invalid, Problem
from kernel.storage.work import Store, Work

MOST_A_PASS = 500
NOTE = "授权期满，自动终止。"


class Terms:
    """Grants whose term is over."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def end_past(self) -> int:
        """Take back what held until yesterday or before; returns how many grants, at most 500."""
        return self._store.transact(_end_past)


def check_term(from_on: date | None, until_on: date | None, today: date) -> None:
    """Raise Invalid for a term that ends before it begins, or that is over already."""
    if until_on is not None and until_on < max(from_on or today, today):
        problem = Problem("until_on", "identity.bad_term", "终止日期不得早于起始日期和今天")
        raise Invalid("授权期限不成立，请核对起止日期。", code="identity.bad_term", problems=[problem])


def _end_past(work: Work) -> int:
    now = work.clock.now()
    over = select(Grant).where(Grant.state == "active", Grant.until_on < local_date(now))
    held = over.order_by(Grant.id).limit(MOST_A_PASS).with_for_update(skip_locked=True)
    grants = work.session.scalars(held).all()
    for grant in grants:
        grant.state, grant.decided_at, grant.decided_by = "revoked", now, SYSTEM.account
        grant.note = NOTE
        work.audit(SYSTEM, "grant.ended", f"grants/{grant.id}")
    note_grants(work, grants)
    accounts = {grant.account for grant in grants}
    tell_holders(work, accounts)
    for account in sorted(accounts):
        revoke_sessions(work, account)
    return len(grants)
