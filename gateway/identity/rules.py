"""
Rules of identity 身份: passwords, locks, life of sessions, duties that exclude one another.

Figures: OWASP ASVS 5.0 chapters 6 and 7; GB/T 22239-2019 (等保 三级) 8.1.4.1, 8.1.4.2; the separation of the three
administrators 三员分立 comes from the same standard, 8.1.6.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.roles import (
    AUDIT_ADMIN,
    INSPECTOR,
    REVIEWER,
    SECURITY_ADMIN,
    SYSTEM_ADMIN,
    TITLES,
)
from kernel.errors import Problem
from kernel.text import composed

IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=8)
FREE_FAILURES = 5
FIRST_LOCK = timedelta(minutes=15)
LONGEST_LOCK = timedelta(hours=4)
FORGET_FAILURES = timedelta(hours=24)
ADMINISTRATORS = frozenset({SYSTEM_ADMIN, SECURITY_ADMIN, AUDIT_ADMIN})
# Whose accounts must have a second factor (R39; GB/T 22239-2019 8.1.4.1 d).
WITH_FACTOR = ADMINISTRATORS | {REVIEWER, INSPECTOR}
GRANTABLE = frozenset(TITLES) - {"external_system"}
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordPolicy:
    """What is asked of passwords 口令; read from catalog/identity/passwords.yaml."""

    min_length: int
    max_length: int
    classes: int
    max_age: timedelta | None
    blocked: frozenset[str]


def password_problems(password: str, account: str, policy: PasswordPolicy) -> Iterator[Problem]:
    """What is wrong with a new password."""
    if len(password) < policy.min_length:
        yield _problem("too_short", f"口令不少于 {policy.min_length} 个字符")
    if len(password) > policy.max_length:
        yield _problem("too_long", f"口令不超过 {policy.max_length} 个字符")
    if _classes(password) < policy.classes:
        yield _problem("too_plain", f"口令须含大写字母、小写字母、数字、其他字符中的至少 {policy.classes} 类")
    plain = password.casefold()
    if plain in policy.blocked or plain.rstrip("0123456789!@#$%^&*()_+-=.?,") in policy.blocked:
        yield _problem("blocked", "口令过于常见，请更换")
    if account and account.casefold() in plain:
        yield _problem("contains_account", "口令不得包含账号")


def normal_password(password: str) -> str:
    """NFC, so that the same characters typed on another device are the same password (R41)."""
    return composed(password)


def is_account_name(text: str) -> bool:
    """Whether this may name an account: 2 to 64 of a-z 0-9 . _ -, beginning with a letter or digit."""
    return _ACCOUNT.match(text) is not None


def lock_after(failures: int) -> timedelta | None:
    """
    For how long an (account, source) pair is locked after so many failures in a row: 15 minutes from the
    fifth on, doubling up to four hours. Only this source is locked out, so no stranger locks an account for ever.
    """
    if failures < FREE_FAILURES:
        return None
    doubled = min(failures - FREE_FAILURES, 10)
    return min(FIRST_LOCK * (1 << doubled), LONGEST_LOCK)


def has_ended(*, opened_at: datetime, seen_at: datetime, now: datetime) -> bool:
    """Whether a session is over: idle for 15 minutes, or eight hours old."""
    return now - seen_at > IDLE or now - opened_at > ABSOLUTE


def excludes(role: str, held: Collection[str]) -> bool:
    """Whether a role may not join those held: one account has at most one of the three duties 三员."""
    return role in ADMINISTRATORS and bool(ADMINISTRATORS & (set(held) - {role}))


def _classes(password: str) -> int:
    kinds = {
        "lower" if c.islower() else "upper" if c.isupper() else "digit" if c.isdigit() else "other"
        for c in password
    }
    return len(kinds)


def _problem(code: str, message: str) -> Problem:
    return Problem("password", f"identity.password_{code}", message)
