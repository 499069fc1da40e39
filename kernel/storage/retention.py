"""
Retention of the outbox: told facts are kept for a time, then their month goes whole, never row by row (R6).

On PostgreSQL the outbox is partitioned by month (UTC) of `created_at`. Upkeep makes the months to come and drops
those whose every row is older than `Store.outbox_days` and sent; one unsent row keeps its month. What was told
in a month that had no partition lies in the default partition, is sent like the rest, and becomes a partition of
its own at the next upkeep, without a row being moved. On SQLite the outbox is one plain table and nothing goes.

The role that does this must own the outbox; a service whose role does not (ownership.py) leaves it to `fazhi maintain`
with the owner's rights. Two processes may do it at once: the second finds the lock taken.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.engine import Connection

from kernel.errors import TemporaryError
from kernel.storage.ownership import owns
from kernel.storage.work import Store
from kernel.telemetry.log import logger

log = logger(__name__)

UPKEEP_SECONDS = 3600.0
MONTHS_AHEAD = 2
LOCK_SPACE = 0x46415A4A  # apart from those of relays and migrations
PARTITION = re.compile(r"outbox_(default|\d{4}_\d{2}(_to_\d{4}_\d{2})?)")
_BOUNDS = re.compile(r"FROM \('([^']+)'\) TO \('([^']+)'\)")


@dataclass(frozen=True, slots=True)
class Span:
    """A partition and the time its rows were told in: `first` included, `until` not."""

    name: str
    first: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What was done: partitions made, dropped, and held although old, because a row in them is unsent."""

    made: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


def needs_upkeep(store: Store) -> bool:
    """Whether this store's outbox can have partitions."""
    return store.database.dialect == "postgresql"


def keeping(store: Store) -> Callable[[], None]:
    """One turn of the hourly clock of a process that hosts a relay; a busy outbox is left for the next turn."""

    def turn() -> None:
        try:
            keep_outbox(store)
        except TemporaryError as error:
            log.warning("outbox_not_kept", service=store.source, code=error.stable_code)

    return turn


def keep_outbox(store: Store) -> Upkeep:
    """
    Make the months to come, drop the months that are over; safe to repeat.

    Nothing is done on SQLite, nor by a role that does not own the outbox.

    Raises Unavailable when business holds the outbox for longer than a second.
    """
    if not needs_upkeep(store):
        return Upkeep()
    now = store.clock.now()
    with store.database.writing() as session:
        connection = session.connection()
        if not owns(connection, "outbox") or not _our_turn(connection, store.source):
            return Upkeep()
        connection.execute(
            text("SET LOCAL lock_timeout = '1s'")
        )  # what waits here makes writers wait behind it
        if not _relations(connection):
            return Upkeep()  # a plain table, made by hand
        made = (*_close_default(connection), *_make_ahead(connection, now))
        dropped, held = _drop(connection, now - timedelta(days=store.outbox_days))
        session.commit()
    done = Upkeep(made, dropped, held)
    if made or dropped:
        log.info("outbox_kept", service=store.source, made=made, dropped=dropped)
    if held:
        log.warning("outbox_months_held", service=store.source, held=held)
    return done


def _our_turn(connection: Connection, source: str) -> bool:
    lock = text("SELECT pg_try_advisory_xact_lock(:space, hashtext(:source))")
    return bool(connection.execute(lock, {"space": LOCK_SPACE, "source": source}).scalar_one())


def _relations(connection: Connection) -> Sequence[tuple[str, str]]:
    """Name and bounds of every partition, the default one included."""
    rows = connection.execute(
        text(
            "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i "
            "JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass('outbox') ORDER BY c.relname"
        )
    )
    return [(row[0], row[1]) for row in rows]


def _spans(connection: Connection) -> list[Span]:
    found = ((name, _BOUNDS.search(bounds)) for name, bounds in _relations(connection))
    return [Span(name, _moment(match[1]), _moment(match[2])) for name, match in found if match]


def _close_default(connection: Connection) -> Iterator[str]:
    """Give what lies in the default partition months of its own, unless some of them have a partition already."""
    query = text("SELECT min(created_at), max(created_at) FROM outbox_default")
    oldest, newest = connection.execute(query).one()
    if oldest is None:
        return
    first, until = month_of(oldest), next_month(newest)
    if any(span.first < until and first < span.until for span in _spans(connection)):
        log.warning("outbox_default_stays", oldest=oldest.isoformat(), newest=newest.isoformat())
        return
    name = _name(first, month_of(newest))
    for statement in (
        "ALTER TABLE outbox DETACH PARTITION outbox_default",
        f"ALTER TABLE outbox_default RENAME TO {name}",
        "CREATE TABLE outbox_default PARTITION OF outbox DEFAULT",
        f"ALTER TABLE outbox ATTACH PARTITION {name} {_for_values(first, until)}",
    ):
        connection.execute(text(statement))
    yield name


def _make_ahead(connection: Connection, now: datetime) -> Iterator[str]:
    """A partition for this month and the next two, where there is none."""
    spans = _spans(connection)
    first = month_of(now)
    for _ in range(MONTHS_AHEAD + 1):
        until = next_month(first)
        covered = any(span.first < until and first < span.until for span in spans)
        if not covered and not _lies_in_default(connection, first, until):
            name = _name(first, first)
            connection.execute(text(f"CREATE TABLE {name} PARTITION OF outbox {_for_values(first, until)}"))
            yield name
        first = until


def _lies_in_default(connection: Connection, first: datetime, until: datetime) -> bool:
    query = "SELECT EXISTS (SELECT 1 FROM outbox_default WHERE created_at >= :first AND created_at < :until)"
    return bool(connection.execute(text(query), {"first": first, "until": until}).scalar_one())


def _drop(connection: Connection, horizon: datetime) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Drop what ended before the horizon and is all sent; returns the names of what went and of what is held."""
    dropped, held = [], []
    for span in _spans(connection):
        if span.until > horizon:
            continue
        unsent = text(f"SELECT EXISTS (SELECT 1 FROM {span.name} WHERE sent_at IS NULL)")
        # Nobody writes there in between: no transaction stays open for as long as the retention.
        if connection.execute(unsent).scalar_one():
            held.append(span.name)
            continue
        connection.execute(text(f"DROP TABLE {span.name}"))
        dropped.append(span.name)
    return tuple(dropped), tuple(held)


def month_of(at: datetime) -> datetime:
    """The moment the UTC month of a moment began."""
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(at: datetime) -> datetime:
    """The moment the UTC month after that of a moment begins."""
    return month_of(month_of(at) + timedelta(days=32))


def _name(first: datetime, last: datetime) -> str:
    name = f"outbox_{first:%Y_%m}"
    return name if first == last else f"{name}_to_{last:%Y_%m}"


def _for_values(first: datetime, until: datetime) -> str:
    return f"FOR VALUES FROM ('{first:%Y-%m-%d} 00:00:00+00') TO ('{until:%Y-%m-%d} 00:00:00+00')"


def _moment(bound: str) -> datetime:
    return datetime.fromisoformat(bound).astimezone(UTC)
