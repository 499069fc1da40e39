"""
Relay: carry facts from the outbox to the bus, oldest first (R1, R2, R5).

Rows are read by state, never by "greater than last": a transaction that commits late is found late, not
lost. A row is marked only after the bus confirmed it, so a crash between the two publishes it again:
receivers MUST tolerate repeats (see inbox.py). One relay per outbox works at a time; on PostgreSQL that is an
advisory lock held by the connection that also reads, so a lost lock is noticed at the next read.
"""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import orjson
from sqlalchemy import Row, bindparam, func, select, text, update
from sqlalchemy.engine import Connection

from kernel.bus.port import Bus, backoff
from kernel.errors import TemporaryError
from kernel.messages import Message
from kernel.storage.db import translated_errors
from kernel.storage.work import Store
from kernel.telemetry import metrics
from kernel.telemetry.log import logger

log = logger(__name__)

WINDOW = 200
POLL_SECONDS = 0.1
LOCK_SPACE = 0x46415A48  # advisory locks of relays, apart from those of migrations


class Relay:
    """Empties one service's outbox."""

    def __init__(self, store: Store, bus: Bus, *, window: int = WINDOW) -> None:
        self._store = store
        self._bus = bus
        self._window = window
        self._wake = threading.Event()
        self._connection: Connection | None = None
        table = store.spine.outbox
        # Built once: an idle outbox is looked at ten times a second.
        self._query = (
            select(table.c.pos, table.c.id, table.c.name, table.c.body, table.c.headers)
            .where(table.c.sent_at.is_(None))
            .order_by(table.c.pos)
            .limit(window)
        )
        store.wake_relay = self._wake.set

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; outages are waited out with growing pauses."""
        failures = 0
        while not stop.is_set():
            try:
                sent = self.step()
                failures = 0
                if sent < self._window:
                    self._wake.wait(POLL_SECONDS)
                    self._wake.clear()
            except TemporaryError as error:
                log.warning("relay_waits", service=self._store.source, error=str(error))
                self._release()
                stop.wait(min(backoff(failures), 5.0))
                failures += 1
        self._release()

    def step(self) -> int:
        """Send one window of unsent facts; return how many were confirmed. Raises TemporaryError."""
        with translated_errors():
            connection = self._locked()
            if connection is None:
                return 0
            rows = self._unsent(connection)
            connection.commit()
            if not rows:
                return 0
            confirmed = self._bus.publish([self._message(row) for row in rows])
            sent = [row.pos for row in rows if row.id in confirmed]
            if sent:
                self._mark(sent)
        metrics.PUBLISHED.labels(self._store.source).inc(len(sent))
        if len(sent) < len(rows):
            metrics.PUBLISH_FAILURES.labels(self._store.source, "unconfirmed").inc(len(rows) - len(sent))
            if not sent:
                raise TemporaryError("消息总线未确认任何消息。", code="platform.bus_away")
        return len(sent)

    def measure(self) -> None:
        """Refresh the outbox gauges."""
        table = self._store.spine.outbox
        with self._store.reading() as session:
            waiting, oldest = session.execute(
                select(func.count(), func.min(table.c.created_at)).where(table.c.sent_at.is_(None))
            ).one()
        age = (self._store.clock.now() - oldest).total_seconds() if oldest else 0.0
        metrics.OUTBOX_WAITING.labels(self._store.source).set(waiting)
        metrics.OUTBOX_OLDEST_SECONDS.labels(self._store.source).set(max(age, 0.0))

    def _unsent(self, connection: Connection) -> Sequence[Row[Any]]:
        rows: Sequence[Any] = connection.execute(self._query).fetchall()
        return rows

    def _mark(self, sent: Sequence[int]) -> None:
        table = self._store.spine.outbox
        # By the unsent index, as when reading: it is all but empty in every month that is over.
        unsent = (table.c.pos.in_(bindparam("sent", expanding=True)), table.c.sent_at.is_(None))
        marked = update(table).where(*unsent)
        with self._store.database.writing() as session:
            session.execute(marked.values(sent_at=self._store.clock.now()), {"sent": sent})
            session.commit()

    def _message(self, row: Row[Any]) -> Message:
        return Message(
            id=row.id,
            source=self._store.source,
            name=row.name,
            body=row.body,
            headers=orjson.loads(row.headers),
        )

    def _locked(self) -> Connection | None:
        """The connection that holds this outbox's lock, or None while another relay has it."""
        if self._connection is not None and not self._connection.closed and not self._connection.invalidated:
            return self._connection
        self._release()
        connection = self._store.database.engine.connect()
        if self._store.database.dialect == "postgresql":
            taken = connection.execute(
                text("SELECT pg_try_advisory_lock(:space, hashtext(:source))"),
                {"space": LOCK_SPACE, "source": self._store.source},
            ).scalar_one()
            connection.commit()
            if not taken:
                connection.close()
                return None
        self._connection = connection
        return connection

    def _release(self) -> None:
        if self._connection is None:
            return
        with suppress(Exception):  # whatever is wrong with it, we are done with it
            self._connection.invalidate()  # closing the session lets go of the advisory lock
            self._connection.close()
        self._connection = None


def drain(relay: Relay, *, seconds: float = 30.0) -> None:
    """Send until nothing is left, for command lines that must not end with facts unsent."""
    ends = time.monotonic() + seconds
    while relay.step():
        if time.monotonic() > ends:
            raise TemporaryError(
                "仍有消息未发出，请确认消息总线可用后重试。", code="platform.outbox_not_drained"
            )
