"""A correction asked is read whole or refused with its bytes; nothing half-right reaches a service."""

from typing import Any

import pytest

from contracts.corrections.v1.corrections_pb2 import CorrectionAsked
from contracts.corrections.wire import read_corrections
from contracts.topology import CORRECTION_ASKED
from kernel.errors import Unacceptable
from kernel.ids import new_id
from kernel.messages import Item, Message, Refused


def a_notice(**changes: Any) -> Message:
    values: dict[str, Any] = {
        "id": new_id(),
        "service": "enforcement",
        "objection": new_id(),
        "event": new_id(),
        "unit": "150102-scjg",
        "probe": "ENF-TIM-01",
        "subject": "enforcement/cases/1",
        "outcome": 1,
        "score_milli": 1000,
        "due_at_us": 1_773_331_200_000_000,
        "occurred_at_us": 1_772_701_200_000_000,
    }
    body = CorrectionAsked(**(values | changes)).SerializeToString(deterministic=True)
    return Message(id=new_id(), source="assessment", name=CORRECTION_ASKED, body=body)


def test_a_whole_notice_is_one_item_known_by_its_id() -> None:
    message = a_notice()
    (item,) = read_corrections(message)
    assert isinstance(item, Item)
    assert (item.key, item.raw) == (CorrectionAsked.FromString(message.body).id, message.body)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"id": ""}, "contracts.bad_id"),
        ({"objection": "x"}, "contracts.bad_id"),
        ({"event": "7"}, "contracts.bad_id"),
        ({"service": ""}, "contracts.missing_field"),
        ({"unit": ""}, "contracts.missing_field"),
        ({"probe": ""}, "contracts.missing_field"),
        ({"subject": ""}, "contracts.missing_field"),
        ({"outcome": 0}, "contracts.unknown_code"),
        ({"outcome": 9}, "contracts.unknown_code"),
        ({"score_milli": 1001}, "contracts.bad_score"),
        ({"score_milli": -1}, "contracts.bad_score"),
        ({"due_at_us": 2**62}, "contracts.bad_time"),
    ],
)
def test_a_notice_that_breaks_the_contract_is_held_with_its_bytes(changes: dict[str, Any], code: str) -> None:
    message = a_notice(**changes)
    (refused,) = read_corrections(message)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.raw) == (code, message.body)


def test_bytes_that_are_no_notice_are_unacceptable() -> None:
    message = Message(id=new_id(), source="assessment", name=CORRECTION_ASKED, body=b"\xff\xff")
    with pytest.raises(Unacceptable):
        read_corrections(message)
