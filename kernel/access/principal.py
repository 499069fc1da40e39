"""Principals: the person or system on whose behalf something is done."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """
    Who is asking.

    `unit` is the one acted for and `unit_path` the scope in the unit tree: "/15/1501/…/"; a principal may reach
    units whose path starts with it. `home` is the unit the person belongs to, where roles were granted for
    another: whoever must stay out of matters of the own unit (R37) is known by `own_unit`. `session` is the hash
    of the session id, never the id. `request` is the request id. `is_enrolling` is somebody whose second factor
    is still to be enrolled: a session that may do that and nothing else (R39).
    """

    account: str
    unit: str = ""
    unit_path: str = ""
    home: str = ""
    roles: frozenset[str] = field(default_factory=frozenset)
    session: str = ""
    address: str = ""
    on_behalf_of: str = ""
    request: str = ""
    is_enrolling: bool = False

    @property
    def own_unit(self) -> str:
        """The unit the person belongs to, whatever unit the roles are for."""
        return self.home or self.unit

    def has(self, *roles: str) -> bool:
        """Whether one of these roles is held."""
        return not self.roles.isdisjoint(roles)

    def reaches(self, unit_path: str) -> bool:
        """Whether a unit lies inside this principal's part of the tree."""
        return bool(self.unit_path) and unit_path.startswith(self.unit_path)


SYSTEM = Principal(account="system")
ANONYMOUS = Principal(account="anonymous")
