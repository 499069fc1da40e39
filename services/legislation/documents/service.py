"""
Library 法律法规库: what people ask of it - which documents, which versions, and what an article says on a day.

Taking texts in is intake.py. A basis 依据 is (document, version, article) as somebody cites it; it is resolved by
title or id, by the day that names a version or the version in force on a day, and down to the paragraph 款.
"""

import json
from collections.abc import Collection as Values
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from kernel.clock import local_date
from kernel.errors import Invalid, NotFound
from kernel.ids import is_id
from kernel.storage.work import Store
from services.legislation.documents.model import DocumentVersion, LegalDocument, StoredArticle
from services.legislation.documents.rules import (
    Article,
    ArticleRef,
    Status,
    in_force_on,
    parse_article,
    status_on,
    title_key,
)
from services.legislation.paging import check_page


@dataclass(frozen=True, slots=True)
class ResolvedBasis:
    """A basis found: the article (or paragraph) of one version, and that version's status on the day asked for."""

    document: LegalDocument
    version: DocumentVersion
    status: Status
    article: StoredArticle
    text: str


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document in a list, with its youngest version."""

    document: LegalDocument
    youngest: DocumentVersion
    versions: int


class Library:
    """Reads the library."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def basis(
        self, document: str, version: str = "", article: str = "", on: date | None = None
    ) -> ResolvedBasis:
        """
        Resolve a basis; an empty version means the one in force on the day (today unless said).

        Raises `Invalid` when the article cannot be read, and `NotFound` with code legislation.unknown_document,
        .unknown_version or .unknown_article.
        """
        day = on or local_date(self._store.clock.now())
        ref = parse_article(article)
        if ref is None and not article.strip():
            raise Invalid("请写明条号，如“第六十条”。", code="legislation.bad_article")
        with self._store.reading() as session:
            found = find_document(session, document)
            if found is None:
                raise NotFound("库中没有这部法律文件，请核对名称。", code="legislation.unknown_document")
            versions = versions_of(session, [found.id])
            chosen = choose_version(versions, version, day)
            if chosen is None:
                known = "、".join(sorted(one.version for one in versions if one.version)) or "无"
                raise NotFound(f"没有这个版本，库中现有版本：{known}。", code="legislation.unknown_version")
            stored = _article(session, chosen.id, ref, article)
            text = stored.text if ref is None else _part(stored, ref)
        if text is None:
            raise NotFound("该条没有这一款，请核对款号。", code="legislation.unknown_article")
        return ResolvedBasis(found, chosen, status_on(chosen, versions, day, found.repealed_on), stored, text)

    def documents(
        self, title: str = "", kinds: Values[str] = (), *, offset: int = 0, limit: int = 50
    ) -> tuple[int, list[DocumentRow]]:
        """Documents by title, with their number in all. At most 200 a page."""
        check_page(offset, limit)
        wanted: list[ColumnElement[bool]] = []
        if title.strip():
            wanted.append(LegalDocument.title_key.contains(title_key(title), autoescape=True))
        if kinds:
            wanted.append(LegalDocument.kind.in_(kinds))
        with self._store.reading() as session:
            total = session.scalar(select(func.count()).select_from(LegalDocument).where(*wanted)) or 0
            page = (
                select(LegalDocument)
                .where(*wanted)
                .order_by(LegalDocument.title_key)
                .offset(offset)
                .limit(limit)
            )
            documents = list(session.scalars(page))
            versions = versions_of(session, [document.id for document in documents])
        rows = []
        for document in documents:
            own = [version for version in versions if version.document_id == document.id]
            rows.append(DocumentRow(document, max(own, key=lambda one: one.version), len(own)))
        return total, rows

    def document(self, document: str) -> tuple[LegalDocument, list[DocumentVersion]]:
        """One document by id or title, with all its versions, youngest first. Raises `NotFound`."""
        with self._store.reading() as session:
            found = find_document(session, document)
            if found is None:
                raise NotFound("库中没有这部法律文件，请核对名称。", code="legislation.unknown_document")
            versions = versions_of(session, [found.id])
        return found, sorted(versions, key=lambda one: one.version, reverse=True)

    def text(self, version: str) -> list[StoredArticle]:
        """All articles of one version (by id), in order."""
        with self._store.reading() as session:
            wanted = select(StoredArticle).where(StoredArticle.version_id == version)
            return list(session.scalars(wanted.order_by(StoredArticle.place)))


def find_document(session: Session, name: str) -> LegalDocument | None:
    """The document with this id or any spelling of this title."""
    if is_id(name):
        return session.get(LegalDocument, name)
    return session.scalar(select(LegalDocument).where(LegalDocument.title_key == title_key(name)))


def versions_of(session: Session, documents: Values[str]) -> list[DocumentVersion]:
    """All versions of these documents (by id)."""
    return list(session.scalars(select(DocumentVersion).where(DocumentVersion.document_id.in_(documents))))


def choose_version(versions: Values[DocumentVersion], version: str, day: date) -> DocumentVersion | None:
    """
    The version that a citation means: named by its day or by the day it took effect, else in force on `day`.

    A document without dates (a case) has one version, which any empty citation means.
    """
    if version:
        named = [one for one in versions if version in (one.version, str(one.effective_on or ""))]
        return max(named, key=lambda one: one.version == version, default=None)
    undated = [one for one in versions if one.version_on is None]
    chosen = in_force_on(versions, day)
    return chosen if isinstance(chosen, DocumentVersion) else next(iter(undated), None)


def notes_of(version: DocumentVersion) -> list[str]:
    """What looked odd when the version was read."""
    notes: list[str] = json.loads(version.notes)
    return notes


def _article(session: Session, version: str, ref: ArticleRef | None, cited: str) -> StoredArticle:
    wanted = select(StoredArticle).where(StoredArticle.version_id == version)
    if ref is not None:
        wanted = wanted.where(StoredArticle.key == ref.key)
    else:
        wanted = wanted.where(StoredArticle.label == cited.strip())
    found = session.scalars(wanted.order_by(StoredArticle.place)).first()
    if found is None:
        raise NotFound("该版本没有这一条，请核对条号和版本。", code="legislation.unknown_article")
    return found


def _part(stored: StoredArticle, ref: ArticleRef) -> str | None:
    if not ref.paragraph:
        return stored.text
    article = Article(stored.key, stored.label, ref, stored.chapter, tuple(stored.text.split("\n")))
    return article.paragraph(ref.paragraph)
