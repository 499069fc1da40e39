"""Each of the 26 items finds its fault and no other, at the very day on which it begins to be one."""

from datetime import date
from typing import Any

import pytest

from services.decisions.conformance.rules.items import items
from tests.support.decisions import COURSE, Body, exceptions, look, outcomes


def views(*said: tuple[str, str | None]) -> list[Body]:
    return [{"member": member} | ({"view": view} if view else {}) for member, view in said]


def opinions(**changes: Any) -> list[Body]:
    return [COURSE["experts_argued"]["opinions"][0] | changes, *COURSE["experts_argued"]["opinions"][1:]]


def experts(**changes: Any) -> list[Body]:
    return [COURSE["experts_argued"]["experts"][0] | changes, *COURSE["experts_argued"]["experts"][1:]]


def participant(**changes: Any) -> dict[str, Any]:
    return {"participants": [{"id": "H1", "delivered_on": "2026-03-26", "confirmed": "signed"} | changes]}


def without_file(step: str, kind: str) -> dict[str, Any]:
    return {"documents": [file for file in COURSE[step]["documents"] if file["kind"] != kind]}


def test_a_lawful_decision_passes_all_26() -> None:
    assert exceptions(look()) == {}
    assert len(outcomes(look())) == 26


@pytest.mark.parametrize(
    ("item", "changes"),
    [
        ("DEC-01", {"studied": {"on": "2026-01-27"}}),
        ("DEC-01", {"studied": {"parts": ["problem", "basis", "plan", "necessity"]}}),
        ("DEC-02", {"started": {"documents": []}}),
        ("DEC-02", {"started": {"catalogue_item": ""}}),
        ("DEC-02", {"started": {"undertakers": [{"unit": "a"}, {"unit": "b"}]}}),
        ("DEC-03", {"drafted": without_file("drafted", "survey"), "archived": {}}),
        ("DEC-03", {"drafted": {"cost_benefit": "not_needed"}}),
        ("DEC-03", {"drafted": {"wide_dispute": True, "options": 1}}),
        ("DEC-04", {"asked_land": {"replied_on": None}}),
        ("DEC-04", {"asked_land": {"agreed": False}}),
        ("DEC-05", {"comment_opened": {"with_explanation": False}}),
        ("DEC-05", {"comment_opened": {"channels": ["newspaper", "broadcast"]}}),
        ("DEC-05", {"comment_opened": {"channels": ["official_site"]}}),
        ("DEC-06", {"comment_opened": {"closes_on": "2026-03-31"}}),
        ("DEC-07", {"hearing_held": {"list_published_on": None}}),
        ("DEC-07", {"hearing_held": {"rule_published_on": "2026-04-02"}}),
        ("DEC-08", {"hearing_held": participant(delivered_on="2026-03-27")}),
        ("DEC-08", {"hearing_held": participant(delivered_on=None)}),
        ("DEC-09", {"hearing_held": participant(confirmed=None)}),
        ("DEC-10", {"opinions_handled": {"received": 3}}),
        ("DEC-10", {"opinions_handled": {"documents": []}}),
        ("DEC-11", {"experts_argued": {"on": "2026-04-16"}}),
        ("DEC-12", {"experts_argued": {"experts": experts(conflict="has")}}),
        ("DEC-12", {"experts_argued": {"experts": experts(pool="")}}),
        ("DEC-12", {"experts_argued": {"experts": experts()[1:]}}),
        ("DEC-13", {"experts_argued": {"opinions": opinions(signed=False)}}),
        ("DEC-13", {"experts_argued": {"opinions": opinions(covers=["necessity"])}}),
        ("DEC-14", {"experts_argued": {"opinions": opinions(status=None)}}),
        ("DEC-16", {"risk_appraised": {"sections": ["risk_points", "prevention", "departments"]}}),
        ("DEC-17", {"risk_appraised": {"conclusion": "uncontrollable"}}),
        ("DEC-18", {"review_submitted": without_file("review_submitted", "procedure_statement")}),
        ("DEC-19", {"review_complete": {"on": "2026-04-16"}}),
        ("DEC-20", {"review_issued": {"parts": ["authority", "content"]}}),
        ("DEC-20", {"review_issued": {"conclusion": "unlawful"}}),
        ("DEC-20", {"review_issued": {"exploratory": True}}),
        ("DEC-20", {"review_issued": {"on": "2026-05-19"}}),
        ("DEC-21", {"review_issued": {"advisers": False}}),
        ("DEC-21", {"review_issued": {"remarks": ["R1", "R2"]}}),
        ("DEC-22", {"discussion_submitted": without_file("discussion_submitted", "fair_competition")}),
        ("DEC-22", {"discussion_submitted": {"on": "2026-05-19"}}),
        ("DEC-23", {"discussed": {"meeting": "other"}}),
        ("DEC-23", {"discussed": {"attended": 2, "views": views(("M2", "agree"), ("M1", "agree"))}}),
        ("DEC-23", {"discussed": {"views": views(("M1", "agree"), ("M2", "agree"), ("M3", "agree"))}}),
        ("DEC-23", {"discussed": {"views": views(("M2", None), ("M3", "agree"), ("M1", "agree"))}}),
        ("DEC-23", {"discussed": {"views": views(("M2", "disagree"), ("M3", "disagree"), ("M1", "agree"))}}),
        ("DEC-23", {"party_reported": {"on": "2026-05-21"}}),
        ("DEC-24", {"published": {"channels": ["official_site", "newspaper"]}}),
        ("DEC-24", {"published": {"on": "2026-06-16"}}),
        ("DEC-24", {"published": {"interpreted": False}}),
        ("DEC-25", {"archived": {"on": "2026-07-18"}}),
        ("DEC-25", {"archived": {"checked": False}}),
        ("DEC-25", {"archived": {"kinds": COURSE["archived"]["kinds"][1:]}}),
        ("DEC-26", {"execution_reported": {"evaluation_needed": True}}),
    ],
)
def test_one_fault_fails_one_item(item: str, changes: dict[str, Any]) -> None:
    assert exceptions(look(today=date(2026, 8, 1), **changes)) == {item: "FAIL"}


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ("proposed", {"DEC-01": "FAIL"}),
        ("studied", {"DEC-01": "FAIL"}),
        ("comment_opened", {"DEC-05": "FAIL", "DEC-06": "FAIL"}),
        ("opinions_handled", {"DEC-10": "FAIL"}),
        ("asked_land", {"DEC-04": "FAIL"}),
        ("review_complete", {"DEC-19": "NOT_COMPUTABLE"}),
        ("review_answered", {"DEC-21": "FAIL"}),
        ("discussion_submitted", {"DEC-22": "FAIL"}),
        ("discussed", {"DEC-23": "FAIL"}),
        ("party_reported", {"DEC-23": "FAIL"}),
        ("published", {"DEC-24": "FAIL"}),
        ("archived", {"DEC-25": "FAIL"}),
        ("execution_assigned", {"DEC-26": "FAIL"}),
        ("execution_reported", {"DEC-26": "NOT_DUE"}),
        (
            "hearing_held",
            {"DEC-07": "NOT_APPLICABLE", "DEC-08": "NOT_APPLICABLE", "DEC-09": "NOT_APPLICABLE"},
        ),
        (
            "experts_argued",
            {"DEC-11": "FAIL"} | dict.fromkeys(("DEC-12", "DEC-13", "DEC-14"), "NOT_COMPUTABLE"),
        ),
        ("risk_appraised", {"DEC-15": "FAIL"} | dict.fromkeys(("DEC-16", "DEC-17"), "NOT_COMPUTABLE")),
        (
            "review_issued",
            {"DEC-19": "NOT_COMPUTABLE", "DEC-20": "FAIL", "DEC-21": "NOT_COMPUTABLE"},
        ),
    ],
)
def test_a_missing_step_counts_once(missing: str, expected: dict[str, str]) -> None:
    assert exceptions(look(without=(missing,), today=date(2026, 8, 1))) == expected


