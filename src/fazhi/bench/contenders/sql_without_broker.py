"""Limit: the same batches through the same door out of memory, no broker anywhere."""

import sys
import time

import orjson

from fazhi.bench.effect import batch_size, door, given_workload
from fazhi.garbage import collect_rarely
from kernel.bus.port import Delivery


def main() -> None:
    """Take everything, then say how long it took."""
    collect_rarely()  # as the product's worker does
    workload = given_workload()
    deliveries = [Delivery(message, redelivered=False) for message in workload.messages()]
    entry, size = door(), batch_size()
    warm = workload.warm_up // workload.per_message
    entry.take(deliveries[:warm])
    started = time.monotonic()
    for start in range(warm, len(deliveries), size):
        entry.take(deliveries[start : start + size])
    seconds = time.monotonic() - started
    sys.stdout.buffer.write(
        orjson.dumps({"events": workload.events, "seconds": seconds, "seen": workload.total})
    )


if __name__ == "__main__":
    main()
