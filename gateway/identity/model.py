"""
What is kept of accounts 账号, grants 授权, second factors 双因素, sessions 会话 and failed sign-ins.

Only the hash of a session's id is stored. That one account never holds two of the three administrators' duties is
also a unique index, so no programme can get round it.
"""

from datetime import date, datetime

from sqlalchemy import (
    Boolean,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    and_,
    false,
    or_,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from gateway.tables import Base
from kernel.storage.types import BigInt, Day, Id, Moment, one_of

_ADMIN_HELD = text("state = 'active' AND role IN ('system_admin', 'security_admin', 'audit_admin')")
_HELD = text("state IN ('proposed', 'active')")
_FACTOR_HELD = text("state IN ('pending', 'active')")
_PROPOSED = text("state = 'proposed'")


class Account(Base):
    """
    An account 账号. `state`: active or disabled. Passwords set by somebody else must be changed first.

    `told_version` is the version under which others last heard what it holds, 0: never (holders.py);
    `rights_changed_at`, when that last changed.
    """

    __tablename__ = "accounts"

    account: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    unit: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(200))
    password_changed_at: Mapped[datetime | None] = mapped_column(Moment)
    state: Mapped[str] = mapped_column(String(20), default="active")
    created_at: Mapped[datetime] = mapped_column(Moment)
    created_by: Mapped[str] = mapped_column(String(100))
    told_version: Mapped[int] = mapped_column(BigInt, default=0, server_default="0")
    rights_changed_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (one_of("accounts", "state", "active", "disabled"),)


class Grant(Base):
    """
    A role granted on a unit and all below it 授权. `state`: proposed, active, refused, revoked.

    In force on the days from `from_on` (empty: when it was decided) until `until_on` (empty: no end), both included.
    `reason` is the proposer's, `note` that of whoever decided or took it back.
    """

    __tablename__ = "grants"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    account: Mapped[str] = mapped_column(String(64), ForeignKey("accounts.account"))
    role: Mapped[str] = mapped_column(String(30))
    unit: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(20))
    proposed_at: Mapped[datetime] = mapped_column(Moment)
    proposed_by: Mapped[str] = mapped_column(String(100))
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    decided_by: Mapped[str | None] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(String(200), default="", server_default="")
    note: Mapped[str] = mapped_column(String(200), default="", server_default="")
    from_on: Mapped[date | None] = mapped_column(Day)
    until_on: Mapped[date | None] = mapped_column(Day)

    @classmethod
    def in_force(cls, day: date) -> ColumnElement[bool]:
        """The condition that a grant holds on a day."""
        begun = or_(cls.from_on.is_(None), cls.from_on <= day)
        return and_(cls.state == "active", begun, or_(cls.until_on.is_(None), cls.until_on >= day))

    __table_args__ = (
        Index(
            "uq_grants_one_admin_duty",
            "account",
            unique=True,
            postgresql_where=_ADMIN_HELD,
            sqlite_where=_ADMIN_HELD,
        ),
        Index(
            "uq_grants_held",
            "account",
            "role",
            "unit",
            unique=True,
            postgresql_where=_HELD,
            sqlite_where=_HELD,
        ),
        Index("ix_grants_state", "state"),
        one_of("grants", "state", "proposed", "active", "refused", "revoked"),
    )


class AccountEvent(Base):
    """
    Something that was done to an account, written once. `act`: created, active, disabled, transferred,
    password_changed; `unit` is the account's own from then on.
    """

    __tablename__ = "account_events"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    account: Mapped[str] = mapped_column(String(64), ForeignKey("accounts.account"))
    act: Mapped[str] = mapped_column(String(20))
    unit: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(Moment)
    by: Mapped[str] = mapped_column(String(100))

    __table_args__ = (
        Index("ix_account_events_account", "account", "at"),
        one_of("account_events", "act", "created", "active", "disabled", "transferred", "password_changed"),
    )


