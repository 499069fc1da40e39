"""What decisions hears and which clocks it keeps."""

from collections.abc import Sequence

from contracts.topology import DIRECTORY
from contracts.units import read_units
from kernel.bus.markers import every, subscribe
from kernel.messages import Item
from kernel.storage.work import Work
from services.decisions.app import Decisions
from services.decisions.tables import UNITS


class DecisionsWorker:
    """Keeps the copy of the directory, and looks again at decisions whose periods ran out."""

    name = "decisions"

    def __init__(self, app: Decisions) -> None:
        self._app = app

    @subscribe(DIRECTORY["decisions"], decode=read_units)
    def units(self, work: Work, items: Sequence[Item]) -> None:
        """Units told by the gateway."""
        UNITS.apply(work, items)

    @every(seconds=600)
    def look_again(self) -> None:
        """Publication and filing run out at midnight, whether or not anybody records anything."""
        self._app.procedures.look_again()
