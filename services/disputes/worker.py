"""What disputes hears and which clocks it keeps."""

from collections.abc import Sequence

from contracts.clues.wire import read_routed
from contracts.corrections.wire import read_corrections
from contracts.topology import CORRECTION_NOTICES, DIRECTORY, DISPUTES_CLUES
from contracts.units import read_units
from kernel.bus.markers import every, subscribe
from kernel.messages import Item
from kernel.storage.work import Work
from services.disputes.app import Disputes
from services.disputes.tables import CORRECTIONS, FINDINGS, UNITS


class DisputesWorker:
    """Keeps the copy of the directory, takes over clues, and keeps the statutory clocks."""

    name = "disputes"

    def __init__(self, app: Disputes) -> None:
        self._app = app

    @subscribe(DIRECTORY["disputes"], decode=read_units)
    def units(self, work: Work, items: Sequence[Item]) -> None:
        """Units told by the gateway."""
        UNITS.apply(work, items)

    @subscribe(CORRECTION_NOTICES["disputes"], decode=read_corrections)
    def corrections(self, work: Work, items: Sequence[Item]) -> None:
        """更正通知: upheld objections against what disputes told."""
        CORRECTIONS.hear(work, items, FINDINGS.table)

    @every(seconds=15)
    def measure_corrections(self) -> None:
        """Gauges: corrections that wait, and how old the oldest is."""
        CORRECTIONS.measure(self._app.store)

    @subscribe(DISPUTES_CLUES, decode=read_routed)
    def clues(self, work: Work, items: Sequence[Item]) -> None:
        """Clues about disputes, judgments and applications."""
        self._app.matters.hear(work, items)

    @every(seconds=300)
    def keep_clocks(self) -> None:
        """Silence makes facts at midnight, whether or not anybody is there to record them (Arts. 30, 31)."""
        self._app.cases.keep_clocks()
