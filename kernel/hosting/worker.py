"""
Worker processes: the one door to nameko.

A worker class is plain Python with markers (kernel.bus.markers). `service_class` turns it into a nameko service:
every @subscribe becomes a batch entrypoint of ours over pika, every @every a nameko timer, and the relay a
loop of the same container. Stock nameko event handlers are not used: they acknowledge what fails (R9).

Process entry: fazhi/worker_process.py, whose first line patches the standard library.
"""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from typing import Any

import eventlet
from eventlet import wsgi
from eventlet.event import Event
from nameko.extensions import DependencyProvider, Entrypoint
from nameko.runners import ServiceRunner
from nameko.timer import Timer

from kernel.bus.inbound import Inbound
from kernel.bus.markers import Part, Subscription, clockworks, loops, subscriptions
from kernel.bus.port import Arrived, Bus, Delivery
from kernel.errors import PlatformError
from kernel.hosting.measuring import MEASURE_SECONDS, measuring, readers
from kernel.storage.audit_seal import SEAL_SECONDS, sealing
from kernel.storage.relay import Relay
from kernel.storage.retention import UPKEEP_SECONDS, keeping, needs_upkeep
from kernel.storage.work import Store
from kernel.telemetry import metrics
from kernel.telemetry.log import logger

log = logger(__name__)

STOP_SECONDS = 20
LOOPBACK = "127.0.0.0/8,::1/128"


class Hosted(DependencyProvider):  # type: ignore[misc]
    """Gives every nameko worker the one object that really does the work."""

    def __init__(self, hosted: object) -> None:
        self._hosted = hosted

    def bind(self, container: Any, attr_name: str) -> Any:
        bound = super().bind(container, attr_name)
        bound._hosted = self._hosted
        return bound

    def get_dependency(self, worker_ctx: Any) -> object:  # noqa: ARG002
        return self._hosted


