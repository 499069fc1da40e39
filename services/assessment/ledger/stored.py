"""What is stored of the trees and checkpoints, read in the forms that kernel.ledger works with."""

import base64
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, select
from sqlalchemy.orm import Session

from kernel.ledger.checkpoint import Checkpoint, read_checkpoint
from kernel.ledger.note import Note, NoteMalformed, read_note, read_signatures
from kernel.ledger.tiles import Edge, Piece, TileNodes, TilePath, right_edge
from kernel.ledger.tree import Hasher
from services.assessment.ledger.model import CHECKPOINTS, COSIGNATURES, LEDGER_TILES
from services.assessment.ledger.rules import LedgerDamaged
from services.assessment.scoring.model import EVENT_LOG, LOG_HEAD

BATCH = 5_000


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint as it was signed, with the cosignatures that came since."""

    note: Note
    sealed_at: datetime
    checkpoint: Checkpoint

    @property
    def size(self) -> int:
        """How many events it covers."""
        return self.checkpoint.size


def log_size(session: Session) -> int:
    """How many events have been numbered."""
    size: int = session.execute(select(LOG_HEAD.c.size)).scalar_one()
    return size


def newest_checkpoint(
    session: Session, *, until: int | None = None, at: datetime | None = None
) -> StoredCheckpoint | None:
    """The last checkpoint, or the last of at most `until` events or of those there were `at`; with its cosignatures."""
    query = select(CHECKPOINTS).order_by(CHECKPOINTS.c.size.desc()).limit(1)
    if until is not None:
        query = query.where(CHECKPOINTS.c.size <= until)
    if at is not None:
        query = query.where(CHECKPOINTS.c.sealed_at <= at)
    row = session.execute(query).one_or_none()
    return None if row is None else _stored(row, _cosignatures(session, [row.size], at).get(row.size, ""))


def checkpoint_of(session: Session, size: int, at: datetime | None = None) -> StoredCheckpoint | None:
    """The checkpoint of exactly this size, if there is one, or was at a moment."""
    found = newest_checkpoint(session, until=size, at=at)
    return found if found is not None and found.size == size else None


def checkpoints_between(session: Session, size: int, until: int) -> Iterator[tuple[int, str, str]]:
    """Size, note and signature lines of the checkpoints beyond one size and up to another; judged by nobody."""
    while True:
        columns = CHECKPOINTS.c
        query = select(CHECKPOINTS).where(columns.size > size, columns.size <= until)
        query = query.order_by(columns.size).limit(BATCH)
        rows = session.execute(query).all()
        lines = _cosignatures(session, [row.size for row in rows]) if rows else {}
        for row in rows:
            yield row.size, row.note, lines.get(row.size, "")
        if len(rows) < BATCH:
            return
        size = rows[-1].size


def edge_of(session: Session, hasher: Hasher, size: int) -> Edge:
    """The right edge of a stored tree, ready to grow; raises ValueError where tiles are missing."""
    wanted = right_edge(size)
    tiles = {path.level or 0: tile(session, hasher, path) for path in wanted}
    return Edge(hasher, size, tiles)


def tile(session: Session, hasher: Hasher, path: TilePath) -> bytes:
    """The hashes a tile has, at most as many as asked for."""
    query = (
        select(LEDGER_TILES.c.hashes)
        .where(
            and_(
                LEDGER_TILES.c.tree == hasher.name,
                LEDGER_TILES.c.level == path.level,
                LEDGER_TILES.c.tile == path.index,
                LEDGER_TILES.c.start < path.width,
            )
        )
        .order_by(LEDGER_TILES.c.start)
    )
    content = b"".join(base64.b64decode(row.hashes) for row in session.execute(query))
    return content[: path.width * 32]


def nodes_of(session: Session, hasher: Hasher) -> TileNodes:
    """The nodes of a stored tree, for proofs."""
    return TileNodes(hasher, lambda level, index: tile(session, hasher, TilePath(level, index)))


def tile_rows(hasher: Hasher, pieces: Sequence[Piece]) -> list[dict[str, Any]]:
    """Pieces as rows."""
    return [
        {
            "tree": hasher.name,
            "level": piece.level,
            "tile": piece.index,
            "start": piece.start,
            "hashes": base64.b64encode(piece.hashes).decode(),
        }
        for piece in pieces
    ]


def leaves(session: Session, after: int, until: int) -> Iterator[Sequence[Row[Any]]]:
    """Number, leaf and leaf hash of the events after one and up to another, in batches."""
    columns = (EVENT_LOG.c.seq, EVENT_LOG.c.leaf, EVENT_LOG.c.leaf_hash)
    while after < until:
        query = select(*columns).where(EVENT_LOG.c.seq > after, EVENT_LOG.c.seq <= until)
        rows = session.execute(query.order_by(EVENT_LOG.c.seq).limit(BATCH)).all()
        if not rows:
            return
        yield rows  # type: ignore[misc]  # the library says Row of anything and of three at once
        after = rows[-1].seq


def _cosignatures(session: Session, sizes: Sequence[int], at: datetime | None = None) -> dict[int, str]:
    query = select(COSIGNATURES.c.size, COSIGNATURES.c.line).where(
        COSIGNATURES.c.size >= min(sizes), COSIGNATURES.c.size <= max(sizes)
    )
    if at is not None:
        query = query.where(COSIGNATURES.c.received_at <= at)
    found: dict[int, str] = {}
    for row in session.execute(query.order_by(COSIGNATURES.c.size, COSIGNATURES.c.witness)):
        found[row.size] = found.get(row.size, "") + row.line
    return found


def _stored(row: Row[Any], lines: str) -> StoredCheckpoint:
    try:
        note = read_note(row.note)
        found = read_checkpoint(note.text)
    except NoteMalformed as error:
        raise LedgerDamaged(f"检查点 {row.size} 的短笺已损坏。") from error
    with suppress(NoteMalformed):  # a broken cosignature is none; verification names it
        note = note.with_signatures(read_signatures(lines))
    return StoredCheckpoint(note, row.sealed_at, found)
