"""
What reviewers and inspectors do 指标审核: open a report, answer it, hand it on, arbitrate, many at once.

Who may answer is looked up again at every act: the assignment must be the caller's and current, and the caller's
unit, as the directory knows it now, must not be the report's own, over it, under it or of its line (R37). Every
other review does not exist for the caller. When the last answer is in, the report is scored or returned in the same
transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from contracts.roles import INSPECTOR, REVIEWER
from kernel.access.principal import Principal
from kernel.errors import Conflict, Invalid, NotAllowed, NotFound, PermanentError, RuleViolation
from kernel.ids import is_id
from kernel.storage.reach import beyond
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from kernel.text import clean_text
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework, Node
from services.assessment.reporting.model import REPORTS
from services.assessment.reporting.reach import result_of
from services.assessment.reporting.records import Head, advance, content_of, head_of, locked
from services.assessment.reporting.rules import REVIEWING, SUBMITTED, Value, last_day, suggested_milli
from services.assessment.reporting.scored import score
from services.assessment.review.assigning import Assigning
from services.assessment.review.model import REVIEW_ASSIGNMENTS, REVIEW_MARKS
from services.assessment.review.past import assignments_at
from services.assessment.review.roster import place_of, places
from services.assessment.review.rules import (
    ARBITRATION,
    SECOND,
    Agreed,
    Arbitrate,
    Mark,
    Place,
    Returned,
    checked_mark,
    may_review,
    settle,
)

MOST_AT_ONCE = 100
MOST_REASONS = 900  # two of them and their headings fit the 2,000 characters a unit is shown
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one of many: done, or why not."""

    assignment: str
    done: bool
    code: str = ""
    message: str = ""


