"""What assessment hears and which clocks it keeps."""

from collections.abc import Sequence

from contracts.findings.wire import read_scored
from contracts.topology import ASSESSMENT_SCORED, DIRECTORY
from contracts.units import read_units
from kernel.bus.markers import every, subscribe
from kernel.messages import Item
from kernel.storage.work import Work
from services.assessment.app import Assessment
from services.assessment.scoring.log import record
from services.assessment.scoring.roll_up import directory_changed
from services.assessment.tables import UNITS


class AssessmentWorker:
    """Takes scored events and the directory; keeps the scores up to both."""

    name = "assessment"

    def __init__(self, app: Assessment) -> None:
        self._app = app

    @subscribe(ASSESSMENT_SCORED, decode=read_scored, batch=100)
    def scored(self, work: Work, items: Sequence[Item]) -> None:
        """计分事件: into the log, and the states brought up to it."""
        record(work, items)

    @subscribe(DIRECTORY["assessment"], decode=read_units, batch=20)
    def units(self, work: Work, items: Sequence[Item]) -> None:
        """单位目录: the local copy follows the gateway's directory."""
        UNITS.apply(work, items)
        directory_changed(work)

    @every(seconds=0.5)
    def roll_up(self) -> None:
        """汇总: scores of touched units follow the log."""
        self._app.roll_up.keep_up()

    @every(seconds=1)
    def seal(self) -> None:
        """封块: a checkpoint every five seconds or thousand events."""
        self._app.sealer.keep_up()

    @every(seconds=2)
    def witness(self) -> None:
        """见证: the newest checkpoint to every witness that has not signed it."""
        self._app.witnesses.round()
