"""What enforcement hears and which clocks it keeps."""

from collections.abc import Sequence

from contracts.clues.wire import read_routed
from contracts.corrections.wire import read_corrections
from contracts.topology import CORRECTION_NOTICES, DIRECTORY, ENFORCEMENT_CLUES
from contracts.units import read_units
from kernel.bus.markers import every, subscribe
from kernel.messages import Item
from kernel.storage.work import Work
from services.enforcement.app import Enforcement
from services.enforcement.tables import CORRECTIONS, FINDINGS, UNITS

BATCHES_A_TURN = 20


class EnforcementWorker:
    """Units from the gateway, clues to deal with, and cases whose day to be looked at has come."""

    name = "enforcement"

    def __init__(self, app: Enforcement) -> None:
        self._app = app

    @subscribe(DIRECTORY["enforcement"], decode=read_units)
    def units(self, work: Work, items: Sequence[Item]) -> None:
        """单位目录: keep the local copy."""
        UNITS.apply(work, items)

    @subscribe(CORRECTION_NOTICES["enforcement"], decode=read_corrections)
    def corrections(self, work: Work, items: Sequence[Item]) -> None:
        """更正通知: upheld objections against what enforcement told."""
        CORRECTIONS.hear(work, items, FINDINGS.table)

    @every(seconds=15)
    def measure_corrections(self) -> None:
        """Gauges: corrections that wait, and how old the oldest is."""
        CORRECTIONS.measure(self._app.store)

    @subscribe(ENFORCEMENT_CLUES, decode=read_routed)
    def clues(self, work: Work, items: Sequence[Item]) -> None:
        """线索: open a lead for each."""
        self._app.supervision.register(work, items)

    @every(seconds=2)
    def look(self) -> None:
        """Look at waiting cases, a bounded number of batches a turn."""
        for _ in range(BATCHES_A_TURN):
            if not self._app.cases.look_at_waiting():
                return

    @every(seconds=3600)
    def forget(self) -> None:
        """Drop read rows that nobody confirmed."""
        self._app.cases.forget_unconfirmed()