@pytest.mark.parametrize(
    ("flag", "branch_items"),
    [("technical", ("DEC-11", "DEC-12", "DEC-13", "DEC-14")), ("risky", ("DEC-15", "DEC-16", "DEC-17"))],
)
def test_a_branch_is_judged_by_what_is_recorded_of_the_matter(
    flag: str, branch_items: tuple[str, ...]
) -> None:
    branch = {"technical": "expert", "risky": "risk"}[flag]
    gone = {"technical": "experts_argued", "risky": "risk_appraised"}[flag]
    waived = {"kind": "not_applicable", "on": "2026-02-12", "branch": branch, "because": "已作相关评估"}
    assert exceptions(look(without=(gone,), started={flag: False})) == dict.fromkeys(
        branch_items, "NOT_APPLICABLE"
    )
    assert exceptions(look(without=(gone,), started={flag: None})) == dict.fromkeys(
        branch_items, "NOT_COMPUTABLE"
    )
    assert exceptions(look(waived, without=(gone,), started={flag: None})) == dict.fromkeys(
        branch_items, "NOT_APPLICABLE"
    )
    insisted = exceptions(look(waived, without=(gone,), started={flag: True}))
    assert insisted[branch_items[0]] == "FAIL", (
        "a waiver does not excuse a matter that is on record as technical or risky"
    )


