"""Reviews over HTTP: by rule, blind, counted in the log; nobody scores the own unit and nothing is scored twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import orjson
import pytest
from sqlalchemy import select, text

from kernel.errors import PermanentError
from services.assessment.reporting.model import REPORT_EVENTS
from services.assessment.review.model import REVIEW_ASSIGNMENTS
from services.assessment.review.rules import Mark
from services.assessment.scoring.model import EVENT_LOG
from tests.support.reporting import (
    COUNTY,
    FILLER,
    HEAD,
    INSPECTOR,
    LINE_REVIEWER,
    NEIGHBOUR,
    NEIGHBOUR_HEAD,
    OWN_REVIEWER,
    REVIEWER,
    SECOND,
    UNITS,
    Desk,
    person,
)

ARBITER = person("zhongcai", "inspector", "1501-sf", "/15/1501/")
OTHER_INSPECTOR = person("ducha2", "inspector", "150102-cz", COUNTY)


@pytest.fixture
def desk(fed, tmp_path):
    fed.units(*UNITS)
    desk = Desk(fed.app, tmp_path)
    desk.clock = fed.runtime.clock
    return desk


def code_of(answer):
    return answer.json()["code"]


def facts(desk):
    """The leaves of the log that came from reports."""
    with desk.app.store.reading() as session:
        leaves = session.scalars(select(EVENT_LOG.c.leaf).order_by(EVENT_LOG.c.seq))
        return [
            leaf for leaf in map(orjson.loads, leaves) if leaf["subject"].startswith("assessment/reports/")
        ]


def test_fill_submit_return_resubmit_score_and_the_number_changes(desk):
    desk.joined(REVIEWER)
    report = desk.opened()
    before = desk.score()
    desk.submitted(report)
    (given,) = desk.queue(REVIEWER)
    assert (given["unit_name"], given["overdue"], given["is_arbitration"]) == (
        "新城区市场监管局",
        False,
        False,
    )
    assert given["due_on"] == "2026-03-19"  # ten working days after Thursday 5 March
    desk.told(REVIEWER, "POST", f"/reviews/{given['id']}/opening")
    assert code_of(desk.post(HEAD, f"/reports/{report}/withdrawal")) == "assessment.report_state"
    returned = desk.answered(REVIEWER, given["id"], decision="return", reasons="请附文件原文。")
    assert returned.json()["state"] == "returned"
    assert desk.score() == before
    seen = desk.told(FILLER, "GET", f"/reports/{report}")
    assert (seen["state"], seen["writable"], seen["events"][-1]["reasons"]) == (
        "returned",
        True,
        "请附文件原文。",
    )
    desk.submitted(report, version=1, statement="已补原文。")
    (again,) = desk.queue(REVIEWER)
    detail = desk.told(REVIEWER, "GET", f"/reviews/{again['id']}")
    assert (detail["round"], detail["returned_before"]) == (2, ["请附文件原文。"])
    assert detail["content"]["statement"] == "已补原文。"
    assert desk.answered(REVIEWER, again["id"], score_milli=850).json()["state"] == "scored"
    (fact,) = facts(desk)
    assert (fact["score"], fact["mode"], fact["unit"]) == ("0.850", "reported", "150102-scjg")
    assert fact["probe"] == f"{desk.app.frameworks.current().id}/{detail['result']['code']}"
    assert fact["doc_sha"][0][0].startswith("sha256:")
    assert desk.score() == "85.0000"
    explained = desk.told(
        HEAD, "GET", "/units/150102-scjg/explanation", params={"node": detail["result"]["code"]}
    )
    assert explained["events"]["rows"][0]["subject"] == f"assessment/reports/{report}"


def test_no_answer_is_given_twice_and_a_scored_report_is_closed(desk):
    desk.joined(REVIEWER)
    report = desk.opened()
    desk.submitted(report)
    (given,) = desk.queue(REVIEWER)
    assert desk.answered(REVIEWER, given["id"], score_milli=900).status_code == 200
    again = desk.answered(REVIEWER, given["id"], score_milli=100)
    assert (again.status_code, code_of(again)) == (409, "assessment.review_closed")
    body = {"version": 1, "statement": "改"}
    assert (
        code_of(desk.ask(FILLER, "POST", f"/reports/{report}/draft", json=body)) == "assessment.report_state"
    )
    assert len(facts(desk)) == 1
    with pytest.raises(Exception, match=r"(?i)unique"):  # noqa: PT012
        with desk.app.store.work() as work:
            row = (
                work.session.execute(select(REPORT_EVENTS).where(REPORT_EVENTS.c.act == "scored"))
                .mappings()
                .one()
            )
            work.session.execute(REPORT_EVENTS.insert().values(**{**row, "number": 99}))
            work.commit()


def test_nobody_reviews_the_own_unit_or_line_even_when_it_is_the_only_one_there(desk):
    desk.joined(OWN_REVIEWER, LINE_REVIEWER)
    report = desk.opened()
    desk.submitted(report)
    assert desk.queue(OWN_REVIEWER) == desk.queue(LINE_REVIEWER) == []
    assert desk.told(INSPECTOR, "GET", "/reviews/area")["unassigned"] == 1
    desk.joined(REVIEWER)
    (given,) = desk.queue(REVIEWER)
    for who in (OWN_REVIEWER, LINE_REVIEWER, SECOND):
        assert desk.ask(who, "GET", f"/reviews/{given['id']}").status_code == 404
        assert desk.answered(who, given["id"], score_milli=1).status_code == 404
    moved = person("shenhe", "reviewer", "150102-scjg", COUNTY)  # the reviewer changed to the reporting unit
    refused = desk.answered(moved, given["id"], score_milli=1000)
    assert (refused.status_code, code_of(refused)) == (403, "assessment.own_unit")
    assert facts(desk) == []


def drawn_twice(desk, **said):
    """A report that the lot takes for a second review, and both reviews."""
    report = desk.opened(drawn=True)
    desk.submitted(report, **said)
    (one,), (other,) = desk.queue(REVIEWER), desk.queue(SECOND)
    return report, one["id"], other["id"]


def test_two_reviewers_are_blind_to_one_another_and_the_unit_to_both(desk):
    desk.joined(REVIEWER, SECOND)
    report, one, other = drawn_twice(desk)
    assert desk.answered(REVIEWER, one, score_milli=800, reasons="甲方意见").json()["state"] == "reviewing"
    seen = desk.ask(SECOND, "GET", f"/reviews/{other}").text + str(desk.queue(SECOND))
    for secret in ("甲方意见", "0.800", "shenhe"):
        assert secret not in seen
    assert desk.ask(SECOND, "GET", f"/reviews/{one}").status_code == 404
    assert desk.told(FILLER, "GET", f"/reports/{report}")["score"] is None
    assert desk.answered(SECOND, other, score_milli=850, reasons="乙方意见").json()["state"] == "scored"
    told = desk.ask(FILLER, "GET", f"/reports/{report}").text
    assert "甲方意见" in told
    assert not any(name in told for name in ("shenhe", "fushen"))
    (fact,) = facts(desk)
    assert fact["score"] == "0.825"


def test_two_who_differ_too_far_are_decided_by_an_inspector_who_took_no_part(desk):
    desk.joined(REVIEWER, SECOND)
    report, one, other = drawn_twice(desk)
    desk.answered(REVIEWER, one, score_milli=300, reasons="材料不足")
    assert desk.answered(SECOND, other, score_milli=900).json()["state"] == "reviewing"
    assert facts(desk) == []
    (case,) = desk.queue(INSPECTOR)
    assert case["is_arbitration"]
    detail = desk.told(INSPECTOR, "GET", f"/reviews/{case['id']}")
    assert [mark["score"] for mark in detail["others"]] == ["0.300", "0.900"]
    assert "shenhe" not in str(detail)
    both = person("shenhe", "inspector", "150102-sf", COUNTY)  # one person who holds both roles
    assert desk.queue(both) == []
    assert desk.answered(both, case["id"], score_milli=1).status_code == 404
    assert desk.answered(REVIEWER, case["id"], score_milli=1).status_code == 404
    assert desk.answered(INSPECTOR, case["id"], score_milli=600, reasons="核实").json()["state"] == "scored"
    assert [fact["score"] for fact in facts(desk)] == ["0.600"]
    found = desk.told(INSPECTOR, "GET", "/reviews/agreement", params={"period": "2026"})
    assert (found["pairs"], found["within"], found["arbitrated"]) == (1, 0, 1)
    assert (found["mean_difference"], found["within_share"], found["alpha"]) == ("0.6000", "0.0000", None)
    assert report


def test_a_measured_result_is_scored_by_the_numbers_the_reviewer_found_true(desk):
    desk.joined(REVIEWER)
    report = desk.opened(measured=True)
    desk.submitted(report, value=(90, 100))
    (given,) = desk.queue(REVIEWER)
    assert given["suggested"] is not None
    refused = desk.answered(REVIEWER, given["id"], score_milli=1000)
    assert code_of(refused) == "assessment.mark_invalid"
    done = desk.answered(REVIEWER, given["id"], value={"numerator": 80, "denominator": 100})
    assert done.json()["state"] == "scored"
    (fact,) = facts(desk)
    assert (fact["numerator"], fact["denominator"]) == (80, 100)


def test_many_are_accepted_or_returned_at_once_and_each_row_says_what_became_of_it(desk):
    desk.joined(REVIEWER)
    for row in desk.asked(measured=True)[:2] + desk.asked()[:1]:
        report = desk.told(FILLER, "POST", "/reports", json={"result": row["result"], "period": "2026"})["id"]
        desk.submitted(report, value=(9, 10) if row["needs_value"] else None)
    ids = [row["id"] for row in desk.queue(REVIEWER)]
    assert len(ids) == 3
    body = {"decision": "accept", "reasons": "数据核对无误。", "assignments": [*ids, "0" * 36]}
    done = desk.told(REVIEWER, "POST", "/reviews/many", json=body)
    assert sorted(one["done"] for one in done) == [False, False, True, True]
    assert {one["code"] for one in done} == {"", "assessment.no_suggestion", "assessment.unknown_review"}
    assert len(facts(desk)) == 2
    left = [row["id"] for row in desk.queue(REVIEWER)]
    body = {"decision": "return", "reasons": "请补材料。", "assignments": left}
    assert [one["done"] for one in desk.told(REVIEWER, "POST", "/reviews/many", json=body)] == [True]
    assert desk.queue(REVIEWER) == []
    assert len(desk.queue(REVIEWER, state="done")) == 3


def test_an_inspector_hands_a_late_review_on_with_a_reason(desk):
    desk.joined(REVIEWER)
    report = desk.opened()
    desk.submitted(report)
    (given,) = desk.queue(REVIEWER)
    desk.clock.set(datetime(2026, 3, 20, 2, 0, tzinfo=UTC))
    late = desk.told(INSPECTOR, "GET", "/reviews/area", params={"overdue": True})
    assert (late["total"], late["rows"][0]["reviewer"]) == (1, "shenhe")
    assert desk.app.looking.measure() == (1, 1, 0)
    path = f"/reviews/{given['id']}/handing-on"
    assert code_of(desk.post(INSPECTOR, path, reason="出差")) == "assessment.no_reviewer"
    desk.joined(SECOND)
    assert desk.post(REVIEWER, path, reason="忙").status_code == 403
    assert (
        code_of(desk.post(INSPECTOR, path, reason="出差", reviewer="zijiren"))
        == "assessment.unknown_reviewer"
    )
    desk.told(INSPECTOR, "POST", path, json={"reason": "出差"})
    assert desk.queue(REVIEWER) == []
    assert desk.answered(REVIEWER, given["id"], score_milli=1).status_code in (404, 409)
    (taken,) = desk.queue(SECOND)
    assert desk.answered(SECOND, taken["id"], score_milli=700).json()["state"] == "scored"


def test_a_withdrawn_round_is_gone_from_the_queue_and_its_review_does_not_exist(desk):
    desk.joined(REVIEWER)
    report = desk.opened()
    desk.submitted(report)
    (given,) = desk.queue(REVIEWER)
    desk.told(HEAD, "POST", f"/reports/{report}/withdrawal", json={})
    assert desk.queue(REVIEWER) == []
    assert desk.ask(REVIEWER, "GET", f"/reviews/{given['id']}").status_code == 404
    assert desk.answered(REVIEWER, given["id"], score_milli=1).status_code == 409
    desk.told(HEAD, "POST", f"/reports/{report}/submission", json={"version": 1})
    (again,) = desk.queue(REVIEWER)
    assert again["round"] == 2


def test_a_reviewer_reads_the_version_under_review_and_its_files_alone(desk):
    desk.joined(REVIEWER)
    report = desk.opened()
    hidden = desk.uploaded(report, content=b"\xef\xbb\xbfa,b\n1,2\n", name="未附.csv")
    desk.submitted(report)
    (given,) = desk.queue(REVIEWER)
    detail = desk.told(REVIEWER, "GET", f"/reviews/{given['id']}")
    digest = detail["content"]["evidence"][0]["reference"]
    got = desk.ask(REVIEWER, "GET", f"/reviews/{given['id']}/files/{digest}")
    assert (got.status_code, got.headers["content-disposition"][:10]) == (200, "attachment")
    assert desk.ask(REVIEWER, "GET", f"/reviews/{given['id']}/files/{hidden}").status_code == 404
    assert desk.ask(SECOND, "GET", f"/reviews/{given['id']}/files/{digest}").status_code == 404
    desk.answered(REVIEWER, given["id"], decision="return", reasons="补")
    desk.written(report, version=1, statement="还没交的草稿")
    assert "还没交的草稿" not in desk.ask(REVIEWER, "GET", f"/reviews/{given['id']}").text
    assert "还没交的草稿" not in desk.ask(INSPECTOR, "GET", f"/reports/{report}").text


def test_work_is_spread_and_assigning_again_gives_nothing_new(desk):
    desk.joined(REVIEWER, SECOND)
    for who, head in ((FILLER, HEAD), (NEIGHBOUR, NEIGHBOUR_HEAD)):
        for row in desk.asked(who)[:4]:
            report = desk.told(who, "POST", "/reports", json={"result": row["result"], "period": "2026"})[
                "id"
            ]
            desk.submitted(report, by=head, filler=who)
    assert (len(desk.queue(REVIEWER)), len(desk.queue(SECOND))) == (4, 4)
    assert desk.app.assigning.assign_waiting() == 0
    with desk.app.store.reading() as session:
        assert session.execute(select(REVIEW_ASSIGNMENTS)).all().__len__() == 8


def test_a_score_corrected_after_an_objection_is_a_new_fact_and_the_report_follows_it(desk):
    desk.joined(SECOND)
    report = desk.opened()
    desk.submitted(report)
    (given,) = desk.queue(SECOND)
    desk.answered(SECOND, given["id"], score_milli=500)
    assert desk.score() == "50.0000"
    (fact,) = facts(desk)
    body = {"event": fact["event_id"], "asked": "pass", "grounds": "材料被漏看"}
    objection = f"/objections/{desk.told(HEAD, 'POST', '/objections', json=body)['id']}"
    scorer = person(SECOND.account, "inspector", "150102-cz", COUNTY)
    desk.told(INSPECTOR, "POST", f"{objection}/acceptance", json={})
    answer = {"outcome": "partly", "reasons": "漏看一份", "score_milli": 900}
    assert desk.ask(scorer, "POST", f"{objection}/draft", json=answer).status_code == 409
    desk.told(INSPECTOR, "POST", f"{objection}/draft", json=answer)
    assert desk.ask(INSPECTOR, "POST", f"{objection}/confirmation", json={}).status_code == 409
    desk.told(OTHER_INSPECTOR, "POST", f"{objection}/confirmation", json={})
    first, second = facts(desk)
    assert second["corrects"] == first["event_id"]
    assert desk.score() == "90.0000"
    seen = desk.told(FILLER, "GET", f"/reports/{report}")
    assert (seen["score"], seen["events"][-1]["act"]) == ("0.900", "rescored")
    assert seen["events"][-1]["fact"] == second["event_id"]


def test_every_act_and_every_denial_is_in_the_audit_log(desk):
    desk.joined(REVIEWER)
    report = desk.opened()
    desk.submitted(report)
    (given,) = desk.queue(REVIEWER)
    desk.answered(REVIEWER, given["id"], score_milli=500)
    moved = person("shenhe", "reviewer", "150102-scjg", COUNTY)
    assert desk.ask(moved, "GET", f"/reviews/{given['id']}").status_code == 403
    with desk.app.store.reading() as session:
        rows = session.execute(text("SELECT action, result FROM audit ORDER BY id")).all()
    done = {row.action for row in rows if row.result == "done"}
    assert {"report.opened", "report.file_added", "report.saved", "report.submitted"} <= done
    assert {"reviewer.joined", "reviews.assigned", "review.opened", "review.score", "report.scored"} <= done
    assert [row.action.partition(" ")[0] for row in rows if row.result == "denied"] == ["GET"]


def test_a_report_scored_after_its_year_counts_in_its_year(desk):
    desk.joined(REVIEWER)
    report = desk.opened()
    desk.clock.set(datetime(2027, 1, 20, 2, 0, tzinfo=UTC))
    desk.submitted(report)
    (given,) = desk.queue(REVIEWER)
    desk.answered(REVIEWER, given["id"], score_milli=1000)
    (fact,) = facts(desk)
    assert fact["occurred_at"] == "2026-12-31T15:59:59.999999Z"
    assert desk.score() == "100.0000"


def at_once(*acts):
    """Run these acts at the same moment; returns what each came to."""
    gate = Barrier(len(acts))

    def run(act):
        gate.wait()
        try:
            return act()
        except PermanentError as refused:
            return refused.stable_code

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_answers_given_at_the_same_moment_score_a_report_once(desk):
    desk.joined(REVIEWER, SECOND)
    _, one, other = drawn_twice(desk)
    reviews = desk.app.reviews

    def answers(who, assignment):
        return lambda: reviews.answer(who, assignment, Mark("score", "同时", 700))

    came = at_once(*[answers(REVIEWER, one)] * 3, *[answers(SECOND, other)] * 3)
    assert sorted(came) == ["assessment.review_closed"] * 4 + ["reviewing", "scored"]
    assert [fact["score"] for fact in facts(desk)] == ["0.700"]


def test_withdrawing_and_opening_at_the_same_moment_end_in_one_of_the_two(desk):
    desk.joined(REVIEWER)
    for row in desk.asked()[:3]:
        report = desk.told(FILLER, "POST", "/reports", json={"result": row["result"], "period": "2026"})["id"]
        desk.submitted(report)
        given = next(one for one in desk.queue(REVIEWER) if one["result"] == row["result"])
        at_once(
            lambda report=report: desk.app.reports.withdraw(HEAD, report, ""),
            lambda given=given: desk.app.reviews.open(REVIEWER, given["id"]),
        )
        seen = desk.told(FILLER, "GET", f"/reports/{report}")
        assert [event["act"] for event in seen["events"]] in (
            ["opened", "submitted", "withdrawn"],
            ["opened", "submitted", "review_opened"],
        )
        assert seen["state"] == ("draft" if seen["events"][-1]["act"] == "withdrawn" else "reviewing")


def test_two_workers_that_assign_at_the_same_moment_give_each_report_once(desk):
    desk.joined(REVIEWER, SECOND)
    for row in desk.asked()[:6]:
        report = desk.told(FILLER, "POST", "/reports", json={"result": row["result"], "period": "2026"})["id"]
        desk.submitted(report, evidence=None)
    given = at_once(*[desk.app.assigning.assign_waiting] * 4)
    assert sum(given) == 6
    with desk.app.store.reading() as session:
        rows = session.execute(select(REVIEW_ASSIGNMENTS.c.report, REVIEW_ASSIGNMENTS.c.place)).all()
    assert len(rows) == len(set(rows)) == 6
