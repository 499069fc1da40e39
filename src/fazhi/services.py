"""
The one list of services, and how each kind of process asks a service for its part.

Modules are loaded late and by name: an API process must never load a worker module's surroundings and the
other way round (grpc and eventlet do not live in one process).
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from contracts.roles import AUDIT_ADMIN
from kernel.errors import NotFound
from kernel.hosting.runtime import Runtime
from kernel.storage.migrate import is_current, upgrade
from kernel.storage.retention import keeping

TITLES = {
    "gateway": "网关",
    "legislation": "法律法规应用管理",
    "disputes": "多元化解社会矛盾",
    "decisions": "重大行政决策",
    "enforcement": "行政执法监督",
    "assessment": "法治政府建设考核",
}
NAMES = tuple(TITLES)


@dataclass(frozen=True, slots=True)
class Service:
    """One service in this process."""

    name: str
    app: Any

    @property
    def title(self) -> str:
        """Official Chinese name."""
        return TITLES[self.name]

    def migrate(self) -> None:
        """Bring the database up to date and put in what every installation has."""
        upgrade(self.app.store.database, package_of(self.name))
        keeping(self.app.store)()
        self.app.store.adopt_strays()
        prepare = getattr(self.app, "prepare", None)
        if prepare is not None:
            prepare()

    def is_migrated(self) -> bool:
        """Whether the database is at the newest version."""
        return is_current(self.app.store.database, package_of(self.name))

    def routers(self) -> list[Any]:
        """Its HTTP routes, and those of its audit record (API processes only)."""
        routers: list[Any] = import_module(f"{package_of(self.name)}.http").routers(self.app)
        units = import_module(f"{package_of(self.name)}.tables").UNITS.table
        audit = import_module("kernel.hosting.audit").audit_router(self.app.store, units, AUDIT_ADMIN)
        return [*routers, audit]

    def rpc(self) -> Callable[..., None] | None:
        """What registers its gRPC services, if it has any (API processes only)."""
        module = f"{package_of(self.name)}.rpc"
        if find_spec(module) is None:
            return None
        register: Callable[..., None] = import_module(module).register
        return register

    def worker(self) -> object | None:
        """Its worker object, if it hears anything or keeps clocks."""
        module = import_module(f"{package_of(self.name)}.worker")
        worker: object = getattr(module, f"{self.name.capitalize()}Worker")(self.app)
        return worker


def package_of(name: str) -> str:
    """The Python package of a service."""
    return name if name == "gateway" else f"services.{name}"


def build(name: str, runtime: Runtime) -> Service:
    """Wire one service into a runtime. Raises NotFound for a name that is none of NAMES."""
    if name not in NAMES:
        raise NotFound(f"没有名为 {name} 的服务；可选：{'、'.join(NAMES)}。", code="fazhi.no_service")
    return Service(name, import_module(f"{package_of(name)}.app").build(runtime))
