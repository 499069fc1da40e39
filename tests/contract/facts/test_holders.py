"""What an account holds is read whole or refused with its bytes; one bad account keeps no other out."""

from typing import Any

import pytest

from contracts.holders.v1.holders_pb2 import HeldRole, Holder, Holders
from contracts.holders.wire import HOLDERS_PER_MESSAGE, pack_holders, read_holders
from contracts.topology import HOLDERS
from kernel.errors import Unacceptable
from kernel.ids import new_id
from kernel.messages import Item, Message, Refused

ROLE = {"role": "reviewer", "unit": "150102", "unit_path": "/15/150102/", "from_on": "2026-03-01"}


def a_holder(roles: tuple[dict[str, str], ...] = (ROLE,), **changes: Any) -> Holder:
    values: dict[str, Any] = {
        "account": "shenhe",
        "name": "某同志",
        "unit": "150102-sf",
        "is_active": True,
        "version": 7,
        "occurred_at_us": 1_772_701_200_000_000,
        "recorded_at_us": 1_772_701_200_000_000,
    }
    return Holder(roles=[HeldRole(**role) for role in roles], **(values | changes))


def told(*holders: Holder) -> Message:
    (body,) = pack_holders(holders)
    return Message(id=new_id(), source="gateway", name=HOLDERS, body=body)


def test_an_account_is_known_by_its_version() -> None:
    (item,) = read_holders(told(a_holder()))
    assert isinstance(item, Item)
    assert (item.key, item.raw) == ("shenhe/7", a_holder().SerializeToString(deterministic=True))


@pytest.mark.parametrize(
    ("holder", "code"),
    [
        (a_holder(account=""), "contracts.missing_field"),
        (a_holder(unit=""), "contracts.missing_field"),
        (a_holder(version=0), "contracts.missing_field"),
        (a_holder(({**ROLE, "unit_path": ""},)), "contracts.missing_field"),
        (a_holder(({**ROLE, "from_on": ""},)), "contracts.missing_field"),
        (a_holder((ROLE, ROLE)), "contracts.repeated"),
        (a_holder(({**ROLE, "from_on": "2026-02-30"},)), "contracts.bad_time"),
        (a_holder(({**ROLE, "until_on": "soon"},)), "contracts.bad_time"),
        (a_holder(({**ROLE, "until_on": "2026-02-28"},)), "contracts.bad_time"),
        (a_holder(occurred_at_us=2**62), "contracts.bad_time"),
    ],
)
def test_an_account_that_breaks_the_contract_is_held_alone_with_its_bytes(holder: Holder, code: str) -> None:
    refused, item = read_holders(told(holder, a_holder(account="fushen")))
    assert isinstance(refused, Refused)
    assert (refused.code, Holders.FromString(refused.raw).holders[0]) == (code, holder)
    assert isinstance(item, Item)


def test_bytes_that_tell_of_nobody_are_unacceptable() -> None:
    with pytest.raises(Unacceptable):
        read_holders(Message(id=new_id(), source="gateway", name=HOLDERS, body=b"\xff\xff"))


def test_a_message_carries_a_bounded_number() -> None:
    many = [a_holder(account=f"a{number}") for number in range(HOLDERS_PER_MESSAGE + 1)]
    assert [len(Holders.FromString(body).holders) for body in pack_holders(many)] == [HOLDERS_PER_MESSAGE, 1]