class Reviews:
    """The reviews of one installation."""

    def __init__(self, store: Store, frameworks: Frameworks, assigning: Assigning) -> None:
        self._store = store
        self._frameworks = frameworks
        self._assigning = assigning

    def open(self, who: Principal, assignment: str) -> None:
        """Begin a review: from now on the unit cannot withdraw. Raises NotFound, RuleViolation."""
        self._store.transact(lambda work: self._opened(work, who, self._held(work, who, assignment)))

    def answer(self, who: Principal, assignment: str, mark: Mark) -> str:
        """
        Score or return a report; returns its state. Raises NotFound, MarkInvalid, Conflict, RuleViolation.
        """
        return self._store.transact(lambda work: self._answer(work, who, assignment, mark))

    def answer_many(
        self, who: Principal, assignments: Sequence[str], *, decision: str, reasons: str
    ) -> list[Done]:
        """
        Accept what the numbers suggest, or return, for many reviews in one transaction; each stands for itself.

        `decision`: "accept" or "return". Raises Invalid when there are too many.
        """
        if len(assignments) > MOST_AT_ONCE:
            raise Invalid(f"一次最多处理 {MOST_AT_ONCE} 项，请分批办理。", code="assessment.too_many_at_once")

        def each(work: Work) -> list[Done]:
            _hold_all(work, assignments)
            return [self._one_of_many(work, who, one, decision, reasons) for one in sorted(set(assignments))]

        return self._store.transact(each)

    def reassign(self, who: Principal, assignment: str, *, reviewer: str, reason: str) -> str:
        """An inspector hands an unanswered review of the area to another. Raises NotFound, RuleViolation, Invalid."""
        reason = clean_text(reason, max_characters=500).strip()
        if not reason:
            raise Invalid("改派须写明理由。", code="assessment.reason_missing")

        def hand_on(work: Work) -> str:
            row = _assignment(work.session, assignment)
            head = locked(work, row["report"]) if row else None
            unit = places(work.session, [head["unit"]]).get(head["unit"]) if head else None
            if row is None or head is None or unit is None or not who.reaches(unit.path):
                raise _no_such_review()
            # Read again under the lock: somebody may have answered or handed it on meanwhile.
            row = _assignment(work.session, assignment) or row
            if not _is_current(row, head) or row["place"] == ARBITRATION:
                raise RuleViolation("这项审核已经完成或已改派，不能再改派。", code="assessment.review_closed")
            made = self._assigning.reassign(work, who, row, unit, reviewer=reviewer, reason=reason)
            work.audit(who, "review.reassigned", f"reviews/{assignment}", after_digest=made)
            return made

        return self._store.transact(hand_on)

    # --- one review -------------------------------------------------------------------------------------

    def _held(self, work: Work, who: Principal, assignment: str) -> tuple[Row, Head]:
        """The caller's current assignment and its report, held. Raises NotFound, RuleViolation."""
        row = _assignment(work.session, assignment)
        if row is None:
            raise _no_such_review()
        head = locked(work, row["report"])
        row = _assignment(work.session, assignment)
        if row is None or head is None:
            raise _no_such_review()
        check_may_answer(work.session, who, row, head)
        if not _is_current(row, head):
            raise Conflict("这项审核已完成、已改派或已被撤回，请刷新列表。", code="assessment.review_closed")
        return row, head

    def _opened(self, work: Work, who: Principal, held: tuple[Row, Head]) -> Head:
        row, head = held
        if row["opened_at"] is None:
            mine = REVIEW_ASSIGNMENTS.c.id == row["id"]
            work.session.execute(update(REVIEW_ASSIGNMENTS).where(mine).values(opened_at=work.clock.now()))
            work.audit(who, "review.opened", f"reports/{row['report']}")
        if head["state"] == SUBMITTED:
            return advance(work, head, "review_opened", who.account)
        return head

    def _answer(self, work: Work, who: Principal, assignment: str, mark: Mark) -> str:
        row, head = self._held(work, who, assignment)
        node = result_of(self._framework_of(head), head)
        assert node.method is not None
        reasons = clean_text(mark.reasons, max_characters=MOST_REASONS).strip()
        checked = checked_mark(Mark(mark.decision, reasons, mark.score_milli, mark.value), node.method)
        head = self._opened(work, who, (row, head))
        self._note(work, who, row, checked)
        # Under the report's own name: whoever scored it may not answer an objection against the score.
        work.audit(
            who, f"review.{checked.decision}", f"reports/{head['id']}", object_version=str(head["round"])
        )
        return self._settled(work, who, head, node)

    def _note(self, work: Work, who: Principal, row: Row, mark: Mark) -> None:
        at = work.clock.now()
        work.session.execute(
            insert(REVIEW_MARKS).values(
                report=row["report"],
                round=row["round"],
                place=row["place"],
                assignment=row["id"],
                reviewer=who.account,
                decision=mark.decision,
                score_milli=mark.score_milli if mark.decision == "score" else None,
                numerator=mark.value.numerator if mark.value else None,
                denominator=mark.value.denominator if mark.value else None,
                reasons=mark.reasons,
                marked_at=at,
            )
        )
        mine = REVIEW_ASSIGNMENTS.c.id == row["id"]
        work.session.execute(update(REVIEW_ASSIGNMENTS).where(mine).values(done_at=at))

    def _settled(self, work: Work, who: Principal, head: Head, node: Node) -> str:
        """Score, return or hand to an inspector, once everybody who was asked has answered."""
        marks = marks_of(work.session, head["id"], head["round"])
        with beyond("everybody who was asked counts, whoever answers last", work.session):
            asked = work.session.execute(
                select(func.count(REVIEW_ASSIGNMENTS.c.place.distinct())).where(
                    REVIEW_ASSIGNMENTS.c.report == head["id"],
                    REVIEW_ASSIGNMENTS.c.round == head["round"],
                    REVIEW_ASSIGNMENTS.c.place <= SECOND,
                )
            ).scalar_one()
        tolerance = self._assigning.settings.tolerance_milli
        outcome = settle(marks, asked=asked, tolerance_milli=tolerance)
        if isinstance(outcome, Agreed):
            framework = self._framework_of(head)
            score(
                work,
                framework,
                node,
                head,
                who.account,
                score_milli=outcome.score_milli,
                value=outcome.value,
                reasons=outcome.reasons,
            )
            work.audit(who, "report.scored", f"reports/{head['id']}", object_version=str(head["round"]))
            return "scored"
        if isinstance(outcome, Returned):
            advance(work, head, "returned", who.account, reasons=outcome.reasons)
            work.audit(who, "report.returned", f"reports/{head['id']}", object_version=str(head["round"]))
            return "returned"
        if isinstance(outcome, Arbitrate):
            row = self._assigning.row(work, head["id"], head["unit"], head["round"], ARBITRATION, "")
            with beyond("the arbitration is for an inspector, not for who makes it necessary", work.session):
                write_rows(work.session, REVIEW_ASSIGNMENTS, [row], on_conflict="nothing")
        return str(head["state"])

    def _one_of_many(self, work: Work, who: Principal, assignment: str, decision: str, reasons: str) -> Done:
        try:
            with work.session.begin_nested():
                mark = Mark("return", reasons)
                if decision == "accept":
                    mark = self._suggested(work, who, assignment, reasons)
                self._answer(work, who, assignment, mark)
        except PermanentError as refused:
            told = refused.problems[0].message if refused.problems else refused.text
            return Done(assignment, done=False, code=refused.stable_code, message=told)
        return Done(assignment, done=True)

    def _framework_of(self, head: Head) -> Framework:
        """The framework of the year reported on: under it the score counts."""
        return self._frameworks.in_force(last_day(head["period"]).year)

    def _suggested(self, work: Work, who: Principal, assignment: str, reasons: str) -> Mark:
        _, head = self._held(work, who, assignment)
        node = result_of(self._framework_of(head), head)
        content = content_of(work.session, head["id"], head["submitted_version"])
        assert node.method is not None
        suggested = suggested_milli(node.method, content.value)
        if suggested is None:
            raise RuleViolation("这项没有按数值算出的建议分，请逐项评分。", code="assessment.no_suggestion")
        return Mark("score", reasons, suggested, content.value)


