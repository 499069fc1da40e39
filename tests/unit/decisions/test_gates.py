"""G1 to G8: a step that the regulation does not allow yet is refused with its article; the lawful course passes."""

from typing import Any

import pytest

from kernel.errors import Invalid
from services.decisions.procedures.reading import read_step
from services.decisions.procedures.rules.gates import breaches
from services.decisions.procedures.rules.procedure import Procedure
from tests.support.decisions import COURSE, course, procedure, steps


def gates(before: Procedure, body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(breach.gate, breach.article) for breach in breaches(before, read_step(body))]


def test_every_step_of_the_lawful_course_passes() -> None:
    before = Procedure(())
    for step in steps():
        assert breaches(before, step) == []
        before = before.plus(step)
    assert before.phase == "execution"


def test_g1_no_draft_before_a_start_that_names_an_undertaker() -> None:
    assert ("G1", "第十一条") in gates(procedure(until="studied"), COURSE["drafted"])
    assert gates(procedure(until="started"), COURSE["drafted"]) == []


@pytest.mark.parametrize("leads", [(), (False,), (True, True)])
def test_g1_a_start_has_exactly_one_lead(leads: tuple[bool, ...]) -> None:
    undertakers = [{"unit": f"u{n}", "lead": lead} for n, lead in enumerate(leads)]
    assert gates(procedure(until="studied"), COURSE["started"] | {"undertakers": undertakers}) == [
        ("G1", "第十一条")
    ]


@pytest.mark.parametrize(
    ("day", "refused"), [("2026-03-31", True), ("2026-04-01", True), ("2026-04-02", False)]
)
def test_g2_no_review_until_the_day_after_comment_closed(day: str, refused: bool) -> None:
    before = procedure(until="risk_appraised")
    assert (gates(before, COURSE["review_submitted"] | {"on": day}) == [("G2", "第十五条")]) is refused


@pytest.mark.parametrize(
    ("branch", "step", "article"),
    [
        ("participation", "comment_opened", "第十四条"),
        ("expert", "experts_argued", "第十九条"),
        ("risk", "risk_appraised", "第二十二条"),
    ],
)
def test_a_parallel_branch_is_gone_through_or_waived_with_a_reason(
    branch: str, step: str, article: str
) -> None:
    before = procedure(until="risk_appraised", without=(step,))
    assert gates(before, COURSE["review_submitted"]) == [("order", article)]
    waived = {"kind": "not_applicable", "on": "2026-02-12", "branch": branch, "because": "依法不公开"}
    assert gates(before.plus(read_step(waived)), COURSE["review_submitted"]) == []


@pytest.mark.parametrize(
    ("opinion", "refused"),
    [
        ({"conclusion": "unlawful"}, True),
        ({"conclusion": "lawful_amended"}, False),
        ({"conclusion": "unlawful", "exploratory": True}, True),
        ({"conclusion": "unlawful", "exploratory": True, "legal_risk": "上位法尚无规定"}, False),
    ],
)
def test_g3_only_a_lawful_draft_or_an_exploration_with_stated_risk_is_submitted(
    opinion: dict[str, Any], refused: bool
) -> None:
    before = procedure(until="review_answered", review_issued=opinion)
    assert (gates(before, COURSE["discussion_submitted"]) == [("G3", "第二十五条")]) is refused


def test_g3_asking_the_law_office_during_consultation_is_no_review() -> None:
    asked = {
        "kind": "consulted",
        "on": "2026-02-11",
        "unit": "150102-sf",
        "replied_on": "2026-02-12",
        "agreed": True,
    }
    before = procedure(until="review_complete").plus(read_step(asked))
    assert ("G3", "第二十五条") in gates(before, COURSE["discussion_submitted"])


def test_g4_an_uncontrollable_risk_stops_the_decision_until_appraised_anew() -> None:
    before = procedure(until="party_reported", risk_appraised={"conclusion": "uncontrollable"})
    assert gates(before, COURSE["decided"]) == [("G4", "第二十四条")]
    again = COURSE["risk_appraised"] | {"on": "2026-04-20", "draft_version": 2}
    assert gates(before.plus(read_step(again)), COURSE["decided"]) == []


