"""Bad messages and outages over a real broker and a real database: innocents count once, nothing is dropped."""

import threading
import time
from contextlib import contextmanager

import pytest
from sqlalchemy import select

from kernel.bus.inbound import MAX_ATTEMPTS, Inbound
from kernel.bus.rabbit import DEAD_QUEUE, RabbitBus
from kernel.errors import RuleViolation
from kernel.ids import new_id
from kernel.messages import Message, Queue
from kernel.storage.db import open_database
from tests.support.postgresql import PostgreSQL
from tests.support.programs import ServerUnavailable
from tests.support.toy import COUNTED, SUBSCRIPTION, Toy

DEAD = Queue(DEAD_QUEUE, ())


@pytest.fixture
def bus(rabbitmq_url):
    bus = RabbitBus(rabbitmq_url, [COUNTED])
    yield bus
    bus.close()


@pytest.fixture
def toy(postgresql_url):
    toy = Toy(open_database(postgresql_url))
    yield toy
    toy.store.database.close()


def publish(bus, *bodies):
    messages = [Message(id=new_id(), source="toy", name="counted.v1", body=body) for body in bodies]
    assert len(bus.publish(messages)) == len(messages)


def eventually(condition, seconds=40):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.1)


@contextmanager
def listening(bus, toy):
    """A worker that is started again whenever it dies, as a supervisor does."""
    stop, lives = threading.Event(), []

    def live():
        while not stop.is_set():
            lives.append(1)
            try:
                bus.consume(
                    COUNTED,
                    Inbound(toy.store, SUBSCRIPTION, toy.count).take,
                    stop,
                    batch=50,
                    linger_seconds=0.05,
                )
            except Killed:
                continue

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield lives
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


class Killed(BaseException):
    """Ends the worker where it stands, as SIGKILL would: nothing is caught, nothing is settled."""


def held(toy):
    with toy.store.reading() as session:
        return session.execute(select(toy.spine.quarantine.c.raw, toy.spine.quarantine.c.code)).fetchall()


def test_poison_of_every_kind_in_a_batch_takes_no_innocent_with_it(bus, toy):
    def handle(items):
        for item in items:
            if item.raw == b"rule":
                raise RuleViolation("不合规则", code="toy.rule")
            if item.raw == b"bug":
                raise KeyError("bug")
            if item.raw == b"kill":
                raise Killed

    toy.before = handle
    publish(bus, *[b"a"] * 20, b"!undecodable", b"rule", *[b"a"] * 20, b"bug", b"kill", *[b"a"] * 20)
    with listening(bus, toy) as lives:
        eventually(lambda: toy.total() == 60 and len(held(toy)) == 4)
        eventually(lambda: bus.depth(COUNTED) == 0)
        publish(bus, b"a")
        eventually(lambda: toy.total() == 61)
    assert {(raw, code) for raw, code in held(toy)} == {
        (b"!undecodable", "platform.undecodable"),
        (b"rule", "toy.rule"),
        (b"bug", "platform.worn_out"),
        (b"kill", "platform.worn_out"),
    }
    assert len(lives) <= 2 + MAX_ATTEMPTS
    assert bus.depth(DEAD) == 0


def test_while_the_database_is_away_messages_wait_and_nothing_is_dead_lettered(bus):
    database = PostgreSQL()
    try:
        database.start()
    except ServerUnavailable as reason:
        pytest.skip(str(reason))
    try:
        toy = Toy(open_database(database.create_database("toy")))
        with listening(bus, toy) as lives:
            publish(bus, b"a")
            eventually(lambda: toy.total() == 1)
            database.stop_immediate()
            publish(bus, *[b"a"] * 30)
            time.sleep(6)
            database.start()
            eventually(lambda: bus.depth(COUNTED) == 0, seconds=60)
            eventually(lambda: toy.total() == 31)
        assert held(toy) == []
        assert bus.depth(DEAD) == 0
        assert len(lives) == 1
        toy.store.database.close()
    finally:
        database.close()
