"""Migrated stores for tests: SQLite in a folder, or a fresh PostgreSQL database."""

from importlib import import_module
from pathlib import Path
from typing import Any

from kernel.clock import Clock, SystemClock
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from tests.support.doors import behind_doors
from tests.support.migrated_once import migrate_or_copy


def sqlite_runtime(folder: Path, clock: Clock | None = None) -> Runtime:
    """A runtime whose services keep everything in this folder."""
    return Runtime(Settings(data=folder), clock or SystemClock())


def postgresql_runtime(folder: Path, url: str, clock: Clock | None = None) -> Runtime:
    """A runtime over PostgreSQL; `url` has {service} where the database's name differs."""
    return Runtime(Settings(data=folder, database_url=url), clock or SystemClock())


def built(runtime: Runtime, package: str) -> Any:
    """A service's app ("services.enforcement", "gateway") with its database migrated."""
    app = import_module(f"{package}.app").build(runtime)
    migrate_or_copy(app.store.database, package)
    return behind_doors(app)
