"""The threads behind the embedded form (R55): none stays dead, all end in order."""

import threading
import time

import pytest

from kernel.bus import port
from kernel.bus.inprocess import InProcessBus
from kernel.bus.markers import every, subscribe
from kernel.errors import Unavailable
from kernel.hosting.background import Background
from kernel.hosting.start import patiently
from kernel.storage.db import open_database
from kernel.telemetry import metrics
from tests.support.toy import COUNTED, Toy, one_item


@pytest.fixture
def toy(tmp_path):
    toy = Toy(open_database(f"sqlite:///{tmp_path / 'toy.db'}"))
    yield toy
    toy.store.database.close()


@pytest.fixture
def bus(tmp_path):
    return InProcessBus(tmp_path / "bus.db", [COUNTED])


def eventually(condition, seconds=20):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.02)


class Worker:
    name = "toy"

    def __init__(self, toy):
        self._toy = toy
        self.ticks = 0
        self.seconds = 0.0

    @subscribe(COUNTED, decode=one_item)
    def counted(self, work, items):
        time.sleep(self.seconds)
        self._toy.count(work, items)

    @every(seconds=0.05)
    def tick(self):
        self.ticks += 1
        raise KeyError("a bug in a clock")


def test_a_fact_told_is_counted_and_everything_is_measured(toy, bus):
    background = Background(bus)
    background.host(toy.store, Worker(toy))
    toy.tell(b"a", b"a")
    background.start()
    eventually(lambda: toy.total() == 2)
    background.stop()
    shown = metrics.exposition().decode()
    for gauge in ("outbox_oldest_seconds", "quarantine_size", "queue_depth", "inbox_lag_seconds"):
        assert f"fazhi_{gauge}{{" in shown


def test_a_thread_that_dies_is_begun_again_and_a_failing_clock_goes_on(toy, bus, monkeypatch):
    monkeypatch.setattr(port, "BACKOFF_SECONDS", (0.05,))
    hand_over, deaths = bus._hand_over, []

    def stumbling(queue, batch):
        if len(deaths) < 2:
            deaths.append(1)
            raise Unavailable()
        return hand_over(queue, batch)

    bus._hand_over = stumbling
    worker = Worker(toy)
    background = Background(bus)
    background.host(toy.store, worker)
    toy.tell(b"a")
    background.start()
    eventually(lambda: toy.total() == 1 and worker.ticks > 2)
    background.stop()
    assert len(deaths) == 2


def test_stopping_finishes_the_batch_in_hand(toy, bus):
    worker = Worker(toy)
    worker.seconds = 1.0
    background = Background(bus)
    background.host(toy.store, worker)
    toy.tell(b"a")
    background.start()
    eventually(lambda: bus.depth(COUNTED) == 1)
    time.sleep(0.3)
    background.stop()
    assert toy.total() == 1
    assert not [thread for thread in threading.enumerate() if thread.name == COUNTED.name]


def test_a_start_waits_for_what_is_away_and_fails_at_once_at_what_is_wrong():
    tries, waits = [], []

    def build():
        tries.append(1)
        if len(tries) < 4:
            raise Unavailable()
        return "built"

    assert patiently(build, wait=waits.append) == "built"
    assert waits == [1.0, 2.0, 4.0]
    with pytest.raises(RuntimeError):
        patiently(_wrong, wait=waits.append)


def _wrong():
    raise RuntimeError("fsync is off")
