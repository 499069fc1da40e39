"""Enforcement on both databases, fed through the inbound side that the buses use."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from contracts.citations.v1.citations_pb2 import Citation, Citations
from contracts.clues.v1 import clues_pb2 as clues
from contracts.directory.v1.directory_pb2 import Unit
from contracts.events.v1.scored_pb2 import ScoredEvent
from contracts.findings.wire import Told, read_scored
from contracts.topology import (
    CITATIONS,
    CLUE_PROGRESSED,
    CLUE_TO_ENFORCEMENT,
    DIRECTORY,
    ENFORCEMENT_CLUES,
    SCORED,
    UNITS,
)
from contracts.units import pack_units
from kernel.access.principal import Principal
from kernel.bus.inbound import Inbound
from kernel.bus.markers import subscriptions
from kernel.bus.port import Delivery
from kernel.clock import FixedClock
from kernel.ids import new_id
from kernel.messages import Item, Message
from services.enforcement.app import Enforcement
from services.enforcement.cases.report import ImportReport
from services.enforcement.registry.rules import Body, Certificate, Officer, PowerItem
from services.enforcement.tables import SPINE
from services.enforcement.worker import EnforcementWorker
from tests.support.enforcement import BODY_CODE
from tests.support.stores import built, postgresql_runtime, sqlite_runtime

NOON = datetime(2026, 11, 2, 4, tzinfo=UTC)  # noon in Shanghai
COUNTY = "/150000/150100/150102/"
UNIT = "150102-scjg"
OTHER_CODE = "11150103000000001X"


def person(*roles: str, path: str = COUNTY, unit: str = "150102", account: str = "clerk") -> Principal:
    return Principal(account=account, unit=unit, unit_path=path, roles=frozenset(roles or ("reporter",)))


CLERK = person()
HEAD = person("unit_head", account="head")
INSPECTOR = person("inspector", path="/150000/", unit="150000-sf", account="inspector")
STRANGER = person(path="/150000/150200/", unit="150200", account="stranger")

BODY = Body(
    unit=UNIT,
    name="新城区市场监督管理局",
    credit_code=BODY_CODE,
    kind="statutory",
    field="market",
    region_code="150102",
    valid_from=date(2019, 1, 1),
    confirmed_on=date(2022, 5, 1),
)


class Office:
    """Enforcement with doors for messages."""

    def __init__(self, app: Enforcement, clock: FixedClock) -> None:
        self.app = app
        self.clock = clock
        self.worker = EnforcementWorker(app)
        self._doors = {
            subscription.queue.name: Inbound(app.store, subscription, getattr(self.worker, name))
            for name, subscription in subscriptions(self.worker)
        }

    def settle(self) -> None:
        """Look at everything that waits."""
        while self.app.cases.look_at_waiting():
            pass

    def enter(self, content: bytes, name: str = "案件.csv", who: Principal = CLERK) -> ImportReport:
        """Check, confirm, look."""
        report = self.app.cases.check_file(who, content, name)
        assert report.fault_count == 0, report.faults
        report = self.app.cases.confirm(who, report.digest)
        self.settle()
        return report

    def units(self, *units: Unit) -> None:
        bodies = [Message(id=new_id(), source="gateway", name=UNITS, body=body) for body in pack_units(units)]
        self._doors[DIRECTORY["enforcement"].name].take([Delivery(message, False) for message in bodies])

    def clue(self, receipt: str, **fields: Any) -> None:
        clue = clues.Clue(
            system="hotline", external_id="G1", kind=clues.CLUE_KIND_INACTION, region_code="150102", **fields
        )
        body = clues.ClueRouted(receipt=receipt, clue=clue).SerializeToString(deterministic=True)
        message = Message(id=new_id(), source="gateway", name=CLUE_TO_ENFORCEMENT, body=body)
        self._doors[ENFORCEMENT_CLUES.name].take([Delivery(message, False)])

    def told(self, name: str) -> list[bytes]:
        """Bodies of one kind in the outbox, oldest first."""
        table = SPINE.outbox
        with self.app.store.reading() as session:
            wanted: Sequence[bytes] = session.scalars(
                select(table.c.body).where(table.c.name == name).order_by(table.c.pos)
            ).all()
        return list(wanted)

    def events(self) -> list[ScoredEvent]:
        """Every scored event told, checked the way assessment checks it."""
        found: list[ScoredEvent] = []
        for body in self.told(SCORED):
            for item in read_scored(Message(id=new_id(), source="enforcement", name=SCORED, body=body)):
                assert isinstance(item, Item), item
                assert isinstance(item.value, Told)
                found.append(item.value.event)
        return found

    def citations(self) -> list[Citation]:
        return [each for body in self.told(CITATIONS) for each in Citations.FromString(body).citations]

    def progress(self) -> list[clues.ClueProgressed]:
        return [clues.ClueProgressed.FromString(body) for body in self.told(CLUE_PROGRESSED)]

    def audited(self) -> list[tuple[str, str]]:
        """(actor, action) of every audit record."""
        table = SPINE.audit
        with self.app.store.reading() as session:
            return [(row.actor, row.action) for row in session.execute(select(table).order_by(table.c.seq))]


def a_unit(
    code: str, path: str, *, name: str = "某单位", credit_code: str = "", field: str = "market"
) -> Unit:
    return Unit(
        code=code, name=name, path=path, region_code=code[:6], credit_code=credit_code, field=field, version=1
    )


def an_officer(number: str, **changes: Any) -> Officer:
    certificate = Certificate(
        number=number, body=UNIT, field="market", valid_from=date(2023, 1, 1), valid_to=date(2028, 12, 31)
    )
    fields = {"code": f"P{number}", "name": "王某", "unit": UNIT, "certificates": (certificate,), **changes}
    return Officer(**fields)


def stock(office: Office) -> None:
    """One county body with its registers."""
    office.units(
        a_unit("150000", "/150000/"),
        a_unit("150102", COUNTY, name="新城区人民政府", field="general"),
        a_unit(UNIT, f"{COUNTY}{UNIT}/", name="新城区市场监督管理局", credit_code=BODY_CODE),
        a_unit("150103-x", "/150000/150100/150103/150103-x/", credit_code=OTHER_CODE),
    )
    item = PowerItem(
        unit=UNIT,
        code="MKT-1",
        name="某处罚",
        kind="penalty",
        field="market",
        document="行政处罚法",
        article="第二十八条",
    )
    office.app.registry.load_bodies(HEAD, [BODY])
    office.app.registry.load_officers(HEAD, [an_officer("15000001"), an_officer("15000002")])
    office.app.registry.load_powers(HEAD, [item])


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """A migrated, empty enforcement."""
    clock = FixedClock(NOON)
    if request.param == "sqlite":
        runtime = sqlite_runtime(tmp_path, clock)
    else:
        runtime = postgresql_runtime(tmp_path, request.getfixturevalue("postgresql_url"), clock)
    yield Office(built(runtime, "services.enforcement"), clock)
    runtime.close()


@pytest.fixture
def office(empty_office: Office) -> Office:
    """Enforcement with one county body, its officers and its power list."""
    stock(empty_office)
    return empty_office
