"""What was told and lost on the way is found by its id, told again, and counts once (R6)."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from contracts import topology
from contracts.events.v1.scored_pb2 import ScoredEvents
from contracts.findings import Basis, Finding, Mode, Outcome
from contracts.findings.register import Found
from fazhi import reconcile, told_and_logged
from fazhi.cli import app as command_line
from kernel.access import keyring
from kernel.access.files import replace_file
from kernel.access.keyring import read_ring
from kernel.access.principal import SYSTEM
from kernel.bus.inbound import Inbound
from kernel.bus.inprocess import InProcessBus
from kernel.bus.markers import subscriptions
from kernel.bus.port import Delivery
from kernel.clock import FixedClock
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from kernel.storage import quarantine
from kernel.storage.relay import Relay
from kernel.storage.retention import keep_outbox
from services.assessment.scoring.log import append
from services.assessment.scoring.model import EVENT_LOG
from services.assessment.worker import AssessmentWorker
from services.enforcement.tables import FINDINGS
from tests.support.events import a_message, an_event
from tests.support.stores import built

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MORNING = datetime(2026, 3, 5, 2, 20, tzinfo=UTC)


class Way:
    """Enforcement, its relay, a bus, and assessment: the whole way of a scored event, step by step."""

    def __init__(self, runtime):
        self.runtime = runtime
        self.clock = runtime.clock
        runtime.source_keys("enforcement")  # as when the platform starts
        self.source = built(runtime, "services.enforcement").store
        assessment = built(runtime, "services.assessment")
        self.log = assessment.store
        self.bus = InProcessBus(runtime.settings.data / "bus.db", topology.QUEUES)
        self.relay = Relay(self.source, self.bus)
        worker = AssessmentWorker(assessment)
        for name, subscription in subscriptions(worker):
            if subscription.queue == topology.ASSESSMENT_SCORED:
                self.door = Inbound(self.log, subscription, getattr(worker, name))

    def tell(self, *subjects):
        """Findings about these cases in one transaction; returns the ids of their events."""
        basis = (Basis("行政处罚法", "2021-01-22", "第六十条"),)
        found = [
            Found(
                f"enforcement/cases/{subject}",
                "150102-scjg",
                Mode.REAL_TIME,
                Finding(
                    probe="ENF-TIM-01",
                    probe_version=1,
                    outcome=Outcome.PASS,
                    score_milli=1000,
                    occurred_at=self.clock.now(),
                    basis=basis,
                ),
            )
            for subject in subjects
        ]
        with self.source.work() as work:
            FINDINGS.record(work, found)
            work.commit()
        names = [f"enforcement/cases/{subject}" for subject in subjects]
        query = select(FINDINGS.table.c.event_id).where(FINDINGS.table.c.subject.in_(names))
        with self.source.reading() as session:
            return set(session.execute(query).scalars())

    def send(self):
        while self.relay.step():
            pass

    def arrive(self):
        self._consume(self.door.take)

    def vanish(self):
        """A consumer that settles what it is given and does nothing with it."""
        self._consume(lambda _deliveries: None)

    def differences(self, hours=24):
        return list(reconcile.reconcile(self.source, self.log, self.clock.now() - timedelta(hours=hours)))

    def logged(self):
        with self.log.reading() as session:
            return session.execute(select(func.count()).select_from(EVENT_LOG)).scalar_one()

    def close(self):
        self.relay._release()
        self.bus.close()
        self.runtime.close()

    def _consume(self, take):
        stop = threading.Event()
        queue = topology.ASSESSMENT_SCORED
        options = {"batch": 10, "linger_seconds": 0.01}
        thread = threading.Thread(target=self.bus.consume, args=(queue, take, stop), kwargs=options)
        thread.start()
        ends = time.monotonic() + 20
        while self.bus.depth(queue) and time.monotonic() < ends:
            time.sleep(0.02)
        stop.set()
        thread.join(20)
        assert self.bus.depth(queue) == 0


def postgresql_databases(request):
    server = request.getfixturevalue("postgresql")
    name = f"reconciled_{time.monotonic_ns()}"
    for service in ("enforcement", "assessment"):
        server.create_database(f"{name}_{service}")
    return server.url_of(f"{name}_{{service}}")


@pytest.fixture(params=["sqlite", "postgresql"])
def way(request, tmp_path):
    url = postgresql_databases(request) if request.param == "postgresql" else ""
    way = Way(Runtime(Settings(data=tmp_path, database_url=url), FixedClock(MORNING)))
    yield way
    way.close()


def test_exactly_what_was_lost_is_named_told_again_and_counted_once(way):
    way.tell("a", "b")
    way.send()
    way.arrive()
    lost = way.tell("c", "d")
    way.send()
    way.vanish()
    way.clock.advance(timedelta(hours=1))
    way.tell("e")
    way.send()
    way.arrive()
    lost_later = way.tell("f")
    way.send()
    way.vanish()
    way.clock.advance(timedelta(minutes=30))
    first, second = way.differences()
    assert (first.at.hour, set(first.missing), first.unknown, first.told, first.logged) == (2, lost, (), 4, 2)
    assert (second.at.hour, set(second.missing), second.told, second.logged) == (3, lost_later, 2, 1)
    assert [reconcile.resend(way.source, hour) for hour in (first, second)] == [1, 1]
    assert [hour.waiting for hour in way.differences()] == [True, True]  # told again, not yet sent
    way.send()
    way.arrive()
    assert way.differences() == []
    assert way.logged() == 6


def test_a_re_send_of_what_arrived_after_all_changes_nothing(way):
    way.tell("a")
    way.send()
    way.clock.advance(timedelta(hours=1))
    (hour,) = way.differences()
    reconcile.resend(way.source, hour)
    way.arrive()  # it had only been slow
    way.send()
    way.arrive()
    assert way.differences() == []
    assert way.logged() == 1


def test_what_arrives_between_counting_and_looking_is_no_difference(way, monkeypatch):
    way.tell("a")
    way.send()
    way.clock.advance(timedelta(hours=1))
    look = reconcile._look_closely

    def arrived_meanwhile(*given):
        way.arrive()
        return look(*given)

    monkeypatch.setattr(reconcile, "_look_closely", arrived_meanwhile)
    assert way.differences() == []
    assert way.logged() == 1


def test_an_event_of_a_message_that_arrived_in_part_is_told_again_in_the_same_bytes(way):
    way.tell("a", "b", "c")
    outbox = way.source.spine.outbox
    way.send()
    way.vanish()
    with way.source.reading() as session:
        body = session.execute(select(outbox.c.body)).scalar_one()
    first = ScoredEvents.FromString(body).events[0]
    way.door.take([Delivery(a_message(first), redelivered=False)])
    way.clock.advance(timedelta(hours=1))
    (hour,) = way.differences()
    assert len(hour.missing) == 2
    assert first.id not in hour.missing
    reconcile.resend(way.source, hour)
    with way.source.reading() as session:
        rows = session.execute(select(outbox).order_by(outbox.c.pos)).fetchall()
        acts = session.execute(select(way.source.spine.audit.c.action)).scalars().all()
    assert [row.body for row in rows] == [body, body]
    assert rows[0].sent_at is not None
    assert rows[0].id != rows[1].id
    assert "scored_events.resent" in acts
    way.send()
    way.arrive()
    assert way.differences() == []


def test_what_the_log_has_and_nobody_told_is_named(way):
    stranger = an_event(recorded_at=MORNING)
    way.tell("a")
    way.send()
    way.arrive()
    with way.log.work() as work:  # through the door it would not come
        append(work, [stranger])
        work.commit()
    way.clock.advance(timedelta(hours=1))
    (hour,) = way.differences()
    assert (hour.unknown, hour.missing) == ((stranger.id,), ())


def test_what_was_refused_because_its_key_is_revoked_is_signed_again_and_counts_once(way, monkeypatch):
    monkeypatch.setattr(keyring, "LOOK_SECONDS", 0.0)
    (event,) = way.tell("a")
    path = way.runtime.settings.data / "keys" / "source-enforcement.pem"
    ring = read_ring(path.read_bytes())
    replace_file(path, ring.revoked(ring.keys[0].kid, LONG_AGO).text())
    way.send()
    way.arrive()
    way.clock.advance(timedelta(hours=1))
    (hour,) = way.differences()
    assert (way.logged(), hour.held, hour.missing) == (0, (event,), ())
    with way.log.reading() as session:
        (held,) = quarantine.entries(session, way.log)
    assert held.code == "contracts.signature_revoked_key"
    with way.log.work() as work:
        quarantine.settle(work, SYSTEM, held.id, state="refused")
        work.commit()
    (hour,) = way.differences()
    assert hour.missing == (event,)
    reconcile.resend(way.source, hour)
    way.send()
    way.arrive()
    assert way.differences() == []
    assert way.logged() == 1


def test_what_waits_in_quarantine_is_said_to_and_not_told_again(way):
    (held,) = way.tell("a")
    way.send()
    way.vanish()
    outbox = way.source.spine.outbox
    with way.source.reading() as session:
        body = session.execute(select(outbox.c.body)).scalar_one()
    with way.log.work() as work:
        quarantined = {
            "id": held,
            "consumer": topology.ASSESSMENT_SCORED.name,
            "source": "enforcement",
            "name": topology.SCORED,
            "message_id": "m",
            "raw": body,
            "digest": "d",
            "code": "platform.worn_out",
            "reason": "处理 5 次均未成功",
            "held_at": work.clock.now(),
        }
        work.session.execute(work.spine.quarantine.insert().values(quarantined))
        work.commit()
    way.clock.advance(timedelta(hours=1))
    (hour,) = way.differences()
    assert (hour.missing, hour.held) == ((), (held,))
    assert reconcile.resend(way.source, hour) == 0


def test_an_hour_with_unsent_facts_is_left_for_the_next_run_and_so_is_the_last_moment(way):
    way.tell("a")
    way.clock.advance(timedelta(minutes=30))
    assert [hour.waiting for hour in way.differences()] == [True]
    way.send()
    way.arrive()
    way.tell("b")
    way.send()
    way.vanish()
    assert way.differences() == []  # told this minute: it may be on its way
    way.clock.advance(timedelta(hours=1))
    assert [len(hour.missing) for hour in way.differences()] == [1]
    assert way.differences(hours=1) != []
    way.clock.advance(timedelta(hours=5))
    assert way.differences(hours=2) == []


def test_a_long_history_is_compared_in_windows(way, monkeypatch):
    monkeypatch.setattr(told_and_logged, "MESSAGES", 3)
    monkeypatch.setattr(told_and_logged, "EVENTS", 4)
    monkeypatch.setattr(reconcile, "IDS", 2)
    lost = set()
    for hour in range(6):
        for number in range(5):
            way.tell(f"{hour}-{number}-a", f"{hour}-{number}-b")
        way.send()
        way.arrive()
        lost |= way.tell(f"{hour}-lost")
        way.send()
        way.vanish()
        way.clock.advance(timedelta(hours=1))
    found = way.differences(hours=2000)
    assert {event_id for hour in found for event_id in hour.missing} == lost
    assert [(hour.told, hour.logged) for hour in found] == [(11, 10)] * 6
    assert len(way.differences(hours=3)) == 3


def test_a_finding_in_force_that_was_lost_before_the_kept_months_is_named(request, tmp_path):
    url = postgresql_databases(request)
    way = Way(Runtime(Settings(data=tmp_path, database_url=url), FixedClock(MORNING)))
    keep_outbox(way.source)
    lost = way.tell("old")
    way.send()
    way.vanish()
    way.tell("fine")
    way.send()
    way.arrive()
    way.clock.advance(timedelta(days=200))
    assert keep_outbox(way.source).dropped
    assert way.differences(hours=24 * 400) == []
    assert set(reconcile.lost_findings(way.source, way.log, FINDINGS.table)) == lost
    way.close()


def test_the_command_ends_with_one_where_something_was_lost_and_with_zero_after_the_re_send(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("FAZHI_DATA", str(tmp_path))
    clock = FixedClock(datetime.now(UTC) - timedelta(hours=2))
    runtime = Runtime(Settings(), clock)
    for package in ("gateway", "services.legislation", "services.disputes", "services.decisions"):
        built(runtime, package)
    way = Way(runtime)
    (lost,) = way.tell("a")
    way.send()
    way.vanish()

    def fazhi(*words):
        return CliRunner().invoke(command_line, ["reconcile", *words])

    found = fazhi()
    assert (found.exit_code, lost in found.output) == (1, True)
    assert "补发" not in found.output
    assert fazhi("--all", "--resend").exit_code == 1
    way.send()
    way.arrive()
    equal = fazhi("--all")
    assert (equal.exit_code, equal.output.count("一致")) == (0, 5), equal.output
    way.close()
