"""The roster of reviewers follows what the gateway tells of roles, on both databases, over HTTP."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest
from sqlalchemy import select

from contracts.holders.v1.holders_pb2 import HeldRole
from kernel.clock import local_date
from kernel.ids import new_id
from kernel.storage.setwise import write_rows
from services.assessment.review.model import HOLDERS, REVIEW_ASSIGNMENTS
from services.assessment.review.past import Standing
from services.assessment.review.roster import places, reviewers
from services.assessment.review.rules import may_review
from tests.support.reporting import COUNTY, FILLER, INSPECTOR, REVIEWER, SECOND, UNITS, Desk, holder, person

AREA = {"unit": "150102", "unit_path": COUNTY, "from_on": "2020-01-01"}


@pytest.fixture
def desk(fed, tmp_path):
    fed.units(*UNITS)
    desk = Desk(fed.app, tmp_path)
    desk.clock = fed.runtime.clock
    return desk


def lost(who, version, **more):
    """What the gateway tells when somebody's roles were taken back."""
    return holder(who, version=version, **{"roles": (), **more})


def on_roster(desk):
    with desk.app.store.reading() as session:
        return [(one.account, one.area) for one in reviewers(session, local_date(desk.clock.now()))]


def to_hand_on(desk):
    return desk.told(INSPECTOR, "GET", "/reviews/area")["to_hand_on"]


def test_who_holds_the_role_no_more_gets_no_work_and_what_is_open_is_handed_on(desk):
    desk.joined(REVIEWER)
    first, second, third = (desk.begun(number) for number in range(3))
    desk.submitted(first)
    desk.submitted(second)
    one, other = desk.queue(REVIEWER)
    assert desk.answered(REVIEWER, one["id"], score_milli=700).json()["state"] == "scored"
    before = desk.told(INSPECTOR, "GET", "/reviews/area")
    assert (before["to_hand_on"], [row["to_hand_on"] for row in before["rows"]]) == (0, [False])
    desk.heard(lost(REVIEWER, 2))
    desk.submitted(third)
    assert desk.app.assigning.assign_waiting() == 0
    area = desk.told(INSPECTOR, "GET", "/reviews/area", params={"to_hand_on": True})
    assert (area["total"], area["to_hand_on"], area["unassigned"]) == (1, 1, 1)
    (row,) = area["rows"]
    assert (row["id"], row["reviewer"], row["reviewer_name"]) == (other["id"], "shenhe", "shenhe同志")
    assert desk.app.looking.measure() == (2, 0, 1)
    path = f"/reviews/{other['id']}/handing-on"
    back = desk.post(INSPECTOR, path, reviewer="shenhe", reason="待移交")
    assert back.json()["code"] == "assessment.unknown_reviewer"
    desk.joined(SECOND)
    desk.told(INSPECTOR, "POST", path, json={"reason": "原评审员授权终止"})
    assert len(desk.queue(SECOND)) == 2
    assert desk.app.looking.measure() == (2, 0, 0)
    states = [desk.told(FILLER, "GET", f"/reports/{report}")["state"] for report in (first, second)]
    assert sorted(states) == ["scored", "submitted"]  # what was scored stays


