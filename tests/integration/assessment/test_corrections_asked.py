"""From an upheld objection to the corrected score, over a bus, with the service that owns the datum at the other end."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select

from contracts import topology
from contracts.findings import Finding, Mode, Outcome
from contracts.findings.register import Found
from kernel.bus.inbound import Inbound
from kernel.bus.inprocess import InProcessBus
from kernel.bus.markers import subscriptions
from kernel.bus.port import Bus
from kernel.bus.rabbit import RabbitBus
from kernel.clock import FixedClock
from kernel.storage.relay import Relay
from services.assessment.scoring.model import EVENT_LOG
from services.assessment.worker import AssessmentWorker
from services.enforcement.tables import CORRECTIONS, FINDINGS
from services.enforcement.worker import EnforcementWorker
from tests.integration.assessment.conftest import Fed
from tests.support.events import MARCH_5
from tests.support.stores import built, sqlite_runtime
from tests.support.supervision import CHECKER, HEAD, ISSUER, UNIT, Desk, county

SUBJECT = "enforcement/cases/late"
HEARD = (topology.ASSESSMENT_SCORED, topology.CORRECTION_NOTICES["enforcement"])


@pytest.fixture(params=["in_process", "rabbitmq"])
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


def late(**changes: Any) -> Found:
    facts: dict[str, Any] = {
        "probe": "ENF-TIM-01",
        "probe_version": 1,
        "outcome": Outcome.FAIL,
        "score_milli": 0,
        "occurred_at": MARCH_5 - timedelta(hours=1),
        "reason": "超期",
    }
    return Found(SUBJECT, UNIT, Mode.ENTERED, Finding(**(facts | changes)))


def told(app: Any, found: Found) -> None:
    with app.store.work() as work:
        FINDINGS.record(work, [found])
        work.commit()


def test_the_owner_is_told_corrects_and_the_objection_is_done(bus: Bus, tmp_path: Any) -> None:
    clock = FixedClock(MARCH_5)
    with ExitStack() as stack:
        runtime = sqlite_runtime(tmp_path, clock)
        stack.callback(runtime.close)
        assessment, owner = (built(runtime, f"services.{name}") for name in ("assessment", "enforcement"))
        assessment.prepare()
        fed = Fed(assessment, runtime)
        county(fed)
        desk = Desk(fed, tmp_path)
        stack.enter_context(listening(bus, assessment, AssessmentWorker(assessment)))
        stack.enter_context(listening(bus, owner, EnforcementWorker(owner)))
        relays = {app.store.source: Relay(app.store, bus) for app in (assessment, owner)}

        told(owner, late())
        relays["enforcement"].step()
        eventually(lambda: len(entered(desk)) == 1)
        (event,) = entered(desk)

        body = {"event": event, "asked": "not_applicable", "grounds": "检验期间应当扣除"}
        objection = desk.do(HEAD, "/objections", 201, **body)["id"]
        desk.do(ISSUER, f"/objections/{objection}/acceptance")
        desk.do(ISSUER, f"/objections/{objection}/draft", outcome="upheld", reasons="检验报告属实")
        assert desk.get(HEAD, f"/objections/{objection}")["told_at"] is None
        waiting = desk.do(CHECKER, f"/objections/{objection}/confirmation")
        assert (waiting["state"], waiting["told_at"]) == ("correcting", "2026-03-05T02:00:00Z")

        relays["assessment"].step()
        eventually(lambda: len(asked(owner)) == 1)
        (notice,) = asked(owner)
        assert (notice.objection, notice.event_id, notice.subject) == (objection, event, SUBJECT)
        assert (notice.outcome, notice.reason) == (Outcome.NOT_APPLICABLE, "检验报告属实")
        assert notice.due_at.isoformat() == waiting["due_at"].replace("Z", "+00:00")
        again(assessment, bus)
        assert len(asked(owner)) == 1

        told(owner, late(outcome=Outcome.NOT_APPLICABLE))
        assert asked(owner)[0].corrected_at == MARCH_5
        relays["enforcement"].step()
        eventually(lambda: len(entered(desk)) == 2)
        assert assessment.supervision.objections.follow() == 1
        done = desk.get(HEAD, f"/objections/{objection}")
        assert (done["state"], done["outcome"]) == ("closed", "upheld")
        assert done["correction"] == asked(owner)[0].correction == entered(desk)[1]


def again(assessment: Any, bus: Bus) -> None:
    """The relay died before it marked what it had sent, so it sends it again; the owner passes over it."""
    outbox = assessment.store.spine.outbox
    with assessment.store.work() as work:
        work.session.execute(outbox.update().values(sent_at=None))
        work.commit()
    before = absorbed()
    Relay(assessment.store, bus).step()
    eventually(lambda: absorbed() == before + 1)


def absorbed() -> float:
    queue = topology.CORRECTION_NOTICES["enforcement"].name
    return REGISTRY.get_sample_value("fazhi_redeliveries_absorbed_total", {"queue": queue}) or 0.0


def asked(owner: Any) -> list[Any]:
    with owner.store.reading() as session:
        return list(session.execute(select(CORRECTIONS.table)))


def entered(desk: Desk) -> list[str]:
    """Events of this probe in the log of assessment."""
    with desk.app.store.reading() as session:
        wanted = select(EVENT_LOG.c.event_id).where(EVENT_LOG.c.probe == "ENF-TIM-01")
        return [str(event) for event in session.scalars(wanted.order_by(EVENT_LOG.c.seq))]
