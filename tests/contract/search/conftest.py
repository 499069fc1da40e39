"""The two search indexes, so that every promise of the port is asked of both."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kernel.ids import new_id
from kernel.search.embedded import EmbeddedIndex
from kernel.search.opensearch import OpenSearchIndex
from kernel.search.port import SearchIndex, Shape

SHAPE = Shape(text=("text", "title"), keywords=("kind", "status"))


@pytest.fixture(params=["embedded", "embedded-in-memory", "opensearch"])
def reopened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], SearchIndex]]:
    """Opens the same index, again and again where the engine keeps it outside the object."""
    if request.param == "embedded":
        yield lambda: EmbeddedIndex(SHAPE, tmp_path / "index")
    elif request.param == "embedded-in-memory":
        only = EmbeddedIndex(SHAPE)
        yield lambda: only
    else:
        url = request.getfixturevalue("opensearch").url
        alias = f"articles-{new_id()}"
        yield lambda: OpenSearchIndex(SHAPE, url, alias, replicas=0)


@pytest.fixture
def index(reopened: Callable[[], SearchIndex]) -> SearchIndex:
    """An empty index of the engine under test."""
    return reopened()
