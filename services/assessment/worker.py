"""What assessment hears and which clocks it keeps."""

from collections.abc import Sequence

from contracts.findings.wire import read_scored
from contracts.holders.wire import read_holders
from contracts.topology import ASSESSMENT_HOLDERS, ASSESSMENT_SCORED, DIRECTORY
from contracts.units import read_units
from kernel.bus.markers import every, subscribe
from kernel.messages import Item, Message, Refused
from kernel.storage.work import Work
from kernel.telemetry import metrics
from services.assessment.app import Assessment
from services.assessment.ledger.metering import measure
from services.assessment.review.holders import hear
from services.assessment.scoring.log import record
from services.assessment.scoring.roll_up import directory_changed
from services.assessment.tables import UNITS


class AssessmentWorker:
    """Takes scored events and the directory; keeps the scores up to both."""

    name = "assessment"

    def __init__(self, app: Assessment) -> None:
        self._app = app
        # Before anything is taken: a database put back from an old copy must not go on as if it were current (F31).
        app.witnesses.compare()

    def read_signed(self, message: Message) -> Sequence[Item | Refused]:
        """计分事件: read, and refused where its source did not sign it."""
        return self._app.door.read(message)

    @subscribe(ASSESSMENT_SCORED, decode=read_scored, reader="read_signed", batch=100)
    def scored(self, work: Work, items: Sequence[Item]) -> None:
        """计分事件: into the log, and the states brought up to it."""
        self._app.ledger.require_current(work.session)
        record(work, items)

    @subscribe(DIRECTORY["assessment"], decode=read_units, batch=20)
    def units(self, work: Work, items: Sequence[Item]) -> None:
        """单位目录: the local copy follows the gateway's directory."""
        UNITS.apply(work, items)
        directory_changed(work)

    @subscribe(ASSESSMENT_HOLDERS, decode=read_holders, batch=20)
    def holders(self, work: Work, items: Sequence[Item]) -> None:
        """任职授权: who holds which role, for the roster of reviewers."""
        hear(work, items)

    @every(seconds=0.5)
    def roll_up(self) -> None:
        """汇总: scores of touched units follow the log."""
        self._app.roll_up.keep_up()

    @every(seconds=2)
    def replay(self) -> None:
        """重放: the replay that waits longest."""
        self._app.replays.make_waiting()

    @every(seconds=1)
    def seal(self) -> None:
        """封块: a checkpoint every five seconds or thousand events."""
        self._app.sealer.keep_up()

    @every(seconds=2)
    def witness(self) -> None:
        """见证: the newest checkpoint to every witness that has not signed it."""
        self._app.witnesses.round()

    @every(seconds=10)
    def measure_ledger(self) -> None:
        """计量: how old what is not sealed and not witnessed has become."""
        measure(self._app.ledger, self.name, self._app.store.clock)

    @every(seconds=6 * 3600)
    def detect(self) -> None:
        """线索识别: signs that figures were made for the score, as drafts for a person."""
        self._app.detection.keep_up()

    @every(seconds=2)
    def publish(self) -> None:
        """公布: the rankings two people agreed to publish."""
        self._app.publications.make_waiting()

    @every(seconds=5)
    def warn(self) -> None:
        """预警: scores and findings that are new are looked at; corrections that were waited for end objections."""
        self._app.supervision.watch.look()
        self._app.supervision.objections.follow()

    @every(seconds=5)
    def escalate(self) -> None:
        """逾期升级: what is past its due time goes to the next level up."""
        self._app.supervision.escalate()
        self._app.supervision.measure()

    @every(seconds=600)
    def remind(self) -> None:
        """任务提醒: units hear of what is due soon and of what is overdue, each once."""
        self._app.tasks.remind()

    @every(seconds=2)
    def assign(self) -> None:
        """分派审核: submitted reports find their reviewers."""
        self._app.assigning.assign_waiting()

    @every(seconds=15)
    def measure_reviews(self) -> None:
        """Gauges: reports that wait for an answer, reviews to be handed on, reviews past their due day."""
        waiting, overdue, lost = self._app.looking.measure()
        metrics.WAITING.labels(self.name, "reports").set(waiting)
        metrics.WAITING.labels(self.name, "reviews_to_hand_on").set(lost)
        metrics.OVERDUE.labels(self.name, "reviews").set(overdue)
