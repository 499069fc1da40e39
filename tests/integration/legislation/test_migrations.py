"""The first migration makes exactly the tables that the models describe, on both databases."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from kernel.storage.migrate import is_current, is_said_by_models, upgrade
from services.legislation.tables import Base
from tests.integration.legislation.conftest import Desk


def test_models_and_migrations_agree_and_migrating_again_is_harmless(desk: Desk) -> None:
    database = desk.app.store.database
    upgrade(database, "services.legislation")
    assert is_current(database, "services.legislation")
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_said_by_models})
        assert compare_metadata(context, Base.metadata) == []
