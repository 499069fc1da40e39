"""
The year of a county's assessment, lived by the people in it, every number reckoned by hand.

The framework has 50 points of system data, 30 of surveys and 20 of on-site checks. One story follows the market
department from the framework to the published ranking and a correction after it; each step is a function below,
in the order of the year; what follows the closing is in tests/support/the_year_published.py. Everything goes over HTTP, as the accounts that would do it.
"""

from datetime import date

import pytest

from tests.support.papers import pdf
from tests.support.the_year import (
    COUNTY,
    CULTURE,
    GROUP,
    LATE_PUBLICATION,
    MARKET,
    TRANSPORT,
    a_county,
    micro,
)
from tests.support.the_year_framework import a_framework_is_written_by_one_and_put_in_force_by_another
from tests.support.the_year_published import (
    a_correction_moves_the_live_ranking_and_nothing_published,
    a_ranking_is_published_and_anybody_can_check_it,
    a_replay_under_the_same_framework_is_the_ranking_byte_for_byte,
    a_unit_checks_its_receipts_by_itself,
    the_year_is_closed_by_two_and_what_comes_late_is_listed,
    what_was_published_can_be_read_and_adds_up,
)

LATE_SERVICE = {"送达日期": "2026-04-10"}
SCALE = [{"text": "满意", "marks": 1000}, {"text": "基本满意", "marks": 600}, {"text": "不满意", "marks": 0}]


@pytest.fixture
def county(tmp_path):
    with a_county(tmp_path) as county:
        yield county


def test_the_year_of_a_county_as_its_people_live_it(county, tmp_path):
    a_framework_is_written_by_one_and_put_in_force_by_another(county)
    tasks_reach_the_department_that_leads(county)
    county.move_to(date(2026, 5, 11))
    what_enforcement_found_is_scored(county)
    a_self_report_is_returned_mended_and_scored_by_others(county)
    people_outside_are_asked(county)
    a_company_looks_on_site_and_corrects_itself_downwards(county)
    every_place_can_be_explained(county)
    a_warning_becomes_an_order_and_is_put_right(county)
    an_objection_is_upheld_by_two_and_the_score_moves_back(county)
    county.move_to(date(2026, 12, 28))
    the_year_is_closed_by_two_and_what_comes_late_is_listed(county)
    publication = a_ranking_is_published_and_anybody_can_check_it(county, tmp_path)
    what_was_published_can_be_read_and_adds_up(county, publication)
    a_correction_moves_the_live_ranking_and_nothing_published(county, publication)
    a_unit_checks_its_receipts_by_itself(county)
    a_replay_under_the_same_framework_is_the_ranking_byte_for_byte(county)


def tasks_reach_the_department_that_leads(county):
    asked = {"year": 2026, "scope": COUNTY, "title": "2026年度任务", "due_on": "2026-12-31"}
    made = county.do("ducha", "/task_plans", **asked)
    assert (made["areas"], made["tasks"]) == (1, 8)  # eight results, one government
    home = county.get("tianbao", "/home/tasks")
    assert home["open"] == 8
    assert county.get("linju", "/home/tasks")["open"] == 0
    assert {row["lead"]["code"] for row in county.get("tianbao", "/tasks")["rows"]} == {MARKET}


def what_enforcement_found_is_scored(county):
    county.cases("tianbao", MARKET, [{}] * 7 + [LATE_PUBLICATION] * 2 + [LATE_SERVICE])
    county.cases("linju", TRANSPORT, [{}] * 3 + [LATE_PUBLICATION])
    county.cases("wenhua", CULTURE, [{}] * 2)
    # Market: 40 × 8/10 = 32; 9/10 from 0.5 on is 0.8 × 20 = 16; 48 of 60. Transport: 40 × 3/4 + 20 = 50 of 60.
    assert county.ranking() == [(1, CULTURE, "100.0000"), (2, TRANSPORT, "83.333333"), (3, MARKET, "80.0000")]


