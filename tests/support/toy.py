"""
A toy service that keeps one counter per name: the smallest thing that tells, hears and counts.

Kernel tests and `fazhi prove` use it where a promise is about the spine, not about a domain.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import Column, Integer, MetaData, String, Table

from kernel.bus.markers import Subscription
from kernel.clock import Clock, SystemClock
from kernel.messages import Item, Message, Queue
from kernel.storage.db import Database
from kernel.storage.setwise import write_rows
from kernel.storage.spine import Spine
from kernel.storage.work import Store, Work

COUNTED = Queue("toy.counted", (("toy", "counted.v1"),))


class Toy:
    """A store with a `totals` table, and the handler that counts what it hears."""

    def __init__(self, database: Database, source: str = "toy", clock: Clock | None = None) -> None:
        self.metadata = MetaData()
        self.spine = Spine(self.metadata)
        self.totals = Table(
            "totals", self.metadata, Column("name", String(50), primary_key=True), Column("count", Integer)
        )
        self.metadata.create_all(database.engine)
        self.store = Store(database, self.spine, source, clock or SystemClock())
        self.seen: list[list[str]] = []
        self.before: Callable[[Sequence[Item]], None] = lambda items: None

    def tell(self, *bodies: bytes, name: str = "counted.v1") -> list[str]:
        """Tell facts, each in a transaction of its own; returns their message ids."""
        ids = []
        for body in bodies:
            with self.store.work() as work:
                work.tell(name, body)
                ids.append(work._outgoing[-1]["id"])
                work.commit()
        return ids

    def count(self, work: Work, items: Sequence[Item]) -> None:
        """The effect: one more for each name heard."""
        self.before(items)
        self.seen.append([item.key for item in items])
        tally: dict[str, int] = {}
        for item in items:
            name = item.raw.decode()
            tally[name] = tally.get(name, 0) + 1
        write_rows(
            work.session,
            self.totals,
            [{"name": name, "count": count} for name, count in tally.items()],
            keys=("name",),
            on_conflict={"count": "add"},
        )

    def total(self, name: str = "a") -> int:
        """How often a name was counted."""
        with self.store.reading() as session:
            row = session.execute(self.totals.select().where(self.totals.c.name == name)).first()
        return int(row[1]) if row else 0


def one_item(message: Message) -> list[Item]:
    """Every message is one fact; bodies starting with "!" cannot be decoded."""
    if message.body.startswith(b"!"):
        raise ValueError("not decodable")
    return [Item(message.source, message.id, message.body, message.body)]


SUBSCRIPTION = Subscription(COUNTED, one_item, 10, 0.05)
