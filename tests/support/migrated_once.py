"""
Migrated once: an empty database of a service is migrated by the first test that wants one and copied for the others.

Migrating takes most of a second, and a thousand tests begin with it. What the migrations themselves promise is tested
on databases of their own (integration/kernel/test_migrations.py and others like it).
"""

import atexit
import shutil
import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import inspect

from kernel.storage.db import Database
from kernel.storage.migrate import upgrade
from tests.support.postgresql import PLAIN

_ready: set[str] = set()  # databases on servers of this session that are copied from


def aside(name: str) -> str:
    """What an empty database is called after its copy took its place."""
    return f"{name}_aside"


def migrate_or_copy(database: Database, package: str) -> None:
    """Bring an empty database of a service to its newest version; one that holds anything is migrated as ever."""
    if inspect(database.engine).get_table_names():
        upgrade(database, package)
    elif database.engine.dialect.name == "sqlite":
        _sqlite(database, package)
    elif database.engine.url.username == PLAIN:
        _postgresql(database, package)
    else:
        upgrade(database, package)


def _sqlite(database: Database, package: str) -> None:
    place, model = Path(database.engine.url.database or ""), _folder() / f"{package}.db"
    if not model.exists():
        upgrade(database, package)
        with closing(sqlite3.connect(place)) as connection:
            connection.execute("VACUUM INTO ?", [str(model)])
        return
    database.engine.dispose()
    for rest in place.parent.glob(f"{place.name}-*"):  # its log belongs to the file that is replaced
        rest.unlink()
    shutil.copy(model, place)


def _postgresql(database: Database, package: str) -> None:
    url = database.engine.url
    model = f"migrated_{package}"
    known = f"{url.port}/{model}"
    if known not in _ready:
        upgrade(database, package)
    database.engine.dispose()  # who is copied, or replaced, has no visitors
    maintenance = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(maintenance, autocommit=True) as connection:
        own, copied = sql.Identifier(str(url.database)), sql.Identifier(model)
        if known in _ready:
            # Put aside, not dropped: that would wait for a checkpoint of the whole server.
            moved = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            connection.execute(moved.format(own, sql.Identifier(aside(str(url.database)))))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(own, copied))
        else:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(copied, own))
            _ready.add(known)


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="fazhi-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
