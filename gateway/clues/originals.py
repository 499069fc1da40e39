"""
Originals 线索原文: the bytes that came, as evidence of what is scored about a clue.

They name persons, so they lie sealed in the database and are opened for staff who may see the clue, one at a time,
each opening on record. Events name their digest only.
"""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from contracts.findings import Evidence
from contracts.findings.evidence import JSON, Piece, evidence_of
from contracts.roles import EXTERNAL_SYSTEM
from gateway.clues.model import ClueOriginal, ClueRow
from gateway.partners.vault import Vault
from kernel.access.principal import Principal
from kernel.errors import NotFound
from kernel.ids import is_id
from kernel.storage.blobs import BlobDamaged, digest_of
from kernel.storage.work import Store

NATIVE = "application/x-protobuf"  # a clue that came over gRPC (clues.proto)


def subject_of(receipt: str) -> str:
    """How others name a clue."""
    return f"gateway/clues/{receipt}"


def evidence(session: Session, receipts: Iterable[str]) -> dict[str, tuple[Evidence, ...]]:
    """The original of each of these clues, as events name it; one statement."""
    wanted = (
        select(ClueOriginal.receipt, ClueOriginal.raw_digest, ClueRow.channel)
        .join(ClueRow, ClueRow.receipt == ClueOriginal.receipt)
        .where(ClueOriginal.receipt.in_(list(receipts)))
    )
    return {
        row.receipt: (_named(row.receipt, row.raw_digest, row.channel),) for row in session.execute(wanted)
    }


class Originals:
    """Opens originals."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    def read(self, who: Principal, receipt: str, digest: str) -> Piece:
        """The original of a clue within the caller's scope. Raises NotFound, BlobDamaged."""
        with self._store.work() as work:
            wanted = (
                select(ClueRow.unit_path, ClueRow.channel, ClueOriginal.sealed, ClueOriginal.raw_digest)
                .join(ClueOriginal, ClueOriginal.receipt == ClueRow.receipt)
                .where(ClueRow.receipt == receipt, ClueOriginal.raw_digest == digest)
            )
            row = work.session.execute(wanted).one_or_none() if is_id(receipt) else None
            if row is None or who.has(EXTERNAL_SYSTEM) or not who.reaches(row.unit_path):
                raise NotFound("没有这份线索原文，请核对回执号和摘要。", code="clues.unknown_original")
            try:
                content = self._vault.open(f"clue/{receipt}", row.sealed)
            except ValueError as altered:
                raise BlobDamaged() from altered
            named = _named(receipt, row.raw_digest, row.channel)
            if digest_of(content) != named.digest:
                raise BlobDamaged()
            work.audit(who, "clue.original_read", f"clues/{receipt}", after_digest=row.raw_digest)
            work.commit()
        return Piece(content, named.name, named.media_type, is_file=False)

    def check(self, digest: str) -> None:
        """Open every original of this digest (hex) and hash it, showing it to nobody. Raises NotFound, BlobDamaged."""
        query = select(ClueOriginal.receipt, ClueOriginal.sealed).where(ClueOriginal.raw_digest == digest)
        with self._store.reading() as session:
            rows = session.execute(query).all()
        if not rows:
            raise NotFound("没有这份线索原文，请核对摘要。", code="clues.unknown_original")
        for row in rows:
            try:
                content = self._vault.open(f"clue/{row.receipt}", row.sealed)
            except ValueError as altered:
                raise BlobDamaged() from altered
            if digest_of(content) != f"sha256:{digest}":
                raise BlobDamaged()


def _named(receipt: str, digest: str, channel: str) -> Evidence:
    media_type, name = (NATIVE, "线索原文.bin") if channel == "grpc" else (JSON, "线索原文.json")
    return evidence_of(subject_of(receipt), f"sha256:{digest}", media_type, name)
