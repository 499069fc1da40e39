"""From an upheld objection to the corrected score, over a bus, with the service that owns the datum at the other end."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select

from contracts import topology
from contracts.corrections.register import CorrectionsAsked
from contracts.findings import Finding, Mode, Outcome
from contracts.findings.register import FindingsRegister, Found
from gateway import tables as gateway
from gateway.worker import GatewayWorker
from kernel.bus.inbound import Inbound
from kernel.bus.inprocess import InProcessBus
from kernel.bus.markers import subscriptions
from kernel.bus.port import Bus
from kernel.bus.rabbit import RabbitBus
from kernel.clock import FixedClock
from kernel.storage.relay import Relay
from services.assessment.scoring.model import EVENT_LOG
from services.assessment.worker import AssessmentWorker
from services.enforcement import tables as enforcement
from services.enforcement.worker import EnforcementWorker
from tests.integration.assessment.conftest import Fed
from tests.support.events import MARCH_5
from tests.support.stores import built, sqlite_runtime
from tests.support.supervision import CHECKER, HEAD, ISSUER, UNIT, Desk, county

HEARD = (
    topology.ASSESSMENT_SCORED,
    topology.CORRECTION_NOTICES["enforcement"],
    topology.CORRECTION_NOTICES["gateway"],
)


@dataclass(frozen=True)
class Owner:
    """A service that owns data, and one datum of it."""

    name: str
    package: str
    worker: Any
    findings: FindingsRegister
    corrections: CorrectionsAsked
    subject: str
    probe: str


ENFORCEMENT = Owner(
    "enforcement",
    "services.enforcement",
    EnforcementWorker,
    enforcement.FINDINGS,
    enforcement.CORRECTIONS,
    "enforcement/cases/late",
    "ENF-TIM-01",
)
GATEWAY = Owner(
    "gateway",
    "gateway",
    GatewayWorker,
    gateway.FINDINGS,
    gateway.CORRECTIONS,
    "gateway/clues/late",
    "GW-ANS-01",
)


@pytest.fixture
def bus(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Bus]:
    opened: Bus = (
        InProcessBus(tmp_path / "bus.db", HEARD)
        if request.param == "in_process"
        else RabbitBus(request.getfixturevalue("rabbitmq_url"), HEARD)
    )
    yield opened
    opened.close()


@contextmanager
def listening(bus: Bus, app: Any, worker: object) -> Iterator[None]:
    """What the worker hears of the queues of this test, until the end of it."""
    stop = threading.Event()
    threads = []
    for name, subscription in subscriptions(worker):
        if subscription.queue in HEARD:
            take = Inbound(app.store, subscription, getattr(worker, name)).take
            options = {"batch": subscription.batch, "linger_seconds": 0.01}
            arguments = (subscription.queue, take, stop)
            threads.append(threading.Thread(target=bus.consume, args=arguments, kwargs=options))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)


def eventually(found: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not found():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.02)


def late(owner: Owner, **changes: Any) -> Found:
    facts: dict[str, Any] = {
        "probe": owner.probe,
        "probe_version": 1,
        "outcome": Outcome.FAIL,
        "score_milli": 0,
        "occurred_at": MARCH_5 - timedelta(hours=1),
        "reason": "超期",
    }
    return Found(owner.subject, UNIT, Mode.ENTERED, Finding(**(facts | changes)))


def told(app: Any, owner: Owner, found: Found) -> None:
    with app.store.work() as work:
        owner.findings.record(work, [found])
        work.commit()


@pytest.mark.parametrize(
    ("bus", "owner"),
    [("in_process", ENFORCEMENT), ("rabbitmq", ENFORCEMENT), ("rabbitmq", GATEWAY)],
    indirect=["bus"],
    ids=["in_process", "rabbitmq", "rabbitmq-gateway"],
)
def test_the_owner_is_told_corrects_and_the_objection_is_done(bus: Bus, owner: Owner, tmp_path: Any) -> None:
    clock = FixedClock(MARCH_5)
    with ExitStack() as stack:
        runtime = sqlite_runtime(tmp_path, clock)
        stack.callback(runtime.close)
        assessment, app = (built(runtime, package) for package in ("services.assessment", owner.package))
        assessment.prepare()
        fed = Fed(assessment, runtime)
        county(fed)
        desk = Desk(fed, tmp_path)
        stack.enter_context(listening(bus, assessment, AssessmentWorker(assessment)))
        stack.enter_context(listening(bus, app, owner.worker(app)))
        relays = {one.store.source: Relay(one.store, bus) for one in (assessment, app)}

        told(app, owner, late(owner))
        relays[owner.name].step()
        eventually(lambda: len(entered(desk, owner)) == 1)
        (event,) = entered(desk, owner)

        body = {"event": event, "asked": "not_applicable", "grounds": "检验期间应当扣除"}
        objection = desk.do(HEAD, "/objections", 201, **body)["id"]
        desk.do(ISSUER, f"/objections/{objection}/acceptance")
        desk.do(ISSUER, f"/objections/{objection}/draft", outcome="upheld", reasons="检验报告属实")
        assert desk.get(HEAD, f"/objections/{objection}")["told_at"] is None
        waiting = desk.do(CHECKER, f"/objections/{objection}/confirmation")
        assert (waiting["state"], waiting["told_at"]) == ("correcting", "2026-03-05T02:00:00Z")

        relays["assessment"].step()
        eventually(lambda: len(asked(app, owner)) == 1)
        (notice,) = asked(app, owner)
        assert (notice.objection, notice.event_id, notice.subject) == (objection, event, owner.subject)
        assert (notice.outcome, notice.reason) == (Outcome.NOT_APPLICABLE, "检验报告属实")
        assert notice.due_at.isoformat() == waiting["due_at"].replace("Z", "+00:00")
        again(assessment, bus, owner)
        assert len(asked(app, owner)) == 1

        told(app, owner, late(owner, outcome=Outcome.NOT_APPLICABLE))
        assert asked(app, owner)[0].corrected_at == MARCH_5
        relays[owner.name].step()
        eventually(lambda: len(entered(desk, owner)) == 2)
        assert assessment.supervision.objections.follow() == 1
        done = desk.get(HEAD, f"/objections/{objection}")
        assert (done["state"], done["outcome"]) == ("closed", "upheld")
        assert done["correction"] == asked(app, owner)[0].correction == entered(desk, owner)[1]


def again(assessment: Any, bus: Bus, owner: Owner) -> None:
    """The relay died before it marked what it had sent, so it sends it again; the owner passes over it."""
    outbox = assessment.store.spine.outbox
    with assessment.store.work() as work:
        work.session.execute(outbox.update().values(sent_at=None))
        work.commit()
    before = absorbed(owner)
    Relay(assessment.store, bus).step()
    eventually(lambda: absorbed(owner) == before + 1)


def absorbed(owner: Owner) -> float:
    queue = topology.CORRECTION_NOTICES[owner.name].name
    return REGISTRY.get_sample_value("fazhi_redeliveries_absorbed_total", {"queue": queue}) or 0.0


def asked(app: Any, owner: Owner) -> list[Any]:
    with app.store.reading() as session:
        return list(session.execute(select(owner.corrections.table)))


def entered(desk: Desk, owner: Owner) -> list[str]:
    """Events of this probe in the log of assessment."""
    with desk.app.store.reading() as session:
        wanted = select(EVENT_LOG.c.event_id).where(EVENT_LOG.c.probe == owner.probe)
        return [str(event) for event in session.scalars(wanted.order_by(EVENT_LOG.c.seq))]
