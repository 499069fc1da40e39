"""The embedded form: every service in one process over SQLite, the in-process bus and the embedded index."""

from dataclasses import dataclass

from contracts import topology
from fazhi.buses import open_bus
from fazhi.services import NAMES, Service, build
from kernel.bus.port import Bus
from kernel.hosting.background import Background, quiet
from kernel.hosting.runtime import Runtime


@dataclass(slots=True)
class Embedded:
    """The whole platform in this process."""

    runtime: Runtime
    services: dict[str, Service]
    bus: Bus
    background: Background

    def migrate(self) -> None:
        """Bring every database up to date."""
        for service in self.services.values():
            service.migrate()

    def start(self) -> None:
        """Start relays, subscriptions and clocks."""
        for service in self.services.values():
            self.runtime.source_keys(service.name)  # made now, so that nothing is told before they are known
            self.background.host(service.app.store, service.worker())
        self.background.start()

    def is_quiet(self) -> bool:
        """Whether every fact told has reached everybody who hears it."""
        stores = [service.app.store for service in self.services.values()]
        return quiet(self.bus, stores, topology.QUEUES)

    def waiting(self) -> int:
        """How many messages wait in the queues."""
        return sum(self.bus.depth(queue) for queue in topology.QUEUES)

    def stop(self) -> None:
        """Finish what is held and close everything."""
        self.background.stop()
        self.runtime.close()


def assemble(runtime: Runtime) -> Embedded:
    """Wire every service into one process."""
    bus = open_bus(runtime)
    services = {name: build(name, runtime) for name in NAMES}
    return Embedded(runtime, services, bus, Background(bus))
