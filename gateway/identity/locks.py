"""
Locks 锁定 against guessing (R39): failures in a row of one account from one source, in one table for all that is guessed.

An attempt is counted before anything is looked at, in one statement, so that parallel guesses are counted too;
success takes the count back. Whoever tries codes knows the password already: codes are therefore also counted for
the account whatever the source, which no stranger can use to lock somebody out.
"""

import hashlib

from sqlalchemy import delete, update

from gateway.identity import rules
from gateway.identity.model import Failures
from kernel.access.principal import Principal
from kernel.errors import TemporaryError
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store
from kernel.telemetry import metrics

CODES = "codes"  # stands for the source where codes of an account are counted; no address reads so


class Locked(TemporaryError):
    """Too many failures of this account from this source, or too many wrong codes of it."""

    code = "identity.locked"
    message = "连续登录失败次数过多，已暂时锁定，请十五分钟后再试；忘记口令请联系系统管理员。"


class Locks:
    """Counts attempts."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def count(self, account: str, who: Principal, source: str) -> None:
        """Count an attempt; raises Locked, on record."""
        now = self._store.clock.now()
        with self._store.work() as work:
            counted = write_rows(
                work.session,
                Failures.metadata.tables["sign_in_failures"],
                [{"account_hash": hash_of(account), "source": source, "failures": 1, "last_at": now}],
                keys=("account_hash", "source"),
                on_conflict={"failures": "add", "last_at": "replace"},
                only_if="old.locked_until IS NULL OR old.locked_until <= excluded.last_at",
                returning=("failures",),
            )
            if counted and (lock := rules.lock_after(counted[0].failures)):
                work.session.execute(
                    update(Failures)
                    .where(Failures.account_hash == hash_of(account), Failures.source == source)
                    .values(locked_until=now + lock)
                )
            if not counted:
                work.audit(who, "session.refused", "", result="denied", reason_code=Locked.code)
            work.commit()
        if not counted:
            metrics.SIGN_INS_REFUSED.labels(Locked.code).inc()
            raise Locked()

    def forget(self, account: str, *sources: str) -> None:
        """Take the counts back, because somebody showed who they are."""
        with self._store.work() as work:
            work.session.execute(
                delete(Failures).where(
                    Failures.account_hash == hash_of(account), Failures.source.in_(sources)
                )
            )
            work.commit()

    def tidy(self) -> None:
        """Forget old failures."""
        with self._store.work() as work:
            past = self._store.clock.now() - rules.FORGET_FAILURES
            work.session.execute(delete(Failures).where(Failures.last_at < past))
            work.commit()


def hash_of(secret: str) -> str:
    """What is stored of a session id or an unknown account's name."""
    return hashlib.sha256(b"fazhi/session/v1\n" + secret.encode()).hexdigest()
