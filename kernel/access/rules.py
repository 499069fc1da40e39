"""
Access rules: deny by default (R35).

Every endpoint declares who may knock: `@allow("reviewer", "inspector")` or `@public`. A host that finds an
endpoint without a declaration does not start. Which rows a caller then sees is decided by the service, from
the principal's place in the unit tree. A session that may only enrol a second factor passes nowhere but at
endpoints that say so.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from kernel.access.principal import Principal
from kernel.errors import EnrolFirst, NotAllowed, NotSignedIn

E = TypeVar("E", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Who may knock at one endpoint; `roles` is empty for a public one."""

    roles: frozenset[str]
    lets_enrolling: bool = False

    @property
    def is_public(self) -> bool:
        """Whether nobody needs to sign in."""
        return not self.roles

    def check(self, principal: Principal | None) -> None:
        """Raise NotSignedIn, EnrolFirst or NotAllowed unless the caller may pass."""
        if self.is_public:
            return
        if principal is None:
            raise NotSignedIn()
        if principal.is_enrolling and self.lets_enrolling:
            return
        demand(principal, self.roles)


def demand(principal: Principal, roles: Collection[str]) -> None:
    """Raise EnrolFirst or NotAllowed unless the caller holds one of these roles."""
    if principal.is_enrolling:
        raise EnrolFirst()
    if not principal.has(*roles):
        raise NotAllowed()


def allow(*roles: str, lets_enrolling: bool = False) -> Callable[[E], E]:
    """Holders of one of these roles may knock, and where it says so those who must enrol a second factor first."""
    if not roles:
        raise ValueError("name at least one role, or use @public")

    def declare(endpoint: E) -> E:
        endpoint.__access__ = AccessRule(frozenset(roles), lets_enrolling)  # type: ignore[attr-defined]
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
