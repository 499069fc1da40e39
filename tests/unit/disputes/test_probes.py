"""What a case says of the reviewing organ and of the organ whose act it reviews, to the day."""

from datetime import date
from typing import Any, ClassVar

import pytest

from services.disputes.reconsideration.rules.probes import PROBES, Seen, day_of
from tests.support.disputes import Body, codes, course, played, said

ALL_WELL = {
    "DIS-ACC-01": "PASS",
    "DIS-TIM-01": "PASS",
    "DIS-HEA-01": "PASS",
    "DIS-COR-01": "PASS",
    "DIS-ANS-01": "PASS",
    "DIS-PER-01": "NOT_APPLICABLE",
}


def decided(**fields: Any) -> list[Body]:
    return course(decided=fields)


def test_a_case_done_by_the_book() -> None:
    assert said(course()) == ALL_WELL


class TestAcceptance:
    @pytest.mark.parametrize(("on", "expected"), [("2026-03-11", "PASS"), ("2026-03-12", "FAIL")])
    def test_on_the_fifth_working_day_at_the_latest(self, on: str, expected: str) -> None:
        assert said(course(until="accepted", accepted={"on": on}))["DIS-ACC-01"] == expected

    def test_not_due_before_then_and_silence_fails(self) -> None:
        assert said(course(until="received"), "2026-03-11")["DIS-ACC-01"] == "NOT_DUE"
        assert said(course(until="received"), "2026-03-12")["DIS-ACC-01"] == "FAIL"

    def test_waiting_for_material_is_not_late(self) -> None:
        asked = [*course(until="received"), {"kind": "material_asked", "on": "2026-03-11"}]
        assert said(asked, "2026-03-19")["DIS-ACC-01"] == "NOT_DUE"
        assert said(asked, "2026-04-19")["DIS-ACC-01"] == "PASS"

    def test_a_refusal_in_time_is_an_examination_and_closes_the_rest(self) -> None:
        refused = [*course(until="received"), {"kind": "refused", "on": "2026-03-10"}]
        found = said(refused)
        assert found.pop("DIS-ACC-01") == "PASS"
        assert set(found.values()) == {"NOT_APPLICABLE"}


class TestTimeToDecide:
    @pytest.mark.parametrize(("on", "expected"), [("2026-05-06", "PASS"), ("2026-05-07", "FAIL")])
    def test_sixty_days_a_last_day_on_a_holiday_gives_way(self, on: str, expected: str) -> None:
        assert said(course(decided={"on": on}, served={"on": "2026-05-08"}))["DIS-TIM-01"] == expected

    @pytest.mark.parametrize(("today", "expected"), [("2026-05-06", "NOT_DUE"), ("2026-05-07", "FAIL")])
    def test_undecided_is_late_when_the_period_is_over(self, today: str, expected: str) -> None:
        assert said(course(until="hearing_held"), today)["DIS-TIM-01"] == expected

    def test_the_simple_track_has_thirty(self) -> None:
        simple = course(accepted={"track": "simple"}, without=("hearing_decided", "hearing_held"))
        assert said(simple)["DIS-TIM-01"] == "FAIL"

    def test_a_suspended_case_is_never_late(self) -> None:
        standing = [
            *course(until="hearing_held"),
            {"kind": "suspended", "on": "2026-04-10", "reason": "SP08"},
        ]
        assert said(standing, "2026-12-01")["DIS-TIM-01"] == "NOT_DUE"

    @pytest.mark.parametrize(("on", "expected"), [("2026-06-09", "PASS"), ("2026-06-10", "PASS")])
    def test_a_case_that_ends_while_it_is_suspended_is_not_late(self, on: str, expected: str) -> None:
        """终止 after sixty days of suspension needs no resumption (Art. 41); the days that stood still do not count."""
        ended = [
            *course(until="answered"),
            {"kind": "suspended", "on": "2026-04-10", "reason": "SP01"},
            {"kind": "decided", "on": on, "outcome": "RF13"},
        ]
        assert said(ended, "2026-06-20")["DIS-TIM-01"] == expected

    def test_a_suspension_after_the_period_ran_out_saves_nobody(self) -> None:
        ended = [
            *course(until="answered"),
            {"kind": "suspended", "on": "2026-05-08", "reason": "SP01"},
            {"kind": "decided", "on": "2026-07-10", "outcome": "RF13"},
        ]
        assert said(ended, "2026-07-20")["DIS-TIM-01"] == "FAIL"


