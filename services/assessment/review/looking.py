"""
What reviewers and inspectors read 审核查询: queues with due dates, one review side by side, agreement statistics.

A queue shows no scores and no other reviewer; whether a report is scored twice is not told before the answer is given (双盲).
Everything is asked of now or as of a moment 截至 (`at`; past.py says how): the same rules say who sees what, and nothing
can be done in the past.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from contracts.roles import INSPECTOR
from kernel.access.principal import Principal
from kernel.clock import local_date
from kernel.errors import NotFound
from kernel.storage.blobs import Blobs
from kernel.storage.work import Store
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework, Node
from services.assessment.ranking.known import end_of, framework_at
from services.assessment.reach import within
from services.assessment.reporting.evidence import file_among
from services.assessment.reporting.model import REPORT_EVENTS, REPORT_VERSIONS, REPORTS
from services.assessment.reporting.reach import result_of, unit_names
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
from services.assessment.review.model import REVIEW_MARKS
from services.assessment.review.past import Standing
from services.assessment.review.rules import ARBITRATION, Agreement, Mark, agreement
from services.assessment.review.service import Row, assignment_and_head, marks_of

MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class Queue:
    """One page of a queue: rows with the title of their result and its aspect, and what is overdue in all."""

    total: int
    overdue: int
    rows: Sequence[dict[str, Any]]
    framework: Framework


@dataclass(frozen=True, slots=True)
class ReviewDetail:
    """
    One review as its reviewer sees it: what was said, and what this reviewer answered; `others` to arbitrate.

    `is_past`: as it stood, and nothing can be done.
    """

    row: Row
    head: Head
    result: Node
    unit_name: str
    content: Content
    mark: Mark | None
    others: Sequence[Mark]
    returned_before: Sequence[str]
    today: date
    is_past: bool


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

    def end_of(self, day: date | None) -> datetime | None:
        """The moment as of which a past day is shown; None for now. Raises Invalid."""
        return end_of(self._store.clock, day)

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
        at: datetime | None = None,
    ) -> Queue:
        """
        Reviews given to the caller; for an inspector those to arbitrate in the area. Oldest due first.

        `state`: "open" (not answered), "waiting" (not opened), "opened", "done".
        """
        then = self._then(at)
        one = then.assignments.c
        mine = and_(one.reviewer == who.account, one.place < ARBITRATION)
        if who.has(INSPECTOR):
            mine = mine | and_(
                one.place == ARBITRATION, within(who, one.unit), _not_marked_by(who, one.report, one.round)
            )
        return self._page(
            then,
            [mine, then.in_state(state)],
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
        at: datetime | None = None,
    ) -> Queue:
        """
        Open reviews of the inspector's area, with who was asked and whether they are to be handed on 待移交; with
        `to_hand_on` only those.
        """
        then = self._then(at)
        one, lost = then.assignments.c, then.is_lost()
        conditions = [within(who, one.unit), then.in_state("open")]
        if to_hand_on:
            conditions.append(lost)
        if reviewer:
            conditions.append(one.reviewer == reviewer)
        more = (lost.label("to_hand_on"), then.reviewer_name().label("reviewer_name"))
        return self._page(then, conditions, more=more, overdue=overdue, offset=offset, limit=limit)

    def to_hand_on(self, who: Principal, at: datetime | None = None) -> int:
        """How many open reviews of the area wait for another reviewer, because theirs holds the role no more."""
        then = self._then(at)
        conditions = [within(who, then.assignments.c.unit), then.in_state("open"), then.is_lost()]
        wanted = select(func.count()).select_from(then.joined()).where(*conditions)
        with self._store.reading() as session:
            return int(session.execute(wanted).scalar_one())

    def unassigned(self, who: Principal, at: datetime | None = None) -> int:
        """How many submitted reports of the area nobody may review yet."""
        then = self._then(at)
        conditions = [within(who, then.reports.c.unit), then.is_unassigned()]
        wanted = select(func.count()).select_from(then.reports).where(*conditions)
        with self._store.reading() as session:
            return int(session.execute(wanted).scalar_one())

    def one(self, who: Principal, assignment: str, at: datetime | None = None) -> ReviewDetail:
        """One review of the caller's. Raises NotFound, NotAllowed."""
        with self._store.reading() as session:
            row, head = assignment_and_head(session, who, assignment, at)
            framework, _ = self._asked_by(session, head["period"], at)
            marks = marks_of(session, head["id"], row["round"], at)
            others = [marks[place] for place in sorted(marks) if place < ARBITRATION]
            unit: str = head["unit"]
            return ReviewDetail(
                row=row,
                head=head,
                result=result_of(framework, head),
                unit_name=unit_names(session, [unit], at).get(unit, unit),
                content=content_of(session, head["id"], _version_of(session, row)),
                mark=marks.get(row["place"]),
                others=others if row["place"] == ARBITRATION else (),
                returned_before=_returned_before(session, row),
                today=self._then(at).day,
                is_past=at is not None,
            )

    def file(
        self, who: Principal, assignment: str, digest: str, at: datetime | None = None
    ) -> tuple[EvidenceItem, bytes]:
        """A file of the version under review. Raises NotFound, BlobDamaged, Unavailable."""
        with self._store.reading() as session:
            row, head = assignment_and_head(session, who, assignment, at)
            items = content_of(session, head["id"], _version_of(session, row)).evidence
        item = file_among(items, digest)
        return item, self._blobs.get(item.reference)

    def agreement(self, who: Principal, period: str, at: datetime | None = None) -> Agreement:
        """
        How far reviewers agreed on units of the caller's area in a period: never about single reviewers (N11).

        `at`: by the answers given until then; the tolerance is always that of now.
        """
        then = self._then(at)
        one, report = then.assignments.c, then.reports.c
        pairs = _pairs(at).where(REPORTS.c.period == period, within(who, REPORTS.c.unit))
        arbitrated = (
            select(func.count())
            .select_from(then.joined())
            .where(one.place == ARBITRATION, report.period == period, within(who, one.unit))
        )
        with self._store.reading() as session:
            return agreement(
                [(row[0], row[1]) for row in session.execute(pairs)],
                tolerance_milli=self._settings.tolerance_milli,
                arbitrated=session.execute(arbitrated).scalar_one(),
            )

    def measure(self) -> tuple[int, int, int]:
        """(reports that wait for an answer, reviews overdue, reviews to be handed on), for the gauges."""
        now = self._then(None)
        is_open = select(func.count()).select_from(now.joined()).where(now.in_state("open"))
        waiting = select(func.count()).where(REPORTS.c.state.in_((SUBMITTED, REVIEWING)))
        with self._store.reading() as session:
            counted = [
                session.execute(wanted).scalar_one()
                for wanted in (waiting, is_open.where(now.is_late()), is_open.where(now.is_lost()))
            ]
        return counted[0], counted[1], counted[2]

    def _then(self, at: datetime | None) -> Standing:
        return Standing(at, local_date(at or self._store.clock.now()))

    def _page(
        self,
        then: Standing,
        conditions: list[ColumnElement[bool]],
        *,
        more: Sequence[ColumnElement[Any]] = (),
        aspect: str = "",
        search: str = "",
        overdue: bool = False,
        offset: int = 0,
        limit: int = 50,
    ) -> Queue:
        one, report, unit, version = then.assignments.c, then.reports.c, then.units.c, REPORT_VERSIONS.c
        with self._store.reading() as session:
            framework, titles = self._asked_by(session, str(then.day.year), then.at)
            conditions = [*conditions, one.replaced_at.is_(None)]
            if aspect:
                codes = [code for code, (above, _) in titles.items() if above == aspect]
                conditions.append(report.result.in_(codes))
            if search:
                codes = [code for code, (_, title) in titles.items() if search in title]
                conditions.append(report.result.in_(codes) | unit.name.contains(search, autoescape=True))
            late = [*conditions, then.is_late(), one.done_at.is_(None)]
            shown = late if overdue else conditions
            handed_in = and_(version.report == report.id, version.version == report.submitted_version)
            wanted = (
                select(
                    then.assignments,
                    *(report.result, report.period, report.state),
                    *(report.submitted_version, report.submitted_at),
                    report.round.label("report_round"),
                    unit.name.label("unit_name"),
                    *(version.numerator, version.denominator),
                    *more,
                )
                .select_from(then.joined().outerjoin(REPORT_VERSIONS, handed_in))
                .where(*shown)
                .order_by(one.due_on, one.id)
                .offset(offset)
                .limit(min(limit, MOST_ROWS))
            )
            count = select(func.count()).select_from(then.joined())
            total = session.execute(count.where(*shown)).scalar_one()
            overdue_total = session.execute(count.where(*late)).scalar_one()
            rows = [dict(row) for row in session.execute(wanted).mappings()]
            periods = {row["period"] for row in rows}
            asked_by = {period: self._asked_by(session, period, then.at) for period in periods}
            for row in rows:
                _dress(row, *asked_by[row["period"]], then.day)
        return Queue(total, overdue_total, rows, framework)

    def _asked_by(
        self, session: Session, period: str, at: datetime | None
    ) -> tuple[Framework, dict[str, tuple[str, str]]]:
        """The framework by which reports on a period are asked and count, and its results."""
        year = last_day(period).year
        in_force = self._frameworks.in_force
        framework = in_force(year) if at is None else framework_at(session, self._frameworks, at, year)
        return framework, _titles(framework)


def _pairs(at: datetime | None) -> Any:
    """First and second scores of the same round, given until a moment."""
    first, second = REVIEW_MARKS.alias("one"), REVIEW_MARKS.alias("two")
    both = and_(
        first.c.report == second.c.report,
        first.c.round == second.c.round,
        first.c.place == 1,
        second.c.place == 2,
    )
    given = [one.c.decision == "score" for one in (first, second)]
    if at is not None:
        given += [one.c.marked_at <= at for one in (first, second)]
    return (
        select(first.c.score_milli, second.c.score_milli)
        .select_from(first.join(second, both).join(REPORTS, REPORTS.c.id == first.c.report))
        .where(*given)
    )


def _not_marked_by(
    who: Principal, report: ColumnElement[str], round_: ColumnElement[int]
) -> ColumnElement[bool]:
    """Whoever scored a report does not arbitrate it."""
    took_part = select(REVIEW_MARKS.c.report).where(
        REVIEW_MARKS.c.report == report,
        REVIEW_MARKS.c.round == round_,
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
