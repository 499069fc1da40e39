"""What a broker confirms is what was sent to it: a confirm that comes late, for what was sent before, says nothing (R5)."""

import queue
from types import SimpleNamespace

import pytest
from pika.spec import Basic

from kernel.bus import rabbit_publisher
from kernel.bus.rabbit_publisher import Publisher
from kernel.messages import Message


class Loop:
    """Callbacks one after the other, in the thread that started it."""

    def __init__(self):
        self._waiting = queue.Queue()

    def add_callback_threadsafe(self, act):
        self._waiting.put(act)

    def start(self):
        while (act := self._waiting.get()) is not None:
            act()

    def stop(self):
        self._waiting.put(None)

    def close(self):
        pass


class Channel:
    """A channel whose broker answers when the test says so."""

    is_open = True

    def __init__(self):
        self.sent = []
        self.on_sent = lambda: None

    def add_on_close_callback(self, act):
        pass

    def add_on_return_callback(self, act):
        pass

    def confirm_delivery(self, settled, callback):
        self._settled = settled
        callback(None)

    def basic_publish(self, _exchange, _name, body, _properties, mandatory):
        self.sent.append(body)
        self.on_sent()

    def confirm(self, tag, *, multiple=True):
        self._settled(SimpleNamespace(method=Basic.Ack(delivery_tag=tag, multiple=multiple)))


class Broker:
    """Connections to a broker that takes its time to close one."""

    def __init__(self):
        self.channels = []
        self.loops = []
        self.on_sent = lambda: None

    def connect(self, _parameters, *, on_open_callback, **_more):
        connection = SimpleNamespace(ioloop=Loop(), is_open=True, close=lambda: None)
        connection.channel = self._open
        connection.ioloop.add_callback_threadsafe(lambda: on_open_callback(connection))
        self.loops.append(connection.ioloop)
        return connection

    def _open(self, on_open_callback):
        channel = Channel()
        channel.on_sent = self.on_sent
        self.channels.append(channel)
        on_open_callback(channel)


def message(name):
    return Message(id=name, source="toy", name="counted.v1", body=name.encode())


@pytest.fixture
def broker(monkeypatch):
    made = Broker()
    monkeypatch.setattr(rabbit_publisher, "SelectConnection", made.connect)
    monkeypatch.setattr(rabbit_publisher, "CONFIRM_SECONDS", 0.2)
    monkeypatch.setattr(rabbit_publisher, "CLOSE_SECONDS", 0.01)
    yield made
    for loop in made.loops:
        loop.stop()


def test_a_late_confirm_of_a_connection_given_up_confirms_nothing_of_the_next(broker):
    publisher = Publisher(None, (), lambda _queues, _exchanges: None)
    assert publisher.publish([message("a"), message("b")]) == set()  # the broker is slow, and is given up
    first = broker.channels[0]
    broker.on_sent = lambda: first.confirm(2)  # what it says now is of what it was sent then
    assert publisher.publish([message("b"), message("c")]) == set()
    assert [channel.sent for channel in broker.channels] == [[b"a", b"b"], [b"b", b"c"]]


def test_what_the_connection_in_use_confirms_is_confirmed(broker):
    publisher = Publisher(None, (), lambda _queues, _exchanges: None)
    broker.on_sent = lambda: broker.channels[-1].confirm(1, multiple=False)
    assert publisher.publish([message("a"), message("b")]) == {"a"}
