"""
Signing in, renewing, signing out 登录、续期、退出 (R38, R39).

An attempt is counted before the password is looked at, in one statement, so that parallel guesses are counted
too; success takes the count back. The answer to a wrong name and to a wrong password is one and the same, and
takes the same time. Every sign-in, refusal and sign-out is audited.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from contracts.roles import TITLES
from gateway.identity import rules
from gateway.identity.model import Account, Failures, Grant, SignedIn
from gateway.identity.passwords import Passwords
from gateway.tables import UNITS
from kernel.access.principal import Principal
from kernel.access.tokens import LIFETIME, Issuer
from kernel.errors import NotAllowed, NotSignedIn, TemporaryError
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work


class WrongCredentials(NotSignedIn):
    """Name or password is wrong; which of them is not said."""

    code = "identity.wrong_credentials"
    message = "账号或口令不正确，请核对后重试。"


class Locked(TemporaryError):
    """Too many failures of this account from this source."""

    code = "identity.locked"
    message = "连续登录失败次数过多，已暂时锁定，请十五分钟后再试；忘记口令请联系系统管理员。"


class PasswordExpired(NotAllowed):
    """The password is right and must be changed before it opens anything."""

    code = "identity.password_expired"
    message = "口令已到期或为初始口令，请先修改口令再登录。"


@dataclass(frozen=True, slots=True)
class Me:
    """Who is signed in, for which unit, with which roles."""

    account: str
    name: str
    unit: str
    unit_name: str
    unit_path: str
    roles: tuple[tuple[str, str], ...]
    csrf: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened or renewed. `session` is the id for the cookie, empty on renewal."""

    me: Me
    session: str
    token: str
    token_expires_at: datetime


class Sessions:
    """Sessions of people."""

    def __init__(self, store: Store, passwords: Passwords, issuer: Callable[[], Issuer]) -> None:
        self._store = store
        self._passwords = passwords
        self._issuer = issuer

    def sign_in(
        self, account: str, password: str, *, address: str, unit: str = "", request: str = ""
    ) -> Opened:
        """Open a session. Raises WrongCredentials, Locked, PasswordExpired, or NotAllowed without any grant."""
        name = account.strip().lower()
        who = Principal(account=name[:100], address=address, request=request)
        known = self.check(name, password, who)
        if self._is_expired(known):
            self._refuse(who, PasswordExpired.code)
            raise PasswordExpired()
        session_id, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
        now = self._store.clock.now()
        with self._store.work() as work:
            place = _place(work.session, known, unit)
            if place is not None:
                opened = SignedIn(
                    id_hash=hash_of(session_id),
                    account=name,
                    unit=place,
                    csrf=csrf,
                    address=address,
                    opened_at=now,
                    seen_at=now,
                )
                work.session.add(opened)
                work.session.flush()
                me, principal = _read_me(work.session, opened)
                work.audit(
                    replace(principal, address=address, request=request), "session.opened", f"accounts/{name}"
                )
            work.commit()
        if place is None:
            self._refuse(who, "identity.no_grant")
            raise NotAllowed("本账号尚未获得授权，请联系本单位系统管理员。", code="identity.no_grant")
        return self._opened(me, principal, session_id)

    def renew(self, session_id: str) -> Opened:
        """A fresh token for a living session; raises NotSignedIn."""
        with self._store.work() as work:
            row = self._living(work.session, hash_of(session_id))
            row.seen_at = self._store.clock.now()
            work.session.flush()
            me, principal = _read_me(work.session, row)
            work.commit()
        return self._opened(me, principal, "")

    def current(self, session_hash: str) -> Me:
        """Who a living session belongs to; raises NotSignedIn."""
        with self._store.reading() as session:
            return _read_me(session, self._living(session, session_hash))[0]

    def sign_out(self, who: Principal) -> None:
        """End the caller's session."""
        with self._store.work() as work:
            work.session.execute(
                update(SignedIn)
                .where(SignedIn.id_hash == who.session, SignedIn.revoked_at.is_(None))
                .values(revoked_at=self._store.clock.now())
            )
            work.audit(who, "session.closed", f"accounts/{who.account}")
            work.commit()

    def check(self, account: str, password: str, who: Principal) -> Account:
        """The account, when the password fits; counts and audits what fails. Raises WrongCredentials, Locked."""
        if not self._count_attempt(account, who):
            raise Locked()
        with self._store.reading() as session:
            known = session.get(Account, account) if rules.is_account_name(account) else None
        living = known if known is not None and known.state == "active" else None
        fits = self._passwords.fits(living.password_hash if living else None, password)
        if living is None or not fits:
            self._refuse(who, WrongCredentials.code)
            raise WrongCredentials()
        self._forget_failures(account, password, who, living)
        return living

    def tidy(self) -> None:
        """Forget old failures and sessions that ended long ago."""
        now = self._store.clock.now()
        with self._store.work() as work:
            work.session.execute(delete(Failures).where(Failures.last_at < now - rules.FORGET_FAILURES))
            work.session.execute(delete(SignedIn).where(SignedIn.opened_at < now - 3 * rules.ABSOLUTE))
            work.commit()

    def _count_attempt(self, account: str, who: Principal) -> bool:
        now = self._store.clock.now()
        with self._store.work() as work:
            counted = write_rows(
                work.session,
                Failures.metadata.tables["sign_in_failures"],
                [{"account_hash": hash_of(account), "source": who.address, "failures": 1, "last_at": now}],
                keys=("account_hash", "source"),
                on_conflict={"failures": "add", "last_at": "replace"},
                only_if="old.locked_until IS NULL OR old.locked_until <= excluded.last_at",
                returning=("failures",),
            )
            if counted and (lock := rules.lock_after(counted[0].failures)):
                work.session.execute(
                    update(Failures)
                    .where(Failures.account_hash == hash_of(account), Failures.source == who.address)
                    .values(locked_until=now + lock)
                )
            if not counted:
                work.audit(who, "session.refused", "", result="denied", reason_code=Locked.code)
            work.commit()
        return bool(counted)

    def _forget_failures(self, account: str, password: str, who: Principal, known: Account) -> None:
        with self._store.work() as work:
            work.session.execute(
                delete(Failures).where(
                    Failures.account_hash == hash_of(account), Failures.source == who.address
                )
            )
            if self._passwords.is_outdated(known.password_hash):
                fresh = self._passwords.rehashed(password)
                work.session.execute(
                    update(Account).where(Account.account == account).values(password_hash=fresh)
                )
            work.commit()

    def _refuse(self, who: Principal, reason: str) -> None:
        with self._store.work() as work:
            work.audit(who, "session.refused", "", result="denied", reason_code=reason)
            work.commit()

    def _is_expired(self, account: Account) -> bool:
        changed, limit = account.password_changed_at, self._passwords.policy.max_age
        return changed is None or (limit is not None and self._store.clock.now() - changed > limit)

    def _living(self, session: Session, session_hash: str) -> SignedIn:
        row = session.get(SignedIn, session_hash)
        now = self._store.clock.now()
        if row is None or row.revoked_at is not None:
            raise NotSignedIn()
        if rules.has_ended(opened_at=row.opened_at, seen_at=row.seen_at, now=now):
            raise NotSignedIn("登录已超时，请重新登录。", code="identity.session_ended")
        return row

    def _opened(self, me: Me, principal: Principal, session_id: str) -> Opened:
        token = self._issuer().issue(principal, csrf=me.csrf)
        return Opened(me, session_id, token, self._store.clock.now() + LIFETIME)


