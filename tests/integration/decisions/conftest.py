"""Decisions on both databases, fed through the inbound side that the buses use."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from contracts.citations.v1.citations_pb2 import Citation, Citations
from contracts.directory.v1.directory_pb2 import Unit, UnitKind, UnitLevel
from contracts.events.v1.scored_pb2 import ScoredEvent, ScoredEvents
from contracts.topology import CITATIONS, DIRECTORY, SCORED, UNITS
from contracts.units import pack_units
from kernel.access.principal import Principal
from kernel.bus.inbound import Inbound
from kernel.bus.markers import subscriptions
from kernel.bus.port import Delivery
from kernel.clock import FixedClock, start_of_day
from kernel.ids import new_id
from kernel.messages import Message
from services.decisions.app import Decisions
from services.decisions.tables import SPINE
from services.decisions.worker import DecisionsWorker
from tests.support.decisions import COURSE, GOVERNMENT, JUSTICE, LEAD
from tests.support.stores import built, postgresql_runtime, sqlite_runtime

START = datetime(2026, 1, 5, 4, tzinfo=UTC)  # noon in Shanghai, the day of the proposal
ROOT = f"/15/1501/{GOVERNMENT}/"


def person(account: str, unit: str, path: str, role: str = "reporter") -> Principal:
    return Principal(account=account, unit=unit, unit_path=path, roles=frozenset({role}))


OFFICE = person("office", GOVERNMENT, ROOT)
LEADER = person("leader", LEAD, f"{ROOT}{LEAD}/")
LAWYER = person("lawyer", JUSTICE, f"{ROOT}{JUSTICE}/")
CITY = person("city", "1501", "/15/1501/", "inspector")
STRANGER = person("stranger", "150203", "/15/1502/150203/")
TREE = ((GOVERNMENT, ROOT), (LEAD, f"{ROOT}{LEAD}/"), (JUSTICE, f"{ROOT}{JUSTICE}/"), ("1501", "/15/1501/"))


class Desk:
    """Decisions with doors for messages, and the people of one district."""

    def __init__(self, app: Decisions, clock: FixedClock) -> None:
        self.app = app
        self.clock = clock
        self.worker = DecisionsWorker(app)
        self._doors = {
            subscription.queue.name: Inbound(app.store, subscription, getattr(self.worker, name))
            for name, subscription in subscriptions(self.worker)
        }

    def hear_units(self) -> None:
        units = [
            Unit(
                code=code,
                name=f"{code}单位",
                path=path,
                kind=UnitKind.UNIT_KIND_GOVERNMENT,
                level=UnitLevel.UNIT_LEVEL_COUNTY,
                version=1,
            )
            for code, path in TREE
        ]
        for body in pack_units(units):
            message = Message(id=new_id(), source="gateway", name=UNITS, body=body)
            self._doors[DIRECTORY["decisions"].name].take([Delivery(message, redelivered=False)])

    def open(self, number: str = "1号") -> str:
        return self.app.procedures.open(OFFICE, GOVERNMENT, number, "停车设施建设方案")

    def record(self, decision: str, body: dict[str, Any], who: Principal | None = None, **more: str) -> Any:
        """Record a step on its own day: the clock moves on, never back."""
        kind = body["kind"]
        self.clock.set(
            max(self.clock.now(), start_of_day(date.fromisoformat(body["on"])) + timedelta(hours=12))
        )
        by = who or (LAWYER if kind in ("review_returned", "review_complete", "review_issued") else OFFICE)
        return self.app.procedures.record(by, decision, body, **more)

    def run(self, decision: str, until: str = "", **changes: dict[str, Any]) -> dict[str, str]:
        """Record the lawful course, with changes, until a step; returns step ids by name."""
        made = {}
        for name, body in COURSE.items():
            made[name] = self.record(decision, body | changes.get(name, {})).step
            if name == until:
                break
        return made

    def events(self) -> list[ScoredEvent]:
        return [event for body in self._told(SCORED) for event in ScoredEvents.FromString(body).events]

    def citations(self) -> list[Citation]:
        return [entry for body in self._told(CITATIONS) for entry in Citations.FromString(body).citations]

    def _told(self, name: str) -> list[bytes]:
        outbox = SPINE.outbox
        with self.app.store.reading() as session:
            query = select(outbox.c.body).where(outbox.c.name == name).order_by(outbox.c.pos)
            return list(session.execute(query).scalars())


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A migrated decisions service that knows one district."""
    clock = FixedClock(START)
    if request.param == "sqlite":
        runtime = sqlite_runtime(tmp_path, clock)
    else:
        runtime = postgresql_runtime(tmp_path, request.getfixturevalue("postgresql_url"), clock)
    desk = Desk(built(runtime, "services.decisions"), clock)
    desk.hear_units()
    yield desk
    runtime.close()
