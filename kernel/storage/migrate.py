"""
Migrations: alembic, one line of versions per service, safe to run again (R18).

A package's versions live in `<package>/migrations/versions`. On PostgreSQL an advisory lock makes two starters
take turns; `lock_timeout` is three seconds, so that a migration never queues behind business for long.
"""

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

from kernel.storage.db import Database, translated_errors
from kernel.storage.spine import Spine, guard_statements

LOCK = 0x46415A49


def upgrade(database: Database, package: str) -> None:
    """Bring a service's database to the newest version; does nothing when it is there already."""
    with translated_errors(), database.engine.connect() as connection, _alone(connection):
        _run(connection, package, lambda config: command.upgrade(config, "head"))


def is_current(database: Database, package: str) -> bool:
    """Whether a service's database is at the newest version."""
    head = ScriptDirectory.from_config(_config(package)).get_current_head()
    with translated_errors(), database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


def revise(database: Database, package: str, message: str) -> None:
    """Write a new version from the difference between the models and this database; for developers."""
    with database.engine.connect() as connection:
        _run(connection, package, lambda config: command.revision(config, message, autogenerate=True))


def create_spine_v1(connection: Connection) -> None:
    """The spine tables as of their first version, with the audit table guarded."""
    metadata = MetaData()
    Spine(metadata)
    metadata.create_all(connection, checkfirst=True)
    for statement in guard_statements(connection.dialect.name, "audit"):
        connection.execute(text(statement))


def run_environment(metadata: MetaData) -> None:
    """What a service's migrations/env.py calls."""
    from alembic import context

    connection: Connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()


def _run(connection: Connection, package: str, act: Any) -> None:
    config = _config(package)
    config.attributes["connection"] = connection
    act(config)
    connection.commit()


def _config(package: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(str(files(package))) / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    if connection.dialect.name != "postgresql":
        yield
        return
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
    connection.execute(text("SET lock_timeout = '3s'"))
    connection.execute(text("SET statement_timeout = 0"))
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
        connection.execute(text("RESET statement_timeout"))
        connection.commit()
