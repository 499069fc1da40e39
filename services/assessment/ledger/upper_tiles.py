"""Upper tiles: the stored tiles above level 0 against what the tree below them makes."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy.orm import Session

from kernel.ledger.tiles import HEIGHT, WIDTH, Piece, TilePath
from kernel.ledger.tree import HASH_BYTES, Hasher
from services.assessment.ledger.findings import Report
from services.assessment.ledger.stored import tile


class UpperTiles:
    """Hashes that levels above 0 must have, from a size on."""

    def __init__(self, hasher: Hasher, size: int) -> None:
        self._hasher = hasher
        self._start = size
        self._expected: defaultdict[tuple[int, int], list[Piece]] = defaultdict(list)

    def expect(self, pieces: Sequence[Piece]) -> None:
        """Note what a growing tree adds; level 0 is compared leaf by leaf."""
        for piece in pieces:
            if piece.level:
                self._expected[piece.level, piece.index].append(piece)

    def compare(self, session: Session, report: Report) -> None:
        """Read the stored tiles and name the events under those that differ."""
        for (level, index), pieces in sorted(self._expected.items()):
            first = pieces[0].start * HASH_BYTES
            content = b"".join(piece.hashes for piece in pieces)
            end = first + len(content)
            stored = tile(session, self._hasher, TilePath(level, index, min(end // HASH_BYTES, WIDTH)))
            if stored[first:end] != content:
                leaves = 1 << (HEIGHT * level)
                start = (index * WIDTH + pieces[0].start) * leaves + 1
                report.blame(
                    "tiles", start, start + len(content) // HASH_BYTES * leaves - 1,
                    f"瓦片 {self._hasher.name} {TilePath(level, index)} 与其下的叶不符",
                )  # fmt: skip
