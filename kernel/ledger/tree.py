"""
Merkle trees 默克尔树 of the shape of RFC 6962, for a given hash function.

A leaf is hashed with 0x00 before it, a node with 0x01, so neither can pass for the other; the root of nothing is the
hash of nothing. SHA-256 is what everybody checks; SM3 (GB/T 32905-2016) is a second tree of the same shape.

Proofs are made from *perfect* nodes only: `Nodes` answers for level and index, `node(0, i)` being the hash of leaf i
and `node(l, i)` of the 2**l leaves from i * 2**l. Storage as tiles (tiles.py) is one such answer. Checking a proof
needs nothing but the proof (RFC 9162, 2.1.3.2 and 2.1.4.2).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes

from kernel.errors import PermanentError

Nodes = Callable[[int, int], bytes]
HASH_BYTES = 32


class ProofWrong(PermanentError):
    """A proof does not show what it was given for."""

    code = "platform.proof_wrong"
    message = "证明不成立：所给的哈希与根不符。"


@dataclass(frozen=True, slots=True)
class Hasher:
    """A hash function of 32 bytes, used the way RFC 6962 uses it."""

    name: str
    digest: Callable[[bytes], bytes]

    def leaf(self, content: bytes) -> bytes:
        """The hash of a leaf."""
        return self.digest(b"\x00" + content)

    def node(self, left: bytes, right: bytes) -> bytes:
        """The hash of two subtrees side by side."""
        return self.digest(b"\x01" + left + right)


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


_FRESH_SM3 = hashes.Hash(hashes.SM3())  # copied: making one anew costs as much as hashing a node


def _sm3(content: bytes) -> bytes:
    state = _FRESH_SM3.copy()
    state.update(content)
    return state.finalize()


SHA256 = Hasher("sha256", _sha256)
SM3 = Hasher("sm3", _sm3)


def root(hasher: Hasher, node: Nodes, size: int) -> bytes:
    """The root of the first `size` leaves."""
    return _subtree(hasher, node, 0, size) if size else hasher.digest(b"")


def root_of(hasher: Hasher, leaf_hashes: Sequence[bytes]) -> bytes:
    """The root of these leaf hashes, in memory."""
    layer = list(leaf_hashes)
    if not layer:
        return hasher.digest(b"")
    while len(layer) > 1:
        paired = [hasher.node(layer[i], layer[i + 1]) for i in range(0, len(layer) - 1, 2)]
        layer = paired + layer[len(paired) * 2 :]
    return layer[0]


def inclusion(hasher: Hasher, node: Nodes, index: int, size: int) -> list[bytes]:
    """The proof that leaf `index` (from 0) is in the tree of `size` leaves, nearest sibling first."""
    if not 0 <= index < size:
        raise ProofWrong(f"第 {index} 片叶不在 {size} 片叶的树中。")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_subtree(hasher, node, middle, end))
            end = middle
        else:
            proof.append(_subtree(hasher, node, start, middle))
            start = middle
    return proof[::-1]


def consistency(hasher: Hasher, node: Nodes, old: int, new: int) -> list[bytes]:
    """The proof that the tree of `old` leaves (at least 1) is the beginning of the tree of `new`."""
    if not 1 <= old <= new:
        raise ProofWrong(f"大小 {old} 与 {new} 之间没有一致性证明。")
    proof: list[bytes] = []
    start, end = 0, new
    whole = True  # the old tree is exactly the part that was descended into, whose root the checker has
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(_subtree(hasher, node, middle, end))
            end = middle
        else:
            proof.append(_subtree(hasher, node, start, middle))
            start, whole = middle, False
    if not whole:
        proof.append(_subtree(hasher, node, start, end))
    return proof[::-1]


def verify_inclusion(
    hasher: Hasher, *, index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], expected_root: bytes
) -> None:
    """Check an inclusion proof; raises ProofWrong."""
    _check_lengths((expected_root,))
    if root_over(hasher, index=index, size=size, leaf_hash=leaf_hash, proof=proof) != expected_root:
        raise ProofWrong()


def root_over(hasher: Hasher, *, index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that a leaf leads to by an inclusion proof; raises ProofWrong for a proof that fits no such place."""
    if not 0 <= index < size:
        raise ProofWrong(f"第 {index} 片叶不在 {size} 片叶的树中。")
    _check_lengths((leaf_hash, *proof))
    found = leaf_hash
    for sibling, is_left in _climb(index, size - 1, proof):
        found = hasher.node(sibling, found) if is_left else hasher.node(found, sibling)
    return found


def verify_consistency(
    hasher: Hasher, *, old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check a consistency proof between two trees of at least one leaf; raises ProofWrong."""
    if not 1 <= old <= new:
        raise ProofWrong(f"大小 {old} 与 {new} 之间没有一致性证明。")
    if old == new:
        if proof or old_root != new_root:
            raise ProofWrong()
        return
    if not proof:
        raise ProofWrong("证明为空。")
    _check_lengths((old_root, new_root, *proof))
    # The root of a perfect old tree is a node of the new one; the checker has it, so the proof leaves it out.
    first, *rest = proof if old & (old - 1) else [old_root, *proof]
    height = (old & -old).bit_length() - 1
    was = now = first
    for sibling, is_left in _climb((old - 1) >> height, (new - 1) >> height, rest):
        if is_left:
            was = hasher.node(sibling, was)
        now = hasher.node(sibling, now) if is_left else hasher.node(now, sibling)
    if was != old_root or now != new_root:
        raise ProofWrong()


def _climb(place: int, last: int, proof: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Siblings on the way up from a place to the root, and whether each stands to the left."""
    for sibling in proof:
        if last == 0:
            raise ProofWrong("证明过长。")
        is_left = bool(place & 1) or place == last
        yield sibling, is_left
        while is_left and place and not place & 1:
            place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
    if last:
        raise ProofWrong("证明过短。")


def _check_lengths(given: Sequence[bytes]) -> None:
    """Two hashes of other lengths could stand together for two quite different ones."""
    if any(len(one) != HASH_BYTES for one in given):
        raise ProofWrong("证明中的哈希不是 32 字节。")


def _split(width: int) -> int:
    """The largest power of two below `width` (RFC 6962, 2.1)."""
    return 1 << ((width - 1).bit_length() - 1)


def _subtree(hasher: Hasher, node: Nodes, start: int, end: int) -> bytes:
    """The root of leaves start..end, where start is a multiple of the perfect width that holds them."""
    level = (end - start - 1).bit_length()
    if end - start == 1 << level:
        return node(level, start >> level)
    middle = start + _split(end - start)
    return hasher.node(_subtree(hasher, node, start, middle), _subtree(hasher, node, middle, end))
