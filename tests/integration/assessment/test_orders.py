"""An order runs until a recorded outcome: issued, answered with proof, checked by another, closed, and counted."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from contracts.findings import Outcome
from kernel.errors import NotFound
from services.assessment.rectification.model import ORDER_EVENTS, ORDERS
from services.assessment.rectification.rules import replay
from services.assessment.rectification.timeline import MOST_FILES, facts_of
from services.assessment.scoring.model import EVENT_LOG, STANDING
from tests.support.supervision import (
    CHECKER,
    CITY_INSPECTOR,
    CLERK,
    FOREIGN_INSPECTOR,
    HEAD,
    ISSUER,
    OTHER_HEAD,
    OWN_INSPECTOR,
    SECOND,
    UNIT,
    Desk,
    county,
)

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


@pytest.fixture
def desk(fed, tmp_path):
    county(fed)
    return Desk(fed, tmp_path)


def standing_marks(desk, order):
    """The marks of the one standing ASM-02 event of an order; None where there is none."""
    statement = text(
        f"SELECT e.outcome, e.score_milli FROM {EVENT_LOG.name} e WHERE e.probe = 'ASM-02' "  # noqa: S608
        f"AND e.leaf LIKE :of AND {STANDING}"
    )
    with desk.app.store.reading() as session:
        rows = session.execute(statement, {"of": f"%assessment/orders/{order}%"}).all()
    assert len(rows) <= 1
    return (Outcome(rows[0].outcome).name, rows[0].score_milli) if rows else None


def checked(desk, order, *, is_met=True):
    """An order whose answer was checked by somebody else than its issuer."""
    desk.do(CLERK, f"/orders/{order}/answer", statement="三件均已作出决定")
    return desk.do(CHECKER, f"/orders/{order}/check", is_met=is_met, note="已逐件核对")


def rows_repeat_their_facts(desk):
    """Every order's row says what its facts add up to."""
    with desk.app.store.reading() as session:
        rows = session.execute(select(ORDERS)).all()
        facts = facts_of(session, ORDER_EVENTS, [row.id for row in rows])
    for row in rows:
        standing = replay(facts[row.id])
        assert (row.state, row.version, row.due_at, row.outcome, row.issuer, bool(row.is_late)) == (
            standing.state,
            standing.version,
            standing.due_at,
            standing.outcome,
            standing.issuer,
            standing.is_late,
        )
    return len(rows)


def test_an_order_is_answered_with_proof_checked_by_another_closed_and_counted(desk):
    order = desk.issue()
    assert desk.get(HEAD, f"/orders/{order}")["can"] == ["evidence", "answered"]
    kept = desk.hand_in(CLERK, f"/orders/{order}/files", "决定书.png", PNG)
    assert kept.status_code == 201, kept.text
    place = kept.json()["place"]
    assert desk.ask(ISSUER, "GET", place.removeprefix("/api/assessment/v1")).content == PNG
    assert "checked" not in desk.do(CLERK, f"/orders/{order}/answer", statement="均已作出决定")["can"]
    assert "checked" not in desk.get(ISSUER, f"/orders/{order}")["can"]
    desk.do(ISSUER, f"/orders/{order}/check", 409, is_met=True, note="自己复查")
    desk.do(CHECKER, f"/orders/{order}/check", is_met=True, note="已逐件核对")
    done = desk.do(ISSUER, f"/orders/{order}/closing", outcome="rectified", note="整改到位")
    assert (done["state"], done["outcome"], done["due_at"]) == ("closed", "rectified", None)
    assert [fact["kind"] for fact in done["facts"]] == ["issued", "evidence", "answered", "checked", "closed"]
    assert standing_marks(desk, order) == ("PASS", 1000)
    with desk.app.store.reading() as session:
        leaf = session.execute(select(EVENT_LOG.c.leaf).where(EVENT_LOG.c.probe == "ASM-02")).scalar_one()
    assert kept.json()["digest"] in leaf
    assert rows_repeat_their_facts(desk) == 1


