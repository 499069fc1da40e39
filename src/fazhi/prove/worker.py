"""
Workers under proof: the product's own worker host, with a bug planted or repeats counted from outside.

`python -m fazhi.prove.worker relay NAME` hosts the relay of a source; `... worker assessment` is the product's
assessment worker.
"""

# ruff: noqa: E402
import os
import warnings

# It says of itself that it is only maintained; decision 0012 says why it is here and how it could be replaced.
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
import eventlet

eventlet.monkey_patch()
os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")

import sys
from collections.abc import Sequence
from pathlib import Path

from contracts import topology
from fazhi import worker_process
from fazhi.prove.planted import plant
from fazhi.prove.source import SPINE
from kernel.bus.rabbit import RabbitBus
from kernel.clock import SystemClock
from kernel.hosting.worker import run, service_class
from kernel.messages import Item
from kernel.settings import Settings
from kernel.storage import inbox
from kernel.storage.db import open_database
from kernel.storage.work import Store, Work
from kernel.telemetry.log import configure


def count_repeats(file: Path) -> None:
    """Append how many repeats each batch absorbed; counters in memory would die with the process."""
    take = inbox.take

    def counting(work: Work, consumer: str, items: Sequence[Item]) -> inbox.Sorted:
        taken = take(work, consumer, items)
        if taken.repeats:
            with file.open("a") as out:
                out.write(f"{taken.repeats}\n")
        return taken

    inbox.take = counting


def host_relay(name: str) -> None:
    """The relay of one source, in the product's worker host."""
    settings = Settings()
    configure(level="ERROR", process=f"{name}.relay")
    store = Store(open_database(os.environ["PROVE_DATABASE_URL"]), SPINE, name, SystemClock())
    hosted = service_class(store, RabbitBus(settings.broker_url, topology.QUEUES), None)
    run(hosted, ready=store.database.ping, host="127.0.0.1", port=0)


if __name__ == "__main__":
    plant(os.environ.get("PROVE_PLANT", ""))
    if sys.argv[1] == "relay":
        host_relay(sys.argv[2])
    else:
        count_repeats(Path(os.environ["PROVE_REPEATS"]))
        worker_process.main(sys.argv[2])
