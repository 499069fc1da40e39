"""
Golden samples of every fact, beside their schema: the publisher makes them, every consumer takes them.

So two services agree without sharing code, and an old message waiting in a queue or in quarantine is still read
after an upgrade. A sample is never edited once released; a new form gets a sample of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest
from google.protobuf import json_format
from google.protobuf.message import Message as Proto
from sqlalchemy import func, select

from contracts import topology
from contracts.citations.v1.citations_pb2 import Citation
from contracts.citations.wire import tell_citations
from contracts.clues.v1.clues_pb2 import ClueProgressed, ClueRouted, ClueState
from contracts.clues.wire import tell_progress
from contracts.corrections.wire import Correction, tell_correction
from contracts.directory.v1.directory_pb2 import Units
from contracts.findings import Basis, Evidence, Finding, Mode, Outcome
from contracts.findings.register import Found
from contracts.findings.wire import pack, scored_event
from contracts.holders.v1.holders_pb2 import Holders
from fazhi.docs.asyncapi import FACTS
from fazhi.services import package_of
from kernel.bus.inbound import Inbound
from kernel.bus.markers import Subscription, subscriptions
from kernel.bus.port import Delivery
from kernel.clock import FixedClock, microseconds
from kernel.messages import Item, Message, Queue
from tests.support.gateway import NOW, TREE, body_of, furnish, hotline_order, partner, principal
from tests.support.stores import built, sqlite_runtime

ROOT = Path(__file__).parents[3]
IDS = tuple(f"01993a5c-0000-7000-8000-00000000000{number}" for number in range(10))


@dataclass(frozen=True, slots=True)
class Sample:
    """One golden message: who tells it under which name, the body, and the digest of each fact by its key."""

    path: Path
    source: str
    name: str
    body: dict[str, Any]
    digests: dict[str, str]

    @property
    def proto(self) -> Proto:
        fact = FACTS[self.name]
        module = import_module(
            f"contracts.{fact.schema}.v1.{'scored' if fact.schema == 'events' else fact.schema}_pb2"
        )
        parsed: Proto = json_format.ParseDict(self.body, getattr(module, fact.type)())
        return parsed

    @property
    def message(self) -> Message:
        return Message(
            id=IDS[9],
            source=self.source,
            name=self.name,
            body=self.proto.SerializeToString(deterministic=True),
        )


def samples() -> list[Sample]:
    return [
        Sample(path, **orjson.loads(path.read_bytes()))
        for path in sorted((ROOT / "proto" / "contracts").glob("*/v1/samples/*.json"))
    ]


def subscription_of(queue: Queue) -> tuple[str, str, Subscription]:
    """(service, method, subscription) of the worker that hears a queue."""
    service = queue.name.split(".")[0]
    worker = getattr(import_module(f"{package_of(service)}.worker"), f"{service.capitalize()}Worker")
    for method, subscription in subscriptions(worker):
        if subscription.queue == queue:
            return service, method, subscription
    raise AssertionError(f"nobody hears {queue.name}")


def hearings() -> Iterator[Any]:
    """Every sample with every queue that hears it."""
    for sample in samples():
        for queue in topology.QUEUES:
            if (sample.source, sample.name) in queue.keys:
                yield pytest.param(sample, queue, id=f"{sample.path.stem}-{queue.name}")


def test_every_fact_has_a_sample() -> None:
    assert {sample.name for sample in samples()} == set(FACTS)


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.path.stem)
def test_a_sample_is_told_by_somebody_and_lies_beside_its_schema(sample: Sample) -> None:
    assert any((sample.source, sample.name) in queue.keys for queue in topology.QUEUES)
    assert sample.path.parts[-4] == FACTS[sample.name].schema


@pytest.mark.parametrize(("sample", "queue"), list(hearings()))
def test_a_consumer_reads_it_as_the_same_facts_for_ever(sample: Sample, queue: Queue) -> None:
    _, _, subscription = subscription_of(queue)
    items = subscription.decode(sample.message)
    assert [entry for entry in items if not isinstance(entry, Item)] == []
    # Another digest under the same key would make every repeat after the upgrade look like a forgery.
    assert {item.key: item.digest.hex() for item in items if isinstance(item, Item)} == sample.digests


@pytest.mark.parametrize(("sample", "queue"), list(hearings()))
def test_the_service_takes_it_and_only_once(sample: Sample, queue: Queue, tmp_path: Path) -> None:
    service, method, subscription = subscription_of(queue)
    app = built(sqlite_runtime(tmp_path, FixedClock(NOW)), package_of(service))
    worker = getattr(import_module(f"{package_of(service)}.worker"), f"{service.capitalize()}Worker")(app)
    inbound = Inbound(app.store, subscription, getattr(worker, method))
    message = sample.message
    if sample.name == topology.CLUE_PROGRESSED:
        message = about_a_known_clue(app, sample)
    if sample.name == topology.CORRECTION_ASKED:
        a_finding_told(app, service)
    inbound.take([Delivery(message, redelivered=False)])
    inbound.take([Delivery(message, redelivered=True)])
    spine = app.store.spine
    with app.store.reading() as session:
        taken = session.execute(select(func.count()).select_from(spine.inbox)).scalar_one()
        held = session.execute(select(spine.quarantine.c.code, spine.quarantine.c.reason)).fetchall()
    assert held == []
    assert taken == len(sample.digests)


@pytest.mark.parametrize(("sample", "queue"), list(hearings()))
def test_what_a_newer_publisher_adds_is_no_obstacle(sample: Sample, queue: Queue) -> None:
    _, _, subscription = subscription_of(queue)
    added = b"\xa2\x06\x03new"  # field 100, length-delimited
    newer = Message(id=IDS[8], source=sample.source, name=sample.name, body=sample.message.body + added)
    assert [type(entry) for entry in subscription.decode(newer)] == [Item] * len(sample.digests)


@pytest.mark.parametrize(("sample", "queue"), list(hearings()))
def test_an_unknown_version_waits_in_quarantine(sample: Sample, queue: Queue, tmp_path: Path) -> None:
    service, method, subscription = subscription_of(queue)
    app = built(sqlite_runtime(tmp_path, FixedClock(NOW)), package_of(service))
    worker = getattr(import_module(f"{package_of(service)}.worker"), f"{service.capitalize()}Worker")(app)
    told = sample.message
    newer = Message(id=told.id, source=told.source, name=told.name.replace(".v1", ".v9"), body=told.body)
    Inbound(app.store, subscription, getattr(worker, method)).take([Delivery(newer, redelivered=False)])
    table = app.store.spine.quarantine
    with app.store.reading() as session:
        held = session.execute(select(table.c.code, table.c.raw)).one()
    assert held.code == "contracts.unknown_version"
    assert bytes(held.raw) == told.body


def about_a_known_clue(app: Any, sample: Sample) -> Message:
    """The sample's progress, told about a clue this gateway has given out: it takes no other."""
    furnish(app)
    body = body_of(hotline_order())
    verified = app.partners.authenticate(partner(app, "hotline").signed(body, NOW), body)
    told = ClueProgressed.FromString(sample.message.body)
    told.receipt = app.intake.take(verified, body).receipt
    return Message(
        id=IDS[9], source=sample.source, name=sample.name, body=told.SerializeToString(deterministic=True)
    )


