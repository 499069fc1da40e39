"""What an operator releases from quarantine is never lost on the way: taken, or held as before (R11)."""

import pytest
from sqlalchemy import select

from fazhi.release import take_again
from kernel.bus.inbound import Inbound
from kernel.bus.port import Delivery
from kernel.errors import NotFound, PermanentError, RuleViolation, Unavailable
from kernel.messages import Message
from kernel.storage import quarantine
from kernel.storage.db import open_database
from tests.support.toy import SUBSCRIPTION, Toy

LONG = "hash:" + "a" * 95  # as long as the name of a message may be


class Refusing(PermanentError):
    code = "toy.refused"
    message = "不能处理。"


def refuse(_items):
    raise Refusing


class House:
    """A toy whose handler refuses until it is mended."""

    def __init__(self, folder) -> None:
        self.toy = Toy(open_database(f"sqlite:///{folder}/toy.db"))
        self.store = self.toy.store
        self.inbound = Inbound(self.store, SUBSCRIPTION, self.toy.count)
        self.toy.before = refuse

    def hold(self, message_id: str = "m-1") -> str:
        message = Message(id=message_id, source="toy", name="counted.v1", body=b"a")
        self.inbound.take([Delivery(message, redelivered=False)])
        return self.held()[0].id

    def held(self):
        with self.store.reading() as session:
            return quarantine.entries(session, self.store)

    def release(self, entry: str) -> None:
        take_again(self.store, self.inbound, entry)

    def mend(self) -> None:
        self.toy.before = lambda _items: None

    def states(self):
        table = self.store.spine.quarantine
        with self.store.reading() as session:
            return [row.state for row in session.execute(select(table).order_by(table.c.held_at, table.c.id))]


@pytest.fixture
def house(tmp_path) -> House:
    return House(tmp_path)


def test_what_is_mended_is_taken_once(house):
    entry = house.hold()
    house.mend()
    house.release(entry)
    assert (house.toy.total(), house.held(), house.states()) == (1, [], ["released"])
    with pytest.raises(NotFound):
        house.release(entry)
    assert house.toy.total() == 1


def test_an_outage_in_the_middle_leaves_it_held(house):
    entry = house.hold()

    def away(_items):
        raise Unavailable

    house.toy.before = away
    with pytest.raises(Unavailable):
        house.release(entry)
    assert [held.id for held in house.held()] == [entry]
    house.mend()
    house.release(entry)
    assert (house.toy.total(), house.held()) == (1, [])


def test_a_process_that_ends_in_the_middle_leaves_it_held(house):
    entry = house.hold()

    def die(_items):
        raise KeyboardInterrupt

    house.toy.before = die
    with pytest.raises(KeyboardInterrupt):
        house.release(entry)
    assert [held.id for held in house.held()] == [entry]


@pytest.mark.parametrize("message_id", ["01900000-0000-7000-8000-000000000000", LONG])
def test_released_too_early_it_is_held_again_however_often(house, message_id):
    house.hold(message_id)
    for _ in range(4):
        (entry,) = house.held()
        with pytest.raises(RuleViolation):
            house.release(entry.id)
        assert len(house.held()) == 1
    house.mend()
    house.release(house.held()[0].id)
    assert (house.toy.total(), house.held()) == (1, [])


@pytest.mark.parametrize("entry", ["no id", "01900000-0000-7000-8000-000000000000"])
def test_an_unknown_entry_is_not_found(house, entry):
    with pytest.raises(NotFound):
        house.release(entry)
