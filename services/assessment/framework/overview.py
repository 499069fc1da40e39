"""What there is of frameworks: every version with its state, and every proposal with its answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.storage.work import Store
from services.assessment.framework.model import DECISIONS, DRAFTS, FRAMEWORKS, PROPOSALS, PUBLISH
from services.assessment.framework.records import in_force_by_year, retired
from services.assessment.ranking.known import end_of

VersionState = Literal["draft", "proposed", "returned", "published", "in_force", "retired"]
MOST = 200


@dataclass(frozen=True, slots=True)
class ProposalLine:
    """A proposal 提请事项 with its answer; `approved` None while it waits."""

    id: str
    act: str
    framework: str
    version: str
    draft: str
    year: int
    note: str
    proposed_by: str
    proposed_at: datetime
    approved: bool | None
    decided_by: str
    decided_at: datetime | None
    decision_note: str


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version of a framework; `draft` is empty once it is published, `years` those it is in force for."""

    id: str
    version: str
    title: str
    year: int
    state: VersionState
    digest: str
    draft: str
    source: str
    made_by: str
    made_at: datetime
    years: tuple[int, ...]


class FrameworkOverview:
    """The lists of the page 指标管理."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def versions(self, *, drafts: bool) -> list[VersionLine]:
        """Every version, newest first; drafts only for those who deal with them."""
        with self._store.reading() as session:
            found = _published(session)
            if drafts:
                found = [*_drafts(session, {(line.id, line.version) for line in found}), *found]
        return found

    def proposals(self, framework: str = "", day: date | None = None) -> list[ProposalLine]:
        """Proposals, those that wait first, then newest first; until the end of a day, or all. Raises Invalid."""
        at = end_of(self._store.clock, day)
        with self._store.reading() as session:
            lines = [line for line in _proposals(session, at) if framework in ("", line.framework)]
        return sorted(lines, key=lambda line: line.approved is not None)


def _published(session: Session) -> list[VersionLine]:
    used: dict[tuple[str, str], list[int]] = {}
    for year, key in in_force_by_year(session).items():
        used.setdefault(key, []).append(year)
    gone = retired(session)
    columns = [column for column in FRAMEWORKS.c if column.name != "document"]
    rows = session.execute(select(*columns).order_by(FRAMEWORKS.c.published_at.desc(), FRAMEWORKS.c.id))
    found = []
    for row in rows:
        years = tuple(sorted(used.get((row.id, row.version), ())))
        state: VersionState = (
            "retired" if (row.id, row.version) in gone else "in_force" if years else "published"
        )
        found.append(
            VersionLine(
                row.id,
                row.version,
                row.title,
                row.year,
                state,
                row.digest,
                "",
                "",
                "",
                row.published_at,
                years,
            )
        )
    return found


def _drafts(session: Session, published: Iterable[tuple[str, str]]) -> list[VersionLine]:
    """The newest draft of every version that is not published."""
    answers = {line.draft: line for line in reversed(_proposals(session)) if line.act == PUBLISH}
    columns = [column for column in DRAFTS.c if column.name != "document"]
    rows = session.execute(select(*columns).order_by(DRAFTS.c.drafted_at.desc(), DRAFTS.c.id.desc()))
    seen = set(published)
    found = []
    for row in rows:
        if (row.framework, row.version) in seen:
            continue
        seen.add((row.framework, row.version))
        answer = answers.get(row.id)
        state: VersionState = (
            "draft" if answer is None else "proposed" if answer.approved is None else "returned"
        )
        found.append(
            VersionLine(
                row.framework,
                row.version,
                row.title,
                row.year,
                state,
                row.digest,
                row.id,
                row.source,
                row.drafted_by,
                row.drafted_at,
                (),
            )
        )
    return found


def _proposals(session: Session, at: datetime | None = None) -> list[ProposalLine]:
    """The newest proposals (until a moment), newest first."""
    decided = DECISIONS.c.proposal == PROPOSALS.c.id
    if at is not None:
        decided = decided & (DECISIONS.c.decided_at <= at)
    query = (
        select(
            PROPOSALS,
            DECISIONS.c.approved,
            DECISIONS.c.decided_by,
            DECISIONS.c.decided_at,
            DECISIONS.c.note.label("decision_note"),
        )
        .outerjoin(DECISIONS, decided)
        .order_by(PROPOSALS.c.proposed_at.desc(), PROPOSALS.c.id.desc())
        .limit(MOST)
    )
    if at is not None:
        query = query.where(PROPOSALS.c.proposed_at <= at)
    return [
        ProposalLine(
            id=row.id,
            act=row.act,
            framework=row.framework,
            version=row.version,
            draft=row.draft or "",
            year=row.year,
            note=row.note,
            proposed_by=row.proposed_by,
            proposed_at=row.proposed_at,
            approved=row.approved,
            decided_by=row.decided_by or "",
            decided_at=row.decided_at,
            decision_note=row.decision_note or "",
        )
        for row in session.execute(query)
    ]
