"""
Access rules: deny by default (R35).

Every endpoint declares who may knock: `@allow("reviewer", "inspector")` or `@public`. A host that finds an
endpoint without a declaration does not start. Which rows a caller then sees is decided by the service, from
the principal's place in the unit tree.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from kernel.access.principal import Principal
from kernel.errors import NotAllowed, NotSignedIn

E = TypeVar("E", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Who may knock at one endpoint; `roles` is empty for a public one."""

    roles: frozenset[str]

    @property
    def is_public(self) -> bool:
        """Whether nobody needs to sign in."""
        return not self.roles

    def check(self, principal: Principal | None) -> None:
        """Raise NotSignedIn or NotAllowed unless the caller may pass."""
        if self.is_public:
            return
        if principal is None:
            raise NotSignedIn()
        if not principal.has(*self.roles):
            raise NotAllowed()


def allow(*roles: str) -> Callable[[E], E]:
    """Holders of one of these roles may knock."""
    if not roles:
        raise ValueError("name at least one role, or use @public")

    def declare(endpoint: E) -> E:
        endpoint.__access__ = AccessRule(frozenset(roles))  # type: ignore[attr-defined]
        return endpoint

    return declare


def public(endpoint: E) -> E:
    """Everybody may knock."""
    endpoint.__access__ = AccessRule(frozenset())  # type: ignore[attr-defined]
    return endpoint


def rule_of(endpoint: object) -> AccessRule | None:
    """The declared rule of an endpoint, if it has one."""
    rule = getattr(endpoint, "__access__", None)
    return rule if isinstance(rule, AccessRule) else None