class BatchSubscription(Entrypoint):  # type: ignore[misc]
    """Hands batches of deliveries to the service method; the bus settles them when it returned."""

    def __init__(self, bus: Bus, subscription: Subscription, arrived: Arrived) -> None:
        self._bus = bus
        self._subscription = subscription
        self._arrived = arrived
        self._stop = threading.Event()
        super().__init__()

    def bind(self, container: Any, method_name: str) -> Any:
        bound = super().bind(container, method_name)
        bound._bus, bound._subscription, bound._stop = self._bus, self._subscription, threading.Event()
        bound._arrived = self._arrived
        bound._ended = Event()
        return bound

    def start(self) -> None:
        self.container.spawn_managed_thread(self._run, identifier=f"consume {self._subscription.queue.name}")

    def stop(self) -> None:
        self._stop.set()
        self._ended.wait()

    def kill(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        wanted = self._subscription
        try:
            self._bus.consume(
                wanted.queue,
                self._take,
                self._stop,
                batch=wanted.batch,
                linger_seconds=wanted.linger_seconds,
                arrived=self._arrived,
            )
        finally:
            self._ended.send()

    def _take(self, deliveries: Sequence[Delivery]) -> None:
        outcome = Event()

        def handle_result(_context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            if exc_info is not None:
                outcome.send_exception(*exc_info)
            else:
                outcome.send(result)
            return result, exc_info

        self.container.spawn_worker(self, (deliveries,), {}, handle_result=handle_result)
        outcome.wait()


class Loop(Entrypoint):  # type: ignore[misc]
    """A method that runs for as long as the container does, and is told to end."""

    def __init__(self, run: Any) -> None:
        self._loop = run
        super().__init__()

    def bind(self, container: Any, method_name: str) -> Any:
        bound = super().bind(container, method_name)
        bound._loop, bound._stop, bound._ended = self._loop, threading.Event(), Event()
        return bound

    def start(self) -> None:
        self.container.spawn_managed_thread(self._run, identifier=self.method_name)

    def stop(self) -> None:
        self._stop.set()
        self._ended.wait()

    def _run(self) -> None:
        try:
            self._loop(self._stop)
        finally:
            self._ended.send()


def service_class(store: Store, bus: Bus, worker: object | None, part: Part = Part.ALL) -> type:
    """The nameko service class that hosts a worker object and its service's relay, or a part of both."""
    body: dict[str, Any] = {"name": store.source, "hosted": Hosted(worker)}
    if part is not Part.CLOCKS:
        _hear(body, store, bus, worker)
    if part is not Part.HEARS:
        _keep_clocks(body, store, worker)
    return type(f"{store.source.capitalize()}Host", (), body)


def _hear(body: dict[str, Any], store: Store, bus: Bus, worker: object | None) -> None:
    relay = Relay(store, bus)
    heard = list(subscriptions(worker)) if worker is not None else []
    body["carry"] = _entered(_doing(lambda: None), Loop(relay.run))  # nameko hangs an entrypoint on a method
    refresh = measuring(relay, store, bus, [entry.queue for _, entry in heard])
    body["measure"] = _entered(_doing(refresh), Timer(interval=MEASURE_SECONDS))
    for name, subscription in heard:
        inbound = Inbound(store, subscription, getattr(worker, name))
        body[name] = _entered(_taking(inbound), BatchSubscription(bus, subscription, inbound.arrived))


def _keep_clocks(body: dict[str, Any], store: Store, worker: object | None) -> None:
    body["seal_audit"] = _entered(_doing(sealing(store)), Timer(interval=SEAL_SECONDS))
    if needs_upkeep(store):
        body["upkeep"] = _entered(_doing(keeping(store)), Timer(interval=UPKEEP_SECONDS, eager=True))
    if worker is None:
        return
    for name, clockwork in clockworks(worker):
        body[name] = _entered(_calling(name), Timer(interval=clockwork.seconds, eager=True))
    for name in loops(worker):
        body[name] = _entered(_calling(name), Loop(getattr(worker, name)))


def _doing(act: Callable[[], None]) -> Any:
    def do(_worker: Any) -> None:
        act()

    return do


def _taking(inbound: Inbound) -> Any:
    def take(_worker: Any, deliveries: Sequence[Delivery]) -> None:
        inbound.take(deliveries)

    return take


def _calling(name: str) -> Any:
    def call(self: Any) -> None:
        getattr(self.hosted, name)()

    return call


def _entered(method: Any, entrypoint: Entrypoint) -> Any:
    method.nameko_entrypoints = {entrypoint}
    return method


def run(service: type, *, ready: Any, host: str, port: int, networks: str = LOOPBACK) -> None:
    """
    Run a nameko service until SIGTERM or SIGINT, serving /healthz, /readyz and /metrics beside it.

    What is in hand is finished, for at most twenty seconds; then the process ends as if killed, which the
    next start survives.
    """
    runner = ServiceRunner(config={"max_workers": 20})
    runner.add_service(service)
    _serve_operations(ready, host, port, readers(networks))
    runner.start()
    log.info("worker_started", service=service.__name__)

    def shut(_signal: int, _frame: Any) -> None:
        eventlet.spawn_n(runner.stop)
        eventlet.spawn_after(STOP_SECONDS, _give_up)

    signal.signal(signal.SIGTERM, shut)
    signal.signal(signal.SIGINT, shut)
    runner.wait()


def _give_up() -> None:
    log.error("stopped_hard", after_seconds=STOP_SECONDS)
    os._exit(1)


def _serve_operations(ready: Any, host: str, port: int, may_read: Callable[[str], bool]) -> None:
    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics" and may_read(environ["REMOTE_ADDR"]):
            start_response("200 OK", [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")])
            return [metrics.exposition()]
        if path not in ("/healthz", "/readyz"):
            start_response("404 Not Found", [])
            return [b""]
        try:
            if path == "/readyz":
                ready()
        except PlatformError as error:
            start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [error.stable_code.encode()]
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]

    listener = eventlet.listen((host, port))
    eventlet.spawn_n(wsgi.server, listener, answer, log_output=False)