def a_self_report_is_returned_mended_and_scored_by_others(county):
    for who in ("shenhe", "neishen"):  # the second is of the market department itself
        county.told(who, "POST", "/reviews/membership")
    system, trained = (_begun(county, code) for code in ("A1.M2.R1", "A1.M2.R2"))
    assert county.ask("linju", "GET", f"/reports/{system}").status_code == 404
    proof = county.hand_in("tianbao", f"/reports/{system}/files", "制度.pdf", pdf()).json()["digest"]
    assert county.ask("linju", "GET", f"/reports/{system}/files/{proof}").status_code == 404
    evidence = [{"kind": "file", "reference": proof}]
    _submitted(county, system, 0, statement="已建立三项制度。", evidence=evidence)
    assert county.refused("tianbao", f"/reports/{system}/draft", version=1, statement="改") == (
        409,
        "assessment.report_state",
    )
    review = _review_of(county, "A1.M2.R1")
    assert county.get("neishen", "/reviews")["total"] == 0
    answer = {"decision": "score", "score_milli": 1000, "reasons": "自己人"}
    assert county.refused("neishen", f"/reviews/{review}/answer", **answer)[0] == 404
    county.do("shenhe", f"/reviews/{review}/answer", decision="return", reasons="缺公示记录")
    seen = county.get("fuzeren", f"/reports/{system}")
    assert (seen["state"], [event["reasons"] for event in seen["events"]][-1]) == ("returned", "缺公示记录")
    _submitted(county, system, 1, statement="已补公示记录。", evidence=evidence)
    done = {"decision": "score", "reasons": "制度齐全，执行一项有缺"}
    county.do("shenhe", f"/reviews/{_review_of(county, 'A1.M2.R1')}/answer", score_milli=900, **done)
    _submitted(
        county,
        trained,
        0,
        statement="应训二十人。",
        value={"numerator": 18, "denominator": 20},
        evidence=evidence,
    )
    county.do(
        "shenhe",
        f"/reviews/{_review_of(county, 'A1.M2.R2')}/answer",
        **done,
        value={"numerator": 16, "denominator": 20},
    )
    # 48 + 0.9 × 20 + 16/20 × 10 = 74 of 90
    assert county.score(MARKET) == "82.222222"


def _begun(county, result):
    return county.do("tianbao", "/reports", result=result, period="2026")["id"]


def _submitted(county, report, version, **said):
    newest = county.do("tianbao", f"/reports/{report}/draft", version=version, **said)["version"]
    assert county.ask("tianbao", "POST", f"/reports/{report}/submission", json={}).status_code == 403
    county.do("fuzeren", f"/reports/{report}/submission", version=newest)


def _review_of(county, result):
    def mine():
        rows = county.get("shenhe", "/reviews")["rows"]
        return next((row["id"] for row in rows if row["result"] == result), None)

    return county.until(mine)


def people_outside_are_asked(county):
    web = _survey(county, "web", "SU.WEB")
    for unit, words in (
        (MARKET, ["满意", "满意", "基本满意", "不满意"]),
        (TRANSPORT, ["满意"] * 3),
    ):
        codes = county.do("shenhe", f"/surveys/{web}/codes", unit=unit, count=len(words))["codes"]
        for code, word in zip(codes, words, strict=True):
            county.do("", "/public/survey-answers", code=code, answers={"q": word})
        again = {"code": codes[0], "answers": {"q": "满意"}}
        assert county.refused("", "/public/survey-answers", **again) == (409, "assessment.code_used")
    telephone = _survey(county, "telephone", "SU.TEL")
    rows = [(MARKET, "满意")] * 4 + [(MARKET, "基本满意")] + [(TRANSPORT, "满意")] * 2
    content = "\n".join(",".join(row) for row in [("单位代码", "q"), *rows]).encode("utf-8-sig")
    path = f"/surveys/{telephone}/files"
    dry = county.hand_in("shenhe", path, "答卷.csv", content).json()
    assert (dry["answers"], dry["taken"]) == (7, False)
    assert county.hand_in("shenhe", path, "答卷.csv", content, digest=dry["digest"]).json()["taken"]
    assert [county.told("shenhe", "POST", f"/surveys/{one}/count")["facts"] for one in (web, telephone)] == [
        2,
        2,
    ]
    # Market: 60 × 2600/4000 + 40 × 4600/5000 = 75.8; (50 × 74/90 + 30 × 0.758) ÷ 80
    # Transport: two by telephone are too few, so 60 of 60; (50 × 50/60 + 30) ÷ 80
    assert county.score(MARKET) == "79.813889"
    assert county.score(TRANSPORT) == "89.583333"


