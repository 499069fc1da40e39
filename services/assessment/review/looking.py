"""
What reviewers and inspectors read 审核查询: queues with due dates, one review side by side, agreement statistics.

A queue shows no scores and no other reviewer; whether a report is scored twice is not told before the answer is given (双盲).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Join, and_, func, select, text
from sqlalchemy.orm import Session

from contracts.roles import INSPECTOR
from kernel.access.principal import Principal
from kernel.clock import local_date
from kernel.errors import NotFound
from kernel.storage.blobs import Blobs
from kernel.storage.work import Store
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework, Node
from services.assessment.reporting.evidence import file_among
from services.assessment.reporting.model import REPORT_EVENTS, REPORT_VERSIONS, REPORTS
from services.assessment.reporting.reach import result_of
from services.assessment.reporting.records import Head, content_of
from services.assessment.reporting.rules import (
    REVIEWING,
    SUBMITTED,
    Content,
    EvidenceItem,
    Value,
    last_day,
    suggested_milli,
)
from services.assessment.reporting.settings import ReviewSettings
from services.assessment.review.holders import is_lost
from services.assessment.review.model import HOLDERS, REVIEW_ASSIGNMENTS, REVIEW_MARKS
from services.assessment.review.rules import ARBITRATION, Agreement, Mark, agreement
from services.assessment.review.service import Row, assignment_and_head, marks_of
from services.assessment.tables import UNITS

MOST_ROWS = 500
_A, _R, _V, _U = REVIEW_ASSIGNMENTS.c, REPORTS.c, REPORT_VERSIONS.c, UNITS.table.c


@dataclass(frozen=True, slots=True)
class Queue:
    """One page of a queue: rows with the title of their result and its aspect, and what is overdue in all."""

    total: int
    overdue: int
    rows: Sequence[dict[str, Any]]
    framework: Framework


@dataclass(frozen=True, slots=True)
class ReviewDetail:
    """One review as its reviewer sees it: what was said, and what this reviewer answered; `others` to arbitrate."""

    row: Row
    head: Head
    result: Node
    unit_name: str
    content: Content
    mark: Mark | None
    others: Sequence[Mark]
    returned_before: Sequence[str]
    today: date


class Looking:
    """Questions about reviews."""

    def __init__(self, store: Store, frameworks: Frameworks, blobs: Blobs, settings: ReviewSettings) -> None:
        self._store = store
        self._frameworks = frameworks
        self._blobs = blobs
        self._settings = settings

    @property
    def tolerance_milli(self) -> int:
        """How far two scores may differ."""
        return self._settings.tolerance_milli

    def queue(
        self,
        who: Principal,
        *,
        state: str = "open",
        aspect: str = "",
        search: str = "",
        overdue: bool = False,
        offset: int = 0,
        limit: int = 50,
    ) -> Queue:
        """
        Reviews given to the caller; for an inspector those to arbitrate in the area. Oldest due first.

        `state`: "open" (not answered), "waiting" (not opened), "opened", "done".
        """
        mine = and_(_A.reviewer == who.account, _A.place < ARBITRATION)
        if who.has(INSPECTOR):
            mine = mine | and_(_A.place == ARBITRATION, _within(who), _not_marked_by(who))
        return self._page(
            [mine, _in_state(state)],
            aspect=aspect,
            search=search,
            overdue=overdue,
            offset=offset,
            limit=limit,
        )

    def of_area(
        self,
        who: Principal,
        *,
        overdue: bool = False,
        to_hand_on: bool = False,
        reviewer: str = "",
        offset: int = 0,
        limit: int = 50,
    ) -> Queue:
        """
        Open reviews of the inspector's area, with who was asked and whether they are to be handed on 待移交; with
        `to_hand_on` only those.
        """
        conditions = [_within(who), _in_state("open")]
        lost = is_lost(self._today(), _U.path)
        if to_hand_on:
            conditions.append(lost)
        if reviewer:
            conditions.append(_A.reviewer == reviewer)
        name = select(HOLDERS.c.name).where(HOLDERS.c.account == _A.reviewer).scalar_subquery()
        more = (lost.label("to_hand_on"), func.coalesce(name, "").label("reviewer_name"))
        return self._page(conditions, more=more, overdue=overdue, offset=offset, limit=limit)

    def to_hand_on(self, who: Principal) -> int:
        """How many open reviews of the area wait for another reviewer, because theirs holds the role no more."""
        wanted = select(func.count()).select_from(_joined())
        conditions = [_within(who), _in_state("open"), is_lost(self._today(), _U.path)]
        with self._store.reading() as session:
            return int(session.execute(wanted.where(*conditions)).scalar_one())

    def unassigned(self, who: Principal) -> int:
        """How many submitted reports of the area nobody may review yet."""
        wanted = text(
            "SELECT count(*) FROM reports r JOIN units u ON u.code = r.unit WHERE r.state = 'submitted' AND "
            "substr(u.path, 1, length(:path)) = :path AND :path <> '' AND NOT EXISTS (SELECT 1 FROM "
            "review_assignments a WHERE a.report = r.id AND a.round = r.round)"
        )
        with self._store.reading() as session:
            return int(session.execute(wanted, {"path": who.unit_path}).scalar_one())

    def one(self, who: Principal, assignment: str) -> ReviewDetail:
        """One review of the caller's. Raises NotFound, NotAllowed."""
        with self._store.reading() as session:
            row, head = assignment_and_head(session, who, assignment)
            framework, _ = self._asked_by(head["period"])
            marks = marks_of(session, head["id"], row["round"])
            name = session.execute(select(_U.name).where(_U.code == head["unit"])).scalar_one_or_none()
            others = [marks[place] for place in sorted(marks) if place < ARBITRATION]
            return ReviewDetail(
                row=row,
                head=head,
                result=result_of(framework, head),
                unit_name=name or head["unit"],
                content=content_of(session, head["id"], _version_of(session, row)),
                mark=marks.get(row["place"]),
                others=others if row["place"] == ARBITRATION else (),
                returned_before=_returned_before(session, row),
                today=self._today(),
            )

    def file(self, who: Principal, assignment: str, digest: str) -> tuple[EvidenceItem, bytes]:
        """A file of the version under review. Raises NotFound, BlobDamaged, Unavailable."""
        with self._store.reading() as session:
            row, head = assignment_and_head(session, who, assignment)
            items = content_of(session, head["id"], _version_of(session, row)).evidence
        item = file_among(items, digest)
        return item, self._blobs.get(item.reference)

    def agreement(self, who: Principal, period: str) -> Agreement:
        """How far reviewers agreed on units of the caller's area in a period: never about single reviewers (N11)."""
        first, second = REVIEW_MARKS.alias("one"), REVIEW_MARKS.alias("two")
        both = and_(
            first.c.report == second.c.report,
            first.c.round == second.c.round,
            first.c.place == 1,
            second.c.place == 2,
        )
        wanted = (
            select(first.c.score_milli, second.c.score_milli)
            .select_from(
                first.join(second, both)
                .join(REPORTS, _R.id == first.c.report)
                .join(UNITS.table, _U.code == _R.unit)
            )
            .where(
                first.c.decision == "score",
                second.c.decision == "score",
                _R.period == period,
                _within(who),
            )
        )
        arbitrated = (
            select(func.count())
            .select_from(_joined())
            .where(_A.place == ARBITRATION, _R.period == period, _within(who))
        )
        with self._store.reading() as session:
            pairs = [(row[0], row[1]) for row in session.execute(wanted)]
            return agreement(
                pairs,
                tolerance_milli=self._settings.tolerance_milli,
                arbitrated=session.execute(arbitrated).scalar_one(),
            )

    def measure(self) -> tuple[int, int, int]:
        """(reports that wait for an answer, reviews overdue, reviews to be handed on), for the gauges."""
        is_open = select(func.count()).select_from(_joined()).where(_in_state("open"))
        overdue = is_open.where(self._late())
        lost = is_open.where(is_lost(self._today(), _U.path))
        waiting = select(func.count()).select_from(REPORTS).where(_R.state.in_((SUBMITTED, REVIEWING)))
        with self._store.reading() as session:
            counted = [session.execute(one).scalar_one() for one in (waiting, overdue, lost)]
        return counted[0], counted[1], counted[2]

    def _today(self) -> date:
        return local_date(self._store.clock.now())

    def _late(self) -> ColumnElement[bool]:
        return _A.due_on < self._today()

    def _page(
        self,
        conditions: list[ColumnElement[bool]],
        *,
        more: Sequence[ColumnElement[Any]] = (),
        aspect: str = "",
        search: str = "",
        overdue: bool = False,
        offset: int = 0,
        limit: int = 50,
    ) -> Queue:
        framework = self._frameworks.current()
        conditions = [*conditions, _A.replaced_at.is_(None)]
        titles = _titles(framework)
        if aspect:
            conditions.append(_R.result.in_([code for code, (above, _) in titles.items() if above == aspect]))
        if search:
            codes = [code for code, (_, title) in titles.items() if search in title]
            conditions.append(_R.result.in_(codes) | _U.name.contains(search, autoescape=True))
        late = [*conditions, self._late(), _A.done_at.is_(None)]
        shown = late if overdue else conditions
        handed_in = and_(_V.report == _R.id, _V.version == _R.submitted_version)
        wanted = (
            select(
                REVIEW_ASSIGNMENTS,
                *(_R.result, _R.unit, _R.period, _R.state, _R.submitted_version, _R.submitted_at),
                _R.round.label("report_round"),
                _U.name.label("unit_name"),
                *(_V.numerator, _V.denominator),
                *more,
            )
            .select_from(_joined().outerjoin(REPORT_VERSIONS, handed_in))
            .where(*shown)
            .order_by(_A.due_on, _A.id)
            .offset(offset)
            .limit(min(limit, MOST_ROWS))
        )
        count = select(func.count()).select_from(_joined())
        with self._store.reading() as session:
            total = session.execute(count.where(*shown)).scalar_one()
            overdue_total = session.execute(count.where(*late)).scalar_one()
            rows = [dict(row) for row in session.execute(wanted).mappings()]
            asked_by = {period: self._asked_by(period) for period in {row["period"] for row in rows}}
            for row in rows:
                _dress(row, *asked_by[row["period"]], self._today())
        return Queue(total, overdue_total, rows, framework)

    def _asked_by(self, period: str) -> tuple[Framework, dict[str, tuple[str, str]]]:
        """The framework by which reports on a period are asked and count, and its results."""
        framework = self._frameworks.in_force(last_day(period).year)
        return framework, _titles(framework)


