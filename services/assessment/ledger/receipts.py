"""
Receipts 存证凭据: a unit's events, each with the proof that it is in a checkpoint others have signed (R25).

The first line names the checkpoint with its cosignatures and the keys, every other line is one event: the exact leaf
and the hashes from it to the root, of SHA-256 and of SM3. Whoever holds the file can check it without us, for as long as they like; that the
keys are the right ones must come from elsewhere (docs/ledger.md). `verifier/fazhi_verify.py --receipt` does it.
"""

import base64
from collections.abc import Iterator, Sequence
from datetime import date

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.errors import NotFound
from kernel.ledger.tree import SHA256, SM3, Hasher, inclusion
from kernel.storage.work import Store
from services.assessment.framework.service import Frameworks
from services.assessment.ledger.rules import LIMITS
from services.assessment.ledger.service import Ledger, newest_then
from services.assessment.ledger.stored import StoredCheckpoint, nodes_of
from services.assessment.ranking.service import visible_unit
from services.assessment.scoring.model import EVENT_LOG

TYPE = "fazhi/receipts/v1"
BATCH = 500


class Receipts:
    """Makes receipts of units for those who may see them."""

    def __init__(self, store: Store, frameworks: Frameworks, ledger: Ledger) -> None:
        self._store = store
        self._frameworks = frameworks
        self._ledger = ledger

    def of_unit(self, who: Principal, unit: str, period: str, day: date | None = None) -> Iterator[bytes]:
        """
        Lines of JSON for a unit's events of a year ("" all), under the newest checkpoint or that of a past day.

        Raises NotFound for a unit this caller cannot see, Invalid.
        """
        framework = self._frameworks.current()
        with self._store.reading() as session:
            visible_unit(session, framework, who, unit)
            known = self._ledger.known(session, day)
            found = self._ledger.witnessed_checkpoint(session, 1, known) or newest_then(session, known)
        if found is None:
            raise NotFound("账本还没有检查点，尚无凭据可下载，请稍后再试。", code="assessment.no_checkpoint")
        return self._lines(unit, period, found)

    def _lines(self, unit: str, period: str, found: StoredCheckpoint) -> Iterator[bytes]:
        yield _line(
            {
                "type": TYPE,
                "unit": unit,
                "period": period,
                "origin": self._ledger.origin,
                "size": found.size,
                "checkpoint": str(found.note),
                "cosigners": sorted(self._ledger.cosigners(found)),
                "witness_keys": [str(witness.key) for witness in self._ledger.witnesses],
                "limits": LIMITS,
            }
        )
        after = 0
        while True:
            lines, after = self._some(unit, period, found.size, after)
            yield from lines
            if len(lines) < BATCH:
                return

    def _some(self, unit: str, period: str, size: int, after: int) -> tuple[list[bytes], int]:
        """Up to a batch of receipts, in a reading of its own, so that a slow download holds nothing."""
        query = (
            select(EVENT_LOG.c.seq, EVENT_LOG.c.leaf)
            .where(EVENT_LOG.c.unit == unit, EVENT_LOG.c.seq > after, EVENT_LOG.c.seq <= size)
            .order_by(EVENT_LOG.c.seq)
            .limit(BATCH)
        )
        if period:
            query = query.where(EVENT_LOG.c.period.between(f"{period}-01", f"{period}-12"))
        with self._store.reading() as session:
            rows = session.execute(query).all()
            lines = [
                _line({"seq": row.seq, "leaf": row.leaf, **proofs})
                for row, proofs in zip(rows, _proofs(session, [row.seq for row in rows], size), strict=True)
            ]
        return lines, rows[-1].seq if rows else after


def receipt(store: Store, ledger: Ledger, seq: int, size: int = 0) -> dict[str, object]:
    """The receipt of one event, with the checkpoint it leads to; raises NotFound."""
    found = ledger.inclusion(seq, size)
    with store.reading() as session:
        leaf = session.execute(select(EVENT_LOG.c.leaf).where(EVENT_LOG.c.seq == seq)).scalar_one()
        (proofs,) = _proofs(session, [seq], found.size)
    return {
        "type": TYPE,
        "seq": seq,
        "leaf": leaf,
        "size": found.size,
        **proofs,
        "checkpoint": str(found.note),
        "limits": LIMITS,
    }


def _proofs(session: Session, seqs: Sequence[int], size: int) -> Iterator[dict[str, list[str]]]:
    """The hashes from each event to the two roots of the checkpoint of this size."""
    trees: tuple[tuple[str, Hasher], ...] = (("proof", SHA256), ("sm3_proof", SM3))
    nodes = [nodes_of(session, hasher) for _, hasher in trees]
    for seq in seqs:
        yield {
            name: [_base64(one) for one in inclusion(hasher, node, seq - 1, size)]
            for (name, hasher), node in zip(trees, nodes, strict=True)
        }


def _line(record: dict[str, object]) -> bytes:
    return orjson.dumps(record) + b"\n"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
