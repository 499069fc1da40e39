"""A service that is told of an upheld objection keeps it, shows it to its people, and closes it with its own event."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select

from contracts.corrections.v1.corrections_pb2 import CorrectionAsked
from contracts.findings import Finding, Mode, Outcome
from contracts.findings.register import Found
from contracts.topology import CORRECTION_ASKED, CORRECTION_NOTICES
from kernel.bus.inbound import Inbound
from kernel.bus.markers import subscriptions
from kernel.bus.port import Delivery
from kernel.clock import microseconds
from kernel.ids import new_id
from kernel.messages import Message
from services.enforcement.tables import CORRECTIONS, FINDINGS, SPINE
from tests.integration.enforcement.conftest import COUNTY, INSPECTOR, NOON, STRANGER, UNIT, Office, person
from tests.integration.enforcement.test_http import Browser

SUBJECT = "enforcement/cases/late"
CLERK_OF_UNIT = person(unit=UNIT, path=f"{COUNTY}{UNIT}/")


def late(**changes: Any) -> Found:
    finding = Finding(
        probe="ENF-TIM-01",
        probe_version=1,
        outcome=Outcome.FAIL,
        score_milli=0,
        occurred_at=NOON,
        reason="超期",
    )
    return Found(SUBJECT, UNIT, Mode.ENTERED, replace(finding, **changes))


def record(office: Office, found: Found) -> str:
    """Tell a finding; the id of its event."""
    with office.app.store.work() as work:
        FINDINGS.record(work, [found])
        work.commit()
    return office.events()[-1].id


@pytest.fixture
def asks(office: Office) -> Callable[..., CorrectionAsked]:
    """Delivers a notice about an event; a second delivery is marked as one."""
    doors = {
        subscription.queue.name: Inbound(office.app.store, subscription, getattr(office.worker, name))
        for name, subscription in subscriptions(office.worker)
    }

    def ask(event: str, *, again: bool = False, **changes: Any) -> CorrectionAsked:
        values: dict[str, Any] = {
            "id": new_id(),
            "service": "enforcement",
            "objection": new_id(),
            "event": event,
            "unit": UNIT,
            "probe": "ENF-TIM-01",
            "subject": SUBJECT,
            "outcome": 1,
            "score_milli": 1000,
            "reason": "检验期间应当扣除",
            "due_at_us": microseconds(NOON) + 86_400_000_000,
            "occurred_at_us": microseconds(NOON),
        }
        asked = CorrectionAsked(**(values | changes))
        body = asked.SerializeToString(deterministic=True)
        message = Message(id=new_id(), source="assessment", name=CORRECTION_ASKED, body=body)
        door = doors[CORRECTION_NOTICES["enforcement"].name]
        for redelivered in (False, True) if again else (False,):
            door.take([Delivery(message, redelivered)])
        return asked

    return ask


def rows(office: Office) -> list[Any]:
    with office.app.store.reading() as session:
        return list(session.execute(select(CORRECTIONS.table)))


def held(office: Office) -> list[str]:
    with office.app.store.reading() as session:
        return list(session.scalars(select(SPINE.quarantine.c.code)))


def test_a_notice_waits_once_and_is_closed_by_the_services_own_event(office: Office, asks: Any) -> None:
    event = record(office, late())
    asked = asks(event, again=True)
    (waiting,) = rows(office)
    assert (waiting.id, waiting.event_id, waiting.corrected_at) == (asked.id, event, None)
    record(office, late(outcome=Outcome.NOT_DUE))
    (closed,) = rows(office)
    assert closed.correction == office.events()[-1].id
    assert office.events()[-1].corrects == event
    assert closed.corrected_at == NOON
    assert held(office) == []


def test_what_is_not_committed_closes_nothing(office: Office, asks: Any) -> None:
    asks(record(office, late()))
    with office.app.store.work() as work:
        FINDINGS.record(work, [late(outcome=Outcome.NOT_DUE)])
    assert [row.corrected_at for row in rows(office)] == [None]


def test_a_finding_about_something_else_or_the_same_again_closes_nothing(office: Office, asks: Any) -> None:
    asks(record(office, late()))
    record(office, late())
    record(office, replace(late(), subject="enforcement/cases/other"))
    record(office, replace(late(outcome=Outcome.PASS), subject="enforcement/cases/other"))
    assert [row.corrected_at for row in rows(office)] == [None]


def test_a_datum_corrected_before_the_notice_came_needs_no_second_correction(
    office: Office, asks: Any
) -> None:
    event = record(office, late())
    better = record(office, late(outcome=Outcome.NOT_DUE))
    asks(event)
    assert [row.correction for row in rows(office)] == [better]


def test_an_event_never_told_waits_in_quarantine_and_spoils_nothing_beside_it(
    office: Office, asks: Any
) -> None:
    asks(new_id())
    assert (rows(office), held(office)) == ([], ["contracts.unknown_event"])
    asks(record(office, late()))
    assert len(rows(office)) == 1


def test_a_notice_to_another_service_is_none_of_ours(office: Office, asks: Any) -> None:
    asks(record(office, late()), service="disputes")
    assert (rows(office), held(office)) == ([], [])


def test_the_people_of_the_unit_and_the_inspectors_above_see_it_and_nobody_else(
    office: Office, asks: Any, tmp_path: Path
) -> None:
    event = record(office, late())
    asked = asks(event)
    browser = Browser(office, tmp_path)
    for who in (CLERK_OF_UNIT, INSPECTOR):
        shown = browser.ask(who, "GET", "/corrections-asked?state=waiting").json()
        assert shown["total"] == 1
        (row,) = shown["rows"]
        assert (row["id"], row["objection"], row["event"]) == (asked.id, asked.objection, event)
        assert (row["state"], row["outcome"], row["is_overdue"]) == ("waiting", "pass", False)
        assert row["unit"] == {"code": UNIT, "name": "新城区市场监督管理局"}
    beside = person(unit="150102-jt", path=f"{COUNTY}150102-jt/")
    for who in (STRANGER, beside, person(path="", unit="")):
        assert browser.ask(who, "GET", "/corrections-asked").json() == {"total": 0, "rows": []}
    for role in ("third_party", "system_admin", "audit_admin", "external_system"):
        assert browser.ask(person(role), "GET", "/corrections-asked").status_code == 403
    assert browser.ask(None, "GET", "/corrections-asked").status_code == 401
    record(office, late(outcome=Outcome.PASS))
    assert browser.ask(CLERK_OF_UNIT, "GET", "/corrections-asked?state=waiting").json()["total"] == 0
    (row,) = browser.ask(CLERK_OF_UNIT, "GET", f"/corrections-asked?subject={SUBJECT}").json()["rows"]
    assert (row["state"], row["correction"]) == ("corrected", office.events()[-1].id)


def test_how_many_wait_and_since_when_is_measured(office: Office, asks: Any) -> None:
    asks(record(office, late()))
    office.clock.advance(NOON - NOON.replace(hour=0))
    for measured, wanted in ((1.0, 4 * 3600.0), (0.0, 0.0)):
        office.worker.measure_corrections()
        labels = {"service": "enforcement", "kind": "correction"}
        assert REGISTRY.get_sample_value("fazhi_matters_running", labels) == measured
        assert REGISTRY.get_sample_value("fazhi_matters_oldest_seconds", labels) == wanted
        record(office, late(outcome=Outcome.PASS, score_milli=1000))
