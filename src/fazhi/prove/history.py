"""A county's year of scored events, drawn from a seed, and the doors through which a proof delivers it."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Any

from contracts.directory.v1.directory_pb2 import Unit, UnitKind, UnitLevel
from contracts.events.v1.scored_pb2 import ScoredEvent, ScoredEvents
from contracts.findings import Basis, Finding, Mode, Outcome
from contracts.findings.signing import sign_with
from contracts.findings.wire import scored_event
from contracts.topology import ASSESSMENT_SCORED, SCORED
from fazhi.services import build
from kernel.access.keyring import RingKey
from kernel.bus.inbound import Inbound
from kernel.bus.markers import subscriptions
from kernel.bus.port import Delivery
from kernel.clock import FixedClock, microseconds
from kernel.hosting.runtime import Runtime
from kernel.ids import derived_id, new_id
from kernel.messages import Item, Message
from kernel.settings import Settings
from services.assessment.tables import UNITS as UNIT_COPY
from services.assessment.worker import AssessmentWorker

GROUP = "county_departments"
COUNTY = "150102"
UNITS = tuple(f"{COUNTY}-{number:03d}" for number in range(40))
PROBES = (
    "ENF-TIM-01",
    "ENF-TIM-02",
    "ENF-TIM-04",
    "ENF-PUB-01",
    "ENF-SUB-01",
    "ENF-OFF-01",
    "ENF-REC-01",
    "ENF-REV-01",
)
OUTCOMES = (*[Outcome.PASS] * 14, *[Outcome.FAIL] * 4, Outcome.NOT_APPLICABLE, Outcome.NOT_COMPUTABLE)
HISTORY_START = datetime(2026, 1, 2, 2, 0, tzinfo=UTC)
CORRECTED = 0.03
A_MESSAGE, A_BATCH = 50, 8
BASIS = Basis("行政处罚法", "2021-01-22", "第六十条")


def drawn(count: int, chance: random.Random) -> Iterator[ScoredEvent]:
    """So many events in the order in which they were recorded; some correct an earlier one."""
    recent: list[ScoredEvent] = []
    for number in range(count):
        recorded = HISTORY_START + timedelta(days=355) * number / count
        if recent and chance.random() < CORRECTED:
            former = chance.choice(recent)
            yield _event(number, chance, former.unit, former.probe, former.subject, recorded, former.id)
            continue
        event = _event(
            number,
            chance,
            chance.choice(UNITS),
            chance.choice(PROBES),
            f"enforcement/cases/{number}",
            recorded,
            "",
        )
        recent = [*recent[-199:], event]
        yield event


def _event(
    number: int, chance: random.Random, unit: str, probe: str, subject: str, recorded: datetime, corrects: str
) -> ScoredEvent:
    outcome = chance.choice(OUTCOMES)
    marks = {Outcome.PASS: 1000, Outcome.FAIL: chance.choice((0, 0, 400, 750))}.get(outcome, 0)
    occurred = recorded - timedelta(hours=chance.randrange(1, 20))
    return scored_event(
        Finding(
            probe=probe,
            probe_version=1 + chance.randrange(2),
            outcome=outcome,
            score_milli=marks,
            occurred_at=max(occurred, HISTORY_START),
            basis=(BASIS,),
            reason="证明用事件",
        ),
        event_id=derived_id("prove/history", str(number), str(chance.random())),
        source="enforcement",
        unit=unit,
        subject=subject,
        mode=Mode.ENTERED,
        recorded_at_us=microseconds(recorded),
        corrects=corrects,
    )


@contextmanager
def opened(folder: Path, clock: FixedClock, url: str, **more: Any) -> Iterator[Any]:
    """Assessment, migrated and with the catalogue's frameworks published; on SQLite in the folder without a URL."""
    folder.mkdir(parents=True, exist_ok=True)
    runtime = Runtime(Settings(data=folder, database_url=url, **more), clock)
    service = build("assessment", runtime)
    service.migrate()
    service.app.prepare()
    yield service.app
    runtime.close()


def units_told(app: Any) -> None:
    """The county and its departments, as the directory tells of them."""
    government = Unit(
        code=COUNTY,
        name="证明县",
        kind=UnitKind.UNIT_KIND_GOVERNMENT,
        level=UnitLevel.UNIT_LEVEL_COUNTY,
        path=f"/15/{COUNTY}/",
        region_code=COUNTY,
        valid_from="2020-01-01",
        version=1,
    )
    departments = [
        Unit(
            code=code,
            name=f"证明局{code[-3:]}",
            kind=UnitKind.UNIT_KIND_DEPARTMENT,
            level=UnitLevel.UNIT_LEVEL_COUNTY,
            parent=COUNTY,
            path=f"/15/{COUNTY}/{code}/",
            region_code=COUNTY,
            valid_from="2020-01-01",
            version=1,
        )
        for code in UNITS
    ]
    from contracts.units import pack_units, read_units

    with app.store.work() as work:
        for body in pack_units([government, *departments]):
            message = Message(
                id=derived_id("prove/units", COUNTY), source="gateway", name="units.v1", body=body
            )
            UNIT_COPY.apply(work, [item for item in read_units(message) if isinstance(item, Item)])
        work.commit()


def deliver(
    app: Any,
    events: Sequence[ScoredEvent],
    clock: FixedClock | None,
    keys: Mapping[str, RingKey] = MappingProxyType({}),
) -> None:
    """Deliver events in messages and batches, as the bus does, signed by these keys of sources; the clock follows."""
    worker = AssessmentWorker(app)
    doors = {
        subscription.queue.name: Inbound(app.store, subscription, getattr(worker, name))
        for name, subscription in subscriptions(worker)
    }
    door = doors[ASSESSMENT_SCORED.name]
    for start in range(0, len(events), A_MESSAGE * A_BATCH):
        part = events[start : start + A_MESSAGE * A_BATCH]
        if clock is not None:
            clock.set(datetime.fromtimestamp(part[-1].recorded_at_us / 1_000_000 + 1, tz=UTC))
        messages = [
            _told(source, list(told), keys.get(source))
            for first in range(0, len(part), A_MESSAGE)
            for source, told in groupby(part[first : first + A_MESSAGE], key=lambda event: event.source)
        ]
        door.take([Delivery(message, redelivered=False) for message in messages])


def _told(source: str, events: Sequence[ScoredEvent], key: RingKey | None) -> Message:
    if key is not None:
        sign_with(key, source, events)
    body = ScoredEvents(events=events).SerializeToString()
    return Message(id=new_id(), source=source, name=SCORED, body=body)