def _hold_all(work: Work, assignments: Sequence[str]) -> None:
    """Hold every report in one order before the log's head is taken: two batches never wait for each other."""
    ids = [one for one in assignments if is_id(one)]
    reports = select(REVIEW_ASSIGNMENTS.c.report).where(REVIEW_ASSIGNMENTS.c.id.in_(ids))
    held = select(REPORTS.c.id).where(REPORTS.c.id.in_(reports)).order_by(REPORTS.c.id).with_for_update()
    work.session.execute(held).all()


def check_may_answer(session: Session, who: Principal, row: Row, head: Head) -> None:
    """Raise NotFound unless this review is the caller's; NotAllowed, which is written down, when the caller's place forbids it (R37)."""
    unit = places(session, [head["unit"]]).get(head["unit"], Place(head["unit"], ""))
    if row["place"] == ARBITRATION:
        took_part = select(REVIEW_MARKS.c.place).where(
            REVIEW_MARKS.c.report == head["id"],
            REVIEW_MARKS.c.round == row["round"],
            REVIEW_MARKS.c.reviewer == who.account,
            REVIEW_MARKS.c.place != ARBITRATION,
        )
        is_mine = who.has(INSPECTOR) and who.reaches(unit.path) and session.execute(took_part).first() is None
    else:
        is_mine = who.has(REVIEWER) and row["reviewer"] == who.account
    if not is_mine:
        raise _no_such_review()
    if not may_review(place_of(session, who), unit):
        raise NotAllowed(
            "不得审核本单位、上下级或同条线单位的填报，请由督察员改派。", code="assessment.own_unit"
        )


def marks_of(session: Session, report: str, round_: int, at: datetime | None = None) -> dict[int, Mark]:
    """The answers of a round (until a moment), by place."""
    wanted = select(REVIEW_MARKS).where(REVIEW_MARKS.c.report == report, REVIEW_MARKS.c.round == round_)
    if at is not None:
        wanted = wanted.where(REVIEW_MARKS.c.marked_at <= at)
    rows = session.execute(wanted)
    return {
        row.place: Mark(
            row.decision,
            row.reasons,
            row.score_milli or 0,
            None if row.denominator is None else Value(row.numerator, row.denominator),
        )
        for row in rows
    }


def assignment_and_head(
    session: Session, who: Principal, assignment: str, at: datetime | None = None
) -> tuple[Row, Head]:
    """
    A review the caller has or had, and its report, to read, now or as they stood at a moment.

    Today's rules say who may: what was handed on or is out of reach since is not shown of then either. Raises NotFound,
    RuleViolation.
    """
    now = _assignment(session, assignment)
    row = now if at is None or now is None else _assignment(session, assignment, at)
    head = head_of(session, row["report"], at) if row else None
    if now is None or row is None or head is None or now["replaced_at"] is not None:
        raise _no_such_review()
    check_may_answer(session, who, row, head)
    # A round that was withdrawn is a draft again, and drafts are the unit's own (P5).
    if row["done_at"] is None and not _is_current(row, head):
        raise _no_such_review()
    return row, head


def _assignment(session: Session, assignment: str, at: datetime | None = None) -> Row | None:
    if not is_id(assignment):
        return None
    given = assignments_at(at)
    row = session.execute(select(given).where(given.c.id == assignment)).mappings().one_or_none()
    return dict(row) if row is not None else None


def _is_current(row: Row, head: Head) -> bool:
    return (
        row["done_at"] is None
        and row["replaced_at"] is None
        and row["round"] == head["round"]
        and head["state"] in (SUBMITTED, REVIEWING)
    )


def _no_such_review() -> NotFound:
    return NotFound("没有这项审核，或不由您办理，请刷新列表。", code="assessment.unknown_review")
