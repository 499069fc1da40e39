"""
Enrolling a second factor 绑定双因素 (R39): a key is shown, the first code proves it arrived, recovery codes are shown once.

Who enrols gives the password again, and a code where one factor is to replace another: a session left open on a desk
must not be enough to put somebody else's telephone in its place. With the enrolment every session of the account
ends and a new one begins, under a new id (R38).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert

from gateway.identity import totp
from gateway.identity.factors import Factors, held
from gateway.identity.locks import CODES, Locks
from gateway.identity.model import RecoveryCode, SecondFactor
from gateway.identity.sessions import Opened, Sessions
from kernel.access.principal import Principal
from kernel.errors import Conflict, Invalid
from kernel.ids import new_id
from kernel.storage import keys
from kernel.storage.work import Store

PENDING = timedelta(minutes=15)


class WrongCode(Invalid):
    """The code does not belong to the key that was shown."""

    code = "identity.wrong_code"
    message = "验证码不正确，请核对手机时间是否准确，输入应用中当前显示的六位数字。"


@dataclass(frozen=True, slots=True)
class FactorView:
    """Whether a person has a factor, must have one, and what is left of the recovery codes."""

    is_enrolled: bool
    is_required: bool
    must_enrol: bool
    enrolled_at: datetime | None
    recovery_left: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A key to be taken into an authenticator: as text, as an address, and as a picture of that (a data URI)."""

    key: str
    address: str
    picture: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The session that begins, and recovery codes that are never shown again."""

    opened: Opened
    recovery_codes: list[str]


class Enrolment:
    """Enrolling, as a signed-in person does it for the own account."""

    def __init__(self, store: Store, sessions: Sessions, factors: Factors, locks: Locks) -> None:
        self._store = store
        self._sessions = sessions
        self._factors = factors
        self._locks = locks

    def view(self, who: Principal) -> FactorView:
        """What the caller has."""
        with self._store.reading() as session:
            standing = self._factors.standing(session, who.account)
            factor = standing.factor
            return FactorView(
                is_enrolled=factor is not None,
                is_required=standing.is_required,
                must_enrol=standing.must_enrol,
                enrolled_at=factor.enrolled_at if factor else None,
                recovery_left=self._factors.recovery_left(session, factor) if factor else 0,
            )

    def begin(self, who: Principal, password: str, code: str) -> Offer:
        """Offer a key, in place of one offered before. Raises as signing in does."""
        keys.current.set(None)  # no answer is kept that shows a secret
        self._sessions.check(who.account, password, code, who)
        factor, key = new_id(), totp.new_key()
        now = self._store.clock.now()
        with self._store.work() as work:
            pending = SecondFactor.account == who.account, SecondFactor.state == "pending"
            work.session.execute(delete(SecondFactor).where(*pending))
            work.session.add(
                SecondFactor(
                    id=factor,
                    account=who.account,
                    sealed=self._factors.sealed(factor, key),
                    state="pending",
                    made_at=now,
                    last_step=0,
                )
            )
            work.audit(who, "factor.offered", f"accounts/{who.account}")
            work.commit()
        address = totp.address(key, who.account)
        return Offer(key, address, totp.picture(address), now + PENDING)

    def confirm(self, who: Principal, code: str) -> Enrolled:
        """Enrol what was offered, by its first code. Raises WrongCode, Locked, or Conflict when nothing is offered."""
        keys.current.set(None)
        self._locks.count(who.account, who, CODES)
        codes = totp.new_recovery_codes()
        with self._store.work() as work:
            now = work.clock.now()
            factor = held(work.session, who.account, "pending")
            if factor is None or now - factor.made_at > PENDING:
                raise Conflict("绑定已超时，请重新开始绑定。", code="identity.nothing_offered")
            step = totp.matching_step(self._factors.key(factor), totp.typed(code), now)
            if step is None:
                raise WrongCode()
            if (former := held(work.session, who.account, "active")) is not None:
                former.state, former.ended_at = "replaced", now
                work.session.flush()
            factor.state, factor.enrolled_at, factor.last_step = "active", now, step
            work.session.flush()
            kept = [{"factor": factor.id, "code_hash": totp.recovery_hash(one)} for one in codes]
            work.session.execute(insert(RecoveryCode), kept)
            begun = self._sessions.begin_anew(work, who)
            work.audit(who, "factor.enrolled", f"accounts/{who.account}")
            work.commit()
        self._locks.forget(who.account, CODES)
        return Enrolled(self._sessions.opened(begun), codes)
