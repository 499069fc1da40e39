"""A tree answers as RFC 6962 defines it, whatever its size; a proof of one thing proves nothing else."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.ledger.tiles import HASH_BYTES, WIDTH, Edge, TileNodes, tiles_of
from kernel.ledger.tree import (
    SHA256,
    SM3,
    ProofWrong,
    consistency,
    inclusion,
    root,
    root_of,
    verify_consistency,
    verify_inclusion,
)

hashers = st.sampled_from([SHA256, SM3])
sizes = st.one_of(st.integers(1, 70), st.integers(250, 260), st.integers(500, 1100))


def defined(hasher, leaves):
    """RFC 6962, 2.1, word by word."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else hasher.digest(b"")
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hasher.node(defined(hasher, leaves[:k]), defined(hasher, leaves[k:]))


def leaf_hashes(hasher, size):
    return [hasher.leaf(str(number).encode()) for number in range(size)]


def stored(hasher, hashes, steps=(10**9,)):
    """A tree grown in these steps; its tiles as a store would have them."""
    edge, tiles, at = Edge(hasher), {}, 0
    for step in steps:
        for piece in edge.append(hashes[at : at + step]):
            before = tiles.get((piece.level, piece.index), b"")
            assert len(before) == piece.start * HASH_BYTES
            tiles[piece.level, piece.index] = before + piece.hashes
        at += step
    return edge, tiles


def nodes(hasher, tiles):
    return TileNodes(hasher, lambda level, index: tiles[level, index])


def test_sm3_is_the_national_standard():
    """GB/T 32905-2016, annex A.1."""
    digest = SM3.digest(b"abc").hex()
    assert digest == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_a_leaf_cannot_pass_for_a_node():
    left, right = SHA256.leaf(b"a"), SHA256.leaf(b"b")
    assert SHA256.node(left, right) == hashlib.sha256(b"\x01" + left + right).digest()
    assert SHA256.leaf(left + right) != SHA256.node(left, right)


@settings(deadline=None)  # trees of a thousand leaves: what is tested is not the time
@given(hashers, sizes, st.lists(st.integers(1, 400), max_size=6))
def test_however_a_tree_grew_its_root_is_the_defined_one(hasher, size, steps):
    hashes = leaf_hashes(hasher, size)
    edge, tiles = stored(hasher, hashes, (*steps, 10**9))
    expected = defined(hasher, hashes)
    assert edge.root() == expected == root_of(hasher, hashes)
    assert root(hasher, nodes(hasher, tiles), size) == expected
    wanted = {(path.level, path.index): path.width * HASH_BYTES for path in tiles_of(size)}
    assert {key: len(content) for key, content in tiles.items()} == wanted


@settings(deadline=None)  # trees of a thousand leaves: what is tested is not the time
@given(hashers, sizes, st.integers(1, 600))
def test_a_tree_taken_up_again_grows_on_as_if_never_left(hasher, size, more):
    hashes = leaf_hashes(hasher, size + more)
    _, tiles = stored(hasher, hashes[:size])
    last = {level: content for (level, _), content in tiles.items() if len(content) < WIDTH * HASH_BYTES}
    again = Edge(hasher, size, last)
    again.append(hashes[size:])
    assert again.root() == root_of(hasher, hashes)


@settings(deadline=None)  # trees of a thousand leaves: what is tested is not the time
@given(hashers, sizes, st.data())
def test_inclusion_is_proved_for_the_leaf_and_its_place_only(hasher, size, data):
    index = data.draw(st.integers(0, size - 1))
    hashes = leaf_hashes(hasher, size)
    _, tiles = stored(hasher, hashes)
    proof = inclusion(hasher, nodes(hasher, tiles), index, size)
    what = {"size": size, "proof": proof, "expected_root": root_of(hasher, hashes)}
    verify_inclusion(hasher, index=index, leaf_hash=hashes[index], **what)
    with pytest.raises(ProofWrong):
        verify_inclusion(hasher, index=index, leaf_hash=hasher.leaf(b"another"), **what)
    other = data.draw(st.integers(0, size - 1).filter(lambda place: place != index)) if size > 1 else 1
    with pytest.raises(ProofWrong):
        verify_inclusion(hasher, index=other, leaf_hash=hashes[index], **what)


@settings(deadline=None)  # trees of a thousand leaves: what is tested is not the time
@given(hashers, sizes, st.data())
def test_consistency_is_proved_for_the_true_beginning_only(hasher, size, data):
    old = data.draw(st.integers(1, size))
    hashes = leaf_hashes(hasher, size)
    _, tiles = stored(hasher, hashes)
    proof = consistency(hasher, nodes(hasher, tiles), old, size)
    what = {"old": old, "new": size, "proof": proof, "new_root": root_of(hasher, hashes)}
    verify_consistency(hasher, old_root=root_of(hasher, hashes[:old]), **what)
    changed = data.draw(st.integers(0, old - 1))
    forged = [*hashes[:changed], hasher.leaf(b"another"), *hashes[changed + 1 : old]]
    with pytest.raises(ProofWrong):
        verify_consistency(hasher, old_root=root_of(hasher, forged), **what)


@pytest.mark.parametrize(("old", "new"), [(0, 5), (6, 5), (0, 0)])
def test_what_has_no_proof_is_refused(old, new):
    _, tiles = stored(SHA256, leaf_hashes(SHA256, 5))
    with pytest.raises(ProofWrong):
        consistency(SHA256, nodes(SHA256, tiles), old, new)


def test_a_node_that_is_not_stored_is_never_made_up():
    _, tiles = stored(SHA256, leaf_hashes(SHA256, 5))
    with pytest.raises(LookupError):
        nodes(SHA256, tiles)(0, 5)
    with pytest.raises(LookupError):
        nodes(SHA256, tiles)(2, 1)