class TestHearing:
    def test_required_and_not_held_fails_with_the_decision(self) -> None:
        assert said(course(without=("hearing_held",)))["DIS-HEA-01"] == "FAIL"
        assert said(course(until="hearing_decided"), "2026-04-01")["DIS-HEA-01"] == "NOT_DUE"

    def test_not_required_and_not_said_are_different(self) -> None:
        free = course(without=("hearing_held",), hearing_decided={"required": False})
        assert said(free)["DIS-HEA-01"] == "NOT_APPLICABLE"
        assert said(course(without=("hearing_decided", "hearing_held")))["DIS-HEA-01"] == "NOT_COMPUTABLE"

    @pytest.mark.parametrize("outcome", ["RF02", "RF12", "RF13"])
    def test_a_case_withdrawn_settled_or_dismissed_before_it_needs_none(self, outcome: str) -> None:
        ended = course(without=("hearing_held",), decided={"outcome": outcome})
        assert said(ended)["DIS-HEA-01"] == "NOT_APPLICABLE"


class TestTheActCountsOnceWhenTheDecisionTakesEffect:
    @pytest.mark.parametrize("outcome", ["RF03", "RF04", "RF05", "RF06", "RF07", "RF10"])
    def test_corrected(self, outcome: str) -> None:
        assert said(decided(outcome=outcome))["DIS-COR-01"] == "FAIL"

    @pytest.mark.parametrize("outcome", ["RF08", "RF09"])
    def test_stood(self, outcome: str) -> None:
        assert said(decided(outcome=outcome))["DIS-COR-01"] == "PASS"

    @pytest.mark.parametrize("outcome", ["RF02", "RF12", "RF13"])
    def test_not_judged_on_its_merits(self, outcome: str) -> None:
        assert said(decided(outcome=outcome))["DIS-COR-01"] == "NOT_APPLICABLE"

    def test_not_before_service(self) -> None:
        assert said(course(until="decided", decided={"outcome": "RF04"}))["DIS-COR-01"] == "NOT_DUE"

    def test_in_the_period_of_effect_with_the_period_of_the_act_beside(self) -> None:
        done = played(decided(outcome="RF04"))
        seen = Seen(done.case, done.kept, codes().outcomes, done.case.steps[-1].on)
        assert day_of("DIS-COR-01", seen).isoformat() == "2026-04-30"
        assert "2026年2月" in PROBES.probes["DIS-COR-01"].rule(seen).reason


class TestAnswer:
    @pytest.mark.parametrize(("on", "expected"), [("2026-03-24", "PASS"), ("2026-03-25", "FAIL")])
    def test_ten_working_days_from_the_copy(self, on: str, expected: str) -> None:
        assert said(course(answered={"on": on}))["DIS-ANS-01"] == expected

    @pytest.mark.parametrize(("on", "expected"), [("2026-03-17", "PASS"), ("2026-03-18", "FAIL")])
    def test_five_in_the_simple_track(self, on: str, expected: str) -> None:
        assert said(course(accepted={"track": "simple"}, answered={"on": on}))["DIS-ANS-01"] == expected

    @pytest.mark.parametrize(("today", "expected"), [("2026-03-24", "NOT_DUE"), ("2026-03-25", "FAIL")])
    def test_no_answer(self, today: str, expected: str) -> None:
        assert said(course(until="copy_received"), today)["DIS-ANS-01"] == expected

    @pytest.mark.parametrize(
        ("ended", "expected"), [("2026-03-24", "NOT_APPLICABLE"), ("2026-03-25", "FAIL")]
    )
    def test_withdrawn_while_the_answer_was_not_due_yet(self, ended: str, expected: str) -> None:
        steps = [*course(until="copy_received"), {"kind": "decided", "on": ended, "outcome": "RF13"}]
        assert said(steps)["DIS-ANS-01"] == expected

    def test_without_the_day_of_the_copy_nobody_is_late(self) -> None:
        assert said(course(without=("copy_received",)))["DIS-ANS-01"] == "NOT_COMPUTABLE"


