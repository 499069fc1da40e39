"""
Inbox: a fact that was taken once changes nothing the second time (R7).

The rows go in with the effect, in one transaction. The same key with other bytes is no repeat: somebody
reuses ids, and that fact goes to quarantine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import text

from kernel.messages import Item
from kernel.storage.setwise import write_rows
from kernel.storage.work import Work


@dataclass(frozen=True, slots=True)
class Sorted:
    """What the inbox made of some items: new ones, how many repeats, and those that reuse a taken key."""

    fresh: list[Item]
    repeats: int
    clashing: list[Item]


def take(work: Work, consumer: str, items: Sequence[Item]) -> Sorted:
    """Enter items into the inbox, in one statement; say which of them are new."""
    first: dict[tuple[str, str], Item] = {}
    clashing: list[Item] = []
    repeats = 0
    for item in items:
        known = first.setdefault((item.source, item.key), item)
        if known is not item:
            if known.raw == item.raw:
                repeats += 1
            else:
                clashing.append(item)
    now = work.clock.now()
    written = write_rows(
        work.session,
        work.spine.inbox,
        [
            {
                "consumer": consumer,
                "source": item.source,
                "key": item.key,
                "digest": item.digest.hex(),
                "received_at": now,
            }
            for item in first.values()
        ],
        on_conflict="nothing",
        returning=("source", "key"),
    )
    new = {(row.source, row.key) for row in written}
    fresh = [item for place, item in first.items() if place in new]
    known_items = [item for place, item in first.items() if place not in new]
    digests = _digests(work, consumer, known_items) if known_items else {}
    for item in known_items:
        if digests.get((item.source, item.key)) == item.digest.hex():
            repeats += 1
        else:
            clashing.append(item)
    return Sorted(fresh, repeats, clashing)


def _digests(work: Work, consumer: str, items: Sequence[Item]) -> dict[tuple[str, str], str]:
    keys = orjson.dumps([[item.source, item.key] for item in items]).decode()
    if work.connection.dialect.name == "postgresql":
        wanted = "SELECT w->>0 AS source, w->>1 AS key FROM json_array_elements(CAST(:keys AS json)) AS w"
    else:
        wanted = "SELECT json_extract(value, '$[0]') AS source, json_extract(value, '$[1]') AS key FROM json_each(:keys)"
    rows = work.session.execute(
        text(
            f"SELECT i.source, i.key, i.digest FROM inbox i JOIN ({wanted}) w "
            "ON w.source = i.source AND w.key = i.key WHERE i.consumer = :consumer"
        ),
        {"keys": keys, "consumer": consumer},
    )
    return {(row.source, row.key): row.digest for row in rows}
