"""What the gateway hears, which clocks it keeps, and the partners' virtual hosts it listens in."""

import threading
from collections.abc import Sequence

from contracts.clues.wire import read_progress
from contracts.topology import GATEWAY_PROGRESS
from gateway.app import Gateway
from kernel.bus.markers import every, loop, subscribe
from kernel.bus.partner import Letter, PartnerDoor
from kernel.messages import Item
from kernel.storage.work import Work


class GatewayWorker:
    """The gateway's background."""

    name = "gateway"

    def __init__(self, app: Gateway) -> None:
        self._app = app

    @subscribe(GATEWAY_PROGRESS, decode=read_progress)
    def progressed(self, work: Work, items: Sequence[Item]) -> None:
        """What became of clues."""
        self._app.progress.apply(work, items)

    @every(seconds=2)
    def send_answers(self) -> None:
        """Answers whose time has come."""
        self._app.answers.send_due()

    @every(seconds=60)
    def note_overdue(self) -> None:
        """Clues whose answer has become late."""
        while self._app.progress.note_overdue():
            pass

    @every(seconds=600)
    def tidy(self) -> None:
        """Old failures and sessions."""
        self._app.sessions.tidy()

    @loop
    def listen(self, stop: threading.Event) -> None:
        """The partners' virtual hosts, one thread each, so that a sick one delays nobody."""
        threads = [
            threading.Thread(target=self._listen_at, args=(system, door, stop), name=f"partner.{system}", daemon=True)
            for system, door in self._app.doors.items()
        ]
        for thread in threads:
            thread.start()
        stop.wait()
        for thread in threads:
            thread.join(20)
        for door in self._app.doors.values():
            door.close()

    def _listen_at(self, system: str, door: PartnerDoor, stop: threading.Event) -> None:
        def take(letter: Letter) -> None:
            self._app.letters.take(system, letter)

        door.run(take, stop)
