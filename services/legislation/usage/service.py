"""
Usage 使用率: citations that other services tell, counted by article, unit and month.

Each citation counts once (the inbox sees to repeats). A citation of a document that is not in the library waits and
is counted when the document has come. Definitions of U2 and U3 are in rules.py.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from contracts.citations.v1.citations_pb2 import Citation
from kernel.clock import local_date
from kernel.errors import Invalid, NotFound
from kernel.messages import Item
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.legislation.documents.model import DocumentVersion, LegalDocument, StoredArticle
from services.legislation.documents.rules import title_key
from services.legislation.documents.service import choose_version, find_document, versions_of
from services.legislation.paging import check_page
from services.legislation.tables import table_of
from services.legislation.usage.model import UNKNOWN, StoredCitation, UsageCount
from services.legislation.usage.recount import COUNTED
from services.legislation.usage.resolving import Cited, Resolution, resolve
from services.legislation.usage.rules import Share, month, read_day

AGAIN_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class DocumentUsage:
    """Usage of one document in a period; see rules.py for U2 and U3. `articles` are (label, citations)."""

    document: LegalDocument
    version: DocumentVersion | None
    citations: int
    u2: Share
    u3: Share
    articles: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One document in the list of those most cited."""

    document_id: str
    title: str
    kind: str
    citations: int
    organs: int


class Usage:
    """Counts citations and answers how much a text is used."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, work: Work, items: Sequence[Item]) -> None:
        """Take over citations told by other services, in the transaction of `work`."""
        today = local_date(work.clock.now())
        cited = [item.value for item in items if isinstance(item.value, Citation)]
        asked = [Cited(c.document, c.version, c.article, read_day(c.cited_on) or today) for c in cited]
        resolutions = resolve(work.session, asked)
        rows = [
            _row(citation, one.cited_on, resolution, work)
            for citation, one, resolution in zip(cited, asked, resolutions, strict=True)
        ]
        write_rows(work.session, table_of(StoredCitation), rows)
        _count(work, rows)

    def resolve_waiting(self) -> int:
        """Count citations whose document has come into the library since; returns how many."""
        return self._store.transact(_resolve_waiting)

    def citations(self, version: str, article_key: str) -> int:
        """How often an article of a version (by its id) was cited, ever."""
        with self._store.reading() as session:
            wanted = select(func.sum(UsageCount.citations)).where(
                UsageCount.version_id == version, UsageCount.article_key == article_key
            )
            return int(session.scalar(wanted) or 0)

    def of_document(self, document: str, since: str, until: str) -> DocumentUsage:
        """Usage of one document (id or title) in the months since..until, both included (YYYY-MM)."""
        _check_period(since, until)
        with self._store.reading() as session:
            found = find_document(session, document)
            if found is None:
                raise NotFound("库中没有这部法律文件，请核对名称。", code="legislation.unknown_document")
            period = UsageCount.month.between(since, until)
            version = choose_version(
                versions_of(session, [found.id]), "", local_date(self._store.clock.now())
            )
            own = (period, UsageCount.document_id == found.id)
            articles = _articles(session, version, own) if version else []
            return DocumentUsage(
                found,
                version,
                int(session.scalar(select(func.sum(UsageCount.citations)).where(*own)) or 0),
                Share(_organs(session, *own), _organs(session, period)),
                Share(len(articles), version.articles if version else 0),
                tuple(articles),
            )

    def most_cited(self, since: str, until: str, *, offset: int = 0, limit: int = 50) -> list[UsageRow]:
        """Documents by citations in the months since..until, most cited first."""
        _check_period(since, until)
        check_page(offset, limit)
        total = func.sum(UsageCount.citations).label("citations")
        wanted = (
            select(
                LegalDocument.id,
                LegalDocument.title,
                LegalDocument.kind,
                total,
                func.count(UsageCount.unit.distinct()).label("organs"),
            )
            .join(LegalDocument, LegalDocument.id == UsageCount.document_id)
            .where(UsageCount.month.between(since, until))
            .group_by(LegalDocument.id, LegalDocument.title, LegalDocument.kind)
            .order_by(total.desc(), LegalDocument.title)
        )
        with self._store.reading() as session:
            rows = session.execute(wanted.offset(offset).limit(limit))
            return [UsageRow(row.id, row.title, row.kind, int(row.citations), row.organs) for row in rows]


def _row(citation: Citation, cited_on: date, resolution: Resolution, work: Work) -> dict[str, Any]:
    return {
        "id": citation.id,
        "source": citation.source,
        "subject": citation.subject[:200],
        "unit": citation.unit[:100],
        "document": citation.document[:300],
        "version": citation.version[:50],
        "article": citation.article[:100],
        "title_key": title_key(citation.document)[:300],
        "cited_on": cited_on,
        "state": resolution.state,
        "document_id": resolution.document_id,
        "version_id": resolution.version_id,
        "article_key": resolution.article_key,
        "received_at": work.clock.now(),
    }


def _count(work: Work, rows: Sequence[dict[str, Any]]) -> None:
    counts = Counter(
        (row["document_id"], row["version_id"], row["article_key"], row["unit"], month(row["cited_on"]))
        for row in rows
        if row["state"] != UNKNOWN
    )
    write_rows(
        work.session,
        table_of(UsageCount),
        [{**dict(zip(COUNTED, place, strict=True)), "citations": n} for place, n in counts.items()],
        keys=COUNTED,
        on_conflict={"citations": "add"},
    )


def _resolve_waiting(work: Work) -> int:
    known = select(LegalDocument.title_key)
    wanted = select(StoredCitation).where(
        StoredCitation.state == UNKNOWN, StoredCitation.title_key.in_(known)
    )
    waiting = list(
        work.session.scalars(wanted.order_by(StoredCitation.id).limit(AGAIN_AT_ONCE).with_for_update())
    )
    asked = [Cited(one.document, one.version, one.article, one.cited_on) for one in waiting]
    for citation, resolution in zip(waiting, resolve(work.session, asked), strict=True):
        citation.state = resolution.state
        citation.document_id = resolution.document_id
        citation.version_id = resolution.version_id
        citation.article_key = resolution.article_key
    work.session.flush()
    _count(work, [{name: getattr(one, name) for name in _NEEDED} for one in waiting])
    return len(waiting)


_NEEDED = ("document_id", "version_id", "article_key", "unit", "cited_on", "state")


def _organs(session: Session, *where: ColumnElement[bool]) -> int:
    return (
        session.scalar(select(func.count(UsageCount.unit.distinct())).where(*where, UsageCount.unit != ""))
        or 0
    )


def _articles(
    session: Session, version: DocumentVersion, own: Sequence[ColumnElement[bool]]
) -> list[tuple[str, int]]:
    wanted = (
        select(StoredArticle.label, func.sum(UsageCount.citations).label("citations"))
        .select_from(UsageCount)
        .join(
            StoredArticle,
            (StoredArticle.version_id == UsageCount.version_id)
            & (StoredArticle.key == UsageCount.article_key),
        )
        .where(*own, UsageCount.version_id == version.id, UsageCount.article_key != "")
        .group_by(StoredArticle.label, StoredArticle.place)
        .order_by(StoredArticle.place)
    )
    return [(row.label, int(row.citations)) for row in session.execute(wanted)]


def _check_period(since: str, until: str) -> None:
    good = all(len(text) == 7 and read_day(f"{text}-01") for text in (since, until))
    if not good or since > until:
        raise Invalid("期间应写成起止年月，如 2026-01 至 2026-12。", code="legislation.bad_period")