@pytest.mark.parametrize(
    "missing",
    ["draft", "public_opinions", "expert_opinions", "risk_report", "review_opinion", "fair_competition"],
)
def test_g5_each_kind_of_material_that_applies_is_there(missing: str) -> None:
    kinds = [file for file in COURSE["discussion_submitted"]["documents"] if file["kind"] != missing]
    body = COURSE["discussion_submitted"] | {"documents": kinds}
    assert gates(procedure(until="review_answered"), body) == [("G5", "第二十九条")]


def test_g5_does_not_ask_for_what_does_not_apply() -> None:
    before = procedure(
        until="review_answered",
        without=("experts_argued", "risk_appraised"),
        started={"technical": False, "risky": False, "market": False},
    )
    kinds = [{"kind": kind} for kind in ("draft", "public_opinions", "legality_review")]
    assert gates(before, COURSE["discussion_submitted"] | {"documents": kinds}) == []


def test_g6_no_decision_without_a_discussion_that_passed_it() -> None:
    assert gates(procedure(until="discussion_submitted"), COURSE["decided"]) == [("G6", "第三十条")]
    rejected = procedure(until="party_reported", discussed={"outcome": "revise"})
    assert gates(rejected, COURSE["decided"]) == [("G6", "第三十条")]
    assert gates(procedure(until="party_reported"), COURSE["decided"] | {"on": "2026-05-17"}) == [
        ("G6", "第三十条")
    ]


def test_g7_no_issue_before_the_party_report_where_one_is_required() -> None:
    before = procedure(until="decided", without=("party_reported",))
    assert gates(before, COURSE["published"]) == [("G7", "第三十一条")]
    late = procedure(until="decided", party_reported={"on": "2026-05-21"})
    assert gates(late, COURSE["published"]) == [("G7", "第三十一条")]
    free = procedure(until="decided", without=("party_reported",), started={"party_report": False})
    assert gates(free, COURSE["published"]) == []


@pytest.mark.parametrize("kind", ["evaluation_planned", "evaluated"])
def test_g8_the_assessor_before_does_not_evaluate_after(kind: str) -> None:
    evaluation = {"kind": kind, "on": "2026-06-25", "evaluator": "某某评估公司", "third_party": True}
    assert gates(procedure(), evaluation) == [("G8", "第三十六条")]
    assert gates(procedure(), evaluation | {"evaluator": "另一家公司"}) == []


def test_only_the_named_department_reviews() -> None:
    before = procedure(until="review_complete")
    assert gates(before, COURSE["review_issued"] | {"unit": "150102-cz"}) == [("order", "第二十五条")]


def test_nothing_follows_the_end() -> None:
    ended = procedure().plus(read_step({"kind": "ended", "on": "2026-06-30"}))
    assert gates(ended, COURSE["execution_reported"]) == [("order", "第三十七条")]


def test_steps_have_their_order() -> None:
    for name, body in list(course().items())[1:]:
        if body["kind"] not in ("not_applicable", "party_reported", "proposed"):
            assert gates(Procedure(()), body), name


def test_of_one_day_the_later_hour_counts_and_no_hour_is_the_earliest() -> None:
    day = COURSE["risk_appraised"]
    said = [day | {"at": "15:00", "conclusion": "controllable"}, day | {"conclusion": "uncontrollable"}]
    before = procedure(until="party_reported", without=("risk_appraised",))
    for body in said:
        before = before.plus(read_step(body))
    assert gates(before, COURSE["decided"]) == []


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("proposed", {"documents": [{"kind": "proposal", "digest": "sha256:ABC"}]}),
        ("started", {"reviewer": ""}),
        ("started", {"undertakers": [{"unit": "u" * 101}]}),
    ],
)
def test_digests_and_unit_codes_have_their_form(name: str, fields: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        read_step(COURSE[name] | fields)
    assert refused.value.problems[0].code in ("decisions.bad_digest", "decisions.bad_unit")