def _joined() -> Join:
    return REVIEW_ASSIGNMENTS.join(REPORTS, _R.id == _A.report).join(UNITS.table, _U.code == _R.unit)


def _in_state(state: str) -> ColumnElement[bool]:
    if state == "done":
        return _A.done_at.is_not(None)
    still_open = and_(
        _A.done_at.is_(None),
        _A.replaced_at.is_(None),
        _A.round == _R.round,
        _R.state.in_((SUBMITTED, REVIEWING)),
    )
    if state == "waiting":
        return and_(still_open, _A.opened_at.is_(None))
    return and_(still_open, _A.opened_at.is_not(None)) if state == "opened" else still_open


def _within(who: Principal) -> ColumnElement[bool]:
    return _U.path.startswith(who.unit_path or "\0", autoescape=True)


def _not_marked_by(who: Principal) -> ColumnElement[bool]:
    """Whoever scored a report does not arbitrate it."""
    took_part = select(REVIEW_MARKS.c.report).where(
        REVIEW_MARKS.c.report == _A.report,
        REVIEW_MARKS.c.round == _A.round,
        REVIEW_MARKS.c.place != ARBITRATION,
        REVIEW_MARKS.c.reviewer == who.account,
    )
    return ~took_part.exists()


def _titles(framework: Framework) -> dict[str, tuple[str, str]]:
    """Result -> (its aspect, its title)."""
    tops = [
        n for part in framework.root.children for n in (part.children if framework.components else (part,))
    ]
    return {
        node.code: (aspect.code, node.title)
        for aspect in tops
        for node in aspect.walk()
        if node.method is not None
    }


