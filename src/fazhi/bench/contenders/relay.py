"""The relay of the workload's source, in the product's own worker host: it hears nothing and sends its outbox."""

# ruff: noqa: E402
import os

import eventlet

eventlet.monkey_patch()
os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")

from sqlalchemy import MetaData

from fazhi.bench.workload import SOURCE
from fazhi.buses import open_bus
from kernel.hosting.runtime import Runtime
from kernel.hosting.worker import run, service_class
from kernel.settings import Settings
from kernel.storage.spine import Spine


def main() -> None:
    """Send until told to stop."""
    runtime = Runtime(Settings())
    store = runtime.store(SOURCE, Spine(MetaData()))
    hosted = service_class(store, open_bus(runtime), None)
    run(hosted, ready=store.database.ping, host="127.0.0.1", port=0)


if __name__ == "__main__":
    main()
