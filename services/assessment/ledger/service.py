"""
Ledger 存证账本: what can be proved about the event log, and whether something may rest on it (R20, R25).

`require_witnessed(session, seq)` is what publication calls: it returns the checkpoint that covers everything up to
event `seq` and that enough witnesses have cosigned, or says in plain words why there is none. All that is kept has
its time and only grows, so what the ledger was on a past day (as of 截至) is asked with the same questions.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kernel.errors import NotFound
from kernel.ledger.note import Note
from kernel.ledger.tiles import TilePath, read_tile_path
from kernel.ledger.tree import HASH_BYTES, SHA256, Hasher, consistency, inclusion
from kernel.storage.work import Store
from services.assessment.ledger.alarms import Alarm, alarms, is_contradicted
from services.assessment.ledger.model import CHECKPOINTS, COSIGNATURES
from services.assessment.ledger.rules import (
    BehindWitness,
    NotWitnessed,
    Reached,
    Witness,
    good_cosigners,
    refusal,
)
from services.assessment.ledger.stored import (
    StoredCheckpoint,
    checkpoint_of,
    log_size,
    newest_checkpoint,
    nodes_of,
    tile,
)
from services.assessment.ledger.verdicts import Verdict, last_verdict
from services.assessment.ranking.known import AsOf, Known, known_as_of, received

LOOK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That a leaf is in the tree of a checkpoint: hashes from the leaf upwards."""

    seq: int
    leaf_hash: bytes
    size: int
    proof: tuple[bytes, ...]
    note: Note


@dataclass(frozen=True, slots=True)
class WitnessStanding:
    """One configured witness, and the last checkpoint it cosigned."""

    name: str
    size: int
    witnessed_at: datetime | None


@dataclass(frozen=True, slots=True)
class LedgerStatus:
    """How far the log has come in each of the three states, and how long the oldest waits."""

    origin: str
    sequenced: int
    sealed: int
    sealed_at: datetime | None
    witnessed: int
    needed: int
    oldest_unsealed: timedelta | None
    oldest_unwitnessed: timedelta | None
    witnesses: tuple[WitnessStanding, ...]
    alarms: tuple[Alarm, ...]
    verdict: Verdict | None
    refusal: str


