"""A migrated database is exactly what the models say, and migrating it again changes nothing."""

from importlib import import_module
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Integer, inspect

from fazhi.services import NAMES, package_of
from kernel.storage.migrate import is_current, upgrade
from tests.support.stores import built, sqlite_runtime


def differences(name: str, folder: Path) -> list[object]:
    """What alembic would still change, and the database's tables."""
    app = built(sqlite_runtime(folder), package_of(name))
    import_environment_models(name)
    metadata = import_module(f"{package_of(name)}.tables").Base.metadata
    with app.store.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def import_environment_models(name: str) -> None:
    """Every model module, as migrations/env.py must name them too."""
    folder = Path(__file__).parents[2].joinpath(*package_of(name).split("."))
    for path in sorted(folder.rglob("model.py")):
        import_module(".".join((package_of(name), *path.relative_to(folder).with_suffix("").parts)))


@pytest.mark.parametrize("name", NAMES)
def test_migrations_make_what_the_models_say(name: str, tmp_path: Path) -> None:
    assert differences(name, tmp_path) == []


@pytest.mark.parametrize("name", NAMES)
def test_migrating_again_changes_nothing(name: str, tmp_path: Path) -> None:
    app = built(sqlite_runtime(tmp_path), package_of(name))
    before = shape(app)
    upgrade(app.store.database, package_of(name))
    assert is_current(app.store.database, package_of(name))
    assert shape(app) == before


def test_a_forgotten_column_is_noticed(tmp_path: Path) -> None:
    metadata = import_module("services.assessment.tables").Base.metadata
    table = metadata.tables["log_head"]
    forgotten: Column[int] = Column("forgotten", Integer)
    table.append_column(forgotten)
    try:
        assert differences("assessment", tmp_path) != []
    finally:
        table._columns.remove(forgotten)


def shape(app: object) -> dict[str, list[str]]:
    inspector = inspect(app.store.database.engine)  # type: ignore[attr-defined]
    return {
        table: [str(column["name"]) for column in inspector.get_columns(table)]
        for table in inspector.get_table_names()
    }
