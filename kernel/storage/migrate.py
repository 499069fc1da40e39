"""
Migrations: alembic, one line of versions per service and one of the spine, safe to run again (R18).

A package's versions live in `<package>/migrations/versions`, those of the spine tables, which every service has, in
`migrations` beside this file; the two lines do not wait for each other. All versions of one run are one transaction, so a
killed run leaves nothing half done. Two starters take turns: an advisory lock on PostgreSQL, the writer's lock on
SQLite. `lock_timeout` is three seconds, so that a migration never queues business behind itself for long; it
gives way and tries again instead.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text

from kernel.errors import Unavailable
from kernel.storage.db import Database, translated_errors
from kernel.storage.reach import EVERYTHING, within
from kernel.storage.retention import PARTITION
from kernel.storage.spine import AUDITED_OBJECTS, Spine, guard_statements, index_audited_objects_v1
from kernel.telemetry.log import logger

log = logger(__name__)

LOCK = 0x46415A49
SPINE = Path(__file__).parent / "migrations" / "versions"
TRIES = 10


def upgrade(database: Database, package: str) -> None:
    """
    Bring a service's database to the newest version; does nothing when it is there already.

    Raises Unavailable when business holds its tables for longer than ten tries.
    """
    for left in reversed(range(TRIES)):
        try:
            with (
                within(EVERYTHING),
                translated_errors(),
                _writer(database) as connection,
                _alone(connection),
            ):
                _run(connection, package, lambda config: command.upgrade(config, "heads"))
            return
        except Unavailable as error:
            if not left:
                raise
            log.warning("migration_waits", package=package, error=repr(error.__cause__))
            time.sleep(1)


def is_current(database: Database, package: str) -> bool:
    """Whether a service's database is at the newest version."""
    heads = ScriptDirectory.from_config(_config(package)).get_heads()
    with translated_errors(), database.engine.connect() as connection:
        return set(MigrationContext.configure(connection).get_current_heads()) == set(heads)


def revise(database: Database, package: str, message: str) -> None:
    """Write a new version from the difference between the models and this database; for developers."""
    (head,) = (
        head
        for head in ScriptDirectory.from_config(_config(package)).get_heads()
        if not head.startswith("spine_")
    )
    versions = _folder(package) / "versions"
    with database.engine.connect() as connection:
        _run(
            connection,
            package,
            lambda config: command.revision(
                config, message, autogenerate=True, head=head, version_path=str(versions)
            ),
        )


def create_spine_v1(connection: Connection) -> None:
    """The spine tables as of their first version: on PostgreSQL with monthly partitions; the audit table guarded."""
    metadata = MetaData()
    Spine(metadata, partitioned=connection.dialect.name == "postgresql")
    metadata.create_all(connection, checkfirst=True)
    for statement in guard_statements(connection.dialect.name, "audit"):
        connection.execute(text(statement))
    index_audited_objects_v1(connection)


def run_environment(metadata: MetaData) -> None:
    """What a service's migrations/env.py calls."""
    from alembic import context

    connection: Connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_server_default=False,
        include_name=is_said_by_models,
    )
    with context.begin_transaction():
        context.run_migrations()


def is_said_by_models(name: str | None, kind: str, _parents: object) -> bool:
    """
    Leaves out of comparisons what no model says.

    The outbox's partitions upkeep makes and drops; the index of audited objects needs an extension.
    """
    if kind == "index":
        return name != AUDITED_OBJECTS
    return kind != "table" or not PARTITION.fullmatch(name or "")


def _run(connection: Connection, package: str, act: Any) -> None:
    config = _config(package)
    config.attributes["connection"] = connection
    act(config)
    connection.commit()


def _config(package: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_folder(package)))
    config.set_main_option(
        "version_locations", os.pathsep.join(map(str, (_folder(package) / "versions", SPINE)))
    )
    config.set_main_option("path_separator", "os")
    return config


def _folder(package: str) -> Path:
    return Path(str(files(package))) / "migrations"


def _writer(database: Database) -> Connection:
    return database.engine.execution_options(begin="IMMEDIATE").connect()


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    if connection.dialect.name != "postgresql":
        yield
        return
    # The turn of another starter may take long; only the work itself must not wait for locks.
    connection.execute(text("SET lock_timeout = 0"))
    connection.execute(text("SET statement_timeout = 0"))
    connection.execute(text("SET idle_in_transaction_session_timeout = 0"))
    connection.commit()
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
    connection.execute(text("SET lock_timeout = '3s'"))
    connection.commit()
    try:
        yield
    finally:
        connection.detach()  # its session, and with it every setting and the lock, ends with the connection
