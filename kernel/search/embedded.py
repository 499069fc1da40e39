"""
Embedded index: tantivy in this process, in a folder or in memory.

A folder holds generations, each a complete index, and a file `current-v1` that names the one which answers. A
rebuild writes a new generation beside it and then replaces that file in one step, so that another process
with the folder open (the command line beside a running server) changes over with its next question.

The meaning of a match is in words.py; the contract is in port.py.
"""

import fcntl
import shutil
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import tantivy

from kernel.ids import new_id
from kernel.search import words
from kernel.search.port import (
    Document,
    Hits,
    Row,
    SearchDamaged,
    SearchUnavailable,
    Shape,
    asked,
    best_snippet,
)

_WRITER_BYTES = 32_000_000
_WAIT_FOR_WRITER_SECONDS = 10.0
_OPENINGS = 3
_PREFIX = f"v{words.VERSION}-"
_POINTER = f"current-v{words.VERSION}"


@dataclass(frozen=True, slots=True)
class _Opened:
    name: str
    index: tantivy.Index
    changed_ns: int


class EmbeddedIndex:
    """The search port over tantivy. One writer at a time, also across processes; readers never wait."""

    def __init__(self, shape: Shape, folder: Path | None = None) -> None:
        self._shape = shape
        self._folder = folder
        self._schema = _schema(shape)
        self._writing = threading.Lock()
        self._opened: _Opened | None = None

    def rebuild(self, documents: Iterable[Document]) -> int:
        with self._alone():
            name = _new_name()
            index = self._create(name)
            written = self._write(index, documents, replacing=False)
            self._switch_to(name, index)
            return written

    def add(self, documents: Iterable[Document]) -> int:
        with self._alone():
            index = self._current()
            if index is None:
                name = _new_name()
                index = self._create(name)
                self._switch_to(name, index)
            return self._write(index, documents, replacing=True)

    def remove(self, ids: Iterable[str]) -> None:
        with self._alone():
            index = self._current()
            if index is None:
                return
            writer = _writer(index)
            for document in ids:
                writer.delete_documents_by_term("id", document)
            _finish(index, writer)

    def search(
        self,
        phrase: str,
        filters: Mapping[str, Collection[str]] | None = None,
        *,
        offset: int = 0,
        limit: int = 20,
    ) -> Hits:
        wanted = asked(phrase, offset, limit)
        index = self._current()
        if index is None or not wanted:
            return Hits(0, ())
        searcher = index.searcher()
        found = searcher.search(self._query(wanted, filters or {}), limit=limit, offset=offset)
        total = int(found.count or 0)  # type: ignore[attr-defined]  # missing in the library's stub
        return Hits(total, tuple(self._row(searcher, at, wanted) for _, at in found.hits))

    def count(self) -> int:
        index = self._current()
        return index.searcher().num_docs if index else 0

    def _query(
        self, wanted: Sequence[tuple[str, ...]], filters: Mapping[str, Collection[str]]
    ) -> tantivy.Query:
        parts = [(tantivy.Occur.Must, self._anywhere(phrase)) for phrase in wanted]
        for name, values in filters.items():
            chosen = tantivy.Query.term_set_query(self._schema, name, sorted(values))
            parts.append((tantivy.Occur.Must, tantivy.Query.const_score_query(chosen, 0.0)))
        return tantivy.Query.boolean_query(parts)

    def _anywhere(self, phrase: tuple[str, ...]) -> tantivy.Query:
        choices = [(tantivy.Occur.Should, self._in_field(name, phrase)) for name in self._shape.text]
        return tantivy.Query.boolean_query(choices)

    def _in_field(self, name: str, phrase: tuple[str, ...]) -> tantivy.Query:
        if len(phrase) == 1:
            return tantivy.Query.term_query(self._schema, f"{name}_one", phrase[0], "freq")
        couples = words.pairs(phrase).split(" ")
        if len(couples) == 1:
            return tantivy.Query.term_query(self._schema, f"{name}_two", couples[0])
        return tantivy.Query.phrase_query(self._schema, f"{name}_two", list(couples))

    def _row(
        self, searcher: tantivy.Searcher, at: tantivy.DocAddress, wanted: Sequence[tuple[str, ...]]
    ) -> Row:
        stored = searcher.doc(at)
        text = {name: bytes(stored.get_first(name) or b"").decode() for name in self._shape.text}
        return Row(str(stored.get_first("id")), best_snippet(self._shape, text, wanted))

    def _write(self, index: tantivy.Index, documents: Iterable[Document], *, replacing: bool) -> int:
        writer = _writer(index)
        written = 0
        try:
            for document in documents:
                if replacing:
                    writer.delete_documents_by_term("id", document.id)
                writer.add_document(self._stored(document))
                written += 1
        except BaseException:
            writer.rollback()
            raise
        _finish(index, writer)
        return written

    def _stored(self, document: Document) -> tantivy.Document:
        stored = tantivy.Document()
        stored.add_text("id", document.id)
        for name in self._shape.text:
            text = words.clean(document.text.get(name, ""))
            cut = words.cut(text)
            stored.add_bytes(name, text.encode())
            stored.add_text(f"{name}_one", words.singles(cut))
            stored.add_text(f"{name}_two", words.pairs(cut))
        for name, value in document.keywords.items():
            stored.add_text(name, value)
        return stored

    def _current(self) -> tantivy.Index | None:
        if self._folder is None:
            return self._opened.index if self._opened else None
        for attempt in range(1, _OPENINGS + 1):
            try:
                return self._reopened(self._folder)
            except (OSError, ValueError) as unreadable:
                # Another process may have changed over between reading its name and opening it: read again.
                self._opened = None
                if attempt == _OPENINGS:
                    raise SearchDamaged from unreadable
        return None

    def _reopened(self, folder: Path) -> tantivy.Index | None:
        name = _named(folder)
        if not name:
            return None
        changed_ns = (folder / name / "meta.json").stat().st_mtime_ns
        opened = self._opened
        if opened is None or opened.name != name:
            opened = _Opened(name, tantivy.Index(self._schema, path=str(folder / name)), changed_ns)
        elif opened.changed_ns != changed_ns:
            opened.index.reload()
            opened = _Opened(name, opened.index, changed_ns)
        self._opened = opened
        return opened.index

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One writer at a time, in this process and among those that share the folder."""
        with self._writing:
            if self._folder is None:
                yield
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / "writing").open("w") as held:
                _lock(held)
                yield

    def _create(self, name: str) -> tantivy.Index:
        if self._folder is None:
            return tantivy.Index(self._schema)
        place = self._folder / name
        place.mkdir(parents=True)
        return tantivy.Index(self._schema, path=str(place))

    def _switch_to(self, name: str, index: tantivy.Index) -> None:
        self._opened = _Opened(name, index, 0)
        if self._folder is None:
            return
        written = self._folder / f"{_POINTER}.{name}"
        written.write_text(name, encoding="ascii")
        written.replace(self._folder / _POINTER)
        for other in self._folder.iterdir():
            # Generations of another version belong to a process that is being replaced by this one.
            if other.is_dir() and other.name != name and other.name.startswith(_PREFIX):
                shutil.rmtree(other, ignore_errors=True)


def _new_name() -> str:
    return _PREFIX + new_id()


def _lock(held: IO[str]) -> None:
    patience = time.monotonic() + _WAIT_FOR_WRITER_SECONDS
    while True:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as busy:
            if time.monotonic() > patience:
                raise SearchUnavailable(
                    "检索索引正由另一进程写入，请稍后再试。", code="search.busy"
                ) from busy
            time.sleep(0.05)


def _named(folder: Path) -> str:
    try:
        return (folder / _POINTER).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def _schema(shape: Shape) -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    for name in shape.text:
        builder.add_bytes_field(name, stored=True)
        builder.add_text_field(f"{name}_one", tokenizer_name="whitespace", index_option="freq")
        builder.add_text_field(f"{name}_two", tokenizer_name="whitespace", index_option="position")
    for name in shape.keywords:
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    return builder.build()


def _writer(index: tantivy.Index) -> tantivy.IndexWriter:
    return index.writer(_WRITER_BYTES, 1)


def _finish(index: tantivy.Index, writer: tantivy.IndexWriter) -> None:
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
