"""
In-process bus: the bus of the embedded form. Durable queues in one SQLite file.

It keeps the promises of the port the way a broker does: a message is in the file before `publish` confirms
it, stays there until `take` returned, and is handed over again, marked redelivered, after a crash. So the same
outbox, relay, inbox and quarantine run embedded and distributed, and both pass tests/contract/bus.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert

from kernel.bus.port import Arrived, Delivery, Take, backoff, unheeded
from kernel.errors import TemporaryError
from kernel.messages import MAX_BODY_BYTES, Message, Queue
from kernel.storage.db import open_database
from kernel.telemetry import metrics
from kernel.telemetry.log import logger

log = logger(__name__)

_metadata = MetaData()
_queued = Table(
    "queued",
    _metadata,
    Column("pos", Integer, primary_key=True, autoincrement=True),
    Column("queue", String(100), nullable=False),
    Column("message_id", String(100), nullable=False),
    Column("source", String(50), nullable=False),
    Column("name", String(100), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("headers", Text, nullable=False),
    Column("content_type", String(100), nullable=False),
    Column("handed_over", Integer, nullable=False, default=0),
    UniqueConstraint("queue", "message_id"),
)
# Without it the head of a queue is found by reading and sorting all that waits in it, bodies and all.
_in_order = Index("ix_queued_in_order", _queued.c.queue, _queued.c.pos)


class InProcessBus:
    """Durable queues in one file, shared by the threads of one process."""

    def __init__(self, path: Path, heard: Sequence[Queue] = ()) -> None:
        self._database = open_database(f"sqlite:///{path}")
        _metadata.create_all(self._database.engine)
        _in_order.create(self._database.engine, checkfirst=True)  # files of earlier versions have none
        self._bindings: dict[tuple[str, str], set[str]] = {}
        self._arrived: dict[str, threading.Event] = defaultdict(threading.Event)
        self.declare(heard)

    def declare(self, queues: Sequence[Queue]) -> None:
        """Bind these queues; bindings live as long as the process, messages as long as the file."""
        for queue in queues:
            for key in queue.keys:
                self._bindings.setdefault(key, set()).add(queue.name)

    def publish(self, messages: Sequence[Message]) -> set[str]:
        """Store the messages in every bound queue, in one transaction."""
        rows = [
            self._row(queue, message)
            for message in messages
            for queue in sorted(self._bindings.get((message.source, message.name), ()))
        ]
        if rows:
            with self._database.writing() as session:
                session.execute(insert(_queued).on_conflict_do_nothing(), rows)
                session.commit()
            for queue in {row["queue"] for row in rows}:
                self._arrived[queue].set()
        return {message.id for message in messages}

    def consume(
        self,
        queue: Queue,
        take: Take,
        stop: threading.Event,
        *,
        batch: int,
        linger_seconds: float,
        arrived: Arrived = unheeded,
    ) -> None:
        """Hand over batches until `stop` is set; nothing is fetched ahead here."""
        del arrived
        self.declare([queue])
        wakes = self._arrived[queue.name]
        failures = 0
        while not stop.is_set():
            wakes.clear()  # before looking: what arrives meanwhile sets it again
            positions, deliveries = self._hand_over(queue, batch)
            if not deliveries:
                wakes.wait(0.5)
                time.sleep(linger_seconds / 10)
                continue
            try:
                take(deliveries)
            except TemporaryError as error:
                log.warning("batch_waits", queue=queue.name, messages=len(deliveries), error=str(error))
                metrics.WAITS.labels(queue.name).inc()
                self._put_back(positions)
                stop.wait(min(backoff(failures), 15.0))
                failures += 1
                continue
            failures = 0
            self._settle(positions)

    def depth(self, queue: Queue) -> int:
        """How many messages wait in a queue."""
        with self._database.reading() as session:
            count = select(func.count()).select_from(_queued).where(_queued.c.queue == queue.name)
            return session.execute(count).scalar_one()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _hand_over(self, queue: Queue, batch: int) -> tuple[list[int], list[Delivery]]:
        """Up to `batch` messages, and no more bytes than one message may have: a backlog must not fill the memory."""
        query = select(_queued).where(_queued.c.queue == queue.name).order_by(_queued.c.pos).limit(batch)
        rows = []
        size = 0
        with self._database.reading() as session:
            for row in session.execute(query):
                rows.append(row)
                size += len(row.body)
                if size >= MAX_BODY_BYTES:
                    break
        positions = [row.pos for row in rows]
        if positions:
            self._change(update(_queued).values(handed_over=1), positions)
        return positions, [Delivery(_message(row), bool(row.handed_over)) for row in rows]

    def _put_back(self, positions: list[int]) -> None:
        self._change(update(_queued).values(handed_over=0), positions)

    def _settle(self, positions: list[int]) -> None:
        self._change(delete(_queued), positions)

    def _change(self, statement: Any, positions: list[int]) -> None:
        with self._database.writing() as session:
            these = _queued.c.pos.in_(bindparam("positions", expanding=True))
            session.execute(statement.where(these), {"positions": positions})
            session.commit()

    @staticmethod
    def _row(queue: str, message: Message) -> dict[str, Any]:
        return {
            "queue": queue,
            "message_id": message.id,
            "source": message.source,
            "name": message.name,
            "body": message.body,
            "headers": orjson.dumps(dict(message.headers)).decode(),
            "content_type": message.content_type,
            "handed_over": 0,
        }


def _message(row: Any) -> Message:
    return Message(
        id=row.message_id,
        source=row.source,
        name=row.name,
        body=row.body,
        headers=orjson.loads(row.headers),
        content_type=row.content_type,
    )
