"""One migration run again by itself, on a database that a test has put back to what was before it."""

from importlib import import_module

from alembic.migration import MigrationContext
from alembic.operations import Operations

from kernel.storage.db import Database


def migrate_again(database: Database, package: str, version: str) -> None:
    """Run the upgrade of one version file, such as "0012_unit_versions"; alembic's own table stays as it is."""
    database.engine.dispose()  # SQLite adds columns by the schema that a connection remembers
    with database.writing() as session:
        connection = session.connection()
        with Operations.context(MigrationContext.configure(connection)):
            import_module(f"{package}.migrations.versions.{version}").upgrade()
        session.commit()
