"""Told facts are kept for ninety days and then go by the month; an unsent one is never dropped (R6)."""

import importlib
import threading
from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, func, select, text, update

from fazhi.services import package_of
from kernel.bus.inprocess import InProcessBus
from kernel.clock import FixedClock
from kernel.hosting.background import Background
from kernel.storage.db import open_database
from kernel.storage.migrate import is_said_by_models, upgrade
from kernel.storage.relay import Relay
from kernel.storage.retention import LOCK_SPACE, Upkeep, keep_outbox
from kernel.storage.spine import Spine
from kernel.storage.work import Store
from tests.support.stores import built, postgresql_runtime

JANUARY = datetime(2026, 1, 20, 2, 0, tzinfo=UTC)


class Everything:
    """A bus that confirms what its rule says."""

    def __init__(self):
        self.bodies = []
        self.confirms = lambda message: True

    def publish(self, messages):
        self.bodies += [message.body for message in messages]
        return {message.id for message in messages if self.confirms(message)}


class Told:
    """A migrated store whose clock is set by hand, its relay, and what the bus got."""

    def __init__(self, url):
        self.clock = FixedClock(JANUARY)
        self.database = open_database(url)
        upgrade(self.database, "tests.support.migrated")
        self.store = Store(self.database, Spine(MetaData()), "toy", self.clock)
        self.bus = Everything()
        self.relay = Relay(self.store, self.bus)

    def tell(self, body, at=None):
        self.clock.set(at or self.clock.now())
        with self.store.work() as work:
            work.tell("counted.v1", body)
            work.commit()

    def at(self, *day):
        self.clock.set(datetime(*day, tzinfo=UTC))
        return keep_outbox(self.store)

    def partitions(self):
        query = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relname LIKE 'outbox%' ORDER BY 1"
        with self.store.reading() as session:
            return session.execute(text(query)).scalars().all()

    def kept(self):
        outbox = self.store.spine.outbox
        with self.store.reading() as session:
            return session.execute(select(outbox.c.body).order_by(outbox.c.pos)).scalars().all()

    def plan(self, statement, **values):
        with self.store.work() as work:
            rows = (
                work.session.execute(text(f"EXPLAIN (ANALYZE, TIMING OFF) {statement}"), values)
                .scalars()
                .all()
            )
        return "\n".join(rows)


@pytest.fixture
def told(postgresql_url):
    told = Told(postgresql_url)
    yield told
    told.relay._release()
    told.database.close()


def test_months_are_made_ahead_and_old_ones_go_whole(told):
    assert told.at(2026, 1, 20).made == ("outbox_2026_01", "outbox_2026_02", "outbox_2026_03")
    assert told.at(2026, 1, 20) == Upkeep()
    told.tell(b"january")
    told.tell(b"february", datetime(2026, 2, 3, tzinfo=UTC))
    assert told.relay.step() == 2
    assert told.at(2026, 3, 1).dropped == ()
    assert told.at(2026, 5, 1).dropped == ()  # the last of January is 89 days old and a bit
    done = told.at(2026, 5, 2)
    assert (done.dropped, done.held) == (("outbox_2026_01",), ())
    assert told.kept() == [b"february"]
    assert told.at(2026, 6, 15).dropped == ("outbox_2026_02",)
    assert told.kept() == []
    assert told.partitions() == [*(f"outbox_2026_0{month}" for month in range(3, 9)), "outbox_default"]


def test_an_unsent_row_keeps_its_whole_month_until_it_is_sent(told):
    told.at(2026, 1, 20)
    told.tell(b"sent")
    told.tell(b"stuck")
    told.bus.confirms = lambda message: message.body == b"sent"
    assert told.relay.step() == 1
    done = told.at(2026, 9, 1)
    assert done.held == ("outbox_2026_01",)
    assert "outbox_2026_02" in done.dropped
    assert told.kept() == [b"sent", b"stuck"]
    told.bus.confirms = lambda message: True
    assert told.relay.step() == 1
    assert told.at(2026, 9, 1).dropped == ("outbox_2026_01",)


def test_a_fact_of_a_month_without_a_partition_is_sent_and_its_month_is_made_of_it(told):
    told.tell(b"before any upkeep")
    assert told.partitions() == ["outbox_default"]
    assert told.relay.step() == 1
    assert told.at(2026, 1, 21).made == ("outbox_2026_01", "outbox_2026_02", "outbox_2026_03")
    told.tell(b"june", datetime(2026, 6, 5, tzinfo=UTC))  # nobody kept the outbox since January
    told.tell(b"july", datetime(2026, 7, 5, tzinfo=UTC))
    assert told.relay.step() == 2
    done = told.at(2026, 7, 6)
    assert done.made == ("outbox_2026_06_to_2026_07", "outbox_2026_08", "outbox_2026_09")
    assert told.bus.bodies == [b"before any upkeep", b"june", b"july"]
    assert told.kept() == [b"june", b"july"]
    told.tell(b"again", datetime(2026, 7, 7, tzinfo=UTC))
    assert told.relay.step() == 1
    assert told.at(2026, 12, 1).dropped[0] == "outbox_2026_06_to_2026_07"