def _dress(
    row: dict[str, Any], framework: Framework, titles: dict[str, tuple[str, str]], today: date
) -> None:
    """Add what the framework knows of a row: its result's title and aspect, and the score its numbers suggest."""
    row["aspect"], row["title"] = titles.get(row["result"], ("", row["result"]))
    row["overdue"] = row["done_at"] is None and row["due_on"] < today
    node = framework.node(row["result"])
    value = None if row["denominator"] is None else Value(row["numerator"], row["denominator"])
    row["suggested_milli"] = suggested_milli(node.method, value) if node and node.method else None


def _version_of(session: Session, row: Row) -> int:
    """The version that was handed in for the round of an assignment. Raises NotFound."""
    wanted = select(REPORT_EVENTS.c.version).where(
        REPORT_EVENTS.c.report == row["report"],
        REPORT_EVENTS.c.round == row["round"],
        REPORT_EVENTS.c.act == "submitted",
    )
    version = session.execute(wanted).scalar_one_or_none()
    if version is None:
        raise NotFound("没有这一轮提交。", code="assessment.unknown_review")
    return int(version)


def _returned_before(session: Session, row: Row) -> list[str]:
    """Why earlier rounds went back to the unit."""
    wanted = select(REPORT_EVENTS.c.reasons).where(
        REPORT_EVENTS.c.report == row["report"],
        REPORT_EVENTS.c.act == "returned",
        REPORT_EVENTS.c.round < row["round"],
    )
    return list(session.scalars(wanted.order_by(REPORT_EVENTS.c.number)))
