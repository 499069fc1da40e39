"""What decisions hears and which clocks it keeps."""

from collections.abc import Sequence

from contracts.corrections.wire import read_corrections
from contracts.topology import CORRECTION_NOTICES, DIRECTORY
from contracts.units import read_units
from kernel.bus.markers import every, subscribe
from kernel.messages import Item
from kernel.storage.work import Work
from services.decisions.app import Decisions
from services.decisions.tables import CORRECTIONS, FINDINGS, UNITS


class DecisionsWorker:
    """Keeps the copy of the directory, and looks again at decisions whose periods ran out."""

    name = "decisions"

    def __init__(self, app: Decisions) -> None:
        self._app = app

    @subscribe(DIRECTORY["decisions"], decode=read_units)
    def units(self, work: Work, items: Sequence[Item]) -> None:
        """Units told by the gateway."""
        UNITS.apply(work, items)

    @subscribe(CORRECTION_NOTICES["decisions"], decode=read_corrections)
    def corrections(self, work: Work, items: Sequence[Item]) -> None:
        """更正通知: upheld objections against what decisions told."""
        CORRECTIONS.hear(work, items, FINDINGS.table)

    @every(seconds=15)
    def measure_corrections(self) -> None:
        """Gauges: corrections that wait, and how old the oldest is."""
        CORRECTIONS.measure(self._app.store)

    @every(seconds=600)
    def look_again(self) -> None:
        """Publication and filing run out at midnight, whether or not anybody records anything."""
        self._app.procedures.look_again()