def test_every_way_of_losing_the_role_counts_and_a_term_ends_by_its_day_without_a_message(desk):
    def role(**changed):
        return (HeldRole(**{"role": "reviewer", **AREA, **changed}),)

    desk.joined(REVIEWER)
    desk.submitted(desk.opened())
    assert len(desk.queue(REVIEWER)) == 1
    ways = (
        lost(REVIEWER, 2),
        lost(REVIEWER, 4, roles=role(role="inspector")),
        lost(REVIEWER, 6, roles=role(until_on="2026-03-04")),
        lost(REVIEWER, 8, roles=role(from_on="2026-03-06")),
        lost(REVIEWER, 10, roles=None, is_active=False),
    )
    for told in ways:
        desk.heard(told)
        assert (on_roster(desk), to_hand_on(desk)) == ([], 1), told
        desk.heard(holder(REVIEWER, version=told.version + 1))
        assert (on_roster(desk), to_hand_on(desk)) == ([("shenhe", COUNTY)], 0)
    desk.heard(lost(REVIEWER, 12, roles=role(unit="1502", unit_path="/15/1502/")))  # holds it, not here
    assert (on_roster(desk), to_hand_on(desk)) == ([("shenhe", "/15/1502/")], 1)
    desk.heard(
        lost(REVIEWER, 13, roles=role(until_on="2026-03-05") + role(unit="1502", unit_path="/15/1502/"))
    )
    desk.clock.set(datetime(2026, 3, 5, 15, 59, tzinfo=UTC))
    assert (on_roster(desk), to_hand_on(desk)) == ([("shenhe", COUNTY), ("shenhe", "/15/1502/")], 0)
    desk.clock.set(datetime(2026, 3, 5, 16, 0, tzinfo=UTC))  # midnight in Shanghai
    assert (on_roster(desk), to_hand_on(desk)) == ([("shenhe", "/15/1502/")], 1)
    desk.heard(holder(REVIEWER, version=14))
    desk.told(REVIEWER, "DELETE", "/reviews/membership")
    assert (on_roster(desk), to_hand_on(desk)) == ([], 0)  # who leaves finishes what is in hand


def test_a_late_or_repeated_message_never_wins_and_whoever_was_never_told_of_is_not_called_back(desk):
    desk.joined(REVIEWER)
    desk.submitted(desk.opened())
    assert len(desk.queue(REVIEWER)) == 1
    desk.heard(holder(REVIEWER, version=4))
    desk.heard(lost(REVIEWER, 3))  # late
    desk.heard(holder(REVIEWER, version=4))  # repeated
    assert on_roster(desk) == [("shenhe", COUNTY)]
    desk.heard(lost(REVIEWER, 6), holder(REVIEWER, version=5))  # together, the older last
    desk.heard(holder(REVIEWER, version=5))
    assert (on_roster(desk), to_hand_on(desk)) == ([], 1)
    with desk.app.store.work() as work:  # an installation just upgraded: the gateway has not told yet
        work.session.execute(HOLDERS.delete())
        work.commit()
    assert (on_roster(desk), to_hand_on(desk)) == ([], 0)


def test_who_moved_to_the_unit_and_was_granted_again_hands_on_what_is_now_of_the_own_unit(desk):
    desk.joined(REVIEWER)
    desk.submitted(desk.opened())
    (review,) = desk.queue(REVIEWER)
    desk.heard(
        holder(replace(REVIEWER, unit=FILLER.unit), version=2)
    )  # moved to the reporting unit, granted anew
    area = desk.told(INSPECTOR, "GET", "/reviews/area", params={"to_hand_on": True})
    assert (area["to_hand_on"], [row["id"] for row in area["rows"]]) == (1, [review["id"]])
    assert desk.app.looking.measure() == (1, 0, 1)
    desk.joined(SECOND)
    desk.told(
        INSPECTOR, "POST", f"/reviews/{review['id']}/handing-on", json={"reason": "原评审员已调入该单位"}
    )
    assert (to_hand_on(desk), len(desk.queue(SECOND))) == (0, 1)
    desk.heard(holder(replace(REVIEWER, unit="150102-jt"), version=3))
    assert to_hand_on(desk) == 0


def test_a_review_is_to_be_handed_on_exactly_where_its_reviewer_may_not_answer_it(desk):
    codes = [told.code for told in UNITS]
    desk.heard(*(holder(person(f"of {code}", "reviewer", code, "/15/")) for code in codes))
    with desk.app.store.work() as work:
        rows = [
            desk.app.assigning.row(work, new_id(), unit, 1, 1, f"of {code}")
            for code, unit in product(codes, codes)
        ]
        write_rows(work.session, REVIEW_ASSIGNMENTS, rows)
        work.commit()
    with desk.app.store.reading() as session:
        stood = places(session, codes)
        now = Standing(None, local_date(desk.clock.now()))
        asked = select(now.assignments.c.reviewer, now.assignments.c.unit).join(
            now.units, now.units.c.code == now.assignments.c.unit
        )
        lost = {tuple(row) for row in session.execute(asked.where(now.is_lost()))}
    assert lost == {
        (f"of {code}", unit)
        for code, unit in product(codes, codes)
        if not may_review(stood[code], stood[unit])
    }