def hash_of(secret: str) -> str:
    """What is stored of a session id or an unknown account's name."""
    return hashlib.sha256(b"fazhi/session/v1\n" + secret.encode()).hexdigest()


def _place(session: Session, account: Account, wanted: str) -> str | None:
    """The unit to act for: the one asked for, else the account's own, else the first granted; None without a grant."""
    granted = session.scalars(
        select(Grant.unit)
        .where(Grant.account == account.account, Grant.state == "active")
        .order_by(Grant.unit)
    ).all()
    if wanted:
        return wanted if wanted in granted else None
    if account.unit in granted:
        return account.unit
    return granted[0] if granted else None


def _read_me(session: Session, row: SignedIn) -> tuple[Me, Principal]:
    account = session.get(Account, row.account)
    units = UNITS.table
    unit = session.execute(select(units.c.name, units.c.path).where(units.c.code == row.unit)).first()
    roles = session.scalars(
        select(Grant.role).where(
            Grant.account == row.account, Grant.unit == row.unit, Grant.state == "active"
        )
    ).all()
    if account is None or account.state != "active" or unit is None or not roles:
        raise NotSignedIn()
    titled = tuple((role, TITLES[role]) for role in sorted(roles))
    me = Me(row.account, account.name, row.unit, unit.name, unit.path, titled, row.csrf)
    principal = Principal(
        account=row.account,
        unit=row.unit,
        unit_path=unit.path,
        home=account.unit,
        roles=frozenset(roles),
        session=row.id_hash,
    )
    return me, principal


def revoke_sessions(work: Work, account: str) -> None:
    """End every session of an account, because its rights or its password changed (R38)."""
    work.session.execute(
        update(SignedIn)
        .where(SignedIn.account == account, SignedIn.revoked_at.is_(None))
        .values(revoked_at=work.clock.now())
    )
