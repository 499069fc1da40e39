"""
Embedded hosting: relays, subscriptions and clocks of all services as threads of one process.

Reads the same markers as kernel.hosting.worker and imports neither nameko nor eventlet. `stop()` lets every
thread finish the batch it holds (R55).
"""

import threading
from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy import select

from kernel.bus.inbound import Inbound
from kernel.bus.markers import Subscription, clockworks, loops, subscriptions
from kernel.bus.port import Bus, backoff
from kernel.errors import TemporaryError
from kernel.hosting.measuring import MEASURE_SECONDS, measuring
from kernel.messages import Queue
from kernel.storage import reach
from kernel.storage.audit_seal import SEAL_SECONDS, sealing
from kernel.storage.relay import Relay
from kernel.storage.retention import UPKEEP_SECONDS, keeping, needs_upkeep
from kernel.storage.work import Store
from kernel.telemetry.log import logger

log = logger(__name__)

STOP_SECONDS = 20


class Background:
    """The threads behind the API in one process."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._stop = threading.Event()
        self._jobs: list[tuple[str, Callable[[], None]]] = []
        self._threads: list[threading.Thread] = []

    def host(self, store: Store, worker: object | None) -> None:
        """Take in one service: its relay, and what its worker declares."""
        relay = Relay(store, self._bus)
        self._jobs.append((f"{store.source}.relay", lambda: relay.run(self._stop)))
        queues = [subscription.queue for _, subscription in subscriptions(worker or object)]
        measure = measuring(relay, store, self._bus, queues)
        self._every(f"{store.source}.measure", MEASURE_SECONDS, measure)
        self._every(f"{store.source}.seal_audit", SEAL_SECONDS, sealing(store))
        if needs_upkeep(store):
            self._every(f"{store.source}.upkeep", UPKEEP_SECONDS, keeping(store))
        if worker is None:
            return
        for name, subscription in subscriptions(worker):
            inbound = Inbound(store, subscription, getattr(worker, name))
            self._jobs.append((subscription.queue.name, self._listening(inbound, subscription)))
        for name, clockwork in clockworks(worker):
            self._every(f"{store.source}.{name}", clockwork.seconds, getattr(worker, name))
        for name in loops(worker):
            self._jobs.append((f"{store.source}.{name}", partial(getattr(worker, name), self._stop)))

    def start(self) -> None:
        """Start every thread."""
        for name, job in self._jobs:
            thread = threading.Thread(target=keep, args=(name, job, self._stop), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stop taking work, finish what is held, end."""
        self._stop.set()
        for thread in self._threads:
            thread.join(STOP_SECONDS)
        self._bus.close()

    def _listening(self, inbound: Inbound, subscription: Subscription) -> Callable[[], None]:
        def listen() -> None:
            self._bus.consume(
                subscription.queue,
                inbound.take,
                self._stop,
                batch=subscription.batch,
                linger_seconds=subscription.linger_seconds,
            )

        return listen

    def _every(self, name: str, seconds: float, act: Callable[[], None]) -> None:
        self._jobs.append((name, lambda: repeat(name, seconds, act, self._stop)))


def keep(name: str, job: Callable[[], None], stop: threading.Event) -> None:
    """Run a job that lasts as long as the process; begin it again when it dies, or its queue would stand still."""
    failures = 0
    reach.say(reach.EVERYTHING)
    while not stop.is_set():
        try:
            job()
        except Exception as error:
            log.exception("job_died", job=name, error=repr(error))
        stop.wait(min(backoff(failures), 15.0))
        failures += 1


def repeat(name: str, seconds: float, act: Callable[[], None], stop: threading.Event) -> None:
    """Do something again and again; a failure is logged and the next turn tries again."""
    reach.say(reach.EVERYTHING)
    while not stop.is_set():
        try:
            act()
        except TemporaryError as error:
            log.warning("clockwork_waits", clockwork=name, error=str(error))
        except Exception as error:
            log.error("clockwork_failed", clockwork=name, error=repr(error), exc_info=error)
        stop.wait(seconds)


def quiet(bus: Bus, stores: Sequence[Store], queues: Sequence[Queue]) -> bool:
    """Whether nothing is on its way any more: outboxes and queues are empty."""
    for store in stores:
        with store.reading() as session:
            unsent = select(store.spine.outbox.c.pos).where(store.spine.outbox.c.sent_at.is_(None)).limit(1)
            if session.execute(unsent).first() is not None:
                return False
    return all(bus.depth(queue) == 0 for queue in queues)
