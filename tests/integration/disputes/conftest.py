"""Disputes on both databases, fed through the inbound side that the buses use."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from contracts.clues.v1.clues_pb2 import Clue, ClueKind, ClueProgressed, ClueRouted
from contracts.directory.v1.directory_pb2 import Unit, UnitKind, UnitLevel
from contracts.events.v1.scored_pb2 import ScoredEvent, ScoredEvents
from contracts.topology import CLUE_PROGRESSED, CLUE_TO_DISPUTES, DIRECTORY, DISPUTES_CLUES, SCORED, UNITS
from contracts.units import pack_units
from kernel.access.principal import Principal
from kernel.bus.inbound import Inbound
from kernel.bus.markers import subscriptions
from kernel.bus.port import Delivery
from kernel.clock import FixedClock, microseconds, start_of_day
from kernel.ids import new_id
from kernel.messages import Message
from services.disputes.app import Disputes
from services.disputes.tables import SPINE
from services.disputes.worker import DisputesWorker
from tests.support.disputes import ORGAN, RESPONDENT
from tests.support.stores import built, postgresql_runtime, sqlite_runtime

START = datetime(2026, 3, 4, 4, tzinfo=UTC)  # noon in Shanghai, a Wednesday
ROOT = f"/15/1501/{ORGAN}/"


def person(account: str, unit: str, path: str, role: str = "reporter") -> Principal:
    return Principal(account=account, unit=unit, unit_path=path, roles=frozenset({role}))


OFFICE = person("office", ORGAN, ROOT)
BUREAU = person("bureau", RESPONDENT, f"{ROOT}{RESPONDENT}/")
CITY = person("city", "1501", "/15/1501/", "inspector")
STRANGER = person("stranger", "150203", "/15/1502/150203/")
GOVERNMENT, DEPARTMENT = UnitKind.UNIT_KIND_GOVERNMENT, UnitKind.UNIT_KIND_DEPARTMENT
CITY_LEVEL, COUNTY = UnitLevel.UNIT_LEVEL_CITY, UnitLevel.UNIT_LEVEL_COUNTY
TREE = (
    ("15", "/15/", GOVERNMENT, UnitLevel.UNIT_LEVEL_PROVINCE),
    ("1501", "/15/1501/", GOVERNMENT, CITY_LEVEL),
    (ORGAN, ROOT, GOVERNMENT, COUNTY),
    (RESPONDENT, f"{ROOT}{RESPONDENT}/", DEPARTMENT, COUNTY),
    ("150102-ga", f"{ROOT}150102-ga/", DEPARTMENT, COUNTY),
)


class Desk:
    """Disputes with doors for messages, and the people of one district."""

    def __init__(self, app: Disputes, clock: FixedClock) -> None:
        self.app = app
        self.clock = clock
        self.worker = DisputesWorker(app)
        self._doors = {
            subscription.queue.name: Inbound(app.store, subscription, getattr(self.worker, name))
            for name, subscription in subscriptions(self.worker)
        }

    def hear_units(self) -> None:
        units = [
            Unit(code=code, name=f"{code}单位", path=path, kind=kind, level=level, version=1)
            for code, path, kind, level in TREE
        ]
        for body in pack_units(units):
            self._hear(DIRECTORY["disputes"].name, UNITS, body)

    def hear_clue(self, kind: "ClueKind.ValueType", *, unit: str = RESPONDENT, **attributes: str) -> str:
        """A routed clue; returns its receipt."""
        receipt = new_id()
        clue = Clue(
            system="petition",
            external_id=f"x-{receipt}",
            external_version=1,
            kind=kind,
            unit=unit,
            title="不服处罚",
            content="请求复议",
            occurred_at_us=microseconds(self.clock.now()),
            attributes=attributes,
        )
        routed = ClueRouted(receipt=receipt, clue=clue, received_at_us=microseconds(self.clock.now()))
        self._hear(DISPUTES_CLUES.name, CLUE_TO_DISPUTES, routed.SerializeToString())
        return receipt

    def _hear(self, queue: str, name: str, body: bytes) -> None:
        message = Message(id=new_id(), source="gateway", name=name, body=body)
        self._doors[queue].take([Delivery(message, redelivered=False)])

    def open(self, number: str = "青复〔2026〕1号", on: str = "2026-03-04") -> str:
        return self.app.cases.open(
            OFFICE,
            organ=ORGAN,
            number=number,
            respondent=RESPONDENT,
            received={"kind": "received", "on": on, "act_on": "2026-02-10"},
            applicant="某某商店",
        )

    def record(self, case: str, body: dict[str, Any], who: Principal = OFFICE, **more: str) -> Any:
        """Record a step on its own day: the clock moves on, never back."""
        noon = start_of_day(date.fromisoformat(body["on"])) + timedelta(hours=12)
        self.clock.set(max(self.clock.now(), noon))
        return self.app.cases.record(who, case, body, **more)

    def today(self, day: str) -> None:
        """Noon of a day in Shanghai, with the clocks kept."""
        self.clock.set(start_of_day(date.fromisoformat(day)) + timedelta(hours=12))
        self.worker.keep_clocks()

    def events(self) -> list[ScoredEvent]:
        return [event for body in self._told(SCORED) for event in ScoredEvents.FromString(body).events]

    def latest(self) -> dict[str, ScoredEvent]:
        return {event.probe: event for event in self.events()}

    def progress(self, receipt: str) -> list[ClueProgressed]:
        told = (ClueProgressed.FromString(body) for body in self._told(CLUE_PROGRESSED))
        return [one for one in told if one.receipt == receipt]

    def _told(self, name: str) -> list[bytes]:
        outbox = SPINE.outbox
        with self.app.store.reading() as session:
            query = select(outbox.c.body).where(outbox.c.name == name).order_by(outbox.c.pos)
            return list(session.execute(query).scalars())


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A migrated disputes service that knows one district."""
    clock = FixedClock(START)
    if request.param == "sqlite":
        runtime = sqlite_runtime(tmp_path, clock)
    else:
        runtime = postgresql_runtime(tmp_path, request.getfixturevalue("postgresql_url"), clock)
    desk = Desk(built(runtime, "services.disputes"), clock)
    desk.hear_units()
    yield desk
    runtime.close()
