"""A routed clue becomes a lead, and every step of it is told to the gateway."""

import pytest

from contracts.clues.v1 import clues_pb2 as clues
from kernel.errors import Invalid, NotFound, RuleViolation
from kernel.ids import new_id
from tests.integration.enforcement.conftest import INSPECTOR, STRANGER, UNIT, Office

RECEIVED, ACCEPTED = clues.CLUE_STATE_RECEIVED, clues.CLUE_STATE_ACCEPTED
RETURNED, ANSWERED = clues.CLUE_STATE_RETURNED, clues.CLUE_STATE_ANSWERED


def test_received_accepted_answered(office: Office) -> None:
    receipt = new_id()
    office.clue(receipt, unit=UNIT, title="反映执法检查过多", content="一个月来了四次")
    supervision = office.app.supervision
    assert supervision.page(INSPECTOR, state="received")[0] == 1
    supervision.accept(INSPECTOR, receipt)
    supervision.answer(INSPECTOR, receipt, "经查属实，已责令整改")
    steps = [(step.receipt, step.state) for step in office.progress()]
    assert steps == [(receipt, RECEIVED), (receipt, ACCEPTED), (receipt, ANSWERED)]
    assert office.progress()[-1].subject == f"enforcement/leads/{receipt}"
    assert office.audited()[-2:] == [("inspector", "lead.accepted"), ("inspector", "lead.answered")]


def test_the_same_clue_twice_is_one_lead(office: Office) -> None:
    receipt = new_id()
    office.clue(receipt, unit=UNIT, title="甲")
    office.clue(receipt, unit=UNIT, title="甲")
    assert office.app.supervision.page(INSPECTOR)[0] == 1
    assert len(office.progress()) == 1


def test_a_matter_in_court_is_returned_at_once(office: Office) -> None:
    receipt = new_id()
    office.clue(receipt, unit=UNIT, title="不服处罚", attributes={"in_litigation": "yes"})
    lead = office.app.supervision.one(INSPECTOR, receipt)
    assert lead["state"] == "returned"
    assert "第三十三条" in lead["note"]
    assert [step.state for step in office.progress()] == [RETURNED]


def test_words_that_hint_at_a_pending_review_need_a_person_to_check(office: Office) -> None:
    receipt = new_id()
    office.clue(receipt, unit=UNIT, title="不服处罚", content="我已申请行政复议，仍要求处理")
    with pytest.raises(RuleViolation):
        office.app.supervision.accept(INSPECTOR, receipt)
    assert office.app.supervision.accept(INSPECTOR, receipt, checked_not_pending=True)["state"] == "accepted"


def test_steps_follow_their_order_and_an_answer_has_words(office: Office) -> None:
    receipt = new_id()
    office.clue(receipt, unit=UNIT, title="甲")
    supervision = office.app.supervision
    with pytest.raises(RuleViolation):
        supervision.answer(INSPECTOR, receipt, "未受理先答复")
    with pytest.raises(Invalid):
        supervision.send_back(INSPECTOR, receipt, "  ")
    supervision.send_back(INSPECTOR, receipt, "不属于执法事项")
    with pytest.raises(RuleViolation):
        supervision.accept(INSPECTOR, receipt)


def test_others_do_not_see_it_and_one_without_a_unit_is_found_by_region(office: Office) -> None:
    placed, unplaced = new_id(), new_id()
    office.clue(placed, unit=UNIT, title="甲")
    office.clue(unplaced, title="乙")
    with pytest.raises(NotFound):
        office.app.supervision.accept(STRANGER, placed)
    assert office.app.supervision.page(STRANGER)[0] == 0
    assert {row["id"] for row in office.app.supervision.page(INSPECTOR)[1]} == {placed, unplaced}
