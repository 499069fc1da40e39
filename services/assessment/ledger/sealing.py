"""
Sealing 封块: the trees grow by what the log has since the last checkpoint, and the log signs what it is now (R23).

Everything of one checkpoint is one transaction: tiles, roots, note. A process killed while signing has published
nothing, and `checkpoints.size` is a primary key, so one size never has two roots (F32). Two sealers take turns (F33).
What is sealed is read back from the log, hashed from the stored bytes and held against the hash stored with them: a
row changed before its first checkpoint stops the sealing instead of being made true by it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import insert, text

from kernel.ledger.checkpoint import Checkpoint, chain_hash
from kernel.ledger.note import Note, NoteKey, NoteSigner, is_signed_by
from kernel.ledger.tiles import Edge
from kernel.ledger.tree import SHA256, SM3
from kernel.storage.setwise import write_rows
from kernel.storage.types import time_text
from kernel.storage.work import Store, Work
from kernel.telemetry.log import logger
from services.assessment.ledger.alarms import Alarm, raise_alarm
from services.assessment.ledger.model import CHECKPOINTS, LEDGER_TILES
from services.assessment.ledger.rules import LedgerDamaged, is_due
from services.assessment.ledger.stored import (
    StoredCheckpoint,
    edge_of,
    leaves,
    log_size,
    newest_checkpoint,
    tile_rows,
)

log = logger(__name__)

AT_ONCE = 20_000  # events of one checkpoint: the transaction stays short whatever has piled up
LOCK = 0x4C454447  # advisory lock of the sealer


class Sealer:
    """Grows the trees and signs checkpoints; needs the log's private key, which only the worker has."""

    def __init__(
        self,
        store: Store,
        origin: str,
        signer: Callable[[], NoteSigner],
        earlier_keys: Sequence[NoteKey] = (),
    ) -> None:
        """`earlier_keys` are those of the log that signed before this one: the chain goes on from theirs."""
        self._store = store
        self._origin = origin
        self._signer = signer
        self._earlier_keys = tuple(earlier_keys)

    def keep_up(self) -> int:
        """Seal if it is due; returns how many events were sealed. What is damaged is an alarm and stays unsealed."""
        with self._store.reading() as session:
            last = newest_checkpoint(session)
            waiting = log_size(session) - (last.size if last else 0)
        if not is_due(waiting, last.sealed_at if last else None, self._store.clock.now()):
            return 0
        try:
            return self.seal()
        except LedgerDamaged as error:
            raise_alarm(self._store, self._origin, Alarm("", "damaged", last.size if last else 0, error.text))
            return 0

    def seal(self) -> int:
        """Seal everything there is; returns how many events. Raises LedgerDamaged where the log is not what it was."""
        sealed = 0
        while some := self._store.transact(self._seal_some):
            sealed += some
        return sealed

    def _seal_some(self, work: Work) -> int:
        if not _is_our_turn(work):
            return 0
        last = newest_checkpoint(work.session)
        size = last.size if last else 0
        until = min(log_size(work.session), size + AT_ONCE)
        if until <= size:
            return 0
        sha256, sm3 = self._taken_up(work, last)
        self._grow(work, sha256, sm3, until)
        self._sign(work, sha256, sm3, last)
        log.debug("ledger_sealed", size=until, events=until - size)
        return until - size

    def _taken_up(self, work: Work, last: StoredCheckpoint | None) -> tuple[Edge, Edge]:
        """The edges of both trees at the last checkpoint, held against what it says."""
        if last is None:
            return Edge(SHA256), Edge(SM3)
        if not any(is_signed_by(last.note, key) for key in (self._signer().key, *self._earlier_keys)):
            raise LedgerDamaged(f"检查点 {last.size} 没有账本公钥的有效签名，未接着封块。")
        try:
            sha256, sm3 = (edge_of(work.session, hasher, last.size) for hasher in (SHA256, SM3))
        except ValueError as error:
            raise LedgerDamaged(f"检查点 {last.size} 的瓦片不完整：{error}") from error
        if (sha256.root(), sm3.root()) != (last.checkpoint.root, last.checkpoint.sm3_root):
            raise LedgerDamaged(f"检查点 {last.size} 的瓦片与它的根不符。")
        return sha256, sm3

    def _grow(self, work: Work, sha256: Edge, sm3: Edge, until: int) -> None:
        for rows in leaves(work.session, sha256.size, until):
            contents = [row.leaf.encode() for row in rows]
            hashes = [SHA256.leaf(content) for content in contents]
            for number, (row, found) in enumerate(zip(rows, hashes, strict=True), start=sha256.size + 1):
                if row.seq != number or row.leaf_hash != found.hex():
                    raise LedgerDamaged(f"第 {number} 号计分事件缺失或与其哈希不符，未封块。")
            pieces = tile_rows(SHA256, sha256.append(hashes))
            pieces += tile_rows(SM3, sm3.append([SM3.leaf(content) for content in contents]))
            write_rows(work.session, LEDGER_TILES, pieces)
        if sha256.size != until:
            raise LedgerDamaged(f"第 {sha256.size + 1} 号至第 {until} 号计分事件缺失，未封块。")

    def _sign(self, work: Work, sha256: Edge, sm3: Edge, last: StoredCheckpoint | None) -> None:
        now = self._store.clock.now()
        text = self._checkpoint(sha256, sm3, last, now).text
        note = Note(text, (self._signer().sign(text),))
        work.session.execute(insert(CHECKPOINTS).values(size=sha256.size, note=str(note), sealed_at=now))

    def _checkpoint(
        self, sha256: Edge, sm3: Edge, last: StoredCheckpoint | None, now: datetime
    ) -> Checkpoint:
        chained = {"previous": chain_hash(last.note.text)} if last else {}
        return Checkpoint(
            origin=self._origin,
            size=sha256.size,
            root=sha256.root(),
            sm3_root=sm3.root(),
            time=time_text(now),
            **chained,
        )


def _is_our_turn(work: Work) -> bool:
    """On PostgreSQL the one that has the lock seals; on SQLite the writer's turn is turn enough."""
    if work.connection.dialect.name != "postgresql":
        return True
    taken: bool = work.session.execute(
        text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": LOCK}
    ).scalar_one()
    return taken
