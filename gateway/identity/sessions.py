"""
Signing in, renewing, signing out 登录、续期、退出 (R38, R39).

An attempt is counted before the password is looked at (locks.py); the whole sign-in takes the count back, so that the
answer "a code is needed", which says that the password is right, resets nothing. The answer to a wrong name and to a
wrong password is one and the same, and takes the same time; with a code sent along, so is that to a wrong code.
Whoever must have a second factor and has none gets a session that may only enrol one. Every sign-in, refusal and
sign-out is audited.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from contracts.roles import TITLES
from gateway.identity import rules
from gateway.identity.factors import Factors
from gateway.identity.locks import CODES, Locks, hash_of
from gateway.identity.model import Account, Grant, SignedIn
from gateway.identity.passwords import Passwords
from gateway.tables import UNITS
from kernel.access.principal import Principal
from kernel.access.tokens import LIFETIME, Issuer
from kernel.clock import local_date
from kernel.errors import NotAllowed, NotSignedIn
from kernel.storage.work import Store, Work
from kernel.telemetry import metrics

_WITH_CODE = "账号、口令或验证码不正确，请核对后重试；每个验证码只能使用一次，用过的请等下一个。"


class WrongCredentials(NotSignedIn):
    """Name or password is wrong; which of them is not said."""

    code = "identity.wrong_credentials"
    message = "账号或口令不正确，请核对后重试。"


class CodeNeeded(NotSignedIn):
    """The password is right, and the account has a second factor: sign in again with a code."""

    code = "identity.code_needed"
    message = "请输入身份验证器应用中的六位验证码；手机不在身边时输入一个恢复码。"


class PasswordExpired(NotAllowed):
    """The password is right and must be changed before it opens anything."""

    code = "identity.password_expired"
    message = "口令已到期或为初始口令，请先修改口令再登录。"


@dataclass(frozen=True, slots=True)
class Me:
    """Who is signed in, for which unit, with which roles; `must_enrol`: who may do nothing before a factor is enrolled."""

    account: str
    name: str
    unit: str
    unit_name: str
    unit_path: str
    roles: tuple[tuple[str, str], ...]
    csrf: str
    must_enrol: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """A session just begun, before its token is signed."""

    me: Me
    principal: Principal
    session: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened or renewed. `session` is the id for the cookie, empty on renewal."""

    me: Me
    session: str
    token: str
    token_expires_at: datetime


