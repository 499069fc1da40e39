"""Cases on their clocks: silence, deadlines, what is told of whom, corrections, and who sees what."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from contracts.events.v1.scored_pb2 import (
    OUTCOME_FAIL,
    OUTCOME_NOT_APPLICABLE,
    OUTCOME_NOT_DUE,
    OUTCOME_PASS,
)
from kernel.clock import from_microseconds
from kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from kernel.ids import new_id
from services.disputes.reconsideration.service import StepRefused
from tests.integration.disputes.conftest import BUREAU, CITY, OFFICE, STRANGER, Desk
from tests.support.disputes import COURSE, ORGAN, RESPONDENT


def received(on: str) -> dict[str, object]:
    return COURSE["received"] | {"on": on}


def first(desk: Desk, case: str) -> str:
    """The receipt as it was first recorded."""
    return desk.app.register.one(OFFICE, case).log[0].id


def run(desk: Desk, until: str = "", **changes: dict[str, object]) -> str:
    case = desk.open()
    for name, body in list(COURSE.items())[1:]:
        desk.record(case, body | changes.get(name, {}))
        if name == until:
            break
    return case


def test_a_corrected_act_counts_once_for_the_organ_that_made_it_when_it_takes_effect(desk: Desk) -> None:
    run(desk, until="decided", decided={"outcome": "RF04", "grounds": ["procedure"]})
    assert desk.latest()["DIS-COR-01"].outcome == OUTCOME_NOT_DUE
    desk.record(desk.app.register.page(OFFICE).rows[0].id, COURSE["served"])
    corrected = [
        event for event in desk.events() if event.probe == "DIS-COR-01" and event.outcome == OUTCOME_FAIL
    ]
    (event,) = corrected
    assert event.unit == RESPONDENT
    assert event.occurred_at_us == int(datetime(2026, 4, 29, 16, tzinfo=UTC).timestamp()) * 1_000_000
    assert {e.unit for e in desk.events() if e.probe in ("DIS-ACC-01", "DIS-TIM-01", "DIS-HEA-01")} == {ORGAN}
    assert not any("某某商店" in str(e) for e in desk.events())


class TestSilenceIsAFactOfItsOwn:
    def test_made_once_the_fifth_day_is_over(self, desk: Desk) -> None:
        case = desk.open()
        desk.clock.set(datetime(2026, 3, 11, 15, 59, tzinfo=UTC))
        desk.worker.keep_clocks()
        assert desk.app.register.one(OFFICE, case).row.state == "received"
        desk.clock.set(datetime(2026, 3, 11, 16, 1, tzinfo=UTC))  # past midnight in Shanghai
        desk.worker.keep_clocks()
        one = desk.app.register.one(OFFICE, case)
        assert (one.row.state, one.row.deemed, one.row.accepted_on.isoformat()) == (
            "accepted",
            True,
            "2026-03-11",
        )
        made = one.log[-1]
        assert (made.step.kind, made.step.on.isoformat(), made.actor) == (
            "deemed_accepted",
            "2026-03-11",
            "system",
        )
        assert desk.latest()["DIS-ACC-01"].outcome == OUTCOME_FAIL

    def test_the_clock_may_run_as_often_as_it_likes(self, desk: Desk) -> None:
        case = desk.open()
        for _ in range(3):
            desk.today("2026-03-12")
        assert len(desk.app.register.one(OFFICE, case).log) == 2
        told = len(desk.events())
        desk.today("2026-03-13")
        assert len(desk.events()) == told

    def test_whoever_acts_later_finds_the_case_where_the_law_put_it(self, desk: Desk) -> None:
        case = desk.open()
        with pytest.raises(StepRefused) as refused:
            desk.record(case, {"kind": "refused", "on": "2026-03-12"})
        assert "视为受理" in refused.value.text
        desk.record(case, COURSE["copy_received"] | {"on": "2026-03-13"})
        kinds = [entry.step.kind for entry in desk.app.register.one(OFFICE, case).log]
        assert kinds == ["received", "deemed_accepted", "copy_received"]

    def test_a_corrected_receipt_takes_the_acceptance_by_silence_and_its_periods_along(
        self, desk: Desk
    ) -> None:
        case = desk.open()
        desk.today("2026-03-20")
        desk.record(case, COURSE["copy_received"] | {"on": "2026-03-16"})
        told = desk.record(case, received("2026-03-05"), corrects=first(desk, case))
        one = desk.app.register.one(OFFICE, case)
        assert (one.row.accepted_on.isoformat(), one.row.deemed, one.row.steps) == ("2026-03-12", True, 5)
        assert one.kept["reconsideration.decide"].due_on.isoformat() == "2026-05-11"
        assert (one.log[-1].step.kind, one.log[-1].actor) == ("deemed_accepted", "system")
        assert told.step == one.log[-2].id
        late = [event for event in desk.events() if event.probe == "DIS-ACC-01"][-1]
        assert (late.outcome, from_microseconds(late.occurred_at_us).date().isoformat()) == (
            OUTCOME_FAIL,
            "2026-03-11",  # midnight of the twelfth in Shanghai
        )
        again = desk.record(case, received("2026-03-04"), corrects=told.step)
        one = desk.app.register.one(OFFICE, case)
        assert (again.state, one.row.accepted_on.isoformat()) == ("accepted", "2026-03-11")

    def test_a_corrected_receipt_shows_that_the_period_is_not_over_and_the_clock_goes_on(
        self, desk: Desk
    ) -> None:
        case = desk.open()
        desk.today("2026-03-12")
        told = desk.record(case, received("2026-03-06"), corrects=first(desk, case))
        one = desk.app.register.one(OFFICE, case)
        assert (told.state, one.row.deemed, one.row.accepted_on) == ("received", False, None)
        assert [due.clock for due in one.open_dues] == ["reconsideration.acceptance"]
        assert desk.latest()["DIS-ACC-01"].outcome == OUTCOME_NOT_DUE
        back = desk.record(case, received("2026-03-04"), corrects=told.step)  # it was right at first
        assert back.state == "accepted"
        desk.record(case, received("2026-03-06"), corrects=back.step)
        desk.today("2026-03-14")
        one = desk.app.register.one(OFFICE, case)
        assert (one.row.state, one.row.accepted_on.isoformat()) == ("accepted", "2026-03-13")

    def test_a_receipt_corrected_to_an_earlier_day_makes_the_acceptance_that_nobody_saw(
        self, desk: Desk
    ) -> None:
        silent, late = desk.open(), desk.open("青复〔2026〕2号")
        desk.today("2026-03-10")
        desk.record(late, COURSE["accepted"] | {"on": "2026-03-10"})
        for case in (silent, late):
            desk.record(case, received("2026-03-02"), corrects=first(desk, case))
            row = desk.app.register.one(OFFICE, case).row
            assert (row.state, row.deemed, row.accepted_on.isoformat()) == ("accepted", True, "2026-03-09")

    def test_a_receipt_is_not_corrected_into_a_period_that_runs_once_the_case_has_gone_on(
        self, desk: Desk
    ) -> None:
        case = desk.open()
        desk.today("2026-03-12")
        desk.record(case, COURSE["copy_received"] | {"on": "2026-03-12"})
        with pytest.raises(StepRefused) as refused:
            desk.record(case, received("2026-03-06"), corrects=first(desk, case))
        assert refused.value.stable_code == "disputes.proceeded_as_accepted"
        assert desk.app.register.one(OFFICE, case).row.accepted_on.isoformat() == "2026-03-11"

    def test_a_corrected_receipt_leaves_the_examination_of_the_supplied_material_alone(
        self, desk: Desk
    ) -> None:
        case = desk.open()
        desk.record(case, {"kind": "material_asked", "on": "2026-03-05"})
        desk.today("2026-03-10")
        desk.record(case, {"kind": "material_supplied", "on": "2026-03-10"})
        desk.record(case, received("2026-03-03"), corrects=first(desk, case))
        assert (
            desk.app.register.one(OFFICE, case).kept["reconsideration.acceptance"].due_on.isoformat()
            == "2026-03-17"
        )

    def test_a_clock_that_stood_still_makes_the_same_fact(self, desk: Desk) -> None:
        case = desk.open()
        desk.today("2026-04-20")
        assert desk.app.register.one(OFFICE, case).log[-1].step.on.isoformat() == "2026-03-11"


class TestPeriodsRunOut:
    def test_undecided_after_sixty_days_fails_and_a_late_decision_corrects_it(self, desk: Desk) -> None:
        case = run(desk, until="hearing_held")
        desk.today("2026-05-06")
        assert desk.latest()["DIS-TIM-01"].outcome == OUTCOME_NOT_DUE
        desk.today("2026-05-07")
        overdue = desk.latest()["DIS-TIM-01"]
        assert (overdue.outcome, overdue.unit) == (OUTCOME_FAIL, ORGAN)
        desk.record(case, COURSE["decided"] | {"on": "2026-05-11"})
        late = desk.latest()["DIS-TIM-01"]
        assert (late.outcome, late.corrects) == (OUTCOME_FAIL, overdue.id)

    def test_no_answer_is_the_respondents_fault(self, desk: Desk) -> None:
        run(desk, until="copy_received")
        desk.today("2026-03-25")
        answer = desk.latest()["DIS-ANS-01"]
        assert (answer.outcome, answer.unit) == (OUTCOME_FAIL, RESPONDENT)

    def test_a_suspension_keeps_the_clock_quiet(self, desk: Desk) -> None:
        case = run(desk, until="answered")
        desk.record(case, {"kind": "suspended", "on": "2026-03-23", "reason": "SP08"})
        desk.today("2026-08-03")
        assert desk.latest()["DIS-TIM-01"].outcome == OUTCOME_NOT_DUE
        desk.record(case, {"kind": "resumed", "on": "2026-08-03"})
        one = desk.app.register.one(OFFICE, case)
        assert one.kept["reconsideration.decide"].due_on.isoformat() == "2026-09-15"

    def test_performance_by_its_day(self, desk: Desk) -> None:
        run(desk, decided={"outcome": "RF06", "perform_by": "2026-05-29"})
        desk.today("2026-05-29")
        assert desk.latest()["DIS-PER-01"].outcome == OUTCOME_NOT_DUE
        desk.today("2026-05-30")
        assert desk.latest()["DIS-PER-01"].outcome == OUTCOME_FAIL


class TestProvisionalDeadlines:
    def test_wait_for_a_person_who_settles_them(self, desk: Desk) -> None:
        desk.clock.set(datetime(2026, 12, 30, 4, tzinfo=UTC))
        case = desk.open(on="2026-12-30")
        desk.today("2027-02-01")
        one = desk.app.register.one(OFFICE, case)
        assert (one.row.state, one.row.provisional) == ("received", True)
        settled = {"kind": "deadline_settled", "on": "2027-02-01", "clock": "reconsideration.acceptance"}
        desk.record(case, settled)
        assert len(desk.app.register.one(OFFICE, case).log) == 2, (
            "still unpublished: reckoned again, still provisional"
        )
        with pytest.raises(Invalid):
            desk.record(case, settled | {"clock": "nothing"})


class TestTheLog:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE case_steps SET seq = 9",
            "DELETE FROM case_steps",
            "UPDATE deadlines SET due_on = '2030-01-01'",
            "DELETE FROM deadlines",
        ],
    )
    def test_is_append_only_in_the_database_itself(self, desk: Desk, statement: str) -> None:
        desk.open()
        with pytest.raises(DBAPIError, match="append-only"), desk.app.store.work() as work:
            work.session.execute(text(statement))

    def test_the_same_step_sent_twice_is_taken_once(self, desk: Desk) -> None:
        case, step = desk.open(), new_id()
        first = desk.record(case, COURSE["accepted"], step_id=step)
        assert desk.record(case, COURSE["accepted"], step_id=step) == first
        with pytest.raises(Conflict):
            desk.record(case, COURSE["accepted"] | {"track": "simple"}, step_id=step)

    def test_a_correction_moves_the_deadline_and_the_finding(self, desk: Desk) -> None:
        case = desk.open()
        wrong = desk.record(case, COURSE["accepted"] | {"track": "simple"})
        assert (
            desk.app.register.one(OFFICE, case).kept["reconsideration.decide"].due_on.isoformat()
            == "2026-04-07"
        )
        desk.record(case, COURSE["accepted"], corrects=wrong.step)
        one = desk.app.register.one(OFFICE, case)
        assert one.kept["reconsideration.decide"].due_on.isoformat() == "2026-05-06"
        assert [entry.corrects for entry in one.log][-1] == wrong.step

    def test_a_corrected_suspension_moves_the_period_to_decide(self, desk: Desk) -> None:
        case = desk.open()
        desk.record(case, COURSE["accepted"])
        suspended = {"kind": "suspended", "on": "2026-03-16", "reason": "SP03"}
        wrong = desk.record(case, suspended)
        desk.record(case, {"kind": "resumed", "on": "2026-03-26"})
        before = desk.app.register.one(OFFICE, case).kept["reconsideration.decide"].due_on
        desk.record(case, suspended | {"on": "2026-03-06"}, corrects=wrong.step)
        after = desk.app.register.one(OFFICE, case).kept["reconsideration.decide"].due_on
        assert (str(before), str(after)) == ("2026-05-15", "2026-05-25")

    def test_a_duty_that_a_correction_took_out_of_the_decision_is_nobodys_failure(self, desk: Desk) -> None:
        case = desk.open()
        for name in ("accepted", "copy_received", "answered"):
            desk.record(case, COURSE[name])
        wrong = desk.record(case, COURSE["decided"] | {"perform_by": "2026-05-10"})
        desk.record(case, COURSE["decided"], corrects=wrong.step)
        desk.today("2026-05-20")
        assert desk.latest()["DIS-PER-01"].outcome == OUTCOME_NOT_APPLICABLE
        assert "reconsideration.perform" not in desk.app.register.one(OFFICE, case).kept

    def test_a_second_suspension_does_not_wait_for_the_sixty_days_of_the_first(self, desk: Desk) -> None:
        case = desk.open()
        desk.record(case, COURSE["accepted"])
        desk.record(case, {"kind": "suspended", "on": "2026-03-16", "reason": "SP01"})
        assert "reconsideration.suspension_ends" in desk.app.register.one(OFFICE, case).kept
        desk.record(case, {"kind": "resumed", "on": "2026-03-26"})
        desk.record(case, {"kind": "suspended", "on": "2026-04-01", "reason": "SP03"})
        assert "reconsideration.suspension_ends" not in desk.app.register.one(OFFICE, case).kept

    def test_respondents_days_follow_the_corrected_track(self, desk: Desk) -> None:
        case = desk.open()
        wrong = desk.record(case, COURSE["accepted"] | {"track": "simple"})
        desk.record(case, COURSE["copy_received"])
        desk.record(case, COURSE["accepted"], corrects=wrong.step)
        desk.record(case, COURSE["answered"])
        assert desk.latest()["DIS-ANS-01"].outcome == OUTCOME_PASS

    def test_a_settled_deadline_is_corrected_within_the_deadlines_there_are(self, desk: Desk) -> None:
        case = desk.open()
        settled = {"kind": "deadline_settled", "on": "2026-03-04", "clock": "reconsideration.acceptance"}
        first = desk.record(case, settled)
        with pytest.raises(Invalid):
            desk.record(case, settled | {"clock": "reconsideration.perform"}, corrects=first.step)

    def test_what_silence_made_is_not_corrected_by_hand(self, desk: Desk) -> None:
        case = desk.open()
        desk.today("2026-03-12")
        made = desk.app.register.one(OFFICE, case).log[-1]
        with pytest.raises(StepRefused):
            desk.record(case, {"kind": "deemed_accepted", "on": "2026-03-10"}, corrects=made.id)


class TestWhoSeesACase:
    def test_the_organ_its_superior_and_the_respondent_do(self, desk: Desk) -> None:
        case = desk.open()
        for who in (OFFICE, CITY, BUREAU):
            assert desk.app.register.one(who, case).row.id == case
        assert desk.app.register.one(OFFICE, case).shows_applicant
        assert not desk.app.register.one(BUREAU, case).shows_applicant

    def test_strangers_find_nothing(self, desk: Desk) -> None:
        case = desk.open()
        assert desk.app.register.page(STRANGER).total == 0
        with pytest.raises(NotFound):
            desk.app.register.one(STRANGER, case)
        with pytest.raises(NotFound):
            desk.record(case, COURSE["accepted"], STRANGER)

    def test_a_department_under_the_organ_that_cannot_see_a_case_is_not_told_that_it_is_there(
        self, desk: Desk
    ) -> None:
        case = desk.open()
        beneath = replace(
            OFFICE, account="beneath", unit=f"{ORGAN}-x", unit_path=f"{OFFICE.unit_path}{ORGAN}-x/"
        )
        for asked in (case, "01993a5c-0000-7000-8000-000000000000"):
            with pytest.raises(NotFound) as refused:
                desk.record(asked, COURSE["accepted"], beneath)
            assert refused.value.stable_code == "disputes.unknown_case"

    def test_the_respondent_does_not_write_in_its_own_case(self, desk: Desk) -> None:
        case = desk.open()
        with pytest.raises(NotAllowed):
            desk.record(case, COURSE["accepted"], BUREAU)


def test_a_number_is_used_once_and_units_must_be_known(desk: Desk) -> None:
    desk.open()
    with pytest.raises(Conflict):
        desk.open()
    with pytest.raises(NotFound):
        desk.app.cases.open(
            OFFICE,
            organ=ORGAN,
            number="2号",
            respondent="x",
            received={"kind": "received", "on": "2026-03-04"},
        )


def test_unknown_codes_are_refused_with_their_place(desk: Desk) -> None:
    case = run(desk, until="hearing_held")
    with pytest.raises(Invalid) as refused:
        desk.record(case, COURSE["decided"] | {"outcome": "RF99", "grounds": ["mood"]})
    assert [problem.path for problem in refused.value.problems] == ["step.outcome", "step.grounds"]


def test_a_step_by_the_book_passes(desk: Desk) -> None:
    run(desk)
    told = {probe: event.outcome for probe, event in desk.latest().items()}
    assert [probe for probe, outcome in told.items() if outcome == OUTCOME_FAIL] == []
    assert told["DIS-TIM-01"] == OUTCOME_PASS
