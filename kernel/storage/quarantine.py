"""
Quarantine: where a fact waits that could not be taken, with its raw bytes and the reason (R11).

Nothing leaves it by itself: an operator releases an entry (it is published again to the queue's consumer) or
refuses it. The same bytes of the same message are held once.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, func, select, update
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.errors import Conflict, NotFound
from kernel.ids import new_id
from kernel.messages import Message
from kernel.storage.work import Store, Work
from kernel.telemetry import metrics


@dataclass(frozen=True, slots=True)
class Held:
    """One entry of the quarantine."""

    id: str
    consumer: str
    source: str
    name: str
    message_id: str
    raw: bytes
    headers: Mapping[str, str]
    code: str
    reason: str
    held_at: datetime
    state: str


def hold(work: Work, consumer: str, message: Message, raw: bytes, code: str, reason: str) -> None:
    """Put bytes into quarantine, in the transaction of `work`."""
    table = work.spine.quarantine
    digest = hashlib.sha256(raw).hexdigest()
    known = select(table.c.id).where(
        table.c.consumer == consumer, table.c.message_id == message.id, table.c.digest == digest
    )
    if work.session.execute(known).first() is not None:
        return
    work.session.execute(
        table.insert().values(
            id=new_id(),
            consumer=consumer,
            source=message.source,
            name=message.name,
            message_id=message.id,
            raw=raw,
            headers=orjson.dumps(dict(message.headers)).decode(),
            digest=digest,
            code=code[:100],
            reason=_storable(reason)[:2000],
            held_at=work.clock.now(),
        )
    )
    metrics.QUARANTINED.labels(consumer, code).inc()


def _storable(text: str) -> str:
    """Text any database takes: a reason may quote the very bytes that were refused."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def entries(session: Session, store: Store, *, state: str = "held", limit: int = 100) -> list[Held]:
    """What is in quarantine, oldest first."""
    table = store.spine.quarantine
    query = select(table).where(table.c.state == state).order_by(table.c.held_at).limit(limit)
    return [_held(row) for row in session.execute(query)]


def entry(session: Session, store: Store, wanted: str) -> Held | None:
    """One entry, whatever became of it; None where there is none of this id."""
    table = store.spine.quarantine
    row = session.execute(select(table).where(table.c.id == wanted)).first()
    return None if row is None else _held(row)


def _held(row: Row[Any]) -> Held:
    return Held(
        id=row.id,
        consumer=row.consumer,
        source=row.source,
        name=row.name,
        message_id=row.message_id,
        raw=row.raw,
        headers=orjson.loads(row.headers),
        code=row.code,
        reason=row.reason,
        held_at=row.held_at,
        state=row.state,
    )


def settle(work: Work, principal: Principal, entry: str, *, state: str) -> None:
    """Mark an entry "released" or "refused", once; raises NotFound, Conflict."""
    table = work.spine.quarantine
    row = work.session.execute(select(table.c.state).where(table.c.id == entry).with_for_update()).first()
    if row is None:
        raise NotFound("隔离区中没有这一条，请刷新列表后再试。", code="platform.unknown_quarantine_entry")
    if row.state != "held":
        raise Conflict("这一条已经处理过，请刷新列表。", code="platform.quarantine_settled")
    work.session.execute(
        update(table)
        .where(table.c.id == entry)
        .values(state=state, settled_at=work.clock.now(), settled_by=principal.account)
    )
    work.audit(principal, f"quarantine.{state}", f"quarantine/{entry}")


def measure(store: Store) -> None:
    """Refresh the quarantine gauges of a service."""
    table = store.spine.quarantine
    with store.reading() as session:
        size, oldest = session.execute(
            select(func.count(), func.min(table.c.held_at)).where(table.c.state == "held")
        ).one()
    metrics.QUARANTINE_SIZE.labels(store.source).set(size)
    age = (store.clock.now() - oldest).total_seconds() if oldest else 0
    metrics.QUARANTINE_OLDEST_SECONDS.labels(store.source).set(age)
