"""What every bus promises. The in-process bus is a product mode, so it is held to the same words."""

import threading
import time
from contextlib import contextmanager

import pytest

from kernel.bus.inprocess import InProcessBus
from kernel.bus.rabbit import RabbitBus
from kernel.errors import Unavailable
from kernel.ids import new_id
from kernel.messages import Message, Queue

GREETED = Queue("greeted", (("toy", "greeted.v1"),))
ALSO = Queue("also_greeted", (("toy", "greeted.v1"),))
QUEUES = (GREETED, ALSO)


@pytest.fixture(params=["in_process", "rabbitmq"])
def bus(request, tmp_path):
    if request.param == "in_process":
        bus = InProcessBus(tmp_path / "bus.db", QUEUES)
    else:
        bus = RabbitBus(request.getfixturevalue("rabbitmq_url"), QUEUES)
    yield bus
    bus.close()


def greeting(body=b"hello", name="greeted.v1"):
    return Message(id=new_id(), source="toy", name=name, body=body, headers={"trace": "t1"})


@contextmanager
def listening(bus, queue, take, batch=10):
    stop = threading.Event()
    thread = threading.Thread(
        target=bus.consume, args=(queue, take, stop), kwargs={"batch": batch, "linger_seconds": 0.05}
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def eventually(condition, seconds=20):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.05)


def test_a_fact_reaches_every_queue_that_hears_it(bus):
    told = greeting()
    assert bus.publish([told]) == {told.id}
    for queue in QUEUES:
        got = []
        with listening(bus, queue, got.extend):
            eventually(lambda got=got: got)
        assert [(d.message.id, d.message.source, d.message.body) for d in got] == [(told.id, "toy", b"hello")]
        assert got[0].message.headers["trace"] == "t1"


def test_publishing_nothing_waits_for_nothing(bus):
    started = time.monotonic()
    assert bus.publish([]) == set()
    assert time.monotonic() - started < 1


def test_a_fact_nobody_listens_to_is_not_an_error(bus):
    told = greeting(name="unheard.v1")
    assert bus.publish([told]) == {told.id}


def test_a_fact_told_before_anybody_listened_waits(bus):
    told = [greeting() for _ in range(250)]
    assert bus.publish(told) == {message.id for message in told}
    eventually(lambda: bus.depth(GREETED) == 250)
    got = []
    with listening(bus, GREETED, got.extend, batch=100):
        eventually(lambda: len(got) == 250)
    assert [d.message.id for d in got] == [message.id for message in told]
    eventually(lambda: bus.depth(GREETED) == 0)


def test_a_failing_listener_does_not_stop_the_others(bus):
    def away(_deliveries):
        raise Unavailable()

    told = greeting()
    bus.publish([told])
    got = []
    with listening(bus, GREETED, away), listening(bus, ALSO, got.extend):
        eventually(lambda: got)
    assert [delivery.message.id for delivery in got] == [told.id]


def test_an_outage_is_waited_out_with_the_message_in_hand(bus):
    tries, got = [], []

    def stumbling(deliveries):
        tries.append(1)
        if len(tries) < 3:
            raise Unavailable()
        got.extend(deliveries)

    told = greeting()
    bus.publish([told])
    with listening(bus, GREETED, stumbling):
        eventually(lambda: got)
    assert [d.message.id for d in got] == [told.id]


def test_what_was_handed_over_and_not_settled_comes_again_marked_redelivered(bus):
    class Killed(BaseException):
        pass

    def die(_deliveries):
        raise Killed

    told = greeting()
    bus.publish([told])
    stop = threading.Event()
    with pytest.raises(Killed):
        bus.consume(GREETED, die, stop, batch=10, linger_seconds=0.01)
    got = []
    with listening(bus, GREETED, got.extend):
        eventually(lambda: got)
    assert [(d.message.id, d.redelivered) for d in got] == [(told.id, True)]
