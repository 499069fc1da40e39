"""
Databases: one per service, PostgreSQL in production and SQLite (WAL) embedded.

Opening a database asserts that it keeps what it acknowledges (R15): fsync, full_page_writes,
synchronous_commit and data checksums on PostgreSQL; WAL with synchronous=FULL on SQLite. On SQLite the
writers of this process take turns on one lock, so that none of them starves in SQLite's own polling.
"""

import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from kernel.errors import Unavailable
from kernel.storage import reach
from kernel.telemetry import metrics
from kernel.telemetry.log import logger

log = logger(__name__)

STATEMENT_TIMEOUT_MS = 15_000
LOCK_TIMEOUT_MS = 5_000
IDLE_TIMEOUT_MS = 30_000
SQLITE_BUSY_MS = 15_000
# A machine that is gone says nothing; unasked, either side would believe in it for two hours, with the locks it holds.
ALIVE = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 4}
UNACKNOWLEDGED_MS = 35_000


class Database:
    """An open database: `reading()` and `writing()` hand out sessions."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dialect = engine.dialect.name
        self._writer_turn = threading.RLock() if self.dialect == "sqlite" else None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads; `one_moment` lets all its statements see one state of the database."""
        with translated_errors(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that may write; the caller commits, leaving without commit rolls back."""
        with self._turn(), translated_errors():
            bind = self.engine.execution_options(begin="IMMEDIATE")
            with Session(bind, expire_on_commit=False) as session:
                yield session

    def ping(self) -> None:
        """Raise Unavailable unless the database answers."""
        with translated_errors(), self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Give every pooled connection back."""
        self.engine.dispose()

    def _turn(self) -> AbstractContextManager[Any]:
        return self._writer_turn if self._writer_turn is not None else nullcontext()


@contextmanager
def translated_errors() -> Iterator[None]:
    """Say Unavailable where the driver says that the database is away, busy, full or restarting."""
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated or _passes(error):
            raise Unavailable("数据库暂时不可用，请稍后再试。", code="platform.database_away") from error
        _count_refused_row(error)
        raise
    except PoolTimeout as error:
        raise Unavailable("数据库连接已用尽，请稍后再试。", code="platform.database_busy") from error


# Classes of SQLSTATE that pass by themselves: connection, resources, operator intervention, and single codes
# for serialization, deadlock and lock time-outs. A cancelled statement (57014) is not among them: a message
# that always runs into the statement time-out must not be waited for.
_PASSING_CLASSES = ("08", "53", "58")
_PASSING_STATES = ("40001", "40P01", "55P03", "57P01", "57P02", "57P03", "25P03")
_PASSING_SQLITE = ("locked", "busy", "full", "unable to open", "disk I/O")


def _passes(error: DBAPIError) -> bool:
    original = error.orig
    state = getattr(original, "sqlstate", None)
    if state is not None:
        return state.startswith(_PASSING_CLASSES) or state in _PASSING_STATES
    if isinstance(original, sqlite3.OperationalError):
        return any(word in str(original) for word in _PASSING_SQLITE)
    return isinstance(error, (OperationalError, InterfaceError))


_REFUSED_ROW = re.compile(r"row-level security policy for table \"(?P<table>\w+)\"")


def _count_refused_row(error: DBAPIError) -> None:
    """A write that row level security refused was let through by the conditions before it: a fault of ours."""
    refused = (
        _REFUSED_ROW.search(str(error.orig)) if getattr(error.orig, "sqlstate", None) == "42501" else None
    )
    if refused is not None:
        metrics.ROWS_REFUSED.labels(refused["table"]).inc()
        log.error("row_out_of_reach", table=refused["table"])


def one_moment(session: Session) -> None:
    """Let all statements of a session that has not begun see one state of the database; on SQLite they do anyway."""
    if session.get_bind().dialect.name == "postgresql" and not session.in_transaction():
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def open_database(url: str, *, pool_size: int = 5, production: bool = False) -> Database:
    """
    Open the database at a URL (sqlite:///path or postgresql+psycopg://...).

    Raises Unavailable when it does not answer, and RuntimeError in production when it is set up so that
    it could lose what it acknowledged.
    """
    if url.startswith("sqlite"):
        return Database(_sqlite(url))
    database = Database(_postgresql(url, pool_size))
    try:
        _check_durability(database, production=production)
    except BaseException:
        database.close()
        raise
    return database


def _sqlite(url: str) -> Engine:
    path = make_url(url).database
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        connect_args={"timeout": SQLITE_BUSY_MS / 1000, "check_same_thread": False},
        hide_parameters=True,  # errors are logged, and parameters are people's data (R52)
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's begin event below starts transactions
        # recursive_triggers: without it REPLACE takes rows away behind the back of append-only guards.
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "recursive_triggers=ON",
            "cache_size=-4000",  # times some thirty connections in the embedded form
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def _postgresql(url: str, pool_size: int) -> Engine:
    # Compiling a query of many parts takes half a second; none of ours is long enough to win that back.
    options = (
        "-c jit=off "
        f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} "
        f"-c idle_in_transaction_session_timeout={IDLE_TIMEOUT_MS} -c timezone=UTC"
        + "".join(f" -c tcp_{name}={value}" for name, value in ALIVE.items())
        + reach.connection_options()
    )
    given = {"options": options, "connect_timeout": 5, "tcp_user_timeout": UNACKNOWLEDGED_MS, **ALIVE}
    pool: dict[str, Any] = (
        {"poolclass": NullPool}
        if pool_size == 0
        else {"pool_size": pool_size, "max_overflow": pool_size, "pool_timeout": 3, "pool_pre_ping": True}
    )
    engine = create_engine(url, connect_args=given, hide_parameters=True, **pool)
    reach.tell_each_transaction(engine)
    return engine


def _check_durability(database: Database, *, production: bool) -> None:
    with database.reading() as session:
        weak = [
            name
            for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums")
            if session.execute(text(f"SHOW {name}")).scalar_one() == "off"
        ]
    if weak and production:
        raise RuntimeError(f"PostgreSQL could lose acknowledged data: {', '.join(weak)} is off")
    if weak:
        log.warning("database_not_durable", settings=weak)
