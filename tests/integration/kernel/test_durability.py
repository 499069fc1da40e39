"""The database keeps what it acknowledges, in bounded time, and the audit table keeps everything (R15, R50, R51)."""

import os
import socket
import time

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from kernel.access.principal import Principal
from kernel.errors import Unavailable
from kernel.storage.db import open_database
from kernel.storage.migrate import upgrade
from tests.support.postgresql import PostgreSQL
from tests.support.programs import ServerUnavailable
from tests.support.toy import Toy

INSPECTOR = Principal(
    account="ducha",
    unit="15",
    unit_path="/15/",
    roles=frozenset({"inspector"}),
    session="ab" * 32,
    request="r1",
)


class Careless(PostgreSQL):
    """A cluster set up so that it could lose what it acknowledged."""

    def command(self):
        return [*super().command(), "-c", "fsync=off", "-c", "synchronous_commit=off"]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    url = (
        f"sqlite:///{tmp_path / 'toy.db'}"
        if request.param == "sqlite"
        else request.getfixturevalue("postgresql_url")
    )
    database = open_database(url)
    upgrade(database, "tests.support.migrated")
    yield database
    database.close()


def test_production_refuses_a_database_that_could_lose_data_and_development_is_warned(capsys):
    careless = Careless()
    try:
        careless.start()
    except ServerUnavailable as reason:
        pytest.skip(str(reason))
    try:
        with pytest.raises(RuntimeError, match="fsync, synchronous_commit is off"):
            open_database(careless.url, production=True)
        open_database(careless.url).close()
        assert "database_not_durable" in "".join(capsys.readouterr())
    finally:
        careless.close()


def test_a_good_database_is_taken_in_production_with_bounded_waits(postgresql_url):
    database = open_database(postgresql_url, production=True)
    with database.reading() as session:
        told = {
            name: session.execute(text(f"SHOW {name}")).scalar_one()
            for name in (
                "statement_timeout",
                "lock_timeout",
                "idle_in_transaction_session_timeout",
                "TimeZone",
            )
        }
    assert list(told.values()) == ["15s", "5s", "30s", "UTC"]
    database.close()


def test_a_machine_that_is_gone_is_noticed_by_both_sides_within_a_minute(postgresql_url):
    """Else a relay's lock would live on for hours with the machine that held it, and a question wait for hours."""
    database = open_database(postgresql_url)
    with database.engine.connect() as connection:
        server = [
            int(connection.execute(text(f"SHOW tcp_keepalives_{name}")).scalar_one())
            for name in ("idle", "interval", "count")
        ]
        ours = socket.socket(fileno=os.dup(connection.connection.dbapi_connection.fileno()))
        with ours:
            client = [
                ours.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            ]
            unacknowledged = ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    database.close()
    for idle, interval, count in (server, client):
        assert 0 < idle + interval * count <= 60
    assert 0 < unacknowledged <= 60_000


def test_sqlite_writes_ahead_and_waits_for_the_disk(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    with database.reading() as session:
        told = [
            session.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert told == ["wal", 2, 1]
    database.close()


def test_a_lock_that_is_not_given_in_time_is_an_outage_and_not_a_hang(postgresql_url):
    database = open_database(postgresql_url)
    toy = Toy(database)
    with toy.store.work() as holder:
        holder.session.execute(text("LOCK TABLE totals"))
        started = time.monotonic()
        with pytest.raises(Unavailable), toy.store.work() as waiting:
            waiting.session.execute(text("LOCK TABLE totals"))
        assert time.monotonic() - started < 8
    database.close()


def test_errors_of_the_database_do_not_repeat_the_data(database):
    with pytest.raises(DBAPIError) as refused, database.writing() as session:
        session.execute(text("INSERT INTO things (name, none_such) VALUES (:name, 1)"), {"name": "canary"})
    assert "canary" not in str(refused.value)


def recorded(database):
    toy = Toy(database)
    with toy.store.work() as work:
        work.audit(INSPECTOR, "case.opened", "cases/1", after_digest="cd" * 32)
        work.commit()
    return toy


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE seq = 1",
        "TRUNCATE audit",
        "INSERT OR REPLACE INTO audit (seq, id, at, actor, action, object, result) SELECT 1, id, at, '', '', '', '' FROM audit",
    ],
)
def test_an_audit_record_can_be_neither_changed_nor_removed(database, attack):
    toy = recorded(database)
    with pytest.raises(DBAPIError), database.writing() as session:
        session.execute(text(attack))
    with toy.store.reading() as session:
        (row,) = session.execute(select(toy.spine.audit)).fetchall()
    assert (row.actor, row.action, row.object, row.roles, row.request) == (
        "ducha",
        "case.opened",
        "cases/1",
        "inspector",
        "r1",
    )


def test_act_and_record_commit_together_or_not_at_all(database):
    toy = Toy(database)
    with toy.store.work() as work:
        work.session.execute(text("INSERT INTO totals (name, count) VALUES ('a', 1)"))
        work.audit(INSPECTOR, "counted", "totals/a")
    with toy.store.reading() as session:
        assert session.execute(select(toy.spine.audit)).first() is None
    assert toy.total() == 0


def test_records_are_numbered_in_the_order_they_were_made(database):
    toy = Toy(database)
    for number in range(5):
        with toy.store.work() as work:
            work.audit(INSPECTOR, "act", f"things/{number}")
            work.commit()
    with toy.store.reading() as session:
        rows = session.execute(
            select(toy.spine.audit.c.seq, toy.spine.audit.c.object).order_by("seq")
        ).fetchall()
    assert [row.object for row in rows] == [f"things/{number}" for number in range(5)]
