"""
Search port: a full-text index over small typed documents.

An index is never the record: whoever fills it can throw it away and rebuild it from his database, and nobody
writes it inside a request. A rebuild leaves no gap: the old index answers until the new one is complete.

Two implementations pass one contract (tests/contract/search): embedded.py for one machine, opensearch.py for
a cluster. What counts as a match is decided in words.py, not by an engine.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kernel.errors import Invalid, Unavailable
from kernel.search import words

MOST_ROWS = 100
DEEPEST_ROW = 10_000
MOST_PHRASES = 10
LONGEST_PHRASE = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """Which fields the documents of one index have. The first text field with a match gives the snippet."""

    text: tuple[str, ...]
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One thing that can be found: searchable texts, and keywords that filters compare exactly."""

    id: str
    text: Mapping[str, str]
    keywords: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One document found; `snippet` is HTML with <em> around the matches and all else escaped."""

    id: str
    snippet: str


@dataclass(frozen=True, slots=True)
class Hits:
    """How many documents match in all, and the rows asked for, best first."""

    total: int
    rows: tuple[Row, ...]


class SearchUnavailable(Unavailable):
    """The index cannot be reached or is busy; the caller may answer from its database instead."""

    code = "search.unavailable"
    message = "全文检索服务暂时不可用，请稍后再试。"


class SearchDamaged(SearchUnavailable):
    """What the index keeps cannot be read; only `rebuild` helps."""

    code = "search.damaged"
    message = "全文检索索引已损坏，请重建索引（fazhi rebuild）。"


class SearchIndex(Protocol):
    """A full-text index. Every method raises `SearchUnavailable` when the engine is away."""

    def rebuild(self, documents: Iterable[Document]) -> int:
        """Replace the whole content and return how many documents it has; the old one answers meanwhile."""

    def add(self, documents: Iterable[Document]) -> int:
        """Add documents or replace those with the same id; they can be found when this returns."""

    def remove(self, ids: Iterable[str]) -> None:
        """Forget documents; unknown ids are no error."""

    def search(
        self,
        phrase: str,
        filters: Mapping[str, Collection[str]] | None = None,
        *,
        offset: int = 0,
        limit: int = 20,
    ) -> Hits:
        """Documents that contain every blank-separated phrase and have one of the values of each filter."""

    def count(self) -> int:
        """How many documents the index holds."""


def asked(phrase: str, offset: int, limit: int) -> Sequence[tuple[str, ...]]:
    """Check a question and cut it into phrases. Raises `Invalid` when it is larger than an index answers."""
    if not 1 <= limit <= MOST_ROWS or offset < 0:
        raise Invalid(f"每页条数应在 1 至 {MOST_ROWS} 之间，起始位置不能为负数。", code="search.bad_page")
    if offset + limit > DEEPEST_ROW:
        raise Invalid(f"只能翻看前 {DEEPEST_ROW} 条结果，请增加检索词或筛选条件。", code="search.too_deep")
    found = words.phrases(phrase)
    if len(found) > MOST_PHRASES or any(len(one) > LONGEST_PHRASE for one in found):
        raise Invalid(
            f"检索词过长，请使用不超过 {MOST_PHRASES} 个、每个不超过 {LONGEST_PHRASE} 字的检索词。",
            code="search.phrase_too_long",
        )
    return found


def best_snippet(shape: Shape, text: Mapping[str, str], wanted: Sequence[tuple[str, ...]]) -> str:
    """The snippet of the first field in which something was found, else the start of the first field."""
    for name in shape.text:
        if words.places(text.get(name, ""), wanted):
            return words.snippet(text[name], wanted)
    return words.snippet(text.get(shape.text[0], ""), ())
