"""
A private PostgreSQL cluster: Debian's binaries, data checksums on, everything durable as in production.

`fsync` and its companions stay on, because the promises about lost events are promises about commits.
"""

import secrets
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from tests.support.processes import LOOPBACK, free_port
from tests.support.programs import program
from tests.support.servers import Server

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
_USER = "fazhi"
PLAIN = "plain"  # the role of tests: it owns databases and is nobody special in them


class PostgreSQL(Server):
    """One cluster on a free port, its socket in its own folder."""

    title: ClassVar[str] = "PostgreSQL"
    accounts: ClassVar[tuple[str, ...]] = ("postgres", "nobody")
    # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    def __init__(self, folder: Path | None = None, *, in_memory: bool = False) -> None:
        super().__init__(folder, in_memory=in_memory)
        self.port = free_port()

    def prepare(self) -> None:
        """Make the cluster once; a kept folder is used again."""
        if self._data.joinpath("PG_VERSION").exists():
            return
        password = self.write("password", secrets.token_urlsafe(18))
        self.run(
            _tool("initdb"),
            *("--pgdata", self._data, "--username", _USER, "--pwfile", password),
            *("--data-checksums", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256"),
        )

    def command(self) -> Sequence[str | Path]:
        """`postgres` in the foreground, listening on loopback only."""
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "timezone": "UTC",
            **({"max_wal_size": "256MB"} if self.in_memory else {}),
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [_tool("postgres"), "-D", self._data, *options]

    def is_ready(self) -> bool:
        """Asked with pg_isready."""
        return self.succeeds(_tool("pg_isready"), "--quiet", "--host", LOOPBACK, "--port", str(self.port))

    @property
    def url(self) -> str:
        """SQLAlchemy address of the maintenance database."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """SQLAlchemy address of one database, `postgresql+psycopg://...`."""
        password = self.folder.joinpath("password").read_text(encoding="utf-8")
        return f"postgresql+psycopg://{_USER}:{password}@{LOOPBACK}:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        """Make an empty database and return its SQLAlchemy address."""
        # Imported late: a machine that only asks whether PostgreSQL is installed needs no driver.
        import psycopg
        from psycopg import sql

        plain = self.url.replace("+psycopg", "")
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url_of(name)

    def create_plain(self, name: str) -> str:
        """Make an empty database of a role that may nothing beyond its own: a superuser passes every row level policy."""
        import psycopg
        from psycopg import sql

        password = self.folder.joinpath("password").read_text(encoding="utf-8")
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as admin:
            if admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [PLAIN]).fetchone() is None:
                made = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER CREATEDB PASSWORD {}")
                admin.execute(made.format(sql.Identifier(PLAIN), sql.Literal(password)))
                # tests damage append-only tables behind the triggers' back
                past_triggers = sql.SQL("GRANT SET ON PARAMETER session_replication_role TO {}")
                admin.execute(past_triggers.format(sql.Identifier(PLAIN)))
            made = sql.SQL("CREATE DATABASE {} OWNER {}")
            admin.execute(made.format(sql.Identifier(name), sql.Identifier(PLAIN)))
        return f"postgresql+psycopg://{PLAIN}:{password}@{LOOPBACK}:{self.port}/{name}"

    def drop(self, *names: str) -> None:
        """Remove databases, whoever is still in them. On a disk this waits for a checkpoint of the whole server."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as admin:
            for name in names:
                admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def create_separated(self, name: str) -> tuple[str, str]:
        """
        Make a database that belongs to a role without login, as in production.

        Returns the addresses of the service's role, called like the database, and of the one that migrates.
        """
        import psycopg
        from psycopg import sql

        owner, migrate = f"{name}_owner", f"{name}_migrate"
        password = self.folder.joinpath("password").read_text(encoding="utf-8")
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as admin:
            for role in (name, migrate):
                statement = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER PASSWORD {}")
                admin.execute(statement.format(sql.Identifier(role), sql.Literal(password)))
            admin.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(owner)))
            admin.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(owner), sql.Identifier(migrate)))
            made = sql.SQL("CREATE DATABASE {} OWNER {}")
            admin.execute(made.format(sql.Identifier(name), sql.Identifier(owner)))
        place = f":{password}@{LOOPBACK}:{self.port}/{name}"
        return f"postgresql+psycopg://{name}{place}", f"postgresql+psycopg://{migrate}{place}"

    def discard(self) -> None:
        """Without a checkpoint, and not by SIGKILL, which would leave its shared memory behind."""
        self.stop_immediate()

    def stop_immediate(self) -> None:
        """Stop without a checkpoint, as a crash: the next start recovers from the log."""
        self.stop(signal.SIGQUIT)

    @property
    def _data(self) -> Path:
        return self.folder / "data"


def _tool(name: str) -> Path:
    return program(name, package="postgresql", places=_PLACES)
