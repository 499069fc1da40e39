"""
Runtime: what a process lends its services: clock, settings, databases. Built once, by composition.

A service's `app.build(runtime)` takes from here what it needs and builds itself; nothing else builds things.
"""

from dataclasses import dataclass, field
from pathlib import Path

from kernel.access.tokens import make_key
from kernel.clock import Clock, SystemClock
from kernel.settings import Settings
from kernel.storage.blobs import Blobs, open_blobs
from kernel.storage.db import Database, open_database
from kernel.storage.ownership import open_as_owner, warn_of_ownership
from kernel.storage.spine import Spine
from kernel.storage.work import AuditIdentity, Store


@dataclass(slots=True)
class Runtime:
    """The surroundings of the services in one process; `as_owner` where databases are migrated and kept."""

    settings: Settings
    clock: Clock = field(default_factory=SystemClock)
    as_owner: bool = False
    _databases: dict[str, Database] = field(default_factory=dict)

    def store(self, service: str, spine: Spine) -> Store:
        """A service's store; its database is opened once per process."""
        database = self._databases.get(service)
        if database is None:
            database = self._databases[service] = self._opened(service)
        return Store(
            database,
            spine,
            service,
            self.clock,
            outbox_days=self.settings.outbox_days,
            audit=self._audit_identity(service),
        )

    def _audit_identity(self, service: str) -> AuditIdentity:
        """The embedded form makes the key; in production a key that is not given would be lost with the process."""
        settings = self.settings
        key = settings.audit_key_file
        if key is None and not settings.production:
            key = self.folder("keys") / f"audit-{service}.pem"
            make_key(key)
        return AuditIdentity(f"{settings.ledger_origin.partition('/')[0]}/audit/{service}", key)

    def _opened(self, service: str) -> Database:
        settings = self.settings
        if self.as_owner and settings.owner_url:
            return open_as_owner(settings.owner_url_of(service), production=settings.production)
        database = open_database(
            settings.database_url_of(service),
            pool_size=settings.database_pool,
            production=settings.production,
        )
        if settings.production and database.dialect == "postgresql":
            warn_of_ownership(database)
        return database

    @property
    def catalog(self) -> Path:
        """The folder of frameworks, codes and calendars."""
        return self.settings.catalog

    def blobs(self, service: str) -> Blobs:
        """A service's content-addressed bytes: in the settings' S3 store, or in the data folder."""
        url = self.settings.blobs_url
        return open_blobs(
            f"{url.rstrip('/')}/{service}" if url else "", self.settings.data / "blobs" / service
        )

    def folder(self, name: str) -> Path:
        """A folder of the embedded form under the data folder, made when missing."""
        path = self.settings.data / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def close(self) -> None:
        """Close every database."""
        for database in self._databases.values():
            database.close()