def _survey(county, way, result):
    question = {"id": "q", "text": "对依法办事是否满意", "result": result, "options": SCALE}
    return county.do(
        "shenhe",
        "/surveys",
        framework="year-2026",
        period="2026",
        title="满意度测评",
        way=way,
        opens_on="2026-05-01",
        closes_on="2026-05-31",
        questions=[question],
    )["id"]


def a_company_looks_on_site_and_corrects_itself_downwards(county):
    asked = {"kind": "third_party", "period": "2026", "results": ["OS.R"], "due_on": "2026-06-01"}
    handed = county.do("ducha", "/sheets", units=[MARKET, TRANSPORT], assignee="gongsi", **asked)["ids"]
    (other,) = county.do("ducha", "/sheets", units=[CULTURE], assignee="qita", **asked)["ids"]
    mine = {row["unit"]: row["id"] for row in county.get("gongsi", "/sheets")}
    assert sorted(mine.values()) == sorted(handed)
    assert county.ask("gongsi", "GET", f"/sheets/{other}").status_code == 404
    photo = county.hand_in("gongsi", f"/sheets/{mine[MARKET]}/files", "台账.pdf", pdf())
    assert photo.status_code == 201, photo.text
    _marked(county, mine[TRANSPORT], 0, 400)
    _marked(county, mine[MARKET], 0, 350)
    without = {"version": 1, "items": [{"result": "OS.R", "marks": 300, "reasons": "台账不全"}]}
    path = f"/sheets/{mine[MARKET]}/versions"
    assert county.refused("gongsi", path, **without) == (409, "assessment.reason_missing")
    _marked(county, mine[MARKET], 1, 300, reason="复核发现台账缺页")
    # Market: 41.111111 + 22.74 + 20 × 0.3; Transport: 41.666667 + 30 + 20 × 0.4
    assert county.ranking() == [
        (1, CULTURE, "100.0000"),
        (2, TRANSPORT, "79.666667"),
        (3, MARKET, "69.851111"),
    ]


def _marked(county, sheet, version, marks, reason=""):
    item = {"result": "OS.R", "marks": marks, "reasons": "场所和台账逐项查看"}
    county.do("gongsi", f"/sheets/{sheet}/versions", version=version, items=[item], reason=reason)


def every_place_can_be_explained(county):
    page = county.get("ducha", "/rankings", period="2026", peer_group=GROUP)
    market = next(row for row in page["rows"] if row["unit"]["code"] == MARKET)
    culture = next(row for row in page["rows"] if row["unit"]["code"] == CULTURE)
    # Everything of the market department is known but the order it never had: 50 × 90/100 + 30 + 20.
    assert (market["coverage"], culture["coverage"]) == ("0.9500", "0.3000")
    # Of 90 points of the system, which weighs 50: cases entered 60, reported by the unit 30; the rest from outside.
    assert market["credibility"] == {
        "reported": "0.166666",
        "entered": "0.333333",
        "real_time": "0.0000",
        "external": "0.5000",
    }
    places = county.get("ducha", "/rankings/intervals", period="2026", peer_group=GROUP)
    assert {row["unit"] for row in places["rows"]} == {MARKET, TRANSPORT, CULTURE}
    for row in places["rows"]:
        assert 1 <= row["low"] <= row["rank"] <= row["high"] <= 3
        assert row["tier"] >= 1
    _check_leaves(county, MARKET)