def a_finding_told(app: Any, service: str) -> None:
    """A finding about what the sample of corrections names: a service that never told it holds the notice."""
    known = found(Outcome.FAIL, 0, "超期三十日")
    register = import_module(f"{package_of(service)}.tables").FINDINGS
    with app.store.work() as work:
        register.record(work, [Found("enforcement/cases/1", "150102-scjg", Mode.ENTERED, known)])
        work.commit()


# --- the publishers -------------------------------------------------------------------------------------------


@dataclass
class Told:
    """Stands for an open unit of work: keeps what was told."""

    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    bodies: list[tuple[str, bytes]] = field(default_factory=list)

    def tell(self, name: str, body: bytes, **_: object) -> None:
        self.bodies.append((name, body))


def sample_named(stem: str) -> Sample:
    return next(sample for sample in samples() if sample.path.stem == stem)


def found(outcome: Outcome, score_milli: int, reason: str, **more: Any) -> Finding:
    return Finding(
        probe="ENF-TIM-01",
        probe_version=1,
        outcome=outcome,
        score_milli=score_milli,
        occurred_at=datetime(2026, 3, 5, 2, 0, tzinfo=UTC),
        basis=(Basis("行政处罚法", "2021-01-22", "第六十条"),),
        reason=reason,
        **more,
    )


def test_findings_are_told_as_the_samples_say() -> None:
    evidence = (
        Evidence("sha256:" + "0" * 64, "application/pdf", "处罚决定书.pdf", "enforcement/evidence/1"),
    )
    findings = {
        "scored.v1": [
            found(Outcome.PASS, 1000, "九十日内作出", numerator=60, denominator=90, evidence=evidence),
            found(Outcome.NOT_DUE, 0, "未到期"),
            found(Outcome.NOT_APPLICABLE, 0, "不适用"),
            found(Outcome.NOT_COMPUTABLE, 0, "未报送立案日期"),
        ],
        "scored.v1.correction": [found(Outcome.FAIL, 500, "超期三十日", numerator=120, denominator=90)],
    }
    for stem, listed in findings.items():
        events = [
            scored_event(
                finding,
                event_id=IDS[number] if stem == "scored.v1" else IDS[5],
                source="enforcement",
                unit="150102-scjg",
                subject=f"enforcement/cases/{number + 1}",
                mode=Mode.ENTERED,
                recorded_at_us=microseconds(NOW),
                corrects="" if stem == "scored.v1" else IDS[0],
                trace="01993a5c00007000800000000000aaaa",
            )
            for number, finding in enumerate(listed)
        ]
        assert list(pack(events)) == [sample_named(stem).message.body]


