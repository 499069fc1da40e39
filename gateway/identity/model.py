"""
What is kept of accounts 账号, grants 授权, sessions 会话 and failed sign-ins.

Only the hash of a session's id is stored. That one account never holds two of the three administrators' duties is
also a unique index, so no programme can get round it.
"""

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.tables import Base
from kernel.storage.types import Id, Moment, one_of

_ADMIN_HELD = text("state = 'active' AND role IN ('system_admin', 'security_admin', 'audit_admin')")
_HELD = text("state IN ('proposed', 'active')")


class Account(Base):
    """An account 账号. `state`: active or disabled. Passwords set by somebody else must be changed first."""

    __tablename__ = "accounts"

    account: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    unit: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(200))
    password_changed_at: Mapped[datetime | None] = mapped_column(Moment)
    state: Mapped[str] = mapped_column(String(20), default="active")
    created_at: Mapped[datetime] = mapped_column(Moment)
    created_by: Mapped[str] = mapped_column(String(100))

    __table_args__ = (one_of("accounts", "state", "active", "disabled"),)


class Grant(Base):
    """A role granted on a unit and all below it 授权. `state`: proposed, active, refused, revoked."""

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


class SignedIn(Base):
    """A session 会话: somebody signed in, acting for one unit."""

    __tablename__ = "sessions"

    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account: Mapped[str] = mapped_column(String(64), ForeignKey("accounts.account"))
    unit: Mapped[str] = mapped_column(String(100))
    csrf: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index("ix_sessions_account", "account"), Index("ix_sessions_seen_at", "seen_at"))


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
