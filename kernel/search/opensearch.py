"""
OpenSearch index: the same meaning of a match on a cluster.

An alias with the version of the words is the name of the index; behind it stands one real index. A rebuild fills a new one and moves the
alias in one step. Texts arrive already cut into units and pairs (words.py), so the analyser only splits at
blanks and no plugin is needed. Queries are built from typed parts, never from a query string that a person
could write operators into, and every request has a time limit.

This is the only module that imports opensearchpy. The contract is in port.py.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opensearchpy import OpenSearch, helpers
from opensearchpy.exceptions import ConnectionError as LinkError
from opensearchpy.exceptions import NotFoundError, RequestError, TransportError

from kernel.ids import new_id
from kernel.search import words
from kernel.search.port import DEEPEST_ROW, Document, Hits, Row, SearchUnavailable, Shape, asked, best_snippet

_BATCH = 500
_BATCH_BYTES = 8_000_000


class OpenSearchIndex:
    """The search port over one alias of an OpenSearch cluster."""

    def __init__(
        self, shape: Shape, url: str, alias: str, *, timeout_seconds: float = 10.0, replicas: int = 1
    ) -> None:
        self._shape = shape
        self._alias = f"{alias}-v{words.VERSION}"
        self._replicas = replicas
        self._client = OpenSearch(hosts=[url], timeout=timeout_seconds, max_retries=1, retry_on_timeout=False)

    def rebuild(self, documents: Iterable[Document]) -> int:
        name = f"{self._alias}-{new_id()}"
        with _away_as_unavailable():
            self._client.indices.create(index=name, body=self._body())
            try:
                written = self._write(name, documents)
                self._client.indices.refresh(index=name)
            except BaseException:
                self._client.indices.delete(index=name, ignore=[404])
                raise
            self._move_alias_to(name)
            return written

    def add(self, documents: Iterable[Document]) -> int:
        with _away_as_unavailable():
            self._ensure()
            written = self._write(self._alias, documents)
            self._client.indices.refresh(index=self._alias)
            return written

    def remove(self, ids: Iterable[str]) -> None:
        with _away_as_unavailable():
            self._ensure()
            actions = ({"_op_type": "delete", "_index": self._alias, "_id": document} for document in ids)
            helpers.bulk(self._client, actions, chunk_size=_BATCH, raise_on_error=False)
            self._client.indices.refresh(index=self._alias)

    def search(
        self,
        phrase: str,
        filters: Mapping[str, Collection[str]] | None = None,
        *,
        offset: int = 0,
        limit: int = 20,
    ) -> Hits:
        wanted = asked(phrase, offset, limit)
        if not wanted:
            return Hits(0, ())
        body = {
            "query": self._query(wanted, filters or {}),
            "from": offset,
            "size": limit,
            "sort": ["_score", {"id": "asc"}],
            "track_total_hits": True,
        }
        with _away_as_unavailable():
            try:
                found = self._client.search(index=self._alias, body=body)["hits"]
            except NotFoundError:
                return Hits(0, ())
        rows = (Row(hit["_id"], best_snippet(self._shape, hit["_source"], wanted)) for hit in found["hits"])
        return Hits(int(found["total"]["value"]), tuple(rows))

    def count(self) -> int:
        with _away_as_unavailable():
            try:
                return int(self._client.count(index=self._alias)["count"])
            except NotFoundError:
                return 0

    def _query(
        self, wanted: Sequence[tuple[str, ...]], filters: Mapping[str, Collection[str]]
    ) -> dict[str, Any]:
        return {
            "bool": {
                "must": [
                    {
                        "bool": {
                            "should": [self._in_field(name, phrase) for name in self._shape.text],
                            "minimum_should_match": 1,
                        }
                    }
                    for phrase in wanted
                ],
                "filter": [{"terms": {name: sorted(values)}} for name, values in filters.items()],
            }
        }

    def _in_field(self, name: str, phrase: tuple[str, ...]) -> dict[str, Any]:
        if len(phrase) == 1:
            return {"term": {f"{name}_one": {"value": phrase[0]}}}
        return {"match_phrase": {f"{name}_two": {"query": words.pairs(phrase)}}}

    def _write(self, index: str, documents: Iterable[Document]) -> int:
        actions = (
            {"_op_type": "index", "_index": index, "_id": document.id, "_source": self._source(document)}
            for document in documents
        )
        written, _ = helpers.bulk(
            self._client,
            actions,
            chunk_size=_BATCH,
            max_chunk_bytes=_BATCH_BYTES,
            max_retries=3,
            stats_only=True,
        )
        return int(written)

    def _source(self, document: Document) -> dict[str, str]:
        source = {"id": document.id, **document.keywords}
        for name in self._shape.text:
            text = words.clean(document.text.get(name, ""))
            cut = words.cut(text)
            source[name] = text
            source[f"{name}_one"] = words.singles(cut)
            source[f"{name}_two"] = words.pairs(cut)
        return source

    def _body(self) -> dict[str, Any]:
        keyword = {"type": "keyword"}
        fields: dict[str, Any] = {"id": keyword, **dict.fromkeys(self._shape.keywords, keyword)}
        unread = []
        for name in self._shape.text:
            # Kept for the snippet only: neither searched nor sorted by.
            fields[name] = {"type": "keyword", "index": False, "doc_values": False}
            fields[f"{name}_one"] = {"type": "text", "analyzer": "whitespace", "index_options": "freqs"}
            fields[f"{name}_two"] = {"type": "text", "analyzer": "whitespace"}
            unread += [f"{name}_one", f"{name}_two"]
        return {
            "settings": {
                "number_of_shards": 1,
                "number_of_replicas": self._replicas,
                "max_result_window": DEEPEST_ROW,
            },
            "mappings": {"dynamic": "strict", "_source": {"excludes": unread}, "properties": fields},
        }

    def _ensure(self) -> None:
        if self._client.indices.exists_alias(name=self._alias):
            return
        # A fixed name: two processes that start at once cannot put two indexes behind the alias.
        body = {**self._body(), "aliases": {self._alias: {}}}
        try:
            self._client.indices.create(index=f"{self._alias}-first", body=body)
        except RequestError as error:
            if error.error != "resource_already_exists_exception":
                raise

    def _move_alias_to(self, name: str) -> None:
        try:
            old = list(self._client.indices.get_alias(name=self._alias))
        except NotFoundError:
            old = []
        moves: list[dict[str, Any]] = [{"remove": {"index": one, "alias": self._alias}} for one in old]
        moves.append({"add": {"index": name, "alias": self._alias}})
        self._client.indices.update_aliases(body={"actions": moves})
        for one in old:
            self._client.indices.delete(index=one, ignore=[404])


@contextmanager
def _away_as_unavailable() -> Iterator[None]:
    try:
        yield
    except LinkError as away:
        raise SearchUnavailable from away
    except TransportError as error:
        if error.status_code in (429, 500, 502, 503, 504):
            raise SearchUnavailable from error
        raise