def test_citations_are_told_as_the_sample_says() -> None:
    told = Told()
    tell_citations(
        told,  # type: ignore[arg-type]
        [
            Citation(
                id=IDS[1],
                source="enforcement",
                subject="enforcement/cases/1",
                unit="150102-scjg",
                document="行政处罚法",
                version="2021-01-22",
                article="第六十条",
                cited_on="2026-03-05",
            )
        ],
    )
    assert told.bodies == [("citations.v1", sample_named("citations.v1").message.body)]


def test_progress_is_told_as_the_sample_says() -> None:
    told = Told()
    tell_progress(told, IDS[2], ClueState.CLUE_STATE_ANSWERED, "已责令改正。", "enforcement/leads/1")  # type: ignore[arg-type]
    sample = sample_named("clue_progressed.v1")
    ((name, body),) = told.bodies
    made = type(sample.proto).FromString(body)
    assert name == sample.name
    assert as_json(made, id=IDS[3]) == as_json(sample.proto)


def test_corrections_are_asked_as_the_sample_says() -> None:
    told = Told(clock=FixedClock(datetime(2026, 3, 5, 9, 0, tzinfo=UTC)))
    asked = Correction(
        service="enforcement",
        objection=IDS[7],
        event=IDS[5],
        unit="150102-scjg",
        probe="ENF-TIM-01",
        subject="enforcement/cases/1",
        outcome=Outcome.FAIL,
        score_milli=800,
        reason="检验期间应当扣除，只超期六日",
        due_at=datetime(2026, 3, 12, 16, 0, tzinfo=UTC),
    )
    identity = tell_correction(told, asked)  # type: ignore[arg-type]
    sample = sample_named("correction_asked.v1")
    ((name, body),) = told.bodies
    made = type(sample.proto).FromString(body)
    assert (name, made.id) == (sample.name, identity)
    assert as_json(made, id=IDS[6]) == as_json(sample.proto)


def test_units_are_told_by_the_directory_as_the_sample_says(tmp_path: Path) -> None:
    app = built(sqlite_runtime(tmp_path, FixedClock(NOW)), "gateway")
    app.directory.load(TREE)
    sample = sample_named("units.v1")
    assert [as_json(Units.FromString(body)) for body in outbox(app, "units.v1")] == [as_json(sample.proto)]


def test_holders_are_told_by_the_gateway_as_the_sample_says(tmp_path: Path) -> None:
    app = built(sqlite_runtime(tmp_path, FixedClock(NOW)), "gateway")
    furnish(app)
    asked = {"account": "shenhe", "role": "inspector", "unit": "150102", "until_on": date(2026, 12, 31)}
    grant = app.accounts.propose(principal("xitong", "15", "/15/", "system_admin"), **asked)
    app.accounts.decide(principal("anquan", "15", "/15/", "security_admin"), grant, approve=True)
    assert as_json(Holders.FromString(outbox(app, "holders.v1")[-1])) == as_json(
        sample_named("holders.v1").proto
    )


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("clue_routed_to_enforcement.v1", {}),
        (
            "clue_routed_to_disputes.v1",
            {"来电类别": "求助", "工单标题": "邻里矛盾纠纷调解", "主要内容": "宅基地纠纷请求调解。"},
        ),
    ],
)
def test_clues_are_routed_by_the_gateway_as_the_samples_say(
    name: str, changes: dict[str, str], tmp_path: Path
) -> None:
    app = built(sqlite_runtime(tmp_path, FixedClock(NOW)), "gateway")
    furnish(app)
    sender = partner(app, "hotline")
    body = body_of(hotline_order(**changes))
    verified = app.partners.authenticate(sender.signed(body, NOW), body)
    app.intake.take(verified, body)
    (told,) = outbox(app, name)
    made = ClueRouted.FromString(told)
    made.clue.person_hash = "hmac-sm3" if made.clue.person_hash else ""  # keyed by a key made for this test
    assert as_json(made, receipt=IDS[4]) == as_json(sample_named(name).proto)


def outbox(app: Any, name: str) -> list[bytes]:
    table = app.store.spine.outbox
    with app.store.reading() as session:
        rows = session.execute(select(table.c.body).where(table.c.name == name).order_by(table.c.pos))
        return [bytes(row.body) for row in rows]


def as_json(message: Proto, **changed: str) -> dict[str, Any]:
    said: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return {**said, **changed}
