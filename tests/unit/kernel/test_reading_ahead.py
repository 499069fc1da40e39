"""Messages fetched ahead are read once, before they are handed over; what comes again is read again."""

from contracts.topology import ASSESSMENT_SCORED
from kernel.bus.inbound import MOST_AHEAD, Inbound
from kernel.bus.markers import Subscription
from kernel.messages import Item, Message

BATCH = 2


def a_message(number):
    return Message(id=f"m{number}", source="enforcement", name="scored.v1", body=b"x")


def reading():
    """An inbound side without a store, and what it has read."""
    read = []

    def decode(message):
        read.append(message.id)
        return [Item(message.source, message.id, message.body, message)]

    subscription = Subscription(ASSESSMENT_SCORED, decode, batch=BATCH, linger_seconds=0.0)
    return Inbound(None, subscription, lambda work, items: None), read


def test_what_was_read_ahead_is_not_read_again():
    inbound, read = reading()
    messages = [a_message(number) for number in range(3)]
    inbound.arrived(messages[0])
    inbound.arrived(messages[1])
    items, refusals = inbound._decode(messages)
    assert [item.key for item, _ in items] == ["m0", "m1", "m2"]
    assert refusals == []
    assert read == ["m0", "m1", "m2"]


def test_a_message_delivered_anew_is_read_anew():
    inbound, read = reading()
    first = a_message(0)
    inbound.arrived(first)
    inbound._decode([a_message(0)])
    assert read == ["m0", "m0"]


def test_messages_that_are_never_handed_over_do_not_pile_up():
    inbound, _ = reading()
    for number in range(100):
        inbound.arrived(a_message(number))
    assert len(inbound._read_ahead) <= MOST_AHEAD * BATCH
