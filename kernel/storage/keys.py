"""
Keys of writes 幂等键: a request that is sent again does not do again what it did (R8).

The key is taken in the transaction of the act itself, so that there is no moment in which one is true without the
other: of two requests with one key the second waits for the first to commit and is then refused with everything it
did. A request that committed nothing leaves no key and may be sent again. The HTTP side is in
kernel.hosting.idempotency; keys are never forgotten, because business facts are not.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Table, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kernel.errors import Conflict

MOST_ANSWER_BYTES = 64 * 1024


@dataclass(slots=True)
class KeyedRequest:
    """A write that came with a key; `is_taken` once a transaction of it was committed."""

    caller: str
    key: str
    route: str
    digest: str
    is_taken: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the first request was answered."""

    status: int
    media_type: str
    body: bytes


class KeyInUse(Conflict):
    """The first request with this key is still running, or its answer is not known."""

    code = "platform.key_in_use"
    message = "同一 Idempotency-Key 的请求正在办理或者已经办理，请稍后重发以取得结果，或者直接查询。"


class KeyReused(Conflict):
    """The key was used for another request."""

    code = "platform.key_reused"
    message = "这个 Idempotency-Key 已用于另一个请求，请换用新的值后再提交。"


current: ContextVar[KeyedRequest | None] = ContextVar("keyed_request", default=None)


def take(session: Session, table: Table, request: KeyedRequest, now: datetime) -> None:
    """Take the key in this transaction; waits for another that has it, then raises KeyInUse."""
    row = {
        "caller": request.caller,
        "key": request.key,
        "route": request.route,
        "request_digest": request.digest,
    }
    try:
        session.execute(insert(table).values(**row, created_at=now))
    except IntegrityError as taken:
        raise KeyInUse() from taken


def first_answer(session: Session, table: Table, request: KeyedRequest) -> Answer | None:
    """The answer to the first request with this key, None for a new key. Raises KeyReused, KeyInUse."""
    place = (table.c.caller == request.caller, table.c.key == request.key)
    row = session.execute(select(table).where(*place)).first()
    if row is None:
        return None
    if (row.route, row.request_digest) != (request.route, request.digest):
        raise KeyReused()
    if row.status is None:
        raise KeyInUse()
    return Answer(row.status, row.media_type, row.answer)


def keep_answer(session: Session, table: Table, request: KeyedRequest, answer: Answer) -> None:
    """Keep what the request was answered, for those that repeat it."""
    session.execute(
        update(table)
        .where(table.c.caller == request.caller, table.c.key == request.key)
        .values(status=answer.status, media_type=answer.media_type[:100], answer=answer.body)
    )
