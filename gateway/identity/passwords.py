"""
Passwords 口令: hashed with argon2id, checked in the same time whether or not the account exists.

Parameters are OWASP's minimum (19 MiB, two passes); a few checks at a time, so that a flood of sign-ins costs
time and not all memory. Hashes made with weaker parameters are renewed at the next sign-in.
"""

import threading
from datetime import timedelta
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.identity.rules import PasswordPolicy, normal_password, password_problems
from kernel.catalog import read
from kernel.errors import Invalid, Unavailable

AT_ONCE = 4
WAIT_SECONDS = 5.0


class Passwords:
    """Hashes and checks passwords under one policy."""

    def __init__(self, policy: PasswordPolicy) -> None:
        self.policy = policy
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._nobody = self._hasher.hash("an account that does not exist")

    def hashed(self, password: str, account: str) -> str:
        """The hash of a new password; raises Invalid when the policy forbids it."""
        plain = normal_password(password)
        faults = list(password_problems(plain, account, self.policy))
        if faults:
            raise Invalid("口令不符合要求，请按提示更换。", code="identity.weak_password", problems=faults)
        return self._hasher.hash(plain)

    def fits(self, known: str | None, password: str) -> bool:
        """Whether a password fits a hash; costs the same when there is no hash. Raises Unavailable when flooded."""
        if not self._turns.acquire(timeout=WAIT_SECONDS):
            raise Unavailable("登录请求过多，请稍后再试。", code="identity.busy")
        try:
            return self._hasher.verify(known or self._nobody, normal_password(password)) and known is not None
        except (VerificationError, InvalidHashError):
            return False
        finally:
            self._turns.release()

    def rehashed(self, password: str) -> str:
        """The hash, with today's parameters, of a password that was just found to fit."""
        return self._hasher.hash(normal_password(password))

    def is_outdated(self, known: str) -> bool:
        """Whether a hash was made with other parameters."""
        return self._hasher.check_needs_rehash(known)


def load_policy(folder: Path) -> PasswordPolicy:
    """The policy in a catalog's `identity/passwords.yaml`."""
    data = read(folder / "identity" / "passwords.yaml").data
    days = int(data["max_age_days"])
    return PasswordPolicy(
        min_length=max(12, int(data["min_length"])),
        max_length=int(data["max_length"]),
        classes=int(data["classes"]),
        max_age=timedelta(days=days) if days else None,
        blocked=frozenset(str(word).casefold() for word in data["blocked"]),
    )
