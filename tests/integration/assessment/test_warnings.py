"""Warnings: a line crossed, a trend, a finding, something overdue; each said once, with what it saw, and acted on."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from contracts.findings import Outcome
from kernel import catalog
from services.assessment.warnings.rules import Raised
from tests.support import reporting
from tests.support.events import a_message, an_event
from tests.support.supervision import COUNTY, FOREIGN_INSPECTOR, HEAD, ISSUER, OTHER, UNIT, Desk, county


@pytest.fixture
def desk(fed, tmp_path):
    county(fed)
    return Desk(fed, tmp_path)


def every_probe(desk):
    folder = desk.fed.runtime.catalog
    listed = catalog.read(folder / "codes" / "probes.yaml").data["probes"]
    return [(one["service"], one["id"]) for one in listed if one["service"] not in ("assessment", "gateway")]


def feed(desk, outcome, *, unit=UNIT, times=1, subject="case", at=None, probes=""):
    """Every probe of every service, or those so named, says the same of a unit, so many times."""
    for service, probe in every_probe(desk):
        if not probe.startswith(probes):
            continue
        events = [
            an_event(
                unit=unit,
                probe=probe,
                source=service,
                outcome=outcome,
                subject=f"{service}/{subject}/{number}",
                occurred_at=at or desk.clock.now(),
                recorded_at=desk.clock.now(),
            )
            for number in range(times)
        ]
        if events:
            desk.fed.messages(a_message(*events, source=service))
    desk.app.roll_up.catch_up()


def looked(desk):
    return desk.app.supervision.watch.look()


def warned(desk, who=HEAD, **wanted):
    query = "&".join(f"{name}={value}" for name, value in wanted.items())
    return desk.get(who, f"/warnings?{query}")["rows"]


def test_a_score_that_falls_below_its_line_warns_once_with_what_it_saw_and_proposes_an_order(desk):
    feed(desk, Outcome.PASS)
    assert looked(desk) == 0
    feed(desk, Outcome.FAIL, times=3, subject="bad")
    assert looked(desk) > 0
    assert looked(desk) == 0
    (total,) = [row for row in warned(desk, kind="line") if row["node"] == ""]
    shown = Decimal(desk.get(HEAD, f"/units/{UNIT}/score?period=2026")["score"])
    assert Decimal(total["seen"]["score"]) / 1_000_000 == shown
    assert total["seen"]["score"] * 1000 < total["seen"]["line"] * 100_000_000
    assert total["framework"].startswith("outline-2015-2020@")
    order = desk.get(ISSUER, f"/orders/{total['order']}")
    assert (order["state"], order["unit"]["code"]) == ("proposed", UNIT)
    assert order["due_at"] is not None


def test_what_stays_below_warns_no_more_until_it_has_come_up_again(desk):
    feed(desk, Outcome.FAIL)
    first = looked(desk)
    assert first > 0
    feed(desk, Outcome.FAIL, subject="more")
    assert looked(desk) == 0
    feed(desk, Outcome.PASS, times=30, subject="good")
    assert looked(desk) == 0
    feed(desk, Outcome.FAIL, times=60, subject="worse")
    assert looked(desk) > 0
    joined = [row for row in warned(desk, kind="line") if row["node"] == ""]
    assert len(joined) == 2
    assert len({row["order"] for row in joined}) == 1
    facts = desk.get(ISSUER, f"/orders/{joined[0]['order']}")["facts"]
    assert [fact["kind"] for fact in facts] == ["proposed", "joined"]


def test_a_score_that_rests_on_little_data_warns_nobody(desk):
    desk.fed.events(an_event(unit=UNIT, outcome=Outcome.FAIL))
    desk.app.roll_up.catch_up()
    looked(desk)
    assert warned(desk, kind="line") == []


def test_a_veto_that_falls_is_a_finding(desk):
    feed(desk, Outcome.PASS, times=2)
    looked(desk)
    feed(desk, Outcome.FAIL, times=40, subject="bad")
    looked(desk)
    assert any(row["title"].startswith("一票否决") for row in warned(desk, kind="finding"))


def test_clues_that_were_not_answered_in_time_warn_by_themselves(desk):
    late = [
        an_event(
            unit=UNIT,
            probe="GW-ANS-01",
            source="gateway",
            outcome=Outcome.FAIL,
            subject=f"gateway/clues/{number}",
        )
        for number in range(3)
    ]
    desk.fed.messages(a_message(*late, source="gateway"))
    assert looked(desk) == 1
    assert looked(desk) == 0
    (row,) = warned(desk, kind="finding")
    assert row["seen"]["count"] == 3
    assert sorted(row["seen"]["events"]) == sorted(event.id for event in late)
    assert row["order"]


def test_a_falling_total_is_noticed_once_a_month_has_ended(desk):
    for month in range(1, 5):
        at = datetime(2026, month, 5, 2, tzinfo=UTC)
        desk.clock.set(at)
        feed(desk, Outcome.PASS, times=2, subject=f"good{month}", at=at)
        for kind in ("ENF-TIM", "ENF-PUB", "ENF-REC", "ENF-DOC"):
            feed(desk, Outcome.FAIL, times=month - 1, subject=f"bad{month}", at=at, probes=kind)
    desk.clock.set(datetime(2026, 5, 4, 2, tzinfo=UTC))
    looked(desk)
    assert warned(desk, kind="trend") == []
    desk.clock.set(datetime(2026, 5, 5, 2, tzinfo=UTC))
    looked(desk)
    looked(desk)
    (row,) = warned(desk, kind="trend", unit=UNIT)
    assert row["seen"]["months"] == ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert row["seen"]["scores"] == sorted(row["seen"]["scores"], reverse=True)
    assert row["order"] is None


def an_overdue_report(**more):
    return Raised(
        **{
            "kind": "overdue",
            "unit": UNIT,
            "node": "",
            "framework": "f@1",
            "year": "2026",
            "at_seq": 0,
            "title": "年度报告逾期未报送",
            "seen": {"due_on": "2026-03-01"},
        }
        | more
    )


def raise_(desk, *raised):
    with desk.app.store.work() as work:
        new = desk.app.supervision.warnings.raise_all(work, raised)
        work.commit()
    return new


def test_something_overdue_opens_an_order_once_however_often_it_is_noticed(desk):
    assert [raise_(desk, an_overdue_report()) for _ in range(3)] == [1, 0, 0]
    (row,) = warned(desk, kind="overdue")
    assert desk.get(ISSUER, f"/orders/{row['order']}")["state"] == "proposed"


def test_a_matter_in_reconsideration_is_warned_of_and_not_supervised(desk):
    raise_(desk, an_overdue_report(kind="finding", subjects=("disputes/reconsiderations/1",)))
    (row,) = warned(desk)
    assert row["order"] is None
    assert desk.get(ISSUER, "/orders")["total"] == 0


def test_many_units_are_warned_in_one_go(desk):
    assert raise_(desk, an_overdue_report(), an_overdue_report(unit=OTHER)) == 2
    assert desk.get(ISSUER, "/orders?state=proposed")["total"] == 2


def test_warnings_of_others_are_not_seen(desk):
    raise_(desk, an_overdue_report(unit=OTHER), an_overdue_report(unit=COUNTY))
    assert warned(desk) == []
    assert warned(desk, FOREIGN_INSPECTOR) == []
    assert len(warned(desk, ISSUER)) == 2


def test_two_that_look_at_once_warn_once(desk):
    feed(desk, Outcome.FAIL)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: looked(desk), range(3)))
    rows = [row for row in warned(desk, kind="line") if row["node"] == ""]
    assert len(rows) == 1
    assert len(desk.get(ISSUER, f"/orders/{rows[0]['order']}")["facts"]) == 1


def test_a_task_of_the_year_that_is_overdue_warns_each_unit_that_has_it_once(fed, tmp_path):
    fed.units(*reporting.UNITS)
    desk = reporting.Desk(fed.app, tmp_path)
    body = {
        "year": 2026,
        "scope": "150102",
        "title": "2026 年度任务",
        "due_on": "2026-06-30",
        "nodes": ["A1.M11.R1"],
    }
    desk.told(reporting.REVIEWER, "POST", "/task_plans", json=body)
    fed.app.store.clock.set(datetime(2026, 7, 1, 2, tzinfo=UTC))
    assert fed.app.tasks.remind() > 0
    watch = fed.app.supervision.watch
    assert [watch.look(), watch.look()] == [2, 0]
    rows = desk.told(reporting.INSPECTOR, "GET", "/warnings?kind=overdue")["rows"]
    assert {row["seen"]["due_on"] for row in rows} == {"2026-06-30"}
    assert len({row["order"] for row in rows}) == 2
    # the same framework in force for the year after: what is overdue then is another matter
    desk.told(reporting.REVIEWER, "POST", "/task_plans", json=body | {"year": 2027, "due_on": "2027-06-30"})
    fed.app.store.clock.set(datetime(2027, 7, 1, 2, tzinfo=UTC))
    assert fed.app.tasks.remind() > 0
    assert [watch.duties(), watch.duties()] == [2, 0]
