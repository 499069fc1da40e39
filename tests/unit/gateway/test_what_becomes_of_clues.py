import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from gateway.clues.model import AnswerRow, ClueRow
from kernel.errors import NotFound
from kernel.ids import new_id
from tests.support.gateway import INSPECTOR, NOW, body_of, hotline_order, principal, scored


def clue(app):
    with app.store.reading() as session:
        return session.scalars(select(ClueRow)).one()


class TestProgress:
    def test_every_step_is_kept_and_answered_in_the_senders_words(self, app, progress, receipt):
        progress(receipt, 3, NOW + timedelta(hours=1), "已受理")
        progress(receipt, 5, NOW + timedelta(days=1), "已责令改正")
        course = app.review.course(INSPECTOR, receipt)
        assert [step.state for step in course.progress] == ["received", "routed", "accepted", "answered"]
        with app.store.reading() as session:
            bodies = [
                json.loads(body)
                for body in session.scalars(select(AnswerRow.body).order_by(AnswerRow.created_at))
            ]
        assert {body["办理状态"] for body in bodies} == {"已受理", "已办结"}
        assert {body["工单编号"] for body in bodies} == {"HT-2026-0001"}

    def test_told_late_or_twice_it_never_turns_a_clue_back(self, app, progress, receipt):
        fact = new_id()
        progress(receipt, 5, NOW + timedelta(days=1), fact=fact)
        progress(receipt, 5, NOW + timedelta(days=1), fact=fact)
        progress(receipt, 3, NOW + timedelta(hours=1))
        assert clue(app).state == "answered"
        assert clue(app).answered_at == NOW + timedelta(days=1)
        assert len(scored(app)) == 1

    def test_sent_back_is_final(self, app, progress, receipt):
        progress(receipt, 4, NOW + timedelta(hours=1))
        progress(receipt, 5, NOW + timedelta(hours=2))
        assert clue(app).state == "returned"

    def test_progress_about_a_clue_nobody_gave_out_goes_to_quarantine(self, app, progress, receipt):
        progress(new_id(), 5)
        table = app.store.spine.quarantine
        with app.store.reading() as session:
            assert [row.code for row in session.execute(select(table))] == ["clues.unknown_receipt"]


class TestAnsweredInTime:
    def test_within_ten_working_days_counts_for_the_unit_complained_of(self, app, progress, receipt):
        assert (
            clue(app).answer_due_at.isoformat() == "2026-12-04T15:59:59+00:00"
        )  # received on Friday 20 November
        progress(receipt, 5, NOW + timedelta(days=13))
        (event,) = scored(app)
        assert (event.probe, event.unit, event.outcome, event.score_milli) == (
            "GW-ANS-01",
            "150102-scjg",
            1,
            1000,
        )
        assert event.subject == f"gateway/clues/{receipt}"

    def test_the_senders_own_deadline_comes_first(self, app, hotline, progress):
        body = body_of(hotline_order(办理截止时间="2026-11-23T18:00:00+08:00"))
        receipt = app.intake.take(app.partners.authenticate(hotline.signed(body, NOW), body), body).receipt
        progress(receipt, 5, NOW + timedelta(days=5))
        assert [event.outcome for event in scored(app)] == [2]

    def test_an_overdue_answer_is_told_once_and_corrected_when_it_came(self, app, clock, progress, receipt):
        clock.set(NOW + timedelta(days=14))
        assert app.progress.note_overdue() == 0
        clock.set(NOW + timedelta(days=15))
        assert (app.progress.note_overdue(), app.progress.note_overdue()) == (1, 0)
        progress(receipt, 5, NOW + timedelta(days=16), "迟复")
        first, second = scored(app)
        assert (first.outcome, second.outcome) == (2, 2)
        assert second.corrects == first.id
        assert "逾期" in second.reason

    @pytest.mark.parametrize(("late_by", "outcome"), [(timedelta(), 1), (timedelta(milliseconds=1), 2)])
    def test_the_last_second_of_the_last_day_is_in_time_to_its_end(
        self, app, clock, progress, receipt, late_by, outcome
    ):
        last = clue(app).answer_due_at + timedelta(seconds=1, milliseconds=-1) + late_by
        clock.set(last)
        assert app.progress.note_overdue() == (outcome == 2)
        progress(receipt, 5, last)
        assert scored(app)[-1].outcome == outcome

    def test_one_sent_back_is_not_applicable(self, app, progress, receipt):
        progress(receipt, 4, NOW + timedelta(days=1), "不属于职责")
        assert [event.outcome for event in scored(app)] == [3]

    def test_without_a_known_unit_nobody_is_measured(self, app, hotline, progress):
        body = body_of(hotline_order(承办单位编码=None))
        receipt = app.intake.take(app.partners.authenticate(hotline.signed(body, NOW), body), body).receipt
        progress(receipt, 5, NOW + timedelta(days=1))
        assert scored(app) == []


class TestWhoSeesWhat:
    def test_staff_see_clues_of_their_part_of_the_tree_only(self, app, receipt):
        inside = principal("shenhe", "1501", "/15/1501/", "reviewer")
        elsewhere = principal("ducha2", "1502", "/15/1502/", "inspector")
        assert app.review.clues(inside, state="", limit=10, offset=0).total == 1
        assert app.review.clues(elsewhere, state="", limit=10, offset=0).total == 0
        with pytest.raises(NotFound):
            app.review.course(elsewhere, receipt)

    def test_a_system_sees_its_own_and_no_other(self, app, receipt):
        own = principal("hotline", "", "", "external_system")
        other = principal("petition", "", "", "external_system")
        assert app.review.course(own, receipt).line.receipt == receipt
        with pytest.raises(NotFound):
            app.review.course(other, receipt)

    @pytest.mark.parametrize("receipt_number", ["1", "' OR 1=1", "00000000-0000-0000-0000-000000000000"])
    def test_made_up_numbers_are_simply_not_found(self, app, receipt_number):
        with pytest.raises(NotFound):
            app.review.course(INSPECTOR, receipt_number)