class Sessions:
    """Sessions of people."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        issuer: Callable[[], Issuer],
        factors: Factors,
        locks: Locks,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._issuer = issuer
        self._factors = factors
        self._locks = locks

    def sign_in(
        self, account: str, password: str, *, address: str, unit: str = "", code: str = "", request: str = ""
    ) -> Opened:
        """
        Open a session. Raises WrongCredentials, Locked, PasswordExpired, CodeNeeded, or NotAllowed without any grant.
        """
        name = account.strip().lower()
        who = Principal(account=name[:100], address=address, request=request)
        known = self._check_password(name, password, code, who)
        if self._is_expired(known):
            self._refuse(who, PasswordExpired.code)
            raise PasswordExpired()
        by_code = self._check_code(known, code, who)
        self._welcome(known, password, who)
        begun = None
        with self._store.work() as work:
            is_same = self.holds(work, known)
            place = _place(work.session, known, unit, self._in_force()) if is_same else None
            if place is not None:
                begun = self._begin(work, name, place, address, by_code=by_code)
                audited = replace(begun.principal, address=address, request=request)
                work.audit(audited, "session.opened", f"accounts/{name}")
            work.commit()
        if not is_same:
            raise self.refused(who, code)
        if begun is None:
            self._refuse(who, "identity.no_grant")
            raise NotAllowed("本账号尚未获得授权，请联系本单位系统管理员。", code="identity.no_grant")
        return self.opened(begun)

    def begin_anew(self, work: Work, who: Principal) -> Begun:
        """End every session of the caller and begin one under a new id, because a factor was enrolled (R38)."""
        former = self._living(work.session, who.session)
        revoke_sessions(work, who.account)
        return self._begin(work, who.account, former.unit, who.address, by_code=True)

    def opened(self, begun: Begun) -> Opened:
        """A session with its token."""
        return self._opened(begun.me, begun.principal, begun.session)

    def renew(self, session_id: str) -> Opened:
        """A fresh token for a living session; raises NotSignedIn."""
        with self._store.work() as work:
            row = self._living(work.session, hash_of(session_id))
            row.seen_at = self._store.clock.now()
            work.session.flush()
            me, principal = self._read_me(work.session, row)
            work.commit()
        return self._opened(me, principal, "")

    def current(self, session_hash: str) -> Me:
        """Who a living session belongs to; raises NotSignedIn."""
        with self._store.reading() as session:
            return self._read_me(session, self._living(session, session_hash))[0]

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

    def check(self, account: str, password: str, code: str, who: Principal) -> Account:
        """
        The account, when the password fits, and the code where it has a factor; counts and audits what fails.

        Raises WrongCredentials, Locked, CodeNeeded.
        """
        known = self._check_password(account, password, code, who)
        self._check_code(known, code, who)
        self._welcome(known, password, who)
        return known

    def holds(self, work: Work, known: Account) -> bool:
        """Whether an account is still as it was when its password fitted; it stays so until `work` ends."""
        wanted = select(Account.password_changed_at, Account.state).where(Account.account == known.account)
        row = work.session.execute(wanted.with_for_update(key_share=True)).one()
        return (row.password_changed_at, row.state) == (known.password_changed_at, known.state)

    def refused(self, who: Principal, code: str) -> WrongCredentials:
        """The error of a wrong password, on record."""
        self._refuse(who, WrongCredentials.code)
        return _wrong(code)

    def tidy(self) -> None:
        """Forget old failures and sessions that ended long ago."""
        self._locks.tidy()
        now = self._store.clock.now()
        with self._store.work() as work:
            work.session.execute(delete(SignedIn).where(SignedIn.opened_at < now - 3 * rules.ABSOLUTE))
            work.commit()

    def _check_password(self, account: str, password: str, code: str, who: Principal) -> Account:
        self._locks.count(account, who, who.address)
        with self._store.reading() as session:
            known = session.get(Account, account) if rules.is_account_name(account) else None
        living = known if known is not None and known.state == "active" else None
        fits = self._passwords.fits(living.password_hash if living else None, password)
        if living is None or not fits:
            raise self.refused(who, code)
        return living

    def _check_code(self, known: Account, code: str, who: Principal) -> bool:
        """Whether the account has a factor, whose code was then taken."""
        with self._store.reading() as session:
            has_factor = self._factors.standing(session, known.account).factor is not None
        if not has_factor:
            return False
        if not code.strip():
            self._refuse(who, CodeNeeded.code)
            raise CodeNeeded()
        self._locks.count(known.account, who, CODES)
        if not self._factors.spend(known.account, code, who):
            self._refuse(who, "identity.wrong_code")
            raise _wrong(code)
        return True

    def _welcome(self, known: Account, password: str, who: Principal) -> None:
        """Take the counts back; renew a hash that was made with other parameters."""
        self._locks.forget(known.account, who.address, CODES)
        if not self._passwords.is_outdated(known.password_hash):
            return
        with self._store.work() as work:
            fresh = {"password_hash": self._passwords.rehashed(password)}
            work.session.execute(update(Account).where(Account.account == known.account).values(**fresh))
            work.commit()

    def _begin(self, work: Work, account: str, unit: str, address: str, *, by_code: bool) -> Begun:
        session_id, now = secrets.token_urlsafe(32), work.clock.now()
        row = SignedIn(
            id_hash=hash_of(session_id),
            account=account,
            unit=unit,
            csrf=secrets.token_urlsafe(16),
            address=address,
            opened_at=now,
            seen_at=now,
            by_code=by_code,
        )
        work.session.add(row)
        work.session.flush()
        return Begun(*self._read_me(work.session, row), session_id)

    def _refuse(self, who: Principal, reason: str) -> None:
        metrics.SIGN_INS_REFUSED.labels(reason).inc()
        with self._store.work() as work:
            work.audit(who, "session.refused", "", result="denied", reason_code=reason)
            work.commit()

    def _in_force(self) -> ColumnElement[bool]:
        return Grant.in_force(local_date(self._store.clock.now()))

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

    def _read_me(self, session: Session, row: SignedIn) -> tuple[Me, Principal]:
        account = session.get(Account, row.account)
        units = UNITS.table
        unit = session.execute(select(units.c.name, units.c.path).where(units.c.code == row.unit)).first()
        held = Grant.account == row.account, Grant.unit == row.unit, self._in_force()
        roles = session.scalars(select(Grant.role).where(*held)).all()
        if account is None or account.state != "active" or unit is None or not roles:
            raise NotSignedIn()
        standing = self._factors.standing(session, row.account)
        if standing.factor is not None and not row.by_code:
            raise NotSignedIn()
        titled = tuple((role, TITLES[role]) for role in sorted(roles))
        me = Me(
            row.account, account.name, row.unit, unit.name, unit.path, titled, row.csrf, standing.must_enrol
        )
        if standing.must_enrol:  # no unit and no role: it would reach nothing even where nobody asked
            return me, Principal(account=row.account, session=row.id_hash, is_enrolling=True)
        principal = Principal(
            account=row.account,
            unit=row.unit,
            unit_path=unit.path,
            home=account.unit,
            roles=frozenset(roles),
            session=row.id_hash,
        )
        return me, principal

    def _opened(self, me: Me, principal: Principal, session_id: str) -> Opened:
        token = self._issuer().issue(principal, csrf=me.csrf)
        return Opened(me, session_id, token, self._store.clock.now() + LIFETIME)


def _wrong(code: str) -> WrongCredentials:
    """The same for a wrong password and a wrong code, and different only by what was sent."""
    return WrongCredentials(_WITH_CODE if code.strip() else None)


def _place(session: Session, account: Account, wanted: str, in_force: ColumnElement[bool]) -> str | None:
    """The unit to act for: the one asked for, else the account's own, else the first granted; None without a grant."""
    granted = session.scalars(
        select(Grant.unit).where(Grant.account == account.account, in_force).order_by(Grant.unit)
    ).all()
    if wanted:
        return wanted if wanted in granted else None
    if account.unit in granted:
        return account.unit
    return granted[0] if granted else None


def revoke_sessions(work: Work, account: str) -> None:
    """End every session of an account, because its rights or its password changed (R38)."""
    work.session.execute(
        update(SignedIn)
        .where(SignedIn.account == account, SignedIn.revoked_at.is_(None))
        .values(revoked_at=work.clock.now())
    )
