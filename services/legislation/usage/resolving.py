"""Resolving citations set-wise: three statements for a batch, whatever its size."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.ids import is_id
from services.legislation.documents.model import DocumentVersion, LegalDocument, StoredArticle
from services.legislation.documents.rules import parse_article, title_key
from services.legislation.documents.service import choose_version, versions_of
from services.legislation.usage.model import ARTICLE, DOCUMENT, NOTHING, UNKNOWN

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Cited:
    """What a citation says: title or id, version or nothing, article, and the day of the act."""

    document: str
    version: str
    article: str
    cited_on: date


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a citation resolved to."""

    state: str
    document_id: str = NOTHING
    version_id: str = NOTHING
    article_key: str = ""


def resolve(session: Session, cited: Sequence[Cited]) -> list[Resolution]:
    """Find document, version in force on the day of the act, and article of each citation, in order."""
    documents = _documents(session, {one.document for one in cited})
    versions: dict[str, list[DocumentVersion]] = defaultdict(list)
    for version in versions_of(session, set(documents.values())):
        versions[version.document_id].append(version)
    chosen: list[tuple[str, DocumentVersion | None, str]] = []
    for one in cited:
        document = documents.get(_name(one.document), "")
        meant = choose_version(versions[document], one.version, one.cited_on) if document else None
        ref = parse_article(one.article)
        chosen.append((document, meant, ref.key if ref else ""))
    articles = _articles(session, {(version.id, key) for _, version, key in chosen if version and key})
    return [_resolution(document, version, key, articles) for document, version, key in chosen]


def _resolution(
    document: str, version: DocumentVersion | None, key: str, articles: Collection[tuple[str, str]]
) -> Resolution:
    if not document:
        return Resolution(UNKNOWN)
    if version is None:
        return Resolution(DOCUMENT, document)
    if (version.id, key) not in articles:
        return Resolution(DOCUMENT, document, version.id)
    return Resolution(ARTICLE, document, version.id, key)


def _name(document: str) -> str:
    return document if is_id(document) else title_key(document)


def _documents(session: Session, cited: Collection[str]) -> dict[str, str]:
    """Document ids by id and by title key."""
    found: dict[str, str] = {}
    names = iter({_name(document) for document in cited})
    while part := list(islice(names, AT_ONCE)):
        ids = [name for name in part if is_id(name)]
        wanted = select(LegalDocument.id, LegalDocument.title_key).where(
            LegalDocument.title_key.in_(part) | LegalDocument.id.in_(ids)
        )
        for row in session.execute(wanted):
            found[row.title_key] = found[row.id] = row.id
    return found


def _articles(session: Session, places: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (version id, article key) exist."""
    found: set[tuple[str, str]] = set()
    versions = iter({version for version, _ in places})
    keys = {key for _, key in places}
    while part := list(islice(versions, AT_ONCE)):
        wanted = select(StoredArticle.version_id, StoredArticle.key).where(
            StoredArticle.version_id.in_(part), StoredArticle.key.in_(keys), StoredArticle.number > 0
        )
        found.update((row.version_id, row.key) for row in session.execute(wanted))
    return found
