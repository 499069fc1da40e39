"""
Sealing the audit log 审计封存: what the log is at a time, signed by the service and told outside (R51).

A checkpoint (C2SP tlog-checkpoint) says the size and the root. It lies beside the log and goes into the process's
log lines, which leave the machine: whoever rewrites the database cannot rewrite those. A sealer remembers the right
edge of the tree while it lives, so a turn costs what is new; at its start it reads all hashes once, and must come past
the root of the last checkpoint. What does not fit is an alarm and is never signed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session

from kernel.errors import PermanentError, TemporaryError
from kernel.ledger.checkpoint import Checkpoint, read_checkpoint
from kernel.ledger.note import Note, NoteSigner, read_note
from kernel.ledger.tiles import Edge
from kernel.ledger.tree import SHA256
from kernel.storage.audit_log import BATCH, leaf_of, size_of
from kernel.storage.audit_verdict import last_verdict
from kernel.storage.setwise import write_rows
from kernel.storage.spine import Spine
from kernel.storage.work import Store
from kernel.telemetry import metrics
from kernel.telemetry.log import logger

log = logger(__name__)

SEAL_SECONDS = 60.0


class AuditDamaged(PermanentError):
    """The audit log is not what it was when it was written or signed."""

    code = "platform.audit_damaged"
    message = "审计日志与其哈希或检查点不符，请运行 fazhi audit verify 核查。"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A checkpoint with the note it was read from."""

    checkpoint: Checkpoint
    note: Note


def sealing(store: Store) -> Callable[[], None]:
    """
    One turn of the clock of a process that hosts a relay; without a key nothing is sealed, and that is said.

    The alarm also stands for as long as the last check of the whole log found faults.
    """
    sealer = AuditSealer(store) if store.audit.key is not None else None
    if sealer is None:
        log.warning("audit_not_sealed", service=store.source, setting="FAZHI_AUDIT_KEY_FILE")

    def turn() -> None:
        try:
            if sealer is not None:
                sealer.seal()
            _heed_the_last_check(store)
        except AuditDamaged as error:
            metrics.AUDIT_DAMAGED.labels(store.source).set(1)
            log.error("audit_damaged", service=store.source, reason=error.text)
        except TemporaryError as error:
            log.warning("audit_waits", service=store.source, code=error.stable_code)
        else:
            metrics.AUDIT_DAMAGED.labels(store.source).set(0)

    return turn


def _heed_the_last_check(store: Store) -> None:
    with store.reading() as session:
        found = last_verdict(session, store.spine)
    if found is not None and found.faults:
        raise AuditDamaged(
            f"{found.verified_by} 核验前 {found.size} 条时发现 {found.faults} 处问题；查明以后再核验一次。"
        )


def signer_of(store: Store) -> NoteSigner:
    """The service's signer of checkpoints. Raises AuditDamaged where it has no key."""
    if store.audit.key is None:
        raise AuditDamaged("没有签署审计检查点的私钥（FAZHI_AUDIT_KEY_FILE）。")
    return NoteSigner.read(store.audit.origin, store.audit.key)


class AuditSealer:
    """Signs what the audit log is; one a process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._edge = Edge(SHA256)

    def seal(self) -> Note | None:
        """Sign the log as it is now, or do nothing where nothing is new. Raises AuditDamaged."""
        try:
            with self._store.reading() as session:
                last = newest(session, self._store.spine)
                size = size_of(session, self._store.spine)
                self._grow(session, size, last)
        except AuditDamaged:
            self._edge = Edge(SHA256)
            raise
        if size == (last.checkpoint.size if last else 0):
            return None
        return self._sign(size)

    def _grow(self, session: Session, size: int, last: Sealed | None) -> None:
        known = last.checkpoint.size if last else 0
        if size < known or known < self._edge.size > size:
            raise AuditDamaged(
                f"审计日志只剩 {size} 条，检查点已到 {max(known, self._edge.size)} 条：末尾被删除。"
            )
        if self._edge.size < known:
            self._take(session, known)
        if last is not None and self._edge.size == known and self._edge.root() != last.checkpoint.root:
            raise AuditDamaged(f"审计日志的前 {known} 条与检查点不符。")
        self._take(session, size, hashed_again=True)

    def _take(self, session: Session, until: int, *, hashed_again: bool = False) -> None:
        for rows in entries(session, self._store.spine, self._edge.size, until):
            for number, row in enumerate(rows, start=self._edge.size + 1):
                if row["number"] != number:
                    raise AuditDamaged(f"审计日志缺第 {number} 条。")
                if hashed_again and (row["at"] is None or leaf_of(record_of(row))[1] != row["leaf_hash"]):
                    raise AuditDamaged(f"审计日志第 {number} 条（{row['leaf_id']}）被改动或删除，未封存。")
            self._edge.append(bytes.fromhex(row["leaf_hash"]) for row in rows)
        if self._edge.size != until:
            raise AuditDamaged(f"审计日志缺第 {self._edge.size + 1} 条至第 {until} 条。")

    def _sign(self, size: int) -> Note:
        root = self._edge.root()
        text = Checkpoint(origin=self._store.audit.origin, size=size, root=root).text
        note = Note(text, (signer_of(self._store).sign(text),))
        row = {"size": size, "note": str(note), "at": self._store.clock.now()}
        with self._store.work() as work:
            # Another process of this service may have sealed the same size.
            write_rows(
                work.session, self._store.spine.audit_checkpoints, [row], keys=["size"], on_conflict="nothing"
            )
            work.commit()
        log.debug("audit_sealed", service=self._store.source, size=size, root=root.hex())
        return note


def newest(session: Session, spine: Spine) -> Sealed | None:
    """The last checkpoint."""
    table = spine.audit_checkpoints
    written = session.execute(select(table.c.note).order_by(table.c.size.desc()).limit(1)).scalar()
    return read_sealed(written) if written else None


def read_sealed(written: str) -> Sealed:
    """A checkpoint from its written form; raises NoteMalformed."""
    note = read_note(written)
    return Sealed(read_checkpoint(note.text), note)


def entries(session: Session, spine: Spine, after: int, until: int) -> Iterator[Sequence[RowMapping]]:
    """Leaves after a number up to another, in batches, each with its record; `at` is None where that is gone."""
    leaves, audit = spine.audit_leaves, spine.audit
    joined = leaves.outerjoin(audit, audit.c.id == leaves.c.id)
    columns = (leaves.c.number, leaves.c.id.label("leaf_id"), leaves.c.leaf_hash, *audit.c)
    while after < until:
        wanted = select(*columns).select_from(joined).where(leaves.c.number > after, leaves.c.number <= until)
        rows = session.execute(wanted.order_by(leaves.c.number).limit(BATCH)).mappings().all()
        if not rows:
            return
        yield rows
        after = rows[-1]["number"]


def record_of(row: RowMapping) -> dict[str, Any]:
    """The audit record in a row of `entries`."""
    return {name: value for name, value in row.items() if name not in ("number", "leaf_id", "leaf_hash")}
