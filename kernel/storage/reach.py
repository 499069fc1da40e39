"""
Rows in reach 行级安全: the wall behind the WHERE of every query, kept by PostgreSQL itself (R35).

Each transaction tells the database for whom it is: the part of the unit tree (`Reach.path`), the unit and the
account. Policies on the tables that hold a unit's own business show no other rows, and take none. What nobody said
is nothing: a query outside a request, or without its reach, finds no row. Workers, clocks and the command line act
for the platform and say so once, with `within(EVERYTHING)`; a use case that must look further than its caller says
where and why, with `beyond`. The settings end with the transaction, so a pooled connection carries nothing on.

It stands against a forgotten condition, not against whoever can run statements of their own: those could set the
reach as we do. SQLite has no such policies. Which tables have them: each service's migrations, docs/row-security.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from kernel.access.principal import Principal


@dataclass(frozen=True, slots=True)
class Reach:
    """The rows one may see: units whose path starts so, and what names this unit or account. Empty means none."""

    path: str = ""
    unit: str = ""
    account: str = ""


NOTHING = Reach()
EVERYTHING = Reach(path="*")
_SET = (
    "SELECT set_config('fazhi.reach', %s, true), set_config('fazhi.unit', %s, true), "
    "set_config('fazhi.account', %s, true)"
)

_unsaid = NOTHING
_current: ContextVar[Reach | None] = ContextVar("reach", default=None)


def of(who: Principal) -> Reach:
    """The reach of somebody who was identified; the root of the tree is everything, known units or not."""
    if who.unit_path == "/":
        return EVERYTHING
    return Reach(who.unit_path if who.unit_path.startswith("/") else "", who.unit, who.account)


def current() -> Reach:
    """The reach of transactions that begin now."""
    said = _current.get()
    return _unsaid if said is None else said


def act_for_the_platform() -> None:
    """What is not said is everything from here on: in a process whose every thread works for nobody's request."""
    global _unsaid  # noqa: PLW0603
    _unsaid = EVERYTHING


def say(reach: Reach) -> None:
    """From here on, in this task or thread."""
    _current.set(reach)


@contextmanager
def within(reach: Reach) -> Iterator[None]:
    """For as long as the block lasts; transactions open already keep theirs."""
    before = _current.set(reach)
    try:
        yield
    finally:
        _current.reset(before)


@contextmanager
def beyond(why: str, session: Session | None = None) -> Iterator[None]:
    """
    Look past the caller's reach, here and nowhere else: in an open transaction, or in those that begin in the block.

    `why` is for the reader; docs/row-security.md lists every one.
    """
    if not why:
        raise ValueError("say why")
    if session is None:
        with within(EVERYTHING):
            yield
        return
    session.flush()  # what is the caller's own is written under the caller's reach
    before = _told(session.connection())  # a transaction that is yet to begin begins as the caller's
    with within(EVERYTHING):
        _tell(session.connection(), EVERYTHING)
        try:
            yield
            session.flush()
        except BaseException:
            with suppress(DBAPIError):  # a transaction that failed in the database sees nothing any more
                _tell(session.connection(), before)
            raise
        _tell(session.connection(), before)


def connection_options() -> str:
    """What a connection of this process says once and for all: nothing, but in a process that acts for the platform."""
    return f" -c fazhi.reach={_unsaid.path}" if _unsaid.path else ""


def tell_each_transaction(engine: Engine) -> None:
    """Make every transaction of a PostgreSQL engine begin with its reach, unless its connections say it already."""
    said_by_connections = _unsaid

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if (said := current()) != EVERYTHING or said != said_by_connections:
            _tell(connection, said)


def _tell(connection: Connection, reach: Reach) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_SET, (reach.path, reach.unit, reach.account))


def _told(connection: Connection) -> Reach:
    if connection.dialect.name != "postgresql":
        return NOTHING
    settings = ", ".join(
        f"coalesce(current_setting('fazhi.{name}', true), '')" for name in ("reach", "unit", "account")
    )
    return Reach(*connection.execute(text(f"SELECT {settings}")).one())
