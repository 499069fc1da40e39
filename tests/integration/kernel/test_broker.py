"""What the real broker does to us, and what we do then (R5, R12, R14)."""

import json
import threading
import time

import pika
import pytest

from kernel.bus import rabbit
from kernel.bus.rabbit import DEAD_QUEUE, RabbitBus, parameters, queue_arguments
from kernel.errors import Unavailable
from kernel.ids import new_id
from kernel.messages import Message, Queue
from tests.support.programs import ServerUnavailable
from tests.support.rabbitmq import RabbitMQ

GREETED = Queue("greeted", (("toy", "greeted.v1"),))
DEAD = Queue(DEAD_QUEUE, ())
BOUND_SECONDS = 15


@pytest.fixture(scope="module")
def broker():
    broker = RabbitMQ()
    try:
        broker.start()
    except ServerUnavailable as reason:
        pytest.skip(str(reason))
    yield broker
    broker.close()


@pytest.fixture
def vhost(broker, request):
    name = request.node.name.split("[")[0][-60:]
    broker.add_vhost(name)
    return name


@pytest.fixture
def bus(broker, vhost):
    bus = RabbitBus(broker.url_of(vhost), [GREETED])
    yield bus
    bus.close()


def greeting(body=b"hello", name="greeted.v1"):
    return Message(id=new_id(), source="toy", name=name, body=body)


def eventually(condition, seconds=30):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.1)


def test_every_queue_has_its_explicit_arguments_on_the_broker_itself(broker, vhost, bus):
    bus.declare([GREETED])
    bus.declare([GREETED])
    listed = json.loads(
        broker.ctl("list_queues", "--vhost", vhost, "name", "durable", "arguments", "--formatter", "json")
    )
    queues = {queue["name"]: queue for queue in listed}
    assert {name: queue["durable"] for name, queue in queues.items()} == {"greeted": True, DEAD_QUEUE: True}
    told = (
        {argument[0]: argument[-1] for argument in queues["greeted"]["arguments"]}
        if isinstance(queues["greeted"]["arguments"], list)
        else queues["greeted"]["arguments"]
    )
    assert told == queue_arguments()
    assert "reject-publish" not in str(queues[DEAD_QUEUE]["arguments"])


def test_a_queue_that_exists_with_other_arguments_is_a_clear_error(bus, broker, vhost):
    with pika.BlockingConnection(parameters(broker.url_of(vhost))) as connection:
        connection.channel().queue_declare("greeted", durable=True)
    for attempt in (lambda: bus.declare([GREETED]), lambda: bus.publish([greeting()])):
        with pytest.raises(Unavailable) as refused:
            attempt()
        assert refused.value.stable_code == "platform.queue_differs"
        assert "greeted" in refused.value.text


def test_a_queue_deleted_in_mid_run_is_made_again_and_nothing_counts_as_sent_meanwhile(bus, broker, vhost):
    first, second = greeting(), greeting()
    assert bus.publish([first]) == {first.id}
    broker.ctl("delete_queue", "--vhost", vhost, "greeted")
    assert bus.publish([second]) == set()
    assert bus.publish([second]) == {second.id}
    eventually(lambda: bus.depth(GREETED) == 1)


def test_a_full_queue_refuses_and_what_it_refused_is_sent_when_there_is_room(bus, broker, vhost):
    bus.publish([greeting()])
    broker.ctl("set_policy", "--vhost", vhost, "small", ".*", '{"max-length": 5}', "--apply-to", "queues")
    left = []
    for _ in range(10):  # the broker says stop only once the limit is passed
        told = [greeting() for _ in range(10)]
        confirmed = bus.publish(told)
        left += [message for message in told if message.id not in confirmed]
    assert len(left) >= 50
    broker.ctl("clear_policy", "--vhost", vhost, "small")
    eventually(lambda: _all_sent(bus, left))


def _all_sent(bus, left):
    confirmed = bus.publish(left)
    left[:] = [message for message in left if message.id not in confirmed]
    return not left


