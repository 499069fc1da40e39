"""
Second factors 双因素: who must have one, who has one, and taking a code once (R39).

Reviewers, inspectors and the three administrators must; everybody else may. Demonstration accounts need not,
outside production: their passwords are shown on the sign-in page, so a factor would protect nothing; one that was
enrolled is asked for all the same. A code of the authenticator is taken once, by one conditional statement, so of two
that use it at once one is refused; so is a recovery code.
"""

from dataclasses import dataclass

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from gateway.identity import rules, totp
from gateway.identity.model import DemonstrationAccount, Grant, RecoveryCode, SecondFactor
from gateway.partners.vault import Vault
from kernel.access.principal import Principal
from kernel.storage.work import Store, Work


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands: its factor, if it has one, and whether it must have one."""

    factor: SecondFactor | None
    is_required: bool

    @property
    def must_enrol(self) -> bool:
        """Whether nothing may be done before a factor is enrolled."""
        return self.is_required and self.factor is None


class Factors:
    """The factors of accounts. `required` is FAZHI_SECOND_FACTOR."""

    def __init__(self, store: Store, vault: Vault, *, required: bool, production: bool) -> None:
        self._store = store
        self._vault = vault
        self._required = required
        self._production = production

    def standing(self, session: Session, account: str) -> Standing:
        """Where an account stands; its roles on every unit count, not only those acted in."""
        return Standing(held(session, account, "active"), self._is_required(session, account))

    def sealed(self, factor: str, key: str) -> bytes:
        """A key as it is kept, bound to the factor it belongs to."""
        return self._vault.seal(_purpose(factor), key.encode())

    def key(self, factor: SecondFactor) -> str:
        """The key of a factor."""
        return self._vault.open(_purpose(factor.id), factor.sealed).decode()

    def spend(self, account: str, given: str, who: Principal) -> bool:
        """Take a code of the authenticator or a recovery code, once; False when it is wrong or was taken before."""
        code = totp.typed(given)
        with self._store.work() as work:
            factor = held(work.session, account, "active")
            if factor is None:
                return False
            take = self._take_step if totp.is_code(code) else _take_recovery
            if not take(work, factor, code):
                return False
            if not totp.is_code(code):
                work.audit(who, "factor.recovery_code_used", f"accounts/{account}")
            work.commit()
        return True

    def recovery_left(self, session: Session, factor: SecondFactor) -> int:
        """How many recovery codes are still good."""
        unused = RecoveryCode.factor == factor.id, RecoveryCode.used_at.is_(None)
        return session.execute(select(func.count()).select_from(RecoveryCode).where(*unused)).scalar_one()

    def _take_step(self, work: Work, factor: SecondFactor, code: str) -> bool:
        step = totp.matching_step(self.key(factor), code, work.clock.now())
        if step is None:
            return False
        taken = work.session.execute(
            update(SecondFactor)
            .where(
                SecondFactor.id == factor.id, SecondFactor.state == "active", SecondFactor.last_step < step
            )
            .values(last_step=step)
        )
        return _changed_one(taken)

    def _is_required(self, session: Session, account: str) -> bool:
        if not self._required:
            return False
        roles = session.scalars(select(Grant.role).where(Grant.account == account, Grant.state == "active"))
        if rules.WITH_FACTOR.isdisjoint(roles):
            return False
        return self._production or session.get(DemonstrationAccount, account) is None


def held(session: Session, account: str, state: str) -> SecondFactor | None:
    """The pending or the active factor of an account."""
    wanted = select(SecondFactor).where(SecondFactor.account == account, SecondFactor.state == state)
    return session.scalars(wanted).one_or_none()


def _take_recovery(work: Work, factor: SecondFactor, code: str) -> bool:
    taken = work.session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.factor == factor.id,
            RecoveryCode.code_hash == totp.recovery_hash(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=work.clock.now())
    )
    return _changed_one(taken)


def _changed_one(result: object) -> bool:
    return isinstance(result, CursorResult) and result.rowcount == 1


def _purpose(factor: str) -> str:
    return f"second factor {factor}"
