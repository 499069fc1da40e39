"""
Measuring: the gauges every worker refreshes (R54), the same in the distributed and the embedded form.

What lies in the own database comes first; a broker that is away must not hide that the outbox grows.
"""

from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network

from kernel.bus.port import DEAD_LETTERS, Bus
from kernel.errors import TemporaryError
from kernel.messages import Queue
from kernel.storage import health, quarantine
from kernel.storage.relay import Relay
from kernel.storage.work import Store
from kernel.telemetry import metrics
from kernel.telemetry.log import logger

log = logger(__name__)

MEASURE_SECONDS = 5.0


def measuring(relay: Relay, store: Store, bus: Bus, queues: Sequence[Queue]) -> Callable[[], None]:
    """One round of measuring for a service that hears these queues."""

    def measure() -> None:
        try:
            relay.measure()
            quarantine.measure(store)
            health.measure(store)
            for queue in (*queues, DEAD_LETTERS):
                metrics.QUEUE_DEPTH.labels(queue.name).set(bus.depth(queue))
        except TemporaryError as error:
            log.warning("not_measured", service=store.source, code=error.stable_code)

    return measure


def readers(networks: str) -> Callable[[str], bool]:
    """Whether an address may read /metrics; `networks` as in the settings."""
    allowed = [ip_network(network.strip()) for network in networks.split(",") if network.strip()]

    def may_read(address: str) -> bool:
        try:
            known = ip_address(address)
        except ValueError:
            return False
        return any(known in network for network in allowed)

    return may_read
