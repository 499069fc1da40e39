"""
Verification 验证: the whole database held against what was signed, and against what others remember (P3).

Four independent comparisons. Every row against its leaf, and the leaf hashed again against the tiles: names the
record. The tiles against the root of every signed checkpoint, in both trees, and the checkpoints against one another
and their signatures: an edit with every hash recomputed fails here, and the range between two checkpoints is named.
The log against checkpoints remembered elsewhere: a rewritten, cut or rolled back log fails here whoever signed it.
Every leaf against its source's signature (sources.py): what no source told fails here, even with all our keys stolen.

Faults are collected, not raised: one change must not hide another. What this cannot show is in `rules.LIMITS`.
"""

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from kernel.errors import NotFound, PermanentError
from kernel.ledger.checkpoint import Checkpoint
from kernel.ledger.tiles import WIDTH, Edge, split
from kernel.ledger.tree import SHA256, SM3, Hasher
from services.assessment.ledger.chain import Chain
from services.assessment.ledger.comparison import differences
from services.assessment.ledger.findings import Report, Trust, Verified
from services.assessment.ledger.model import CHECKPOINTS, LEDGER_TILES
from services.assessment.ledger.sources import SourceCheck
from services.assessment.ledger.stored import checkpoints_between, edge_of
from services.assessment.ledger.upper_tiles import UpperTiles
from services.assessment.scoring.model import EVENT_LOG, LOG_HEAD

BATCH = 20 * WIDTH
Held = Callable[[str, str], None]


@dataclass(slots=True)
class _Trees:
    """Both trees as they grow from the stored tiles of level 0."""

    sha256: Edge
    sm3: Edge
    upper: tuple[UpperTiles, UpperTiles]

    def append(self, sha256: Sequence[bytes], sm3: Sequence[bytes]) -> None:
        self.upper[0].expect(self.sha256.append(sha256))
        self.upper[1].expect(self.sm3.append(sm3))