def test_a_clock_that_ran_wild_stops_nothing(told):
    told.at(2026, 1, 20)
    told.tell(b"wild", datetime(2031, 4, 1, tzinfo=UTC))
    told.tell(b"wild too", datetime(2025, 4, 1, tzinfo=UTC))
    assert told.at(2026, 2, 1).made == ("outbox_2026_04",)
    assert told.relay.step() == 2
    assert told.kept() == [b"wild", b"wild too"]


def test_of_two_that_keep_at_once_one_works(told):
    with told.database.engine.begin() as other:
        taken = "SELECT pg_advisory_xact_lock(:space, hashtext('toy'))"
        other.execute(text(taken), {"space": LOCK_SPACE})
        assert keep_outbox(told.store) == Upkeep()
    told.clock.set(JANUARY)
    done = []
    threads = [threading.Thread(target=lambda: done.append(keep_outbox(told.store))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(len(each.made) for each in done) == [0, 0, 0, 3]


def test_reading_and_marking_go_by_the_unsent_index_in_every_month(told):
    for month in range(1, 7):
        told.at(2026, month, 1)
    with told.store.work() as work:
        fill = (
            "INSERT INTO outbox (id, name, body, created_at, sent_at) SELECT gen_random_uuid(), 'counted.v1', '', "
            "timestamptz '2026-01-01 00:00Z' + n * interval '13 minutes', now() FROM generate_series(1, 20000) n"
        )
        work.session.execute(text(fill))
        outbox = told.store.spine.outbox
        work.session.execute(update(outbox).where(outbox.c.pos > 19_950).values(sent_at=None))
        work.session.commit()
        work.session.execute(text("ANALYZE outbox"))
        work.session.commit()
        assert work.session.execute(select(func.count()).where(outbox.c.sent_at.is_(None))).scalar_one() == 50
    reading = told.plan("SELECT pos, id, name, body FROM outbox WHERE sent_at IS NULL ORDER BY pos LIMIT 200")
    marking = told.plan(
        "UPDATE outbox SET sent_at = now() WHERE pos = ANY(:sent) AND sent_at IS NULL",
        sent=list(range(19_951, 20_001)),
    )
    for plan in (reading, marking):
        assert "Seq Scan on outbox_2026_06" not in plan, plan
        assert "outbox_2026_06_pos_idx" in plan, plan
    assert told.relay.step() == 50
    assert told.relay.step() == 0


def test_a_process_that_hosts_a_relay_keeps_the_outbox(told, tmp_path):
    background = Background(InProcessBus(tmp_path / "bus.db"))
    background.host(told.store, None)
    background.start()
    try:
        for _ in range(100):
            if len(told.partitions()) == 4:
                break
            threading.Event().wait(0.05)
        assert len(told.partitions()) == 4
    finally:
        background.stop()


@pytest.mark.parametrize("name", ["enforcement", "gateway"])
def test_the_database_is_what_the_models_say_with_its_partitions(name, postgresql_url, tmp_path):
    runtime = postgresql_runtime(tmp_path, postgresql_url)
    app = built(runtime, package_of(name))
    assert len(keep_outbox(app.store).made) == 3
    metadata = importlib.import_module(f"{package_of(name)}.tables").Base.metadata
    options = {"compare_type": True, "include_name": is_said_by_models}
    with app.store.database.engine.connect() as connection:
        assert list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata)) == []
        keys = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'outbox'::regclass AND contype = 'p'"
        assert connection.execute(text(keys)).scalars().all() == ["PRIMARY KEY (pos, created_at)"]
        del options["include_name"]
        seen = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        assert seen != []  # or the filter would hide nothing
    runtime.close()


def test_on_sqlite_nothing_goes(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'toy.db'}")
    upgrade(database, "tests.support.migrated")
    store = Store(database, Spine(MetaData()), "toy", FixedClock(JANUARY))
    with store.work() as work:
        work.tell("counted.v1", b"kept")
        work.commit()
    store.clock.advance(timedelta(days=4000))
    assert keep_outbox(store) == Upkeep()
    with store.reading() as session:
        assert session.execute(select(func.count()).select_from(store.spine.outbox)).scalar_one() == 1
    database.close()
