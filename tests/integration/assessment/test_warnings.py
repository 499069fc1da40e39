"""Warnings: a line crossed, a trend, a finding, something overdue; each said once, with what it saw, and acted on."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from contracts.findings import Outcome
from contracts.roles import INSPECTOR
from kernel import catalog
from services.assessment.warnings.rules import Raised
from tests.support import reporting
from tests.support.events import a_message, an_event
from tests.support.supervision import (
    COUNTY,
    FOREIGN_INSPECTOR,
    HEAD,
    ISSUER,
    OTHER,
    UNIT,
    Desk,
    county,
    person,
)


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


def the_new_year(desk):
    """A minute into 2027 in Shanghai; returns the last second of 2026."""
    desk.clock.set(datetime(2026, 12, 31, 16, 1, tzinfo=UTC))
    return datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC)


def unanswered(at, *cases):
    """Clues that were not answered in time, found so at a moment."""
    failures = [
        an_event(
            unit=UNIT,
            probe="GW-ANS-01",
            source="gateway",
            outcome=Outcome.FAIL,
            subject=f"gateway/clues/{case}",
            occurred_at=at,
            recorded_at=at,
        )
        for case in cases
    ]
    return a_message(*failures, source="gateway")


def close_year(desk, year):
    desk.app.ledger.needed = 0  # how witnesses hold a closing up is told in test_publication.py
    asks = person("guanzhang", "15", "/15/", INSPECTOR)
    desk.app.closings.ask(asks, year, "close_asked", "年度结束")
    desk.app.closings.confirm(person("guanzhang2", "15", "/15/", INSPECTOR), year, agreed=True)


def test_a_failure_of_the_last_day_that_arrives_in_the_new_year_warns_once_until_the_year_is_closed(desk):
    looked(desk)
    last_second = the_new_year(desk)
    desk.fed.messages(unanswered(last_second, 1, 2))
    assert [looked(desk), looked(desk)] == [1, 0]
    (row,) = warned(desk, kind="finding")
    assert (row["year"], row["seen"]["count"], bool(row["order"])) == ("2026", 2, True)
    desk.fed.messages(unanswered(last_second, 3), unanswered(desk.clock.now(), 4))
    assert looked(desk) == 2  # each of its own year
    assert sorted(row["year"] for row in warned(desk, kind="finding")) == ["2026", "2026", "2027"]
    desk.fed.messages(unanswered(last_second, 5))
    close_year(desk, "2026")
    desk.fed.messages(unanswered(last_second, 6))
    assert [looked(desk), looked(desk)] == [
        1,
        0,
    ]  # what was known at the closing; the other is late, and listed
    assert warned(desk, kind="finding")[0]["seen"]["count"] == 1


def test_a_clock_that_goes_back_over_midnight_loses_and_repeats_no_warning(desk):
    last_second = the_new_year(desk)
    desk.fed.messages(unanswered(desk.clock.now(), 1))
    desk.clock.set(last_second)
    looked(desk)
    the_new_year(desk)
    looked(desk)
    assert [row["year"] for row in warned(desk, kind="finding")] == ["2027"]


def test_a_score_of_the_year_before_that_falls_in_january_warns_once_and_not_when_the_year_is_closed(desk):
    desk.clock.set(datetime(2026, 12, 20, tzinfo=UTC))
    feed(desk, Outcome.PASS)
    assert looked(desk) == 0
    last_second = the_new_year(desk)
    feed(desk, Outcome.FAIL, times=3, subject="bad", at=last_second)
    assert looked(desk) > 0
    assert looked(desk) == 0
    assert {row["year"] for row in warned(desk, kind="line")} == {"2026"}
    feed(desk, Outcome.PASS, times=30, subject="good", at=last_second)
    looked(desk)
    close_year(desk, "2026")
    feed(desk, Outcome.FAIL, times=90, subject="late", at=last_second)
    assert looked(desk) == 0


def test_the_total_that_fell_until_december_is_noticed_in_january(desk):
    for month in range(9, 13):
        at = datetime(2026, month, 5, 2, tzinfo=UTC)
        desk.clock.set(at)
        feed(desk, Outcome.PASS, times=2, subject=f"good{month}", at=at)
        for kind in ("ENF-TIM", "ENF-PUB", "ENF-REC", "ENF-DOC"):
            feed(desk, Outcome.FAIL, times=month - 9, subject=f"bad{month}", at=at, probes=kind)
    desk.clock.set(datetime(2027, 1, 5, 2, tzinfo=UTC))
    looked(desk)
    looked(desk)
    (row,) = warned(desk, kind="trend", unit=UNIT)
    assert (row["year"], row["seen"]["months"]) == ("2026", ["2026-09", "2026-10", "2026-11", "2026-12"])


def test_two_warnings_about_one_node_at_once_open_one_order_that_says_both_the_graver_first(desk):
    veto = an_overdue_report(
        kind="finding", title="一票否决：重大执法决定法制审核", seen={"veto_below": 1, "attainment": None}
    )
    overdue = an_overdue_report()
    assert raise_(desk, overdue, veto, an_overdue_report(unit=OTHER)) == 3
    rows = warned(desk)
    (order,) = {row["order"] for row in rows}
    shown = desk.get(ISSUER, f"/orders/{order}")
    assert shown["title"] == veto.title
    assert [(fact["kind"], fact["note"]) for fact in shown["facts"]] == [
        ("proposed", veto.reason),
        ("joined", overdue.reason),
    ]
    third = an_overdue_report(title="第三季度报告逾期未报送")
    fourth = an_overdue_report(title="第四季度报告逾期未报送")
    raise_(desk, third, fourth)
    facts = desk.get(ISSUER, f"/orders/{order}")["facts"]
    assert [fact["note"] for fact in facts[2:]] == [third.reason, fourth.reason]
    issued = desk.do(ISSUER, f"/orders/{order}/issue", checked_not_pending=True)
    assert issued["state"] == "open"
