"""
Recounting: citations that a version which came into the library late was meant by.

An amended law may be imported months after it took effect, and the text of years ago after today's. Until then a
citation was counted for the version that was there, or for none. Such citations wait again (`resolve_waiting`), and
what was counted for them is taken back: numbers of an old and a new text are never mixed.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update

from kernel.storage.reach import beyond
from kernel.storage.setwise import write_rows
from kernel.storage.work import Work
from services.legislation.documents.model import DocumentVersion
from services.legislation.tables import table_of
from services.legislation.usage.model import NOTHING, UNKNOWN, StoredCitation, UsageCount
from services.legislation.usage.rules import month

COUNTED = ("document_id", "version_id", "article_key", "unit", "month")


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version that came into the library, of a document that was there before."""

    document_id: str
    title_key: str
    version: str
    effective_on: date


def wait_again(work: Work, versions: Iterable[NewVersion]) -> None:
    """Let the citations that mean one of these versions be resolved again."""
    for version in versions:
        with beyond("a law that came late counts for the citations of every unit", work.session):
            _reopen(work, version)


def _reopen(work: Work, version: NewVersion) -> None:
    meant = _meant(work, version)
    place = (
        StoredCitation.document_id,
        StoredCitation.version_id,
        StoredCitation.article_key,
        StoredCitation.unit,
        StoredCitation.cited_on,
    )
    counted: Counter[tuple[str, str, str, str, str]] = Counter()
    for row in work.session.execute(
        select(*place, func.count().label("number")).where(meant).group_by(*place)
    ):
        counted[row.document_id, row.version_id, row.article_key, row.unit, month(row.cited_on)] += row.number
    if not counted:
        return
    rows = [{**dict(zip(COUNTED, place, strict=True)), "citations": -n} for place, n in counted.items()]
    counts = table_of(UsageCount)
    write_rows(work.session, counts, rows, keys=COUNTED, on_conflict={"citations": "add"})
    none_left = (UsageCount.document_id == version.document_id, UsageCount.citations == 0)
    work.session.execute(delete(UsageCount).where(*none_left))
    waiting = {"state": UNKNOWN, "document_id": NOTHING, "version_id": NOTHING, "article_key": ""}
    work.session.execute(update(StoredCitation).where(meant).values(waiting))


def _meant(work: Work, version: NewVersion) -> ColumnElement[bool]:
    """Citations that name the version, or name none and are of a day on which no later one was in force."""
    later = select(DocumentVersion.id).where(
        DocumentVersion.document_id == version.document_id,
        DocumentVersion.effective_on >= version.effective_on,
    )
    unnamed = and_(
        StoredCitation.version == "",
        StoredCitation.cited_on >= version.effective_on,
        StoredCitation.version_id.not_in(list(work.session.scalars(later))),
    )
    named = and_(
        StoredCitation.version.in_([version.version, version.effective_on.isoformat()]),
        StoredCitation.version_id == NOTHING,
    )
    return and_(
        StoredCitation.title_key == version.title_key, StoredCitation.state != UNKNOWN, or_(unnamed, named)
    )