ORDERED: dict[str, Any] = {"outcome": "RF06", "perform_by": "2026-05-29", "must_perform": True}


class TestPerformance:
    @pytest.mark.parametrize(
        ("done", "today", "expected"),
        [
            ("2026-05-29", "2026-06-01", "PASS"),
            ("2026-05-30", "2026-06-01", "FAIL"),
            ("", "2026-05-29", "NOT_DUE"),
            ("", "2026-05-30", "FAIL"),
        ],
    )
    def test_by_the_day_the_decision_set(self, done: str, today: str, expected: str) -> None:
        steps = decided(**ORDERED) + ([{"kind": "performed", "on": done}] if done else [])
        assert said(steps, today)["DIS-PER-01"] == expected

    def test_without_a_day_it_cannot_be_told(self) -> None:
        assert said(decided(outcome="RF06", must_perform=True))["DIS-PER-01"] == "NOT_COMPUTABLE"

    def test_an_unanswered_opinion_letter_costs_half(self) -> None:
        steps = [
            *decided(**ORDERED),
            {"kind": "performed", "on": "2026-05-20"},
            {"kind": "opinion_received", "on": "2026-05-06"},
        ]
        done = played(steps, "2026-07-10")
        verdict = PROBES.probes["DIS-PER-01"].rule(
            Seen(done.case, done.kept, codes().outcomes, date(2026, 7, 10))
        )
        assert (verdict.score_milli, verdict.numerator, verdict.denominator) == (500, 1, 2)
        assert said(steps, "2026-07-06")["DIS-PER-01"] == "NOT_DUE"


def test_a_provisional_deadline_proves_nobody_late() -> None:
    late = [
        {"kind": "received", "on": "2026-12-30"},
        {"kind": "accepted", "on": "2027-01-08"},
    ]
    assert said(late, "2027-01-09")["DIS-ACC-01"] == "NOT_COMPUTABLE"
    intime = [late[0], late[1] | {"on": "2027-01-05"}]
    assert said(intime, "2027-01-09")["DIS-ACC-01"] == "PASS"


class TestAnOpinionLetterOverTheNewYear:
    """Received on 3 November 2026: the sixtieth day is a Saturday of a year whose holidays nobody knows yet."""

    LETTER: ClassVar[list[Body]] = [*decided(), {"kind": "opinion_received", "on": "2026-11-03"}]

    @pytest.mark.parametrize(("on", "expected"), [("2027-01-04", "PASS"), ("2027-01-05", "NOT_COMPUTABLE")])
    def test_a_provisional_last_day_breaks_no_duty(self, on: str, expected: str) -> None:
        answered = {"kind": "opinion_answered", "on": on}
        assert said([*self.LETTER, answered], "2027-01-06")["DIS-PER-01"] == expected

    def test_what_is_broken_stays_broken(self) -> None:
        steps = [*decided(**ORDERED), {"kind": "performed", "on": "2026-06-01"}, self.LETTER[-1]]
        late = {"kind": "opinion_answered", "on": "2027-01-05"}
        assert said([*steps, late], "2027-01-06")["DIS-PER-01"] == "FAIL"


def test_a_letter_never_answered_counts_on_the_day_on_which_its_period_ran_out() -> None:
    done = played([*decided(), {"kind": "opinion_received", "on": "2026-05-06"}], "2026-07-10")
    seen = Seen(done.case, done.kept, codes().outcomes, date(2026, 7, 10))
    assert day_of("DIS-PER-01", seen) == date(2026, 7, 6)


def test_a_draft_says_nothing() -> None:
    assert played([{"kind": "forwarded", "on": "2026-03-04", "receipt": "r"}]).case.state == "draft"
