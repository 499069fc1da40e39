"""
Tiles 哈希瓦片 (C2SP tlog-tiles): a tree cut into pieces of 256 hashes that never change once full.

The tile at level l holds nodes of height 8·l: level 0 the leaf hashes, level 1 the roots of full tiles of level 0,
and so on. Nodes between are computed. A partial tile is the beginning of a full one, so a log is stored by adding
hashes at its right edge and nothing else: `Edge` grows a tree and says what to add, `TileNodes` reads one for proofs.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kernel.errors import Invalid
from kernel.ledger.tree import HASH_BYTES, Hasher, root_of

WIDTH = 256
HEIGHT = 8
MAX_LEVEL = 6  # 256**7 leaves are more than a size can say
MAX_ENTRY_BYTES = 0xFFFF
_PATH = re.compile(
    r"(?P<level>[0-9]|[1-5][0-9]|6[0-3]|entries)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class TileUnknown(Invalid):
    """Not a path of a tile."""

    code = "platform.tile_path"
    message = "不是瓦片的路径（C2SP tlog-tiles）。"


@dataclass(frozen=True, slots=True)
class TilePath:
    """Which tile: its level (None for entries), its place, and how many of its 256 places are meant."""

    level: int | None
    index: int
    width: int = WIDTH

    def __str__(self) -> str:
        groups = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            groups.insert(0, f"x{rest % 1000:03d}")
            rest //= 1000
        level = "entries" if self.level is None else str(self.level)
        partial = f".p/{self.width}" if self.width < WIDTH else ""
        return f"tile/{level}/{'/'.join(groups)}{partial}"


def read_tile_path(written: str) -> TilePath:
    """A tile from its path `tile/0/x001/067.p/8`; raises TileUnknown."""
    match = _PATH.fullmatch(written.removeprefix("tile/"))
    if match is None or not written.startswith("tile/"):
        raise TileUnknown()
    index = int(match["index"].replace("x", "").replace("/", ""))
    level = None if match["level"] == "entries" else int(match["level"])
    path = TilePath(level, index, int(match["width"] or WIDTH))
    if str(path) != written:  # one path for one tile
        raise TileUnknown()
    return path


def tiles_of(size: int) -> Iterator[TilePath]:
    """Every hash tile of a tree of this size, the lowest level first; the last of a level may be partial."""
    count, level = size, 0
    while count:
        yield from (TilePath(level, index) for index in range(count // WIDTH))
        if count % WIDTH:
            yield TilePath(level, count // WIDTH, count % WIDTH)
        count, level = count // WIDTH, level + 1


def right_edge(size: int) -> list[TilePath]:
    """The partial tiles of a tree of this size: all that is needed to grow it."""
    counts = ((level, size >> (HEIGHT * level)) for level in range(MAX_LEVEL + 1))
    return [TilePath(level, count // WIDTH, count % WIDTH) for level, count in counts if count % WIDTH]


def entry_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries of one tile, each after its length in two bytes; raises ValueError for one over 65,535 bytes."""
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise ValueError("an entry is longer than a bundle can say")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


@dataclass(frozen=True, slots=True)
class Piece:
    """Hashes to add to a tile, after the `start` it already has."""

    level: int
    index: int
    start: int
    hashes: bytes


class Edge:
    """The right edge of a growing tree: its perfect subtrees, the largest first, in memory."""

    def __init__(self, hasher: Hasher, size: int = 0, tiles: Mapping[int, bytes] | None = None) -> None:
        """Take up a tree of `size`; `tiles` are the contents of its `right_edge` by level."""
        self.hasher = hasher
        self.size = size
        self._peaks: list[bytes] = []
        for path in reversed(right_edge(size)):
            content = (tiles or {}).get(path.level or 0, b"")
            if len(content) != path.width * HASH_BYTES:
                raise ValueError(f"{path} has {len(content)} bytes")
            self._peaks += _peaks(hasher, split(content))

    def append(self, leaf_hashes: Iterable[bytes]) -> list[Piece]:
        """Add leaves; returns what is new in the tiles of each level."""
        counts = [self.size >> (HEIGHT * level) for level in range(MAX_LEVEL + 1)]
        fresh: list[list[bytes]] = [[] for _ in counts]
        leaves, peaks, node = fresh[0], self._peaks, self.hasher.node
        for found in leaf_hashes:
            leaves.append(found)
            height = 0
            while self.size >> height & 1:  # a perfect subtree of this height waits for its right half
                found = node(peaks.pop(), found)  # noqa: PLW2901
                height += 1
                if height % HEIGHT == 0:
                    fresh[height // HEIGHT].append(found)
            peaks.append(found)
            self.size += 1
        return [
            piece
            for level, (count, hashes) in enumerate(zip(counts, fresh, strict=True))
            for piece in _pieces(level, count, hashes)
        ]

    def root(self) -> bytes:
        """The root of the tree now."""
        if not self._peaks:
            return self.hasher.digest(b"")
        *left, found = self._peaks
        for peak in reversed(left):
            found = self.hasher.node(peak, found)
        return found


def _pieces(level: int, count: int, hashes: Sequence[bytes]) -> Iterator[Piece]:
    """Hashes that follow the `count` a level has, cut where tiles end."""
    taken = 0
    while taken < len(hashes):
        tile, start = divmod(count + taken, WIDTH)
        some = hashes[taken : taken + WIDTH - start]
        yield Piece(level, tile, start, b"".join(some))
        taken += len(some)


class TileNodes:
    """Nodes of a stored tree: reads tiles once each, computes what lies between."""

    def __init__(self, hasher: Hasher, read: Callable[[int, int], bytes]) -> None:
        """`read(level, index)` answers the stored hashes of a tile, as many as there are."""
        self._hasher = hasher
        self._read = read
        self._layers: dict[tuple[int, int], list[list[bytes]]] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """The perfect node of this height and place; raises LookupError where it is not stored."""
        tile_level, height = divmod(level, HEIGHT)
        tile, place = divmod(index, WIDTH >> height)
        layers = self._layers.get((tile_level, tile))
        if layers is None:
            layers = self._layers[tile_level, tile] = [split(self._read(tile_level, tile))]
        while len(layers) <= height:
            below = layers[-1]
            layers.append([self._hasher.node(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
        if place >= len(layers[height]):
            raise LookupError(f"node {index} of level {level} is not stored")
        return layers[height][place]


def split(content: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [content[i : i + HASH_BYTES] for i in range(0, len(content), HASH_BYTES)]


def _peaks(hasher: Hasher, hashes: Sequence[bytes]) -> list[bytes]:
    """Roots of the perfect subtrees that fill these places, the largest first."""
    peaks, start = [], 0
    while start < len(hashes):
        width = 1 << ((len(hashes) - start).bit_length() - 1)
        peaks.append(root_of(hasher, hashes[start : start + width]))
        start += width
    return peaks