class GrantEvent(Base):
    """What became of a grant, written once: the state it came to, when, by whom, and what they said."""

    __tablename__ = "grant_events"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    grant: Mapped[str] = mapped_column(Id, ForeignKey("grants.id"))
    state: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(Moment)
    by: Mapped[str] = mapped_column(String(100))
    note: Mapped[str] = mapped_column(String(200))

    __table_args__ = (
        Index("ix_grant_events_grant", "grant", "at"),
        one_of("grant_events", "state", "proposed", "active", "refused", "revoked"),
    )


class SignedIn(Base):
    """
    A session 会话: somebody signed in, acting for one unit.

    `by_code`: opened with a second factor. Where the account has one, no other session is good, so none that was
    opened with the password alone a moment before outlives the enrolment.
    """

    __tablename__ = "sessions"

    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account: Mapped[str] = mapped_column(String(64), ForeignKey("accounts.account"))
    unit: Mapped[str] = mapped_column(String(100))
    csrf: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
    by_code: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())

    __table_args__ = (Index("ix_sessions_account", "account"), Index("ix_sessions_seen_at", "seen_at"))


class SecondFactor(Base):
    """
    A second factor 双因素 of an account: the key of one-time codes, sealed (gateway/partners/vault.py).

    `state`: pending until the first code is shown, active, replaced by a later one, removed by four eyes.
    `last_step` is the step of the last code taken: no code is taken twice, nor an earlier one after it.
    """

    __tablename__ = "second_factors"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    account: Mapped[str] = mapped_column(String(64), ForeignKey("accounts.account"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(20))
    made_at: Mapped[datetime] = mapped_column(Moment)
    enrolled_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    last_step: Mapped[int] = mapped_column(BigInt, default=0)

    __table_args__ = (
        Index(
            "uq_second_factors_held",
            "account",
            "state",
            unique=True,
            postgresql_where=_FACTOR_HELD,
            sqlite_where=_FACTOR_HELD,
        ),
        one_of("second_factors", "state", "pending", "active", "replaced", "removed"),
    )


class RecoveryCode(Base):
    """A recovery code 恢复码 of a second factor: its hash, and when it was used. Good once."""

    __tablename__ = "recovery_codes"

    factor: Mapped[str] = mapped_column(Id, ForeignKey("second_factors.id"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class FactorRemoval(Base):
    """A request to remove a lost second factor 双因素解绑; another person than who asked decides. Four eyes, as a grant."""

    __tablename__ = "factor_removals"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    account: Mapped[str] = mapped_column(String(64), ForeignKey("accounts.account"))
    state: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(200))
    proposed_at: Mapped[datetime] = mapped_column(Moment)
    proposed_by: Mapped[str] = mapped_column(String(100))
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    decided_by: Mapped[str | None] = mapped_column(String(100))
    note: Mapped[str] = mapped_column(String(200), default="")

    __table_args__ = (
        Index(
            "uq_factor_removals_proposed",
            "account",
            unique=True,
            postgresql_where=_PROPOSED,
            sqlite_where=_PROPOSED,
        ),
        Index("ix_factor_removals_proposed_at", "proposed_at"),
        one_of("factor_removals", "state", "proposed", "done", "refused"),
    )


class Failures(Base):
    """Failed sign-ins in a row of one account name from one source, whether or not the account exists."""

    __tablename__ = "sign_in_failures"

    account_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[datetime] = mapped_column(Moment)
    locked_until: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index("ix_sign_in_failures_last_at", "last_at"),)


class Demonstration(Base):
    """What the demonstration data is 演示数据; no row in a real installation."""

    __tablename__ = "demonstration"

    only: Mapped[bool] = mapped_column(Boolean, primary_key=True, default=True)
    province: Mapped[str] = mapped_column(String(100))
    size: Mapped[str] = mapped_column(String(20))
    seed: Mapped[int] = mapped_column(Integer)


class DemonstrationAccount(Base):
    """A demonstration account with its password in the open, made anew for every data folder."""

    __tablename__ = "demonstration_accounts"

    account: Mapped[str] = mapped_column(String(64), ForeignKey("accounts.account"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    password: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(100))
    unit_name: Mapped[str] = mapped_column(String(200))
