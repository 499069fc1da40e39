"""Tiles have the paths and the form that other programs expect (C2SP tlog-tiles)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import Invalid
from kernel.ledger.tiles import Edge, TilePath, entry_bundle, read_tile_path
from kernel.ledger.tree import SHA256


def test_the_example_of_the_standard():
    assert str(TilePath(0, 1234067)) == "tile/0/x001/x234/067"
    assert str(TilePath(None, 5, 8)) == "tile/entries/005.p/8"


@given(st.one_of(st.none(), st.integers(0, 6)), st.integers(0, 2**40), st.integers(1, 256))
def test_every_path_is_read_back(level, index, width):
    path = TilePath(level, index, width)
    assert read_tile_path(str(path)) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/",
        "0/000",
        "tile/0/0",
        "tile/64/000",
        "tile/00/000",
        "tile/0/x000/001",
        "tile/0/001/x002",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/08",
        "tile/0/../000",
        "tile/0/000\n",
        "tile/0/٠٠٠",
    ],
)
def test_anything_else_is_refused(path):
    with pytest.raises(Invalid):
        read_tile_path(path)


def test_entries_stand_after_their_length():
    assert entry_bundle([b"a", b"", b"bc"]) == b"\x00\x01a\x00\x00\x00\x02bc"
    with pytest.raises(ValueError, match="longer"):
        entry_bundle([b"x" * 65536])


def test_an_edge_with_a_missing_tile_is_not_taken_up():
    with pytest.raises(ValueError, match="bytes"):
        Edge(SHA256, 300, {0: b"\x00" * 32 * 44})
