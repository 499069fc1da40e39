"""
Article search 条文检索: the library's articles in a full-text index, kept up to date beside the business.

The index is never written in a request. A version without `indexed_at` waits; `catch_up` adds it, `rebuild` makes the
whole index anew while the old one answers. When the engine is away, questions are answered from the database,
slower, without ranking, and marked as degraded.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import Row, Select, func, or_, select, update
from sqlalchemy.orm import Session

from kernel.search import words
from kernel.search.port import Document, Hits, SearchDamaged, SearchIndex, SearchUnavailable, Shape, asked
from kernel.search.port import Row as Hit
from kernel.storage.work import Store
from kernel.telemetry.log import logger
from services.legislation.documents.model import DocumentVersion, LegalDocument, StoredArticle

log = logger(__name__)

SHAPE = Shape(text=("text", "title"), keywords=("kind", "status"))
VERSIONS_AT_ONCE = 200
_OUTER_MARKS = re.compile(r"^[\W_]+|[\W_]+$")


@dataclass(frozen=True, slots=True)
class FoundArticle:
    """One article found, with where it stands."""

    document_id: str
    title: str
    kind: str
    version: str
    status: str
    article: str
    chapter: str
    snippet: str


@dataclass(frozen=True, slots=True)
class Found:
    """How many articles match, the page asked for, and whether the index was away."""

    total: int
    rows: tuple[FoundArticle, ...]
    degraded: bool


class ArticleSearch:
    """Searches articles, and keeps the index that makes it fast."""

    def __init__(self, store: Store, index: SearchIndex) -> None:
        self._store = store
        self._index = index

    def search(
        self,
        phrase: str,
        *,
        kinds: Collection[str] = (),
        statuses: Collection[str] = (),
        offset: int = 0,
        limit: int = 20,
    ) -> Found:
        """Articles that contain every blank-separated phrase, in their text or the title of their document."""
        filters = {name: values for name, values in (("kind", kinds), ("status", statuses)) if values}
        degraded = False
        with self._store.reading() as session:
            try:
                hits = self._index.search(phrase, filters, offset=offset, limit=limit)
            except SearchUnavailable as away:
                log.warning("search_degraded", code=away.stable_code)
                degraded = True
                hits = _from_database(session, phrase, filters, offset=offset, limit=limit)
            rows = _shown(session, hits)
        return Found(hits.total, rows, degraded)

    def catch_up(self) -> int:
        """Index the versions that wait, some at a time; returns how many. Raises `SearchUnavailable`."""
        done = 0
        if not self._indexed() and self._waiting():
            # The first time, or everything changed: one pass is faster than many additions.
            self.rebuild()
            done = self._indexed()
        while waiting := self._waiting():
            with self._store.reading() as session:
                wanted = _articles().where(DocumentVersion.id.in_([version.id for version in waiting]))
                self._index.add([_document(row) for row in session.execute(wanted)])
            self._mark(waiting)
            done += len(waiting)
        return done

    def rebuild(self) -> int:
        """Make the index anew; returns how many articles it has. What came in meanwhile waits for `catch_up`."""
        with self._store.reading() as session:
            begun = self._store.clock.now()
            known = [
                _Waiting(row.id, row.status)
                for row in session.execute(select(DocumentVersion.id, DocumentVersion.status))
            ]
            with session.execute(_articles().execution_options(yield_per=1000)) as stream:
                written = self._index.rebuild(_document(row) for row in stream)
        self._mark(known)
        self._forget_since(begun, known)
        return written

    def keep(self) -> None:
        """What the clock does: catch up, and rebuild an index that was lost or damaged. Waits for the engine to come back."""
        try:
            if self._indexed() and self._index.count() == 0:
                log.warning("search_index_lost")
                self.rebuild()
            else:
                self.catch_up()
        except SearchDamaged:
            log.warning("search_index_damaged")
            self.rebuild()
        except SearchUnavailable as away:
            log.warning("search_index_waits", code=away.stable_code)

    def _indexed(self) -> int:
        with self._store.reading() as session:
            wanted = select(func.count()).where(DocumentVersion.indexed_at.is_not(None))
            return session.scalar(wanted) or 0

    def _waiting(self) -> list["_Waiting"]:
        with self._store.reading() as session:
            wanted = select(DocumentVersion.id, DocumentVersion.status).where(
                DocumentVersion.indexed_at.is_(None)
            )
            rows = session.execute(wanted.order_by(DocumentVersion.id).limit(VERSIONS_AT_ONCE))
            return [_Waiting(row.id, row.status) for row in rows]

    def _mark(self, versions: Sequence["_Waiting"]) -> None:
        """Versions whose status changed while they were indexed stay waiting."""
        now = self._store.clock.now()
        statuses = {version.status for version in versions}
        with self._store.work() as work:
            for status in statuses:
                ids = iter([version.id for version in versions if version.status == status])
                while part := list(islice(ids, 500)):
                    work.session.execute(
                        update(DocumentVersion)
                        .where(DocumentVersion.id.in_(part), DocumentVersion.status == status)
                        .values(indexed_at=now)
                    )
            work.commit()

    def _forget_since(self, begun: datetime, known: Sequence["_Waiting"]) -> None:
        """Versions, new or of a new status, that `catch_up` put into the old index while the new one was being made."""
        taken = set(known)
        with self._store.work() as work:
            wanted = select(DocumentVersion.id, DocumentVersion.status).where(
                DocumentVersion.indexed_at >= begun
            )
            missed = [
                row.id for row in work.session.execute(wanted) if _Waiting(row.id, row.status) not in taken
            ]
            work.session.execute(
                update(DocumentVersion).where(DocumentVersion.id.in_(missed)).values(indexed_at=None)
            )
            work.commit()


@dataclass(frozen=True, slots=True)
class _Waiting:
    id: str
    status: str


def _articles() -> Select[str, str, str, str, str, str]:
    return (
        select(
            StoredArticle.id,
            StoredArticle.label,
            StoredArticle.text,
            LegalDocument.title,
            LegalDocument.kind,
            DocumentVersion.status,
        )
        .join(DocumentVersion, DocumentVersion.id == StoredArticle.version_id)
        .join(LegalDocument, LegalDocument.id == DocumentVersion.document_id)
    )


def _document(row: Row[str, str, str, str, str, str]) -> Document:
    return Document(
        id=row.id,
        text={"text": f"{row.label} {row.text}", "title": row.title},
        keywords={"kind": row.kind, "status": row.status},
    )


def _shown(session: Session, hits: Hits) -> tuple[FoundArticle, ...]:
    """The articles behind the hits, in their order; an article that is gone is left out."""
    wanted = (
        select(StoredArticle, DocumentVersion, LegalDocument)
        .join(DocumentVersion, DocumentVersion.id == StoredArticle.version_id)
        .join(LegalDocument, LegalDocument.id == DocumentVersion.document_id)
        .where(StoredArticle.id.in_([hit.id for hit in hits.rows]))
    )
    known = {
        article.id: (article, version, document) for article, version, document in session.execute(wanted)
    }
    return tuple(_found(hit, *known[hit.id]) for hit in hits.rows if hit.id in known)


def _found(
    hit: Hit, article: StoredArticle, version: DocumentVersion, document: LegalDocument
) -> FoundArticle:
    return FoundArticle(
        document_id=document.id,
        title=document.title,
        kind=document.kind,
        version=version.version,
        status=version.status,
        article=article.label,
        chapter=article.chapter,
        snippet=hit.snippet,
    )


def _from_database(
    session: Session, phrase: str, filters: Mapping[str, Collection[str]], *, offset: int, limit: int
) -> Hits:
    """The same question put to the database: every part in article number, text or title, in the library's order."""
    wanted = asked(phrase, offset, limit)
    parts = filter(None, (_OUTER_MARKS.sub("", part) for part in words.clean(phrase).split()))
    if not wanted:
        return Hits(0, ())
    query = _articles()
    for part in parts:
        columns_of_text = (StoredArticle.label, StoredArticle.text, LegalDocument.title)
        query = query.where(or_(*(column.icontains(part, autoescape=True) for column in columns_of_text)))
    columns = {"kind": LegalDocument.kind, "status": DocumentVersion.status}
    for name, values in filters.items():
        query = query.where(columns[name].in_(values))
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = query.order_by(LegalDocument.title, DocumentVersion.version.desc(), StoredArticle.place)
    rows = session.execute(page.offset(offset).limit(limit))
    return Hits(total, tuple(Hit(row.id, words.snippet(words.clean(row.text), wanted)) for row in rows))
