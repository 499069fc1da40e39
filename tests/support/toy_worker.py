"""
A worker process of the toy, in the product's own host: `python -m tests.support.toy_worker PORT SECONDS`.

Every batch takes SECONDS; a body "mark" is told back as a fact, so that its relay has work too. The servers are
named by TOY_DATABASE_URL and TOY_BROKER_URL.
"""

# ruff: noqa: E402
import os

import eventlet

eventlet.monkey_patch()
os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")

import sys
import time
from collections.abc import Sequence

from kernel.bus.markers import subscribe
from kernel.bus.rabbit import RabbitBus
from kernel.hosting.start import patiently
from kernel.hosting.worker import run, service_class
from kernel.messages import Item
from kernel.storage.db import open_database
from kernel.storage.work import Work
from kernel.telemetry.log import configure
from tests.support.toy import COUNTED, Toy, one_item


class ToyWorker:
    """Counts what it hears, slowly."""

    name = "toy"

    def __init__(self, toy: Toy, seconds: float) -> None:
        self._toy = toy
        self._seconds = seconds

    @subscribe(COUNTED, decode=one_item, batch=10)
    def counted(self, work: Work, items: Sequence[Item]) -> None:
        """One more for each name heard."""
        self._toy.count(work, items)
        time.sleep(self._seconds)


def main(port: int, seconds: float) -> None:
    """Serve until told to stop."""
    configure(level="INFO", process="toy.worker")
    toy = patiently(lambda: Toy(open_database(os.environ["TOY_DATABASE_URL"])))
    bus = RabbitBus(os.environ["TOY_BROKER_URL"], [COUNTED])
    hosted = service_class(toy.store, bus, ToyWorker(toy, seconds))
    run(hosted, ready=toy.store.database.ping, host="127.0.0.1", port=port)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
