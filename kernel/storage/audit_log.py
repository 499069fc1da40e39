"""
Audit log 审计日志: every audit record is a leaf of a Merkle log of its own, in the transaction of the act (R51).

`audit_leaves` numbers the records without gaps, from 1, in the order of their commits: the row of `audit_head` is
locked by the last statement before the commit, so others wait for the commit and for nothing before it. The leaf is
the record as canonical JSON; its hash is kept beside the record, so that one cannot be changed without the other.
What the log was at a time, sealed_audit.py signs; whether it still is, audit_check.py says.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, RowMapping, Table, bindparam, insert, select, text, update
from sqlalchemy.orm import Session

from kernel.ledger.tree import SHA256
from kernel.storage.spine import Spine
from kernel.storage.types import time_text

LEAF_TYPE = "audit"
LEAF_VERSION = 1
BATCH = 5_000
Leaf = tuple[str, str]  # id of the record, hash of its leaf in hex


def leaf_of(record: Mapping[str, Any] | RowMapping) -> Leaf:
    """Id and leaf hash (RFC 6962) of an audit record; its place in the table is no part of it."""
    said = {str(name): value for name, value in record.items() if name != "seq"}
    content = orjson.dumps(
        {"type": LEAF_TYPE, "version": LEAF_VERSION, **said},
        default=_plain,
        option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME,
    )
    return str(record["id"]), SHA256.leaf(content).hex()


def append(session: Session, spine: Spine, leaves: Sequence[Leaf]) -> None:
    """
    Number these records; the head stays locked until the transaction ends, so this comes last.

    Records that a savepoint took back are passed over. Raises RuntimeError when the log has no head.
    """
    if session.connection().dialect.name == "postgresql":
        done = session.execute(_POSTGRESQL, {"leaves": json.dumps(leaves)})
        found = int(done.scalar_one())
        if found < 0:
            raise RuntimeError("audit_head has no row; run fazhi migrate")
        return
    listed = json.dumps([each[0] for each in leaves])
    kept = set(session.execute(_KEPT, {"ids": listed}).scalars())
    _number(session, spine, [each for each in leaves if each[0] in kept])


def adopt(session: Session, spine: Spine) -> int:
    """
    Take in some records that have no leaf: of the time before the log, and of processes of the version before.

    Returns how many; whoever calls this says so on record, for otherwise a planted record would look like ours.
    """
    rows = session.execute(_unlogged(spine).limit(BATCH)).mappings().all()
    _number(session, spine, [leaf_of(row) for row in rows])
    return len(rows)


def unlogged(session: Session, spine: Spine) -> Iterator[Row[Any]]:
    """Records without a leaf, oldest first."""
    yield from session.execute(_unlogged(spine).execution_options(yield_per=BATCH))


def size_of(session: Session, spine: Spine) -> int:
    """How many records the log has."""
    return int(session.execute(select(spine.audit_head.c.size)).scalar_one())


def _number(session: Session, spine: Spine, leaves: Sequence[Leaf]) -> None:
    if not leaves:
        return
    head = spine.audit_head
    taken = update(head).where(head.c.id == 1).values(size=head.c.size + len(leaves)).returning(head.c.size)
    size = session.execute(taken).scalar_one_or_none()
    if size is None:
        raise RuntimeError("audit_head has no row; run fazhi migrate")
    first = size - len(leaves) + 1
    rows = [{"number": first + n, "id": id_, "leaf_hash": found} for n, (id_, found) in enumerate(leaves)]
    session.execute(_values(spine.audit_leaves), rows)


def _values(table: Table) -> Any:
    return insert(table).values({name: bindparam(name) for name in ("number", "id", "leaf_hash")})


def _unlogged(spine: Spine) -> Any:
    audit, leaves = spine.audit, spine.audit_leaves
    none = ~select(leaves.c.number).where(leaves.c.id == audit.c.id).exists()
    return select(audit).where(none).order_by(audit.c.seq)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return time_text(value)
    raise TypeError(type(value).__name__)


_KEPT = text("SELECT id FROM audit WHERE id IN (SELECT value FROM json_each(:ids))")
# One round trip; -1 where there is no head.
_POSTGRESQL = text(
    "WITH kept AS (SELECT a.id, w.value->>1 AS leaf_hash, row_number() OVER (ORDER BY w.ordinality) AS place "
    "FROM json_array_elements(CAST(:leaves AS json)) WITH ORDINALITY AS w "
    "JOIN audit a ON a.id = CAST(w.value->>0 AS uuid)), "
    "head AS (UPDATE audit_head SET size = size + (SELECT count(*) FROM kept) WHERE id = 1 RETURNING size), "
    "done AS (INSERT INTO audit_leaves (number, id, leaf_hash) "
    "SELECT head.size - (SELECT count(*) FROM kept) + kept.place, kept.id, kept.leaf_hash FROM head, kept) "
    "SELECT coalesce((SELECT size FROM head), -1)"
)
