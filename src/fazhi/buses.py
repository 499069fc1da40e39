"""Which bus this process uses."""

from contracts import topology
from kernel.bus.inprocess import InProcessBus
from kernel.bus.port import Bus
from kernel.hosting.runtime import Runtime


def open_bus(runtime: Runtime) -> Bus:
    """RabbitMQ when a broker URL is set, durable queues in the data folder otherwise."""
    url = runtime.settings.broker_url
    if not url:
        return InProcessBus(runtime.settings.data / "bus.db", topology.QUEUES)
    from kernel.bus.rabbit import RabbitBus  # only the distributed form needs the broker's library

    return RabbitBus(url, topology.QUEUES)