class Verification:
    """One run over one database."""

    def __init__(
        self,
        session: Session,
        trust: Trust,
        *,
        held: Held | None = None,
        advance: Callable[[int], None] = lambda _count: None,
    ) -> None:
        """`held(source, digest)` checks a piece of evidence where that is asked for; raises NotFound or BlobDamaged."""
        self._session = session
        self._held = held
        self._advance = advance
        self._evidence_seen: set[tuple[str, str]] = set()
        self.report = Report()
        self._chain = Chain(trust, self.report)
        self._sources = SourceCheck(trust.signatures, self.report)

    def run(self, since: Verified | None = None) -> Report:
        """Verify everything, or what came after an earlier run; the report says what was found."""
        report = self.report
        trees = self._begin(since)
        size, newest = self._sizes()
        report.events, report.sealed = size, newest
        start = trees.sha256.size
        self._sources.begin(self._session, start)
        stops = self._stops(start, newest)
        for first in range(start, max(size, newest), BATCH):
            until = min(first + BATCH, max(size, newest))
            hashes = self._attested(first, min(until, newest))
            self._rows(first, until, *hashes)
            self._grow(trees, stops, *hashes)
            self._advance(until - first)
        self._chain.finish(trees.sha256.size)
        for upper in trees.upper:
            upper.compare(self._session, report)
        if not report.fault_count and newest:
            report.verified = Verified(
                newest, trees.sha256.root().hex(), trees.sm3.root().hex(), self._chain.link.hex()
            )
        return report

    def _begin(self, since: Verified | None) -> _Trees:
        size = since.size if since else 0
        uppers = (UpperTiles(SHA256, size), UpperTiles(SM3, size))
        if since is None:
            return _Trees(Edge(SHA256), Edge(SM3), uppers)
        try:
            trees = _Trees(edge_of(self._session, SHA256, size), edge_of(self._session, SM3, size), uppers)
        except ValueError:
            self.report.blame("tiles", 1, size, "上次验证过的瓦片已缺失，须全部重新验证")
            return _Trees(Edge(SHA256), Edge(SM3), (UpperTiles(SHA256, 0), UpperTiles(SM3, 0)))
        if (trees.sha256.root().hex(), trees.sm3.root().hex()) != (since.root, since.sm3_root):
            self.report.blame("tiles", 1, size, "瓦片与上次验证时的根不符")
        self._chain.resume(since)
        return trees

    def _sizes(self) -> tuple[int, int]:
        """How many events there are, and how many the newest checkpoint covers; they must fit each other."""
        last = select(func.coalesce(func.max(EVENT_LOG.c.seq), 0)).scalar_subquery()
        lowest = select(func.coalesce(func.min(EVENT_LOG.c.seq), 1)).scalar_subquery()
        newest = select(func.coalesce(func.max(CHECKPOINTS.c.size), 0)).scalar_subquery()
        head = select(LOG_HEAD.c.size).scalar_subquery()
        rows, sealed, numbered, begin = self._session.execute(select(last, newest, head, lowest)).one()
        if begin < 1:
            self.report.blame("inserted", begin, 0, "编号从 1 开始，此前不应有事件")
        if numbered is None or numbered != rows:
            low, high = sorted((numbered or 0, rows))
            words = "日志末尾缺少已编号的事件" if (numbered or 0) > rows else "日志末尾有未经编号的事件"
            self.report.blame("tail", low + 1, high, words)
        return rows, sealed

    def _stops(self, after: int, until: int) -> Iterator[Checkpoint]:
        """Checkpoints in order of size, each judged by itself; the tree is compared when it has grown so far."""
        for size, note, lines in checkpoints_between(self._session, after, until):
            found = self._chain.read(size, note, lines)
            if found is not None:
                yield found

    def _grow(
        self, trees: _Trees, stops: "Iterator[Checkpoint]", sha256: Sequence[bytes], sm3: Sequence[bytes]
    ) -> None:
        """Grow the trees by these hashes, stopping where a checkpoint or a memory says what the root was."""
        start, end = trees.sha256.size, trees.sha256.size + len(sha256)
        taken = 0
        for stop in self._chain.stops_until(stops, end):
            trees.append(sha256[taken : stop - start], sm3[taken : stop - start])
            taken = stop - start
            self._chain.compare(stop, trees.sha256.root(), trees.sm3.root())
        trees.append(sha256[taken:], sm3[taken:])

    def _attested(self, first: int, until: int) -> tuple[list[bytes], list[bytes]]:
        """The leaf hashes of both trees as the tiles have them, from one place to before another."""
        if until <= first:
            return [], []
        return self._level0(SHA256, first, until), self._level0(SM3, first, until)

    def _level0(self, hasher: Hasher, first: int, until: int) -> list[bytes]:
        columns = LEDGER_TILES.c
        query = (
            select(columns.tile, columns.start, columns.hashes)
            .where(
                columns.tree == hasher.name,
                columns.level == 0,
                columns.tile.between(first // WIDTH, (until - 1) // WIDTH),
            )
            .order_by(columns.tile, columns.start)
        )
        found = [b""] * (until - first)
        for row in self._session.execute(query):
            place = row.tile * WIDTH + row.start - first
            for offset, one in enumerate(split(_raw(row.hashes)), start=place):
                if not 0 <= offset < len(found):
                    continue
                if found[offset]:
                    seq = first + offset + 1
                    self.report.blame("tiles", seq, seq, f"瓦片 {hasher.name} 的片段重叠")
                found[offset] = one
        return found

    def _rows(self, first: int, until: int, sha256: Sequence[bytes], sm3: Sequence[bytes]) -> None:
        query = select(EVENT_LOG).where(EVENT_LOG.c.seq > first, EVENT_LOG.c.seq <= until)
        rows = {row.seq: row for row in self._session.execute(query)}
        for index in range(until - first):
            seq = first + index + 1
            row = rows.get(seq)
            if row is None:
                self.report.blame("missing", seq, seq, "计分事件缺失")
                continue
            self._row(
                row, sha256[index] if index < len(sha256) else None, sm3[index] if index < len(sm3) else None
            )

    def _row(self, row: Row[Any], sha256: bytes | None, sm3: bytes | None) -> None:
        content = row.leaf.encode()
        found = SHA256.leaf(content)
        if found.hex() != row.leaf_hash:
            self.report.blame("leaf", row.seq, row.seq, "叶的内容与其哈希不符")
        if (sha256 is not None and found != sha256) or (sm3 is not None and SM3.leaf(content) != sm3):
            self.report.blame("sealed", row.seq, row.seq, "叶与封块时的哈希不符")
        if different := differences(row):
            words = f"列与叶不符：{'、'.join(different)}（事件 {row.event_id}，单位 {row.unit}）"
            self.report.blame("columns", row.seq, row.seq, words)
        self._sources.check(row)
        if self._held is not None:
            self._evidence(row)

    def _evidence(self, row: Row[Any]) -> None:
        try:
            named = [entry[0] for entry in orjson.loads(row.leaf)["doc_sha"]]
        except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
            return  # said already: such a leaf differs from its columns
        for digest in named:
            if (row.source, digest) in self._evidence_seen or self._held is None:
                continue
            self._evidence_seen.add((row.source, digest))
            self.report.evidence += 1
            try:
                self._held(row.source, digest)
            except NotFound:
                self.report.blame("evidence", row.seq, row.seq, f"佐证材料缺失：{digest}")
            except PermanentError:
                self.report.blame("evidence", row.seq, row.seq, f"佐证材料与摘要不符：{digest}")


def _raw(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        return b""
