"""
Demonstration accounts 演示账号: they exist only where the demonstration loader made them.

Passwords are drawn anew for every data folder, so no password is the same on two machines; they are shown on the
sign-in page of that installation. A production installation, or one with real accounts, refuses them.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from gateway.identity.accounts import FirstAccount, enter
from gateway.identity.holders import tell_holders
from gateway.identity.model import Account, Demonstration, DemonstrationAccount
from gateway.identity.passwords import Passwords
from gateway.tables import UNITS
from kernel.access.principal import SYSTEM
from kernel.errors import NotFound, RuleViolation
from kernel.storage.work import Store

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that are mistaken for one another


@dataclass(frozen=True, slots=True, kw_only=True)
class DemonstrationPerson:
    """A demonstration account to be made: `title` is what the sign-in page says of it, `area` as in FirstAccount."""

    account: str
    name: str
    title: str
    unit: str
    roles: tuple[str, ...]
    area: str = ""


@dataclass(frozen=True, slots=True)
class ShownAccount:
    """A demonstration account as the sign-in page shows it."""

    account: str
    password: str
    title: str
    unit_name: str


@dataclass(frozen=True, slots=True)
class DemonstrationView:
    """What the demonstration data is, and its accounts."""

    accounts: list[ShownAccount]
    province: str
    size: str
    seed: int


class Demonstrations:
    """Makes and shows demonstration accounts."""

    def __init__(self, store: Store, passwords: Passwords, *, production: bool) -> None:
        self._store = store
        self._passwords = passwords
        self._production = production

    def create_demonstration(
        self, people: Sequence[DemonstrationPerson], *, province: str, size: str, seed: int
    ) -> DemonstrationView:
        """
        Make the accounts, once; their units must be in the directory. Called again, it shows what was made.

        Raises RuleViolation in production and where real accounts exist.
        """
        if self._production:
            raise RuleViolation("正式环境不得建立演示账号。", code="identity.no_demonstration_in_production")
        made = [(person, _password()) for person in people]
        hashed = [self._passwords.hashed(password, person.account) for person, password in made]
        with self._store.work() as work:
            if work.session.get(Demonstration, True) is None:
                if work.session.scalar(select(Account.account).limit(1)) is not None:
                    raise RuleViolation(
                        "已有正式账号，不得建立演示账号。", code="identity.real_accounts_exist"
                    )
                work.session.add(Demonstration(only=True, province=province, size=size, seed=seed))
                for position, ((person, password), password_hash) in enumerate(
                    zip(made, hashed, strict=True)
                ):
                    unit_name = work.session.execute(
                        select(UNITS.table.c.name).where(UNITS.table.c.code == person.unit)
                    ).scalar()
                    if unit_name is None:
                        raise NotFound(
                            f"单位目录中没有 {person.unit}，请先导入单位。", code="directory.unknown_unit"
                        )
                    first = FirstAccount(
                        account=person.account,
                        name=person.name,
                        unit=person.unit,
                        roles=person.roles,
                        password=password,
                        area=person.area,
                    )
                    enter(work, first, password_hash)
                    work.session.add(
                        DemonstrationAccount(
                            account=person.account,
                            position=position,
                            password=password,
                            title=person.title,
                            unit_name=unit_name,
                        )
                    )
                tell_holders(work, [person.account for person in people])
                work.audit(SYSTEM, "demonstration.created", f"accounts/{len(people)}")
                work.commit()
        return self.shown()

    def shown(self) -> DemonstrationView:
        """The demonstration accounts; raises NotFound in a real installation."""
        with self._store.reading() as session:
            known = session.get(Demonstration, True)
            if known is None or self._production:
                raise NotFound("本系统未装入演示数据。", code="identity.no_demonstration")
            rows = session.scalars(select(DemonstrationAccount).order_by(DemonstrationAccount.position))
            accounts = [ShownAccount(r.account, r.password, r.title, r.unit_name) for r in rows]
            return DemonstrationView(accounts, known.province, known.size, known.seed)


def _password() -> str:
    groups = ["".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3)]
    return f"Fz{secrets.randbelow(10)}-" + "-".join(groups)
