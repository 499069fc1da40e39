"""Limit: the product's own consumer over the same queue, acknowledging batches, doing nothing with them."""

import sys
import threading
import time
from collections.abc import Sequence

import orjson

from contracts.topology import ASSESSMENT_SCORED
from fazhi.bench.effect import batch_size, given_workload
from kernel.bus.port import Delivery
from kernel.bus.rabbit import RabbitBus
from kernel.settings import Settings


def main() -> None:
    """Consume the whole queue, then say how long it took."""
    workload = given_workload()
    stop = threading.Event()
    seen: list[tuple[float, int]] = [(time.monotonic(), 0)]

    def count(deliveries: Sequence[Delivery]) -> None:
        seen.append((time.monotonic(), seen[-1][1] + len(deliveries) * workload.per_message))
        if seen[-1][1] >= workload.total:
            stop.set()

    bus = RabbitBus(Settings().broker_url, [ASSESSMENT_SCORED])
    bus.consume(ASSESSMENT_SCORED, count, stop, batch=batch_size(), linger_seconds=0.05)
    started, before = next(entry for entry in seen if entry[1] >= workload.warm_up)
    ended, after = seen[-1]
    sys.stdout.buffer.write(
        orjson.dumps({"events": after - before, "seconds": ended - started, "seen": after})
    )


if __name__ == "__main__":
    main()