def test_a_lawful_secret_needs_no_public_comment() -> None:
    waived = {
        "kind": "not_applicable",
        "on": "2026-02-12",
        "branch": "participation",
        "because": "保守国家秘密",
    }
    seen = look(waived, without=("comment_opened", "opinions_handled"))
    assert exceptions(seen) == dict.fromkeys(("DEC-05", "DEC-06", "DEC-10"), "NOT_APPLICABLE")


class TestDaysAreCountedAsTheLawCountsThem:
    def test_thirty_calendar_days_of_comment_include_the_spring_festival(self) -> None:
        opened = {"on": "2026-02-01", "closes_on": "2026-03-03"}
        assert outcomes(look(comment_opened=opened))["DEC-06"] == "PASS"
        assert outcomes(look(comment_opened=opened | {"closes_on": "2026-03-02"}))["DEC-06"] == "FAIL"

    def test_a_shorter_comment_with_its_reason_published_earns_half(self) -> None:
        seen = look(comment_opened={"closes_on": "2026-03-12", "short_because": "防汛紧急"})
        verdict = items().probes["DEC-06"].rule(seen)
        assert (verdict.outcome.name, verdict.score_milli) == ("FAIL", 500)

    def test_hearing_material_seven_calendar_days_before(self) -> None:
        assert outcomes(look(hearing_held=participant(delivered_on="2026-03-26")))["DEC-08"] == "PASS"
        assert outcomes(look(hearing_held=participant(delivered_on="2026-03-27")))["DEC-08"] == "FAIL"

    @pytest.mark.parametrize(
        ("complete", "issued", "expected"),
        [
            # 2026: holiday 15-23 February, make-up Saturdays 14 and 28 February.
            ("2026-02-10", "2026-02-26", "PASS"),  # 11 12 13 14 | 24 25 26
            ("2026-02-10", "2026-02-25", "FAIL"),
            ("2026-02-24", "2026-03-05", "PASS"),  # 25 26 27 28 | 2 3 4
            ("2026-02-24", "2026-03-03", "FAIL"),
            ("2026-04-15", "2026-04-24", "PASS"),
            ("2026-04-15", "2026-04-23", "FAIL"),
        ],
    )
    def test_the_review_has_seven_working_days(self, complete: str, issued: str, expected: str) -> None:
        seen = look(review_complete={"on": complete}, review_issued={"on": issued})
        assert outcomes(seen)["DEC-19"] == expected

    @pytest.mark.parametrize(("complete", "expected"), [("2026-05-06", "PASS"), ("2026-05-08", "FAIL")])
    def test_of_two_reviews_the_one_that_the_meeting_had_before_it_counts(
        self, complete: str, expected: str
    ) -> None:
        """Found unlawful on 24 April, adjusted and reviewed again: 6 May to 15 May is eight working days."""
        seen = look(
            {"kind": "review_complete", "on": complete},
            COURSE["review_issued"] | {"on": "2026-05-15"},
            review_issued={"conclusion": "unlawful"},
        )
        assert outcomes(seen)["DEC-19"] == expected

    def test_a_noted_urgency_halves_instead_of_failing(self) -> None:
        seen = look(review_complete={"on": "2026-04-22"}, review_issued={"urgent_note": "抢险工程"})
        assert items().probes["DEC-19"].rule(seen).score_milli == 500

    def test_publication_has_twenty_working_days_over_the_dragon_boat_festival(self) -> None:
        # Decided 18 May 2026, a Monday: the twentieth working day is 15 June; 19 June is a holiday.
        assert outcomes(look(published={"on": "2026-06-15"}))["DEC-24"] == "PASS"
        assert outcomes(look(published={"on": "2026-06-16"}))["DEC-24"] == "FAIL"
        assert outcomes(look(without=("published",), today=date(2026, 6, 15)))["DEC-24"] == "NOT_DUE"
        assert outcomes(look(without=("published",), today=date(2026, 6, 16)))["DEC-24"] == "FAIL"

    def test_a_provisional_last_day_of_publication_proves_nobody_late(self) -> None:
        """Decided 10 December 2026: without the notice of 2027 New Year's Day is the sixteenth working day."""

        def published(on: str) -> str:
            days = {"decided": {"on": "2026-12-10"}, "published": {"on": on}}
            return outcomes(look(today=date(2027, 2, 1), **days))["DEC-24"]

        assert (published("2027-01-07"), published("2027-01-08")) == ("PASS", "NOT_COMPUTABLE")
        unpublished = look(without=("published",), decided={"on": "2026-12-10"}, today=date(2027, 1, 8))
        assert outcomes(unpublished)["DEC-24"] == "NOT_COMPUTABLE"

    def test_filing_has_sixty_calendar_days(self) -> None:
        assert outcomes(look(archived={"on": "2026-07-17"}))["DEC-25"] == "PASS"
        assert outcomes(look(without=("archived",), today=date(2026, 7, 17)))["DEC-25"] == "NOT_DUE"
        assert outcomes(look(without=("archived",), today=date(2026, 7, 18)))["DEC-25"] == "FAIL"


