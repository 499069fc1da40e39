"""
What a unit does with its self-reports 指标填报: see what is asked, write drafts, submit, withdraw.

Drafts belong to the unit alone: to everybody else, a superior included, they do not exist (P5, R36). Inspectors
read what was submitted in their area. Reviewers reach reports only through their assignments (review/service.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, func, select

from kernel.access.principal import Principal
from kernel.calendar import WorkingCalendar
from kernel.clock import local_date
from kernel.errors import Invalid, NotFound
from kernel.storage.work import Store, Work
from kernel.text import clean_text
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework, Node
from services.assessment.publication.closing import require_open
from services.assessment.ranking.known import end_of, framework_at
from services.assessment.reporting.evidence import (
    KnownObject,
    check_evidence,
    file_among,
    file_of_unit,
    known_objects,
    named,
)
from services.assessment.reporting.past import reports_at
from services.assessment.reporting.reach import (
    check_version,
    no_such_report,
    not_writable,
    own_head,
    own_unit,
    result_of,
    unit_names,
    visible_head,
)
from services.assessment.reporting.records import (
    Head,
    advance,
    begin,
    content_of,
    events_of,
    head_row,
    report_id,
    versions_of,
    write_version,
)
from services.assessment.reporting.rules import (
    NOT_STARTED,
    SEEN_BY_OTHERS,
    WRITABLE,
    Content,
    EvidenceItem,
    Limits,
    ReportIncomplete,
    Value,
    asked,
    check_period,
    content_problems,
    last_day,
    missing,
)
from services.assessment.scoring.tallies import Assessed
from services.assessment.tables import UNITS

MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """One result a unit is asked for, and where its report stands; `state` "not_started" where there is none."""

    id: str
    aspect: Node
    result: Node
    points: int
    state: str
    version: int
    round: int
    score_milli: int | None
    due_on: date
    changed_at: Any


@dataclass(frozen=True, slots=True)
class AskedList:
    """Everything a unit is asked for in a period."""

    framework: Framework
    unit: Assessed
    period: str
    today: date
    rows: Sequence[Asked]


@dataclass(frozen=True, slots=True)
class ReportDetail:
    """One report as its caller may see it; `is_past`: as it stood, and nothing can be done."""

    head: Head
    framework: Framework
    result: Node
    unit_name: str
    content: Content
    version: int
    versions: Sequence[RowMapping]
    events: Sequence[dict[str, Any]]
    is_own: bool
    is_past: bool
    today: date


class Reports:
    """The self-reports of one installation."""

    def __init__(
        self, store: Store, frameworks: Frameworks, calendar: WorkingCalendar, limits: Limits
    ) -> None:
        self._store = store
        self._frameworks = frameworks
        self._calendar = calendar
        self.limits = limits

    def end_of(self, day: date | None) -> datetime | None:
        """The moment as of which a past day is shown; None for now. Raises Invalid."""
        return end_of(self._store.clock, day)

    def framework_of(self, period: str, at: datetime | None = None) -> Framework:
        """
        The framework in force for the year that a period is of, by which its reports count; as known at a moment.

        Raises Invalid, NotFound.
        """
        year = last_day(period).year
        if at is None:
            return self._frameworks.in_force(year)
        with self._store.reading() as session:
            return framework_at(session, self._frameworks, at, year)

    # --- what is asked ----------------------------------------------------------------------------------

    def asked_of(self, who: Principal, period: str = "", at: datetime | None = None) -> AskedList:
        """
        What the caller's unit is asked for in a period ("" the running year), or was at a moment.

        Raises NotFound, Invalid.
        """
        today = self._day(at)
        period = period or str(today.year)
        framework = self.framework_of(period, at)
        due, then = self.due_on(period), reports_at(at)
        with self._store.reading() as session:
            unit = own_unit(session, framework, who, at)
            wanted = select(then).where(
                then.c.framework == framework.id, then.c.unit == unit.code, then.c.period == period
            )
            heads = {row["result"]: dict(row) for row in session.execute(wanted).mappings()}
        rows = [
            _asked_row(framework, unit, period, due, aspect, node, heads.get(node.code))
            for aspect, node in asked(framework, unit.group)
        ]
        return AskedList(framework, unit, period, today, rows)

    def due_on(self, period: str) -> date:
        """The last day for reporting on a period. Raises Invalid."""
        end = last_day(period)
        if len(period) == 4:
            return date(end.year, self.limits.due_month, self.limits.due_day)
        return self._calendar.working_days_after(end, self.limits.days_after_month).due_on

    def of_area(
        self,
        who: Principal,
        *,
        period: str = "",
        state: str = "",
        offset: int = 0,
        limit: int = 50,
        at: datetime | None = None,
    ) -> tuple[int, list[dict[str, Any]]]:
        """Reports submitted by units of the caller's area, now or at a moment, newest first: total and one page."""
        heads, units = reports_at(at), UNITS.table
        conditions = [
            heads.c.state.in_([state] if state in SEEN_BY_OTHERS else sorted(SEEN_BY_OTHERS)),
            units.c.path.startswith(who.unit_path or "\0", autoescape=True),
        ]
        if period:
            conditions.append(heads.c.period == period)
        joined = heads.join(units, units.c.code == heads.c.unit)
        wanted = (
            select(heads)
            .select_from(joined)
            .where(*conditions)
            .order_by(heads.c.submitted_at.desc(), heads.c.id)
            .offset(offset)
            .limit(min(limit, MOST_ROWS))
        )
        with self._store.reading() as session:
            total = session.execute(select(func.count()).select_from(joined).where(*conditions)).scalar_one()
            rows = [dict(row) for row in session.execute(wanted).mappings()]
            names = unit_names(session, {row["unit"] for row in rows}, at)
        frameworks = {period: self.framework_of(period, at) for period in {row["period"] for row in rows}}
        for row in rows:
            node = frameworks[row["period"]].node(row["result"])
            row["title"] = node.title if node else row["result"]
            row["unit_name"] = names.get(row["unit"], row["unit"])
        return total, rows

    def one(self, who: Principal, report: str, version: int = 0, at: datetime | None = None) -> ReportDetail:
        """
        One report: every version for its unit, what was submitted for an inspector of the area.

        `at`: as it stood at that moment (as of 截至), to be read only. Raises NotFound.
        """
        with self._store.reading() as session:
            head, is_own, unit_name = visible_head(session, who, report, at)
            framework = self.framework_of(head["period"], at)
            versions = versions_of(session, head, submitted_only=not is_own)
            wanted = version or (head["version"] if is_own else head["submitted_version"])
            if wanted and wanted not in {row["version"] for row in versions}:
                raise no_such_report()
            return ReportDetail(
                head=head,
                framework=framework,
                result=result_of(framework, head),
                unit_name=unit_name,
                content=content_of(session, head["id"], wanted),
                version=wanted,
                versions=versions,
                events=events_of(session, head["id"], is_own=is_own, at=at),
                is_own=is_own,
                is_past=at is not None,
                today=self._day(at),
            )

    def writable(self, who: Principal, report: str) -> Head:
        """The report of the caller's unit that may still be written. Raises NotFound, WrongState."""
        with self._store.reading() as session:
            head, is_own, _ = visible_head(session, who, report)
        if not is_own:
            raise no_such_report()
        if head["state"] not in WRITABLE:
            raise not_writable(head)
        return head

    def evidence_item(
        self, who: Principal, report: str, digest: str, at: datetime | None = None
    ) -> EvidenceItem:
        """
        A file of this report that the caller may read: of any version for its unit, else as submitted.

        `at`: as submitted until that moment. Raises NotFound.
        """
        with self._store.reading() as session:
            head, is_own, _ = visible_head(session, who, report, at)
            if is_own:
                return file_of_unit(session, head, digest)
            items = content_of(session, head["id"], head["submitted_version"]).evidence
        return file_among(items, digest)

    def objects(self, who: Principal, report: str, search: str) -> list[KnownObject]:
        """Business objects of the unit that may be named in this report. Raises NotFound."""
        titles = self._frameworks.probe_titles
        with self._store.reading() as session:
            head, is_own, _ = visible_head(session, who, report)
            if not is_own:
                raise no_such_report()
            return known_objects(session, head, titles, search=search)

    # --- what is done -----------------------------------------------------------------------------------

    def open(self, who: Principal, result: str, period: str) -> str:
        """Begin the report on a result; returns its id, the same every time. Raises NotFound, RuleViolation."""
        check_period(period, local_date(self._store.clock.now()), self.limits)
        framework = self.framework_of(period)

        def enter(work: Work) -> str:
            require_open(work.session, period)
            unit = own_unit(work.session, framework, who)
            node = next((node for _, node in asked(framework, unit.group) if node.code == result), None)
            if node is None:
                raise NotFound(
                    "本单位没有这项自报成果，请从填报列表中选择。", code="assessment.unknown_result"
                )
            row = head_row(framework, node, unit, period, self.due_on(period), work)
            if begin(work, [row], who.account):
                work.audit(who, "report.opened", f"reports/{row['id']}")
            return str(row["id"])

        return self._store.transact(enter)

    def save(self, who: Principal, report: str, version: int, content: Content) -> int:
        """
        Write a draft over version `version`; returns the newest version.

        Raises NotFound, Conflict (somebody of the unit wrote meanwhile), WrongState, Invalid.
        """
        content = self._cleaned(content)

        def write(work: Work) -> int:
            head = own_head(work, who, report)
            if head["state"] not in WRITABLE:
                raise not_writable(head)
            require_open(work.session, head["period"])
            check_version(head, version)
            method = result_of(self.framework_of(head["period"]), head).method
            assert method is not None
            problems = content_problems(content, method, self.limits)
            problems += check_evidence(work.session, head, content.evidence)
            if problems:
                raise Invalid(problems=problems)
            kept = replace(content, evidence=named(work.session, head, content.evidence))
            newest = write_version(work, head, kept, who.account)
            work.audit(who, "report.saved", f"reports/{report}", object_version=str(newest))
            return newest

        return self._store.transact(write)

    def submit(self, who: Principal, report: str, version: int) -> Head:
        """
        Hand the newest version in for review. Raises NotFound, Conflict, WrongState, ReportIncomplete, RuleViolation.
        """

        def hand_in(work: Work) -> Head:
            head = own_head(work, who, report)
            check_version(head, version)
            check_period(head["period"], local_date(work.clock.now()), self.limits)
            require_open(work.session, head["period"])
            method = result_of(self.framework_of(head["period"]), head).method
            assert method is not None
            content = content_of(work.session, report, head["version"])
            lacking = missing(content, method) + check_evidence(work.session, head, content.evidence)
            if lacking:
                raise ReportIncomplete(problems=lacking)
            moved = advance(work, head, "submitted", who.account)
            work.audit(who, "report.submitted", f"reports/{report}", object_version=str(version))
            return moved

        return self._store.transact(hand_in)

    def withdraw(self, who: Principal, report: str, reasons: str) -> Head:
        """Take a submission back before its review has begun. Raises NotFound, WrongState."""

        def take_back(work: Work) -> Head:
            moved = advance(work, own_head(work, who, report), "withdrawn", who.account, reasons=reasons)
            work.audit(who, "report.withdrawn", f"reports/{report}")
            return moved

        return self._store.transact(take_back)

    def _day(self, at: datetime | None) -> date:
        return local_date(at or self._store.clock.now())

    def _cleaned(self, content: Content) -> Content:
        statement = clean_text(content.statement, max_characters=self.limits.statement_characters)
        value = Value(content.value.numerator, content.value.denominator) if content.value else None
        return Content(statement, value, tuple(EvidenceItem(i.kind, i.reference) for i in content.evidence))


def _asked_row(
    framework: Framework, unit: Assessed, period: str, due: date, aspect: Node, node: Node, head: Head | None
) -> Asked:
    return Asked(
        id=report_id(framework.id, node.code, unit.code, period),
        aspect=aspect,
        result=node,
        points=node.points[unit.group.id],
        state=head["state"] if head else NOT_STARTED,
        version=head["version"] if head else 0,
        round=head["round"] if head else 0,
        score_milli=head["score_milli"] if head else None,
        due_on=head["due_on"] if head else due,
        changed_at=head["changed_at"] if head else None,
    )
