"""
Statuses 时效性: derived from all versions and repeals of the library, for one day.

"In force" means: no later version and no repealing text is in the library. A repeal counts from the day the
repealing version takes effect, and only for a document that has no version younger than that day.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kernel.storage.work import Work
from services.legislation.documents.model import DocumentVersion, LegalDocument, Repeal
from services.legislation.documents.rules import status_on


def refresh_statuses(work: Work, today: date) -> int:
    """
    Bring every status up to date; returns how many versions changed theirs.

    A changed version leaves the search index's good graces (`indexed_at` empty) so that its filter follows.
    """
    session = work.session
    versions: dict[str, list[DocumentVersion]] = defaultdict(list)
    for version in session.scalars(select(DocumentVersion)):
        versions[version.document_id].append(version)
    repeals = _repeals(session)
    changed = []
    for document in session.execute(
        select(LegalDocument.id, LegalDocument.title_key, LegalDocument.repealed_on)
    ):
        own = versions[document.id]
        repealed_on = _repealed_on(own, repeals.get(document.title_key, ()))
        if repealed_on != document.repealed_on:
            session.execute(
                update(LegalDocument).where(LegalDocument.id == document.id).values(repealed_on=repealed_on)
            )
        for version in own:
            status = status_on(version, own, today, repealed_on).value
            if status != version.status:
                version.status = status
                version.indexed_at = None
                changed.append(version)
    session.flush()
    return len(changed)


def _repeals(session: Session) -> dict[str, list[date]]:
    """Days from which versions of the library repeal a title."""
    found: dict[str, list[date]] = defaultdict(list)
    rows = session.execute(
        select(Repeal.title_key, DocumentVersion.effective_on)
        .join(DocumentVersion, DocumentVersion.id == Repeal.version_id)
        .where(DocumentVersion.effective_on.is_not(None))
    )
    for row in rows:
        found[row.title_key].append(row.effective_on)
    return found


def _repealed_on(versions: Sequence[DocumentVersion], repeals: Sequence[date]) -> date | None:
    youngest = max((version.version_on for version in versions if version.version_on), default=None)
    return min((day for day in repeals if youngest is None or day >= youngest), default=None)