def test_the_person_who_began_it_finds_the_outcome_among_their_own(desk):
    order = desk.issue()
    checked(desk, order)
    desk.do(SECOND, f"/orders/{order}/closing", outcome="rectified", note="整改到位")
    (mine,) = desk.get(ISSUER, "/orders?mine=true&state=closed")["rows"]
    assert (mine["id"], mine["outcome"]) == (order, "rectified")
    assert desk.get(SECOND, "/orders?mine=true")["total"] == 0


def test_who_is_elsewhere_learns_nothing_of_an_order_and_the_attempt_changes_nothing(desk):
    order = desk.issue()
    for who in (OTHER_HEAD, FOREIGN_INSPECTOR):
        assert desk.ask(who, "GET", f"/orders/{order}").status_code == 404
        assert desk.get(who, "/orders")["total"] == 0
    assert desk.ask(OTHER_HEAD, "POST", f"/orders/{order}/answer", json={"statement": "x"}).status_code == 404
    assert (
        desk.ask(
            FOREIGN_INSPECTOR,
            "POST",
            f"/orders/{order}/closing",
            json={"outcome": "not_established", "note": "x"},
        ).status_code
        == 404
    )
    desk.do(
        FOREIGN_INSPECTOR,
        "/orders",
        404,
        unit=UNIT,
        title="t",
        reason="r",
        proof="p",
        checked_not_pending=True,
    )
    assert desk.get(HEAD, f"/orders/{order}")["state"] == "open"


def test_nobody_handles_an_order_of_their_own_unit(desk):
    body = {"unit": UNIT, "title": "t", "reason": "r", "proof": "p", "checked_not_pending": True}
    assert desk.do(OWN_INSPECTOR, "/orders", 409, **body)["code"] == "assessment.own_matter"
    order = desk.issue()
    assert (
        desk.do(OWN_INSPECTOR, f"/orders/{order}/closing", 409, outcome="not_established", note="x")["code"]
        == "assessment.own_matter"
    )
    desk.do(CITY_INSPECTOR, f"/orders/{order}/answer", 403, statement="我来答")


def test_a_justice_department_does_not_supervise_its_own_government(desk):
    body = {"unit": "150102", "title": "t", "reason": "r", "proof": "p", "checked_not_pending": True}
    assert desk.do(ISSUER, "/orders", 409, **body)["code"] == "assessment.own_matter"
    desk.do(CITY_INSPECTOR, "/orders", 201, **body)


def test_a_matter_that_may_be_in_review_is_not_supervised_unchecked_nor_twice(desk):
    body = {"unit": UNIT, "title": "t", "reason": "r", "proof": "p", "matter": "enforcement/cases/1"}
    assert desk.do(ISSUER, "/orders", 409, **body)["code"] == "assessment.maybe_pending"
    desk.do(ISSUER, "/orders", 201, **body, checked_not_pending=True)
    assert (
        desk.do(SECOND, "/orders", 409, **body, checked_not_pending=True)["code"]
        == "assessment.order_running"
    )


def test_an_order_that_went_to_court_ends_without_counting(desk):
    order = desk.issue()
    desk.do(ISSUER, f"/orders/{order}/closing", outcome="in_review_or_court", note="已受理行政诉讼")
    assert standing_marks(desk, order) == ("NOT_APPLICABLE", 0)


def test_a_reviewer_proposes_and_an_inspector_puts_it_to_the_unit(desk):
    body = {"unit": UNIT, "title": "t", "reason": "r", "proof": "p"}
    order = desk.do(CHECKER, "/orders", 201, **body)["id"]
    assert desk.ask(HEAD, "GET", f"/orders/{order}").status_code == 404
    desk.do(CHECKER, f"/orders/{order}/issue", 403, checked_not_pending=True)
    assert desk.do(ISSUER, f"/orders/{order}/issue", checked_not_pending=True)["state"] == "open"
    assert desk.get(HEAD, f"/orders/{order}")["state"] == "open"


def test_a_proposal_that_is_not_issued_is_never_the_units(desk):
    order = desk.do(CHECKER, "/orders", 201, unit=UNIT, title="t", reason="r", proof="p")["id"]
    desk.do(ISSUER, f"/orders/{order}/closing", outcome="not_issued", note="情况不实")
    assert desk.ask(HEAD, "GET", f"/orders/{order}").status_code == 404
    assert standing_marks(desk, order) is None


