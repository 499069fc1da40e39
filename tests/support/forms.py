"""
The two forms of the platform, running, for stories that must come out the same in both.

A form offers the services' use cases on the same databases that the running processes use, the address where
everything answers over HTTP, and a wait until every consequence has happened.
"""

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from contracts import topology
from fazhi.api_process import compose
from fazhi.buses import open_bus
from fazhi.distributed import fleet
from fazhi.edge import edge
from fazhi.embedded import Embedded, assemble
from fazhi.services import NAMES, Service, build
from kernel.bus.port import Bus
from kernel.clock import Clock, SystemClock
from kernel.errors import TemporaryError
from kernel.hosting.background import quiet
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from tests.support.processes import free_port

READY_SECONDS = 90
QUIET_SECONDS = 90


class Form:
    """A running platform."""

    def __init__(self, runtime: Runtime, services: dict[str, Service], bus: Bus, address: str) -> None:
        self.runtime = runtime
        self.services = services
        self.address = address
        self._bus = bus
        self._clients = contextlib.ExitStack()

    def app(self, name: str) -> Any:
        """The use cases of a service."""
        return self.services[name].app

    def settle(self) -> None:
        """Wait until everything told was heard and every score follows."""
        stores = [service.app.store for service in self.services.values()]
        ends = time.monotonic() + QUIET_SECONDS
        while not self._is_quiet(stores):
            assert time.monotonic() < ends, "the platform did not become quiet"
            time.sleep(0.1)
        self.app("assessment").roll_up.catch_up()

    def _is_quiet(self, stores: list[Any]) -> bool:
        with contextlib.suppress(TemporaryError):
            return quiet(self._bus, stores, topology.QUEUES) and self._counted_all()
        return False

    def _counted_all(self) -> bool:
        """Queues are empty and settled; what was taken last has been committed when it was settled."""
        time.sleep(0.3)
        return quiet(self._bus, [service.app.store for service in self.services.values()], topology.QUEUES)

    def sign_in(self, account: str, password: str) -> httpx.Client:
        """A client signed in as somebody."""
        answer = httpx.post(
            f"{self.address}/api/gateway/v1/sessions",
            json={"account": account, "password": password},
            timeout=30,
        )
        assert answer.status_code == 201, answer.text
        token = answer.json()["token"]
        headers = {"authorization": f"Bearer {token}"}
        return self._clients.enter_context(httpx.Client(base_url=self.address, headers=headers, timeout=30))

    def close(self) -> None:
        """Close the clients that were handed out."""
        self._clients.close()


@contextlib.contextmanager
def serving(platform: Embedded, port: int) -> Iterator[str]:
    """An assembled and started platform, answering over HTTP; gives its address."""
    with _served(compose(platform.runtime, list(platform.services.values()), name="fazhi"), port):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def embedded(
    folder: Path, catalog: Path | None = None, clock: Clock | None = None, **given: Any
) -> Iterator[Form]:
    """The embedded form over a data folder; a story of many days brings a clock, `given` are further settings."""
    port = free_port()
    settings = _settings(folder, catalog, port=port, grpc_port=free_port(), **given)
    platform = assemble(Runtime(settings, clock or SystemClock()))
    platform.migrate()
    platform.start()
    try:
        with serving(platform, port) as address:
            form = Form(platform.runtime, platform.services, platform.bus, address)
            with contextlib.closing(form):
                yield form
    finally:
        platform.stop()


@contextlib.contextmanager
def distributed(
    folder: Path, database_url: str, broker_url: str, catalog: Path | None = None
) -> Iterator[Form]:
    """The distributed form over these servers; `database_url` has {service} in it."""
    settings = _settings(folder, catalog, database_url=database_url, broker_url=broker_url)
    runtime = Runtime(settings)
    services = {name: build(name, runtime) for name in NAMES}
    for service in services.values():
        service.migrate()
    processes, addresses = fleet(settings, first_port=_free_range())
    port = free_port()
    bus = open_bus(runtime)
    try:
        _wait_until_ready(addresses.values())
        with _served(edge(addresses, addresses["gateway"]), port):
            with contextlib.closing(Form(runtime, services, bus, f"http://127.0.0.1:{port}")) as form:
                yield form
    finally:
        processes.stop()
        bus.close()
        runtime.close()


def _settings(folder: Path, catalog: Path | None, **given: Any) -> Settings:
    if catalog is not None:
        given["catalog"] = catalog
    return Settings(data=folder, cookie_secure=False, log_level="ERROR", **given)


@contextlib.contextmanager
def _served(app: Any, port: int) -> Iterator[None]:
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_config=None, access_log=False, lifespan="on"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="server", daemon=True)
    thread.start()
    try:
        _wait_until_answered(f"http://127.0.0.1:{port}/healthz")
        yield
    finally:
        server.should_exit = True
        thread.join(30)


def _wait_until_ready(addresses: Any) -> None:
    for address in addresses:
        _wait_until_answered(f"{address}/readyz")


def _wait_until_answered(url: str) -> None:
    ends = time.monotonic() + READY_SECONDS
    while time.monotonic() < ends:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, timeout=5).status_code == 200:
                return
        time.sleep(0.2)
    raise AssertionError(f"{url} did not answer")


def _free_range() -> int:
    """A first port whose neighbours, as `fleet` uses them, are free too."""
    for _ in range(50):
        first = random.SystemRandom().randrange(20_000, 28_000)
        wanted = [first + base + place for base in (0, 20, 100, 120) for place in range(len(NAMES))]
        if all(_is_free(port) for port in wanted):
            return first
    raise AssertionError("no free range of ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