def test_what_comes_back_beyond_the_limit_ends_in_the_dead_queue_and_not_in_nothing(bus, broker, vhost):
    bus.publish([greeting(b"poison")])
    with pika.BlockingConnection(parameters(broker.url_of(vhost))) as connection:
        channel = connection.channel()
        returns = 0
        ends = time.monotonic() + 30
        while time.monotonic() < ends and returns <= queue_arguments()["x-delivery-limit"]:
            method, _, _ = channel.basic_get("greeted")
            if method is None:
                time.sleep(0.05)
                continue
            channel.basic_nack(method.delivery_tag, requeue=True)
            returns += 1
    eventually(lambda: bus.depth(DEAD) == 1)
    assert bus.depth(GREETED) == 0


def test_a_batch_longer_than_the_heartbeat_keeps_its_connection(bus, monkeypatch):
    monkeypatch.setattr(rabbit, "HEARTBEAT_SECONDS", 2)
    told, got, stop = greeting(), [], threading.Event()
    bus.publish([told])

    def take(deliveries):
        time.sleep(9)
        got.extend(deliveries)
        stop.set()

    bus.consume(GREETED, take, stop, batch=10, linger_seconds=0.01)
    time.sleep(1)
    assert [(d.message.id, d.redelivered) for d in got] == [(told.id, False)]
    assert bus.depth(GREETED) == 0


def test_an_envelope_that_fits_no_column_keeps_one_short_name_through_every_redelivery(bus, broker, vhost):
    bus.declare([GREETED])
    with pika.BlockingConnection(parameters(broker.url_of(vhost))) as connection:
        for properties in (
            pika.BasicProperties(),
            pika.BasicProperties(message_id="m" * 255, app_id="a\x00b"),
        ):
            connection.channel().basic_publish("toy.events", "greeted.v1", b"x", properties)
    seen = []

    class Killed(BaseException):
        pass

    def take(deliveries):
        seen.append([(d.message.id, d.message.source) for d in deliveries])
        raise Killed

    eventually(lambda: bus.depth(GREETED) == 2)
    for _ in range(2):
        with pytest.raises(Killed):
            bus.consume(GREETED, take, threading.Event(), batch=2, linger_seconds=2)
    assert sorted(seen[0]) == sorted(seen[1])
    assert all(len(name) <= 100 and source.isprintable() for name, source in seen[0])


def test_a_frozen_broker_costs_a_bounded_wait_and_nothing_is_called_sent(broker, bus):
    told = [greeting() for _ in range(3)]
    bus.publish([greeting()])
    broker.sigstop()
    try:
        started = time.monotonic()
        assert bus.publish(told) == set()
        with pytest.raises(Unavailable):
            bus.publish(told)
        assert time.monotonic() - started < 2 * BOUND_SECONDS
    finally:
        broker.sigcont()
    eventually(lambda: _sent(bus, told))


# pika leaves the socket of a connection that was reset to the garbage collector.
@pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_a_killed_broker_keeps_what_it_confirmed_and_the_rest_is_sent_again(broker, bus):
    kept = [greeting() for _ in range(50)]
    assert bus.publish(kept) == {message.id for message in kept}
    time.sleep(4)  # a younger quorum queue cannot be read after a crash of 3.10
    broker.kill()
    late = greeting()
    assert not _sent(bus, [late])
    assert not _sent(bus, [late])
    broker.start()
    eventually(lambda: _sent(bus, [late]))
    got, stop = [], threading.Event()
    listener = threading.Thread(
        target=bus.consume, args=(GREETED, got.extend, stop), kwargs={"batch": 100, "linger_seconds": 0.1}
    )
    listener.start()
    eventually(lambda: {d.message.id for d in got} >= {message.id for message in [*kept, late]})
    stop.set()
    listener.join(20)


def _sent(bus, messages):
    try:
        return bus.publish(messages) == {message.id for message in messages}
    except Unavailable:
        return False