def test_an_unfinished_answer_is_returned_with_a_new_due_time(desk):
    order = desk.issue()
    checked(desk, order, is_met=False)
    assert (
        desk.do(ISSUER, f"/orders/{order}/closing", 409, outcome="rectified", note="x")["code"]
        == "assessment.outcome_too_early"
    )
    returned = desk.do(ISSUER, f"/orders/{order}/return", note="缺一件", due_on="2026-03-31")
    assert (returned["state"], returned["due_at"]) == ("open", "2026-03-31T16:00:00Z")
    checked(desk, order)
    desk.do(ISSUER, f"/orders/{order}/closing", outcome="rectified", note="整改到位")
    rows_repeat_their_facts(desk)


def test_a_due_time_is_extended_once_with_a_reason_and_within_bounds(desk):
    order = desk.issue(due_on="2026-03-10")
    path = f"/orders/{order}/extension"
    desk.do(ISSUER, path, 422, note="补材料", due_on="2026-03-09")
    desk.do(ISSUER, path, 422, note="补材料", due_on="2027-03-09")
    assert desk.do(ISSUER, path, note="补材料", due_on="2026-03-20")["due_at"] == "2026-03-20T16:00:00Z"
    assert (
        desk.do(ISSUER, path, 409, note="再延", due_on="2026-03-24")["code"] == "assessment.extended_already"
    )


def test_an_overdue_order_goes_one_level_up_exactly_once_and_counts_against_the_unit(desk):
    order = desk.issue(due_on="2026-03-10")
    desk.clock.advance(timedelta(days=4))
    assert desk.app.supervision.escalate() == 0
    desk.clock.advance(timedelta(days=2))
    assert [desk.app.supervision.escalate() for _ in range(3)] == [1, 0, 0]
    seen = desk.get(CITY_INSPECTOR, f"/orders/{order}")
    assert (seen["supervisor"]["code"], seen["is_escalated"], seen["is_overdue"]) == ("1501", True, True)
    assert standing_marks(desk, order) == ("FAIL", 0)
    checked(desk, order)
    desk.do(ISSUER, f"/orders/{order}/closing", outcome="rectified", note="整改到位")
    assert standing_marks(desk, order) == ("FAIL", 500)
    rows_repeat_their_facts(desk)


@pytest.mark.parametrize("act", ["answer", "extension"])
def test_what_is_late_is_late_though_somebody_acts_before_the_clock_looks_again(desk, act):
    order = desk.issue(due_on="2026-03-10")
    desk.pass_days(6)
    if act == "extension":
        desk.do(ISSUER, f"/orders/{order}/extension", note="补材料", due_on="2026-03-20")
        assert standing_marks(desk, order) == ("FAIL", 0)
    checked(desk, order)
    assert desk.app.supervision.escalate() == 0
    done = desk.do(ISSUER, f"/orders/{order}/closing", outcome="rectified", note="整改到位")
    assert [fact["kind"] for fact in done["facts"]].count("escalated") == 1
    assert (done["is_late"], done["supervisor"]["code"]) == (True, "1501")
    assert standing_marks(desk, order) == ("FAIL", 500)
    rows_repeat_their_facts(desk)


def test_a_clock_that_jumps_back_and_forth_escalates_no_due_time_twice(desk):
    order = desk.issue(due_on="2026-03-10")
    for hours in (24 * 6, -1, 1, -48, 48, 1, -1):
        desk.clock.advance(timedelta(hours=hours))
        desk.app.supervision.escalate()
    kinds = [fact["kind"] for fact in desk.get(ISSUER, f"/orders/{order}")["facts"]]
    assert kinds == ["issued", "escalated"]


