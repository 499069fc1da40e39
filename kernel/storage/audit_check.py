"""
Checking the audit log 审计核验: names every record that was altered, taken away or planted (R51).

The hash beside a record finds a record changed alone. Who changes the record *and* its hash is found by the
checkpoints: between the last that fits and the first that does not lies what was rewritten. Who rewrites the whole
database, checkpoints and all, is found by a checkpoint that was kept elsewhere, from the log lines or on paper.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, func, select
from sqlalchemy.orm import Session

from kernel.errors import Invalid
from kernel.ledger.note import Note, NoteKey
from kernel.ledger.tiles import Edge
from kernel.ledger.tree import HASH_BYTES, SHA256
from kernel.storage.audit_log import leaf_of, size_of, unlogged
from kernel.storage.audit_seal import Sealed, entries, read_sealed, record_of
from kernel.storage.db import one_moment
from kernel.storage.work import Store

_LOST = b"\x00" * HASH_BYTES


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was; `number` is 0 where it has no place in the log."""

    kind: str
    number: int
    record: str
    said: str


class AuditCheck:
    """
    Reads the whole log once, against the checkpoints stored with it and those kept elsewhere.

    `keys` are those the log was signed with, one after the other as they rotated; without any, nothing is said of
    signatures.
    """

    def __init__(self, store: Store, keys: Sequence[NoteKey], kept: Sequence[Sealed] = ()) -> None:
        self._store = store
        self._keys = keys
        self._kept = kept
        self.records = 0
        self.checkpoints = 0
        self.root = ""  # of the hashes as they are now, in hex; known when all was read

    def faults(self) -> Iterator[Fault]:
        """What is wrong, in the order of the log; nothing, where all is as it was."""
        with self._store.reading() as session:
            one_moment(session)  # what is done and sealed meanwhile is nothing done to the log
            head = size_of(session, self._store.spine)
            leaves = self._store.spine.audit_leaves
            self.records = max(head, session.execute(select(func.max(leaves.c.number))).scalar() or 0)
            if head != self.records:
                yield Fault("head", head, "", f"日志的长度被改为 {head}，实有 {self.records} 条")
            sealed, unreadable = self._sealed(session)
            yield from unreadable
            yield from self._log(session, sealed)
            for row in unlogged(session, self._store.spine):
                said = f"{row.at:%Y-%m-%d %H:%M:%S} {row.actor} {row.action} {row.object}"
                yield Fault("planted", 0, row.id, f"记录不在日志里，是另外插入的：{said}")

    def _log(self, session: Session, sealed: list[Sealed]) -> Iterator[Fault]:
        tree = _Tree(sealed)
        for rows in entries(session, self._store.spine, 0, self.records):
            for row in rows:
                yield from tree.up_to(row["number"] - 1)
                yield from _compared(row)
                yield from tree.add(bytes.fromhex(row["leaf_hash"]))
        yield from tree.up_to(self.records)
        yield from tree.cut_off()
        self.root = tree.root

    def _sealed(self, session: Session) -> tuple[list[Sealed], list[Fault]]:
        """The checkpoints that are signed as they must be, and faults for the others."""
        table = self._store.spine.audit_checkpoints
        good, faults = list(self._kept), []
        for row in session.execute(select(table).order_by(table.c.size)):
            try:
                each = read_sealed(row.note)
                require_signed(self._keys, each.note)
            except Invalid as error:
                faults.append(Fault("checkpoint", row.size, "", f"检查点 {row.size}：{error.text}"))
                continue
            if (each.checkpoint.size, each.checkpoint.origin) == (row.size, self._store.audit.origin):
                good.append(each)
            else:
                faults.append(
                    Fault("checkpoint", row.size, "", f"检查点 {row.size} 是另一个日志或另一时刻的")
                )
        self.checkpoints = len(good)
        return good, faults


def require_signed(keys: Sequence[NoteKey], note: Note) -> None:
    """Raise SignatureWrong unless one of these keys signed it; a line of any of them that does not fit is no accident."""
    if keys and not [key for key in keys if key.of(note)]:
        keys[-1].require(note)


class _Tree:
    """The tree as it grows again, held against each checkpoint when it has its size."""

    def __init__(self, sealed: Sequence[Sealed]) -> None:
        self._edge = Edge(SHA256)
        self._waiting = sorted(sealed, key=lambda each: each.checkpoint.size)
        self._fitting = 0

    @property
    def root(self) -> str:
        """The root of what was added."""
        return self._edge.root().hex()

    def up_to(self, number: int) -> Iterator[Fault]:
        """Put something in the places of leaves that are gone, so that the others keep theirs."""
        while self._edge.size < number:
            gone = self._edge.size + 1
            yield Fault("removed", gone, "", f"第 {gone} 条的哈希被删除")
            yield from self.add(_LOST)

    def add(self, leaf_hash: bytes) -> Iterator[Fault]:
        """Add a leaf, and compare."""
        self._edge.append([leaf_hash])
        while self._waiting and self._waiting[0].checkpoint.size == self._edge.size:
            size = self._edge.size
            if self._waiting[0].checkpoint.root != self._edge.root():
                said = f"前 {size} 条与检查点不符：第 {self._fitting + 1} 条至第 {size} 条之间被改写"
                yield Fault("rewritten", size, "", said)
                self._waiting.clear()  # every later one differs for the same reason
                return
            self._fitting = size
            self._waiting.pop(0)

    def cut_off(self) -> Iterator[Fault]:
        """Checkpoints beyond the end of the log."""
        for each in self._waiting:
            said = f"日志只有 {self._edge.size} 条，检查点已到 {each.checkpoint.size} 条：末尾被删除"
            yield Fault("removed", each.checkpoint.size, "", said)


def _compared(row: RowMapping) -> Iterator[Fault]:
    """A record against its hash."""
    number, record = row["number"], str(row["leaf_id"])
    if row["at"] is None:
        yield Fault("removed", number, record, f"第 {number} 条记录被删除")
    elif leaf_of(record_of(row))[1] != row["leaf_hash"]:
        said = f"{row['actor']} {row['action']} {row['object']}"
        yield Fault("altered", number, record, f"第 {number} 条记录被改动，现为：{said}")