def _check_leaves(county, unit):
    """The leaves add up to the score to the last digit, and everything counted says what it rests on."""
    found = county.get("ducha", f"/units/{unit}/score", period="2026")
    leaves = list(_leaves(found["tree"]))
    assert sum(micro(one["contribution"]) for one in leaves) == micro(found["score"])
    counted = 0
    for one in leaves:
        told = county.get("ducha", f"/units/{unit}/explanation", period="2026", node=one["node"])
        for event in told["events"]["rows"]:
            assert event["basis"] or event["evidence"], event
            counted += event["outcome"] in ("pass", "fail")
    assert counted >= 20 + 2 + 2 + 1


def _leaves(node):
    if not node["children"]:
        yield node
    for child in node["children"]:
        yield from _leaves(child)


def a_warning_becomes_an_order_and_is_put_right(county):
    def warned():
        rows = county.get("fuzeren", "/warnings", kind="line")["rows"]
        return next((row for row in rows if row["node"] == ""), None)

    warning = county.until(warned)  # the first sheet took the total below 70, the second kept it there
    assert warning["unit"]["code"] == MARKET
    order = warning["order"]
    assert county.ask("fuzeren", "GET", f"/orders/{order}").status_code == 404  # proposed, nobody's yet
    county.do("ducha", f"/orders/{order}/issue", checked_not_pending=True)
    assert county.ask("linju", "GET", f"/orders/{order}").status_code == 404
    assert county.hand_in("tianbao", f"/orders/{order}/files", "整改.pdf", pdf()).status_code == 201
    county.do("tianbao", f"/orders/{order}/answer", statement="台账已补齐，逐项说明附后")
    check = {"is_met": True, "note": "已逐项核对"}
    assert county.refused("ducha", f"/orders/{order}/check", **check)[0] == 409  # who issued does not check
    county.do("shenhe", f"/orders/{order}/check", **check)
    done = county.do("ducha", f"/orders/{order}/closing", outcome="rectified", note="整改到位")
    assert (done["state"], done["outcome"]) == ("closed", "rectified")
    # Put right in time are ten points more of the system: 50 × 84/100 + 22.74 + 6
    assert county.score(MARKET) == "70.7400"


def an_objection_is_upheld_by_two_and_the_score_moves_back(county):
    told = county.get("fuzeren", f"/units/{MARKET}/explanation", period="2026", node="OS.R")
    (event,) = [row for row in told["events"]["rows"] if row["corrects"]]
    asked = {"event": event["id"], "asked": "pass", "grounds": "缺页系装订错位，原件完整"}
    assert county.refused("linju.fzr", "/objections", **asked)[0] == 404
    objection = county.do("fuzeren", "/objections", **asked)["id"]
    disputed = county.get("ducha", "/rankings/contested", period="2026", peer_group=GROUP)["units"]
    assert micro(disputed[MARKET]) == 14_000_000  # what the other seven tenths of 20 points are worth
    county.do("shenhe", f"/objections/{objection}/acceptance")
    draft = {"outcome": "upheld", "reasons": "经核对原件，申诉属实"}
    refused = county.refused("ducha", f"/objections/{objection}/draft", **draft)
    assert refused == (409, "assessment.own_datum")  # who handed the sheet out had a hand in the datum
    county.do("shenhe", f"/objections/{objection}/draft", **draft)
    confirmation = f"/objections/{objection}/confirmation"
    assert county.refused("shenhe", confirmation) == (409, "assessment.second_person")
    done = county.do("ducha2", confirmation)
    assert (done["state"], done["outcome"]) == ("closed", "upheld")
    # 42 + 22.74 + 20: before the transport department now
    assert county.ranking() == [(1, CULTURE, "100.0000"), (2, MARKET, "84.7400"), (3, TRANSPORT, "79.666667")]
    told = county.get("fuzeren", f"/units/{MARKET}/explanation", period="2026", node="OS.R")
    assert done["correction"] in {row["id"] for row in told["events"]["rows"]}
