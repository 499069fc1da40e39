"""What other systems hand over: applications become drafts, judgments are registered, senders are answered."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from contracts.clues.v1.clues_pb2 import ClueKind, ClueState
from kernel.errors import Conflict, Invalid, NotFound
from services.disputes.matters.model import CourtOutcomeRow
from services.disputes.reconsideration.service import StepRefused
from tests.integration.disputes.conftest import BUREAU, CITY, OFFICE, STRANGER, Desk
from tests.support.disputes import COURSE, ORGAN

APPLICATION = ClueKind.CLUE_KIND_RECONSIDERATION
JUDGMENT = ClueKind.CLUE_KIND_LITIGATION_RESULT
DISPUTE = ClueKind.CLUE_KIND_DISPUTE
ACCEPTED, ANSWERED, RETURNED = (
    ClueState.CLUE_STATE_ACCEPTED,
    ClueState.CLUE_STATE_ANSWERED,
    ClueState.CLUE_STATE_RETURNED,
)


class TestForwardedApplications:
    def test_become_a_draft_of_the_government_above_on_which_no_clock_runs(self, desk: Desk) -> None:
        receipt = desk.hear_clue(APPLICATION)
        (row,) = desk.app.register.page(OFFICE).rows
        assert (row.state, row.organ, row.due_on) == ("draft", ORGAN, None)
        (told,) = desk.progress(receipt)
        assert (told.state, told.subject) == (ACCEPTED, f"disputes/reconsiderations/{row.id}")
        desk.today("2026-06-01")
        assert desk.app.register.one(OFFICE, row.id).row.state == "draft"
        assert desk.events() == []

    def test_a_person_registers_it_and_the_sender_hears_the_result(self, desk: Desk) -> None:
        receipt = desk.hear_clue(APPLICATION)
        (row,) = desk.app.register.page(OFFICE).rows
        for name, body in COURSE.items():
            desk.record(row.id, body | ({"number": "青复〔2026〕3号"} if name == "received" else {}))
        assert desk.app.register.one(OFFICE, row.id).row.number == "青复〔2026〕3号"
        last = desk.progress(receipt)[-1]
        assert (last.state, "维持" in last.note) == (ANSWERED, True)
        _, matters = desk.app.matters.page(OFFICE, state="answered")
        assert [matter.receipt for matter in matters] == [receipt]

    def test_under_a_number_nobody_has_yet(self, desk: Desk) -> None:
        desk.open(number="青复〔2026〕3号")
        desk.hear_clue(APPLICATION)
        (row,) = desk.app.register.page(OFFICE, state="draft").rows
        for number in ("青复〔2026〕3号", "长" * 101):
            with pytest.raises((Conflict, Invalid)):
                desk.record(row.id, COURSE["received"] | {"number": number})

    def test_or_gives_it_back(self, desk: Desk) -> None:
        receipt = desk.hear_clue(APPLICATION)
        (row,) = desk.app.register.page(OFFICE).rows
        desk.record(row.id, {"kind": "not_an_application", "on": "2026-03-05", "because": "属于信访事项"})
        assert desk.progress(receipt)[-1].state == RETURNED
        with pytest.raises(StepRefused):
            desk.record(row.id, COURSE["received"])

    def test_silence_answers_the_sender_too(self, desk: Desk) -> None:
        receipt = desk.hear_clue(APPLICATION)
        (row,) = desk.app.register.page(OFFICE).rows
        desk.record(row.id, COURSE["received"])
        desk.record(row.id, {"kind": "material_asked", "on": "2026-03-06"})
        desk.today("2026-03-21")
        assert "视为放弃" in desk.progress(receipt)[-1].note

    @pytest.mark.parametrize("unit", ["", "nowhere"])
    def test_against_nobody_we_know_go_back_at_once(self, desk: Desk, unit: str) -> None:
        receipt = desk.hear_clue(APPLICATION, unit=unit)
        assert [told.state for told in desk.progress(receipt)] == [RETURNED]

    def test_against_a_provincial_government_stay_with_it(self, desk: Desk) -> None:
        """It reviews its own acts (Art. 24 ¶2): there is no government above it."""
        desk.hear_clue(APPLICATION, unit="15")
        assert desk.app.register.page(replace(CITY, unit="15", unit_path="/15/")).rows[0].organ == "15"

    def test_against_a_county_government_go_to_the_city(self, desk: Desk) -> None:
        desk.hear_clue(APPLICATION, unit=ORGAN)
        assert desk.app.register.page(CITY).rows[0].organ == "1501"


class TestJudgments:
    def test_are_registered_and_answered(self, desk: Desk) -> None:
        receipt = desk.hear_clue(
            JUDGMENT,
            outcome="LT02",
            ground="procedure",
            instance="first",
            head_attended="yes",
            effective_on="2026-03-01",
        )
        (row,) = desk.app.matters.court_outcomes(BUREAU)
        assert (row.outcome, row.lost, row.effective_on.isoformat()) == ("LT02", "yes", "2026-03-01")
        (told,) = desk.progress(receipt)
        assert (told.state, told.subject) == (ANSWERED, f"disputes/court_outcomes/{row.id}")
        assert desk.app.matters.court_outcomes(STRANGER) == []

    @pytest.mark.parametrize("outcome", ["", "LT99"])
    def test_with_an_unknown_result_go_back(self, desk: Desk, outcome: str) -> None:
        receipt = desk.hear_clue(JUDGMENT, outcome=outcome)
        assert [told.state for told in desk.progress(receipt)] == [RETURNED]
        with desk.app.store.reading() as session:
            assert session.scalars(select(CourtOutcomeRow)).all() == []


class TestOtherDisputes:
    def test_wait_for_a_person(self, desk: Desk) -> None:
        receipt = desk.hear_clue(DISPUTE)
        assert [told.state for told in desk.progress(receipt)] == [ACCEPTED]
        desk.app.matters.answer(BUREAU, receipt, "已组织调解，双方达成协议。")
        assert desk.progress(receipt)[-1].state == ANSWERED
        with pytest.raises(Conflict):
            desk.app.matters.answer(BUREAU, receipt, "再答一次")

    def test_strangers_find_none(self, desk: Desk) -> None:
        receipt = desk.hear_clue(DISPUTE)
        assert desk.app.matters.page(STRANGER) == (0, [])
        with pytest.raises(NotFound):
            desk.app.matters.answer(STRANGER, receipt, "x")

    def test_an_application_is_answered_through_its_case(self, desk: Desk) -> None:
        receipt = desk.hear_clue(APPLICATION)
        with pytest.raises(Conflict):
            desk.app.matters.answer(OFFICE, receipt, "x")