class TestTheOpinionComesBeforeTheMeeting:
    def test_on_one_day_the_time_decides(self) -> None:
        meeting = {"on": "2026-05-18", "at": "15:00"}
        morning = look(review_issued={"on": "2026-05-18", "at": "09:00"}, discussed=meeting)
        evening = look(review_issued={"on": "2026-05-18", "at": "17:00"}, discussed=meeting)
        unknown = look(review_issued={"on": "2026-05-18"}, discussed=meeting)
        assert [outcomes(seen)["DEC-20"] for seen in (morning, evening, unknown)] == [
            "PASS", "FAIL", "NOT_COMPUTABLE",
        ]  # fmt: skip

    def test_of_two_opinions_of_one_day_the_later_one_is_in_force(self) -> None:
        opinion = COURSE["review_issued"] | {"on": "2026-04-24"}
        refused, granted = {"at": "09:00", "conclusion": "unlawful"}, {"at": "16:00"}
        assert outcomes(look(opinion | granted, review_issued=refused))["DEC-20"] == "PASS"
        assert outcomes(look(opinion | refused, review_issued=granted))["DEC-20"] == "PASS"

    def test_whether_an_opinion_of_the_day_of_the_meeting_came_before_it_is_not_guessed(self) -> None:
        second = COURSE["review_issued"] | {"on": "2026-05-18"}
        seen = look(second, review_issued={"conclusion": "unlawful"})
        assert outcomes(seen)["DEC-20"] == "NOT_COMPUTABLE"

    def test_an_exploratory_reform_with_its_risk_stated_passes(self) -> None:
        said = {"conclusion": "unlawful", "exploratory": True, "legal_risk": "上位法尚无规定"}
        assert outcomes(look(review_issued=said))["DEC-20"] == "PASS"


def test_an_uncontrollable_risk_counts_as_settled_only_on_a_later_draft() -> None:
    first = {"conclusion": "uncontrollable"}
    same = COURSE["risk_appraised"] | {"on": "2026-04-20", "draft_version": 1}
    later = COURSE["risk_appraised"] | {"on": "2026-04-20", "draft_version": 2}
    assert outcomes(look(same, risk_appraised=first))["DEC-17"] == "FAIL"
    assert outcomes(look(later, risk_appraised=first))["DEC-17"] == "PASS"


def test_an_earlier_appraisal_may_be_used() -> None:
    seen = look(risk_appraised={"existing": "2025年稳评报告", "sections": []})
    assert exceptions(seen) == {"DEC-16": "NOT_APPLICABLE"}


def test_a_withheld_decision_names_basis_and_approver() -> None:
    withheld = {"channels": [], "withheld_basis": "保守国家秘密法"}
    assert outcomes(look(published=withheld))["DEC-24"] == "FAIL"
    assert outcomes(look(published=withheld | {"withheld_approver": "M1"}))["DEC-24"] == "PASS"


def test_a_major_change_has_its_own_procedure() -> None:
    changed = {"kind": "changed", "on": "2026-06-25", "major": True}
    assert outcomes(look(changed))["DEC-26"] == "FAIL"
    assert outcomes(look(changed | {"procedure": "决策2号"}))["DEC-26"] == "PASS"


def test_what_is_not_recorded_is_said_so_and_not_scored() -> None:
    seen = look(
        started={"market": None, "party_report": None, "related_units": []},
        without=("asked_finance", "asked_land"),
        drafted={"wide_dispute": None},
        comment_opened={"with_contact": None},
    )
    expected = dict.fromkeys(("DEC-03", "DEC-04", "DEC-05", "DEC-22", "DEC-23"), "NOT_COMPUTABLE")
    assert exceptions(seen) == expected


def test_a_file_without_a_step_needs_no_document_of_it() -> None:
    kinds = [kind for kind in COURSE["archived"]["kinds"] if kind != "hearing_record"]
    assert outcomes(look(without=("hearing_held",), archived={"kinds": kinds}))["DEC-25"] == "PASS"
    assert outcomes(look(archived={"kinds": kinds}))["DEC-25"] == "FAIL"
