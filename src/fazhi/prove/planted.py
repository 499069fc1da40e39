"""
Planted bugs: what a proof must catch, put in from outside so that the product carries no switch for it.

- cursor_relay: the relay reads "greater than last" instead of by state (loses facts that commit late);
- ack_before_commit: the batch is settled before its effect is committed (loses it when killed in between);
- no_inbox: every delivery counts as new (counts repeats twice).
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select

from kernel.bus import inbound
from kernel.bus.port import Delivery
from kernel.messages import Item
from kernel.storage import inbox, relay
from kernel.storage.work import Work


def plant(bug: str) -> None:
    """Put one bug into this process; "" plants nothing."""
    if bug:
        BUGS[bug]()


def _cursor_relay() -> None:
    last = {"pos": 0}

    def unsent(self: Any, connection: Any) -> Sequence[Any]:
        table = self._store.spine.outbox
        columns = (table.c.pos, table.c.id, table.c.name, table.c.body, table.c.headers)
        query = select(*columns).where(table.c.pos > last["pos"]).order_by(table.c.pos).limit(self._window)
        return list(connection.execute(query).fetchall())

    mark = relay.Relay._mark

    def remembered(self: Any, sent: Sequence[int]) -> None:
        mark(self, sent)
        last["pos"] = max(last["pos"], *sent)

    relay.Relay._unsent = unsent  # type: ignore[method-assign]
    relay.Relay._mark = remembered  # type: ignore[method-assign]


def _ack_before_commit() -> None:
    take = inbound.Inbound.take

    def settled_at_once(self: Any, deliveries: Sequence[Delivery]) -> None:
        threading.Thread(target=take, args=(self, list(deliveries))).start()

    inbound.Inbound.take = settled_at_once  # type: ignore[method-assign]


def _no_inbox() -> None:
    def everything_is_new(work: Work, consumer: str, items: Sequence[Item]) -> inbox.Sorted:
        del work, consumer
        return inbox.Sorted(list(items), 0, [])

    inbox.take = everything_is_new


BUGS: dict[str, Callable[[], None]] = {
    "cursor_relay": _cursor_relay,
    "ack_before_commit": _ack_before_commit,
    "no_inbox": _no_inbox,
}