def test_each_new_due_time_escalates_by_itself_up_to_the_highest_level(desk):
    order = desk.issue(due_on="2026-03-10")
    desk.pass_days(6)
    desk.app.supervision.escalate()
    desk.do(CITY_INSPECTOR, f"/orders/{order}/extension", note="最后期限", due_on="2026-03-20")
    desk.pass_days(12)
    desk.app.supervision.escalate()
    seen = desk.get(CITY_INSPECTOR, f"/orders/{order}")
    assert [fact["detail"].get("to") for fact in seen["facts"] if fact["kind"] == "escalated"] == [
        "1501",
        "15",
    ]


def test_what_was_never_answered_ends_as_not_put_right(desk):
    order = desk.issue(due_on="2026-03-10")
    desk.do(ISSUER, f"/orders/{order}/closing", 409, outcome="unrectified", note="太早")
    desk.pass_days(6)
    desk.app.supervision.escalate()
    desk.do(ISSUER, f"/orders/{order}/closing", outcome="unrectified", note="逾期未报告，移送")
    assert standing_marks(desk, order) == ("FAIL", 0)


def test_an_order_soon_after_another_is_a_relapse_of_it_and_later_is_not(desk):
    first = desk.issue()
    checked(desk, first)
    desk.do(ISSUER, f"/orders/{first}/closing", outcome="rectified", note="整改到位")
    desk.pass_days(80)
    second = desk.issue()
    assert desk.get(HEAD, f"/orders/{second}")["relapse_of"] == first
    assert desk.get(HEAD, f"/orders/{first}")["relapses"] == [second]
    desk.do(ISSUER, f"/orders/{second}/closing", outcome="not_established", note="查无此事")
    desk.pass_days(91)
    assert desk.get(HEAD, f"/orders/{desk.issue()}")["relapse_of"] is None


def test_facts_of_orders_cannot_be_changed(desk):
    order = desk.issue()
    for statement in ("UPDATE order_events SET note = 'x'", "DELETE FROM order_events"):
        with pytest.raises(DatabaseError), desk.app.store.database.engine.begin() as connection:
            connection.exec_driver_sql(statement)
    assert len(desk.get(HEAD, f"/orders/{order}")["facts"]) == 1


def test_the_database_keeps_no_order_without_a_due_time(desk):
    desk.issue()
    with pytest.raises(DatabaseError), desk.app.store.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE orders SET due_at = NULL")


def test_every_act_is_in_the_audit_with_who_did_it(desk):
    order = desk.issue()
    checked(desk, order)
    audit = desk.app.store.spine.audit
    with desk.app.store.reading() as session:
        rows = session.execute(
            select(audit.c.actor, audit.c.action)
            .where(audit.c.object == f"orders/{order}")
            .order_by(audit.c.seq)
        ).all()
    assert [tuple(row) for row in rows] == [
        ("ducha", "order.issued"),
        ("tianbao", "order.answered"),
        ("shenhe", "order.checked"),
    ]


def test_a_file_of_a_false_type_is_refused_and_leaves_nothing(desk):
    order = desk.issue()
    answer = desk.hand_in(CLERK, f"/orders/{order}/files", "决定书.png", b"MZ not a picture")
    assert answer.status_code == 422
    assert desk.get(HEAD, f"/orders/{order}")["files"] == []


def test_a_matter_holds_twenty_files_and_says_so_at_the_next(desk):
    order = desk.issue()
    for number in range(MOST_FILES):
        assert (
            desk.hand_in(CLERK, f"/orders/{order}/files", f"{number}.txt", b"%d" % number).status_code == 201
        )
    answer = desk.hand_in(CLERK, f"/orders/{order}/files", "再来一份.txt", b"one more")
    assert (answer.status_code, answer.json()["code"]) == (413, "assessment.too_many_files")
    assert len(desk.get(HEAD, f"/orders/{order}")["files"]) == MOST_FILES == 20


def test_what_runs_and_what_is_late_is_measured(desk):
    desk.issue(due_on="2026-03-10")
    assert desk.app.supervision.order_reading.waiting() == (1, 0)
    desk.pass_days(6)
    assert desk.app.supervision.order_reading.waiting() == (1, 1)
    desk.app.supervision.measure()


def test_an_unknown_order_is_not_found(desk):
    with pytest.raises(NotFound):
        desk.app.supervision.order_reading.one(HEAD, "no-such-id")
