"""One procedure recorded step by step: gates, signatures, corrections, and what is told of it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from contracts.events.v1.scored_pb2 import MODE_REAL_TIME, OUTCOME_FAIL, OUTCOME_NOT_DUE, OUTCOME_PASS
from kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from kernel.ids import new_id
from services.decisions.procedures.service import GateClosed
from tests.integration.decisions.conftest import LAWYER, LEADER, OFFICE, STRANGER, Desk
from tests.support.decisions import COURSE, GOVERNMENT, LEAD


def test_a_lawful_course_is_told_once_published_and_then_only_where_it_changes(desk: Desk) -> None:
    decision = desk.open()
    desk.run(decision, until="decided")
    assert desk.events() == []
    desk.record(decision, COURSE["published"])
    first = desk.events()
    assert len(first) == 26
    assert {event.unit for event in first} == {GOVERNMENT}
    assert {event.subject for event in first} == {f"decisions/decisions/{decision}"}
    assert {event.mode for event in first} == {MODE_REAL_TIME}
    waiting = {event.probe: event.id for event in first if event.outcome == OUTCOME_NOT_DUE}
    assert set(waiting) == {"DEC-25", "DEC-26"}
    desk.record(decision, COURSE["archived"])
    filed = desk.events()[26:]
    told = {event.probe: (event.outcome, event.corrects) for event in filed}
    assert told["DEC-25"] == (OUTCOME_PASS, waiting["DEC-25"])
    assert set(told) <= {"DEC-25", "DEC-26"}


def test_a_closed_gate_names_the_article_and_leaves_nothing_behind(desk: Desk) -> None:
    decision = desk.open()
    desk.run(decision, until="discussion_submitted")
    with pytest.raises(GateClosed) as closed:
        desk.record(decision, COURSE["decided"])
    assert closed.value.stable_code == "decisions.gate_g6"
    assert "第三十条" in closed.value.text
    assert desk.app.register.one(OFFICE, decision).row.phase == "submission"


class TestTheReviewBelongsToTheReviewingDepartment:
    @pytest.mark.parametrize("who", [OFFICE, LEADER])
    def test_nobody_else_may_issue_it(self, desk: Desk, who: object) -> None:
        decision = desk.open()
        desk.run(decision, until="review_complete")
        with pytest.raises(NotAllowed) as refused:
            desk.record(decision, COURSE["review_issued"], who)  # type: ignore[arg-type]
        assert refused.value.stable_code == "decisions.review_not_yours"

    def test_nobody_else_may_correct_it(self, desk: Desk) -> None:
        decision = desk.open()
        made = desk.run(decision, until="review_issued", review_issued={"conclusion": "unlawful"})
        mended = COURSE["review_issued"] | {"conclusion": "lawful"}
        with pytest.raises(NotAllowed):
            desk.record(decision, mended, LEADER, corrects=made["review_issued"])
        desk.record(decision, mended, LAWYER, corrects=made["review_issued"])
        desk.record(decision, COURSE["review_answered"])
        desk.record(decision, COURSE["discussion_submitted"])

    def test_the_reviewers_record_nothing_else(self, desk: Desk) -> None:
        decision = desk.open()
        desk.run(decision, until="started")
        with pytest.raises(NotAllowed):
            desk.record(decision, COURSE["drafted"], LAWYER)


class TestTheOrganSpeaksForItself:
    def test_a_department_neither_starts_nor_discusses_nor_decides(self, desk: Desk) -> None:
        decision = desk.open()
        desk.run(decision, until="studied")
        with pytest.raises(NotAllowed) as refused:
            desk.record(decision, COURSE["started"], LEADER)
        assert refused.value.stable_code == "decisions.step_of_the_organ"
        desk.record(decision, COURSE["started"])
        desk.record(decision, COURSE["drafted"], LEADER)
        with pytest.raises(NotAllowed):
            desk.record(decision, COURSE["decided"], LEADER)


class TestCorrections:
    def test_both_stay_visible_and_the_new_one_counts(self, desk: Desk) -> None:
        decision = desk.open()
        made = desk.run(decision, comment_opened={"closes_on": "2026-03-20"})
        assert {e.probe for e in desk.events() if e.outcome == OUTCOME_FAIL} == {"DEC-06"}
        before = len(desk.events())
        desk.record(decision, COURSE["comment_opened"], corrects=made["comment_opened"])
        (mended,) = desk.events()[before:]
        assert (mended.probe, mended.outcome) == ("DEC-06", OUTCOME_PASS)
        assert mended.corrects
        log = desk.app.register.one(OFFICE, decision).log
        assert [entry.corrects for entry in log if entry.step.kind == "comment_opened"] == [
            "",
            made["comment_opened"],
        ]

    @pytest.mark.parametrize("corrects", ["drafted", "nothing"])
    def test_only_the_same_kind_of_step_of_the_same_decision(self, desk: Desk, corrects: str) -> None:
        decision = desk.open()
        made = desk.run(decision, until="drafted")
        with pytest.raises(Invalid):
            desk.record(decision, COURSE["studied"], corrects=made.get(corrects, new_id()))

    def test_what_was_corrected_already_is_not_corrected_again(self, desk: Desk) -> None:
        decision = desk.open()
        made = desk.run(decision, until="studied")
        desk.record(decision, COURSE["studied"], corrects=made["studied"])
        with pytest.raises(Invalid):
            desk.record(decision, COURSE["studied"], corrects=made["studied"])


class TestTheLog:
    @pytest.mark.parametrize(
        "statement", ["UPDATE steps SET actor = 'x'", "DELETE FROM steps", "DELETE FROM templates"]
    )
    def test_is_append_only_in_the_database_itself(self, desk: Desk, statement: str) -> None:
        desk.run(desk.open(), until="started")
        with pytest.raises(DBAPIError, match="append-only"), desk.app.store.work() as work:
            work.session.execute(text(statement))

    def test_the_same_step_sent_twice_is_taken_once(self, desk: Desk) -> None:
        decision, step = desk.open(), new_id()
        first = desk.record(decision, COURSE["proposed"], step_id=step)
        assert desk.record(decision, COURSE["proposed"], step_id=step) == first
        assert len(desk.app.register.one(OFFICE, decision).log) == 1
        with pytest.raises(Conflict):
            desk.record(decision, COURSE["proposed"] | {"source": "leader"}, step_id=step)

    def test_stores_actor_time_and_digest(self, desk: Desk) -> None:
        decision = desk.open()
        desk.run(decision, until="proposed")
        (entry,) = desk.app.register.one(OFFICE, decision).log
        assert (entry.actor, entry.actor_unit, entry.recorded_at) == ("office", GOVERNMENT, desk.clock.now())
        assert entry.digest.startswith("sha256:")

    def test_a_step_of_tomorrow_is_refused(self, desk: Desk) -> None:
        with pytest.raises(Invalid):
            desk.app.procedures.record(OFFICE, desk.open(), COURSE["proposed"] | {"on": "2026-01-06"})


def test_periods_run_out_at_midnight_whether_or_not_anybody_records(desk: Desk) -> None:
    decision = desk.open()
    desk.run(decision, until="decided")
    desk.clock.set(datetime(2026, 6, 15, 15, 59, tzinfo=UTC))
    desk.worker.look_again()
    assert desk.events() == []
    desk.clock.set(datetime(2026, 6, 15, 16, 1, tzinfo=UTC))  # past midnight in Shanghai
    desk.worker.look_again()
    failed = {event.probe for event in desk.events() if event.outcome == OUTCOME_FAIL}
    assert failed == {"DEC-24"}
    assert next(e.reason for e in desk.events() if e.probe == "DEC-24").endswith(f"（承办单位 {LEAD}）")
    told = len(desk.events())
    desk.worker.look_again()
    assert len(desk.events()) == told
    desk.clock.set(datetime(2026, 7, 18, 1, tzinfo=UTC))
    desk.worker.look_again()
    assert {e.probe for e in desk.events()[told:] if e.outcome == OUTCOME_FAIL} == {"DEC-25", "DEC-26"}


def test_the_bases_of_a_draft_are_told_with_stable_ids(desk: Desk) -> None:
    decision = desk.open()
    made = desk.run(decision, until="drafted")
    desk.record(decision, COURSE["drafted"], corrects=made["drafted"])
    first, again = desk.citations()
    assert first == again
    assert (first.document, first.article, first.cited_on) == ("城乡规划法", "第九条", "2026-02-10")


class TestWhoSeesADecision:
    def test_strangers_find_nothing(self, desk: Desk) -> None:
        decision = desk.open()
        desk.run(decision, until="started")
        assert desk.app.register.page(STRANGER).total == 0
        for act in (
            lambda: desk.app.register.one(STRANGER, decision),
            lambda: desk.record(decision, COURSE["drafted"], STRANGER),
            lambda: desk.app.procedures.open(STRANGER, GOVERNMENT, "2号", "x"),
        ):
            with pytest.raises(NotFound):
                act()

    def test_undertaker_and_reviewer_see_theirs(self, desk: Desk) -> None:
        decision = desk.open()
        desk.run(decision, until="started")
        desk.open("2号")
        for who in (LEADER, LAWYER):
            assert [row.id for row in desk.app.register.page(who).rows] == [decision]
        assert desk.app.register.page(OFFICE).total == 2


def test_a_number_is_used_once(desk: Desk) -> None:
    desk.open()
    with pytest.raises(Conflict):
        desk.open()
