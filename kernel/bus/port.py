"""
The bus port, in three sentences.

`publish` returns the ids that are safe: whatever is not named there was not confirmed and is sent again.
`consume` hands over batches and settles a batch only after `take` returned; a TemporaryError from `take` is
waited out with the batch in hand, so nothing is dropped or dead-lettered because a database is away.
Queues are durable and declared with all their bindings before anything is published to them.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from kernel.messages import Message, Queue


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message handed over; `redelivered` when it was handed to somebody before."""

    message: Message
    redelivered: bool


# Where a broker puts what came back too often; empty unless something is wrong (R14).
DEAD_LETTERS = Queue("fazhi.dead", ())

Take = Callable[[Sequence[Delivery]], None]
Arrived = Callable[[Message], None]


def unheeded(_message: Message) -> None:
    """For who does not want to know what has arrived before it is handed over."""


class Bus(Protocol):
    """What a service needs of a bus."""

    def declare(self, queues: Sequence[Queue]) -> None:
        """Make sure these queues and their bindings exist."""
        ...

    def publish(self, messages: Sequence[Message]) -> set[str]:
        """Publish; return the ids of the messages the bus has confirmed."""
        ...

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
        """
        Hand over batches of up to `batch` messages until `stop` is set.

        A bus that fetches ahead may show a message to `arrived` before it hands it over, so that it can be read
        while the batch before it waits for the database; a message shown may never be handed over.
        """
        ...

    def depth(self, queue: Queue) -> int:
        """How many messages wait in a queue."""
        ...

    def close(self) -> None:
        """Give up connections and threads."""
        ...


BACKOFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)


def backoff(failures: int) -> float:
    """How long to wait after this many failures in a row (R11)."""
    return BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
