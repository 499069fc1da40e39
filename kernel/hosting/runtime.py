"""
Runtime: what a process lends its services: clock, settings, databases. Built once, by composition.

A service's `app.build(runtime)` takes from here what it needs and builds itself; nothing else builds things.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from kernel.access.files import make_file
from kernel.access.keyring import KeyFile, KeyFolder, new_key, warn_of_readers
from kernel.access.tokens import make_key
from kernel.clock import Clock, SystemClock
from kernel.settings import Settings
from kernel.storage.blobs import Blobs, open_blobs
from kernel.storage.db import Database, open_database
from kernel.storage.ownership import open_as_owner, warn_of_ownership
from kernel.storage.spine import Spine
from kernel.storage.work import AuditIdentity, Store

SOURCE_KEYS = "source"  # source-NAME.pem, source-NAME.pub.pem


@dataclass(slots=True)
class Runtime:
    """The surroundings of the services in one process; `as_owner` where databases are migrated and kept."""

    settings: Settings
    clock: Clock = field(default_factory=SystemClock)
    as_owner: bool = False
    _databases: dict[str, Database] = field(default_factory=dict)
    _key_files: dict[Path, KeyFile] = field(default_factory=dict)

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
            source_keys=partial(self.source_keys, service),
        )

    def source_keys(self, service: str) -> KeyFile | None:
        """
        The keys by which a service signs what it tells.

        Outside production one is made at the first need; it says since when, so that what an older installation told
        is known to be older. In production they are demanded when a process starts (fazhi/sources.py).
        """
        path = self.settings.source_key_file_of(service)
        if path is None:
            if self.settings.production:
                return None
            path = self.folder("keys") / f"{SOURCE_KEYS}-{service}.pem"
            make_file(path, new_key(active_from=datetime.now(UTC)).text())
        if path not in self._key_files:
            warn_of_readers(path)
            self._key_files[path] = KeyFile(path)
        return self._key_files[path]

    def source_rings(self) -> KeyFolder:
        """The public keys of the sources, one ring each, as far as they are known here."""
        return KeyFolder(self.settings.source_public_keys or self.folder("keys"), SOURCE_KEYS)

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
