"""Migrations may be run again, at once, and after they were killed (R18)."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import text

from kernel.storage.db import open_database
from kernel.storage.migrate import is_current, upgrade

TOY = "tests.support.migrated"
RUN = (
    "import sys; from kernel.storage.db import open_database; from kernel.storage.migrate import upgrade;"
    "upgrade(open_database(sys.argv[1]), sys.argv[2])"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'toy.db'}"
    return request.getfixturevalue("postgresql_url")


@pytest.fixture
def database(url):
    database = open_database(url)
    yield database
    database.close()


def starter(url, seconds, mark=""):
    environment = {
        **os.environ,
        "PYTHONPATH": ".:proto:src",
        "TOY_MIGRATION_SECONDS": str(seconds),
        "TOY_MIGRATION_MARK": str(mark),
    }
    return subprocess.Popen([sys.executable, "-c", RUN, url, TOY], env=environment)


def names(database):
    with database.reading() as session:
        return session.execute(text("SELECT name FROM things")).scalars().all()


def test_a_second_run_changes_nothing(database):
    assert not is_current(database, TOY)
    upgrade(database, TOY)
    upgrade(database, TOY)
    assert is_current(database, TOY)
    assert names(database) == ["once"]


def test_a_killed_run_leaves_nothing_half_done_and_is_finished_by_the_next(url, database, tmp_path):
    mark = tmp_path / "in_the_middle"
    killed = starter(url, 60, mark)
    while not mark.exists():
        assert killed.poll() is None
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not is_current(database, TOY)
    upgrade(database, TOY)
    assert names(database) == ["once"]


def test_two_starters_take_turns_however_long_the_first_one_takes(url, database):
    both = [starter(url, 6), starter(url, 6)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert names(database) == ["once"]


def test_a_migration_gives_way_to_business_and_then_goes_on(postgresql_url):
    database = open_database(postgresql_url)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE things (name varchar(50) PRIMARY KEY)"))
        connection.execute(text("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
    business = database.engine.connect()
    business.execute(text("LOCK TABLE things IN ACCESS SHARE MODE"))
    migration = threading.Thread(target=upgrade, args=(database, TOY))
    migration.start()
    time.sleep(1)
    started = time.monotonic()
    with database.reading() as session:  # waits behind the migration's lock, but not for long
        session.execute(text("SELECT count(*) FROM things"))
    assert time.monotonic() - started < 4
    business.rollback()
    business.close()
    migration.join(20)
    assert names(database) == ["once"]
    with database.reading() as session:
        assert session.execute(text("SHOW lock_timeout")).scalar_one() == "5s"
    database.close()