class Ledger:
    """Questions to the ledger; needs no key but those of the witnesses."""

    def __init__(self, store: Store, origin: str, witnesses: Sequence[Witness], needed: int) -> None:
        self._store = store
        self.origin = origin
        self.witnesses = tuple(witnesses)
        self.needed = needed
        self._look_again_at = 0.0
        self._is_contradicted = False

    def checkpoint(self, day: date | None = None) -> Note:
        """The newest checkpoint, or that of a past day; raises NotFound before the first event is sealed, Invalid."""
        with self._store.reading() as session:
            found = newest_then(session, self.known(session, day))
        if found is None:
            raise NotFound(
                "账本还没有检查点：第一条计分事件入账约五秒后生成。", code="assessment.no_checkpoint"
            )
        return found.note

    def tile(self, hasher: Hasher, written: str) -> bytes:
        """
        A hash tile by its C2SP path; raises TileUnknown, and NotFound where no checkpoint covers it yet.

        Entries are not given out this way: one bundle holds leaves of 256 events of any units, with reasons in
        words. Whoever may see a unit takes its receipts; auditors get the whole from `fazhi ledger export`.
        """
        path = read_tile_path(written)
        with self._store.reading() as session:
            last = newest_checkpoint(session)
            level = path.level
            if last is None or level is None or not _is_covered(path, level, last.size):
                raise NotFound("没有这片瓦片。", code="assessment.unknown_tile")
            content = tile(session, hasher, path)
        if len(content) != path.width * HASH_BYTES:
            raise NotFound("没有这片瓦片。", code="assessment.unknown_tile")
        return content

    def inclusion(self, seq: int, size: int = 0) -> InclusionProof:
        """The proof that event `seq` is in the checkpoint of `size` (0: the newest); raises NotFound."""
        with self._store.reading() as session:
            found = checkpoint_of(session, size) if size else newest_checkpoint(session)
            if found is None or not 1 <= seq <= found.size:
                raise NotFound("没有这一号计分事件，或还没有检查点覆盖它。", code="assessment.not_sealed")
            node = nodes_of(session, SHA256)
            proof = inclusion(SHA256, node, seq - 1, found.size)
            return InclusionProof(seq, node(0, seq - 1), found.size, tuple(proof), found.note)

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """The proof that the tree of `old` events is the beginning of that of `new`; raises NotFound."""
        with self._store.reading() as session:
            last = newest_checkpoint(session)
            if last is None or not 1 <= old <= new <= last.size:
                raise NotFound("没有这两个大小之间的一致性证明。", code="assessment.not_sealed")
            return tuple(consistency(SHA256, nodes_of(session, SHA256), old, new))

    def known(self, session: Session, day: date | None) -> Known | None:
        """What there was by the end of a day; None for now. Raises Invalid for a day to come."""
        return known_as_of(session, self._store.clock, AsOf(day))

    def status(self, day: date | None = None) -> LedgerStatus:
        """
        How far the log has come, and what stands in the way; or had, and stood, by the end of a day. Raises Invalid.

        Which witnesses there are and how many are needed is a setting, and always that of now.
        """
        with self._store.reading() as session:
            known = self.known(session, day)
            at = known.at if known else None
            head = known.seq if known else log_size(session)
            last = newest_then(session, known)
            sealed = last.size if last else 0
            found = self.witnessed_checkpoint(session, 0, known) if self.needed else None
            witnessed = found.size if found else 0
            oldest = self._waited(session, witnessed, known)
            return LedgerStatus(
                origin=self.origin,
                sequenced=head,
                sealed=sealed,
                sealed_at=last.sealed_at if last else None,
                witnessed=witnessed,
                needed=self.needed,
                oldest_unsealed=self._waited(session, sealed, known),
                oldest_unwitnessed=oldest,
                witnesses=self._standings(session, at),
                alarms=tuple(alarms(session, self.origin, at)),
                verdict=last_verdict(session, at),
                refusal=self._refusal(session, oldest, at),
            )

    def reached(self, session: Session, known: Known | None = None) -> Reached:
        """How far events have come, or had; where no witness is asked for, none counts as witnessed."""
        last = newest_then(session, known)
        found = self.witnessed_checkpoint(session, 1, known) if self.needed else None
        return Reached(last.size if last else 0, found.size if found else 0)

    def witnessed_checkpoint(
        self, session: Session, at_least_seq: int, known: Known | None = None
    ) -> StoredCheckpoint | None:
        """
        The newest checkpoint of at least this size that enough witnesses have cosigned; None where there is none.

        `known`: of what there was then, with the cosignatures we had.

        Where no witness is needed (`FAZHI_LEDGER_WITNESSES_NEEDED=0`) it is the newest checkpoint, and what is
        published on it must say that nobody else has seen it: `len(cosigners(found))` is then 0.
        """
        if self.needed == 0:
            found = newest_then(session, known)
            return found if found is not None and found.size >= at_least_seq else None
        names = [witness.name for witness in self.witnesses]
        query = (
            select(COSIGNATURES.c.size)
            .where(COSIGNATURES.c.size >= at_least_seq, COSIGNATURES.c.witness.in_(names))
            .group_by(COSIGNATURES.c.size)
            .having(func.count() >= self.needed)
            .order_by(COSIGNATURES.c.size.desc())
            .limit(20)
        )
        if known is not None:
            query = query.where(COSIGNATURES.c.size <= known.seq, COSIGNATURES.c.received_at <= known.at)
        for size in session.scalars(query):
            found = checkpoint_of(session, size, known.at if known else None)
            # What stands in the table is believed only with its signatures: rows can be written by others.
            if found is not None and len(self.cosigners(found)) >= self.needed:
                return found
        return None

    def cosigners(self, found: StoredCheckpoint) -> dict[str, int]:
        """The configured witnesses that have signed this checkpoint, and when (seconds since 1970)."""
        return good_cosigners(found.note, self.witnesses)

    def require_witnessed(self, session: Session, at_least_seq: int) -> StoredCheckpoint:
        """The witnessed checkpoint over everything up to this event; raises NotWitnessed or BehindWitness."""
        self.require_fresh(session)
        found = self.witnessed_checkpoint(session, at_least_seq)
        if found is None:
            raise NotWitnessed(
                f"第 {at_least_seq} 号计分事件还没有进入经 {self.needed} 个见证方共同签署的检查点，"
                "通常十秒之内完成，请稍后再试；一直如此请查看账本页面上见证方的状态。"
            )
        return found

    def require_fresh(self, session: Session) -> None:
        """Refuse to close or publish when the witnesses have been silent too long; raises NotWitnessed (R25)."""
        self.require_current(session)
        found = self.witnessed_checkpoint(session, 0) if self.needed else None
        said = self._refusal(session, self._waited(session, found.size if found else 0))
        if said:
            raise NotWitnessed(said)

    def require_current(self, session: Session) -> None:
        """Raise BehindWitness when a witness has contradicted this database (F31)."""
        if is_contradicted(session, self.origin):
            raise BehindWitness()

    def refuse_an_old_copy(self) -> None:
        """The same for those who only read, looked up every few seconds; raises BehindWitness."""
        if not self.witnesses:
            return
        if time.monotonic() >= self._look_again_at:
            with self._store.reading() as session:
                self._is_contradicted = is_contradicted(session, self.origin)
            self._look_again_at = time.monotonic() + LOOK_SECONDS
        if self._is_contradicted:
            raise BehindWitness()

    def _refusal(self, session: Session, oldest: timedelta | None, at: datetime | None = None) -> str:
        if is_contradicted(session, self.origin, at):
            return BehindWitness.message
        return refusal(witnesses=len(self.witnesses), needed=self.needed, oldest_unwitnessed=oldest)

    def _waited(self, session: Session, after: int, known: Known | None = None) -> timedelta | None:
        """How long ago the first event after this one was received; None when there is none."""
        if known is not None and after >= known.seq:
            return None
        received_at = received(session, after + 1)
        now = self._store.clock.now()
        return None if received_at is None else (min(known.at, now) if known else now) - received_at

    def _standings(self, session: Session, at: datetime | None = None) -> tuple[WitnessStanding, ...]:
        standings = []
        for witness in self.witnesses:
            query = (
                select(COSIGNATURES.c.size, COSIGNATURES.c.witnessed_at)
                .join(CHECKPOINTS, CHECKPOINTS.c.size == COSIGNATURES.c.size)
                .where(COSIGNATURES.c.witness == witness.name)
                .order_by(COSIGNATURES.c.size.desc())
                .limit(1)
            )
            if at is not None:
                query = query.where(COSIGNATURES.c.received_at <= at)
            row = session.execute(query).one_or_none()
            standings.append(
                WitnessStanding(witness.name, row.size if row else 0, row.witnessed_at if row else None)
            )
        return tuple(standings)


def newest_then(session: Session, known: Known | None) -> StoredCheckpoint | None:
    """The newest checkpoint of what there was then, with the cosignatures we had; of now for None."""
    if known is None:
        return newest_checkpoint(session)
    return newest_checkpoint(session, until=known.seq, at=known.at)


def _is_covered(path: TilePath, level: int, size: int) -> bool:
    """Whether a checkpoint of this size covers as many places of the tile as are asked for."""
    return (size >> (8 * level)) >= path.index * 256 + path.width
