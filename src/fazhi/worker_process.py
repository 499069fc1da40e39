"""
Worker process of one service: `python -m fazhi.worker_process enforcement`, or a part of it: `... assessment clocks`.

Patching must come before anything else is imported, and psycopg must wait through Python's selectors, which
eventlet makes cooperative; its own C wait would stop the whole hub.
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

from fazhi.buses import open_bus
from fazhi.garbage import collect_rarely
from fazhi.services import NAMES, build
from fazhi.sources import demand_source_keys
from kernel.bus.markers import Part
from kernel.hosting.runtime import Runtime
from kernel.hosting.start import patiently
from kernel.hosting.worker import run, service_class
from kernel.settings import Settings
from kernel.storage.reach import act_for_the_platform
from kernel.telemetry.log import configure

CLOCKS_NICE = 10  # what is heard is taken first; sealing and counting follow


def main(name: str, part: Part = Part.ALL) -> None:
    """Host the worker of a service, or a part of it, until told to stop."""
    settings = Settings()
    configure(level=settings.log_level, process=f"{name}.worker" if part is Part.ALL else f"{name}.{part}")
    act_for_the_platform()
    runtime = Runtime(settings)
    demand_source_keys(runtime, name)
    service = patiently(lambda: build(name, runtime))
    store = service.app.store
    collect_rarely()
    if part is Part.CLOCKS:
        os.nice(CLOCKS_NICE)
    hosted = service_class(store, open_bus(runtime), service.worker(), part)
    run(
        hosted,
        ready=store.database.ping,
        host=settings.host,
        port=settings.port,
        networks=settings.metrics_networks,
    )


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in NAMES or not {*sys.argv[2:]} <= {*Part}:
        raise SystemExit(f"usage: python -m fazhi.worker_process {{{'|'.join(NAMES)}}} [{'|'.join(Part)}]")
    main(sys.argv[1], Part(*sys.argv[2:]) if sys.argv[2:] else Part.ALL)
