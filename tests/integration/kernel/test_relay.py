"""One relay an outbox, nothing lost between outbox and bus, no commit counted twice (R1, R2, R5, R16)."""

import threading

import pytest
from sqlalchemy import func, insert, select, text

from kernel.errors import Unavailable
from kernel.storage.db import open_database
from kernel.storage.relay import Relay
from tests.support.toy import Toy


class FakeBus:
    """Confirms what its rule says, and remembers everything it was handed."""

    def __init__(self):
        self.handed = []
        self.confirms = lambda message: True

    def publish(self, messages):
        self.handed.extend(message.body for message in messages)
        return {message.id for message in messages if self.confirms(message)}


@pytest.fixture
def toy(postgresql_url):
    toy = Toy(open_database(postgresql_url))
    yield toy
    toy.store.database.close()


def end_other_sessions(toy, where):
    """End sessions whose last statement contains these words, as an operator or a failing host would."""
    with toy.store.database.engine.begin() as connection:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE :where AND pid <> pg_backend_pid()"
        return len(connection.execute(text(query), {"where": f"%{where}%"}).all())


def end_lock_holder(toy):
    with toy.store.database.engine.begin() as connection:
        query = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        assert len(connection.execute(text(query)).all()) == 1


def test_a_second_relay_waits_and_takes_over_when_the_first_ones_session_ends(toy):
    first_bus, second_bus = FakeBus(), FakeBus()
    first, second = Relay(toy.store, first_bus), Relay(toy.store, second_bus)
    toy.tell(b"1", b"2")
    assert (first.step(), second.step()) == (2, 0)
    toy.tell(b"3")
    assert second.step() == 0
    end_lock_holder(toy)
    assert second.step() == 1
    with pytest.raises(Unavailable):
        first.step()
    first._release()
    toy.tell(b"4")
    assert first.step() == 0
    assert second.step() == 1
    assert (first_bus.handed, second_bus.handed) == ([b"1", b"2"], [b"3", b"4"])
    for relay in (first, second):
        relay._release()


def test_what_was_not_confirmed_is_sent_again_before_what_is_newer(toy):
    bus = FakeBus()
    relay = Relay(toy.store, bus, window=3)
    toy.tell(b"1", b"2", b"3", b"4")
    bus.confirms = lambda message: message.body != b"2"
    assert relay.step() == 2
    bus.confirms = lambda message: True
    assert relay.step() == 2
    assert bus.handed == [b"1", b"2", b"3", b"2", b"4"]
    relay._release()


def test_a_transaction_that_commits_late_is_found_late_and_not_lost(toy):
    bus = FakeBus()
    relay = Relay(toy.store, bus)
    with toy.store.work() as late:
        late.tell("counted.v1", b"late")
        late.flush()
        toy.tell(b"early")
        assert relay.step() == 1
        late.commit()
    assert relay.step() == 1
    assert bus.handed == [b"early", b"late"]
    relay._release()


def test_a_commit_whose_answer_was_lost_is_repeated_with_the_same_ids_and_counts_once(toy):
    tries = []

    def act(work):
        tries.append(1)
        work.session.execute(
            text("INSERT INTO totals (name, count) VALUES ('once', 1) ON CONFLICT (name) DO NOTHING")
        )
        already = work.session.execute(
            select(func.count()).select_from(toy.spine.outbox).where(toy.spine.outbox.c.id == KEY)
        ).scalar_one()
        if not already:
            work.tell("counted.v1", b"a", message_id=KEY)
        if len(tries) == 1:  # the commit arrives, its answer does not
            work.flush()
            real = work.session.commit

            def commit():
                real()
                raise Unavailable(code="platform.database_away")

            work.session.commit = commit

    toy.store.transact(act)
    assert len(tries) == 2
    with toy.store.reading() as session:
        assert session.execute(select(func.count()).select_from(toy.spine.outbox)).scalar_one() == 1
    assert toy.total("once") == 1


KEY = "019a3f10-0000-7000-8000-000000000001"


def test_a_session_killed_before_its_commit_leaves_nothing_and_the_act_is_repeated(toy):
    tries = []

    def act(work):
        tries.append(1)
        work.session.execute(text("INSERT INTO totals (name, count) VALUES ('act', 1)"))
        work.tell("counted.v1", b"a", message_id=KEY)
        work.flush()
        if len(tries) == 1:
            assert end_other_sessions(toy, "INSERT INTO outbox") >= 1

    toy.store.transact(act)
    assert len(tries) == 2
    with toy.store.reading() as session:
        assert session.execute(select(func.count()).select_from(toy.spine.outbox)).scalar_one() == 1


def test_two_writers_that_deadlock_are_both_done_in_the_end(toy):
    with toy.store.work() as work:
        work.session.execute(insert(toy.totals), [{"name": "x", "count": 0}, {"name": "y", "count": 0}])
        work.commit()
    both_hold_one = threading.Barrier(2, timeout=10)
    waited = set()

    def writer(names):
        def act(work):
            for place, name in enumerate(names):
                work.session.execute(
                    text("UPDATE totals SET count = count + 1 WHERE name = :name"), {"name": name}
                )
                if place == 0 and names not in waited:
                    waited.add(names)
                    both_hold_one.wait()

        toy.store.transact(act)

    threads = [threading.Thread(target=writer, args=(names,)) for names in ("xy", "yx")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (toy.total("x"), toy.total("y")) == (2, 2)
