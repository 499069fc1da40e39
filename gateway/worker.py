"""What the gateway hears, which clocks it keeps, and the partners it listens and answers to."""

import threading
from collections.abc import Callable, Sequence
from functools import partial

from contracts.clues.wire import read_progress
from contracts.corrections.wire import read_corrections
from contracts.topology import CORRECTION_NOTICES, GATEWAY_PROGRESS
from gateway.app import Gateway
from gateway.tables import CORRECTIONS, FINDINGS
from kernel.bus.markers import every, loop, subscribe
from kernel.hosting.background import keep, repeat
from kernel.messages import Item
from kernel.storage.work import Work

ANSWER_SECONDS = 2.0
JOIN_SECONDS = 20


class GatewayWorker:
    """The gateway's background."""

    name = "gateway"

    def __init__(self, app: Gateway) -> None:
        self._app = app

    @subscribe(GATEWAY_PROGRESS, decode=read_progress)
    def progressed(self, work: Work, items: Sequence[Item]) -> None:
        """What became of clues."""
        self._app.progress.apply(work, items)

    @subscribe(CORRECTION_NOTICES["gateway"], decode=read_corrections)
    def corrections(self, work: Work, items: Sequence[Item]) -> None:
        """更正通知: upheld objections against what the gateway told about clues."""
        CORRECTIONS.hear(work, items, FINDINGS.table)

    @every(seconds=15)
    def measure_corrections(self) -> None:
        """Gauges: corrections that wait, and how old the oldest is."""
        CORRECTIONS.measure(self._app.store)

    @every(seconds=60)
    def note_overdue(self) -> None:
        """Clues whose answer has become late."""
        while self._app.progress.note_overdue():
            pass

    @every(seconds=60)
    def end_terms(self) -> None:
        """授权期满: grants whose last day is over."""
        while self._app.terms.end_past():
            pass

    @every(seconds=600)
    def tidy(self) -> None:
        """Old failures and sessions."""
        self._app.sessions.tidy()

    @loop
    def listen(self, stop: threading.Event) -> None:
        """The partners' virtual hosts."""
        _side_by_side(
            {
                f"listen.{system}": partial(door.run, partial(self._app.letters.take, system), stop)
                for system, door in self._app.doors.items()
            },
            stop,
        )

    @loop
    def answer(self, stop: threading.Event) -> None:
        """Answers whose time has come."""
        _side_by_side(
            {
                f"answer.{system}": partial(
                    repeat, f"answer.{system}", ANSWER_SECONDS, partial(self._answer_one, system), stop
                )
                for system in self._app.links
            },
            stop,
        )
        for door in self._app.doors.values():
            door.close()

    def _answer_one(self, system: str) -> None:
        self._app.answers.send_due(system)


def _side_by_side(jobs: dict[str, Callable[[], None]], stop: threading.Event) -> None:
    """Each job in a thread of its own, begun again when it dies: a sick partner delays nobody, and is not given up."""
    threads = [
        threading.Thread(target=keep, args=(name, job, stop), name=name, daemon=True)
        for name, job in jobs.items()
    ]
    for thread in threads:
        thread.start()
    stop.wait()
    for thread in threads:
        thread.join(JOIN_SECONDS)
