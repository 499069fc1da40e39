"""HTTP of reviews: queues, one review, answers one by one and many at once, the roster, agreement statistics."""

from dataclasses import asdict
from datetime import date, datetime
from fractions import Fraction
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from contracts.findings.statement import score_text
from contracts.roles import INSPECTOR, REVIEWER
from kernel.access.rules import allow
from kernel.hosting.api import Caller
from kernel.hosting.attachments import attachment
from kernel.hosting.validation import Body
from services.assessment.ranking.api import Day
from services.assessment.reporting.rules import STATE_WORDS, Value
from services.assessment.reporting.view import ContentView, ResultView, content_view, result_view
from services.assessment.review.looking import MOST_ROWS, Looking, Queue, ReviewDetail
from services.assessment.review.roster import Roster
from services.assessment.review.rules import Mark
from services.assessment.review.service import MOST_AT_ONCE, MOST_REASONS, Reviews

_ASKED = ("reviewer", "reviewer_name", "to_hand_on", "reason")
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS)]


class QueueRow(BaseModel):
    """One review in a queue."""

    id: str
    result: str
    title: str
    aspect: str
    unit: str
    unit_name: str
    period: str
    round: int
    state: str
    is_arbitration: bool
    suggested: str | None
    due_on: date
    is_provisional: bool
    overdue: bool
    submitted_at: datetime | None
    opened_at: datetime | None
    done_at: datetime | None


class AreaRow(QueueRow):
    """One open review of an area, with who was asked; `to_hand_on`: who was asked holds the role no more."""

    reviewer: str
    reviewer_name: str
    to_hand_on: bool
    reason: str


class QueueView(BaseModel):
    """One page of a queue."""

    total: int
    overdue: int
    aspects: list[dict[str, str]]
    rows: list[QueueRow]


class AreaView(BaseModel):
    """One page of an area's open reviews."""

    total: int
    overdue: int
    unassigned: int
    to_hand_on: int
    rows: list[AreaRow]


class MarkView(BaseModel):
    """An answer."""

    decision: str
    score: str | None
    numerator: int | None
    denominator: int | None
    reasons: str


class ReviewView(BaseModel):
    """One review: what was said beside what is asked."""

    id: str
    report: str
    period: str
    round: int
    unit: dict[str, str]
    result: ResultView
    content: ContentView
    state: str
    state_text: str
    is_arbitration: bool
    is_open: bool
    due_on: date
    overdue: bool
    mark: MarkView | None
    others: list[MarkView]
    returned_before: list[str]


class ValueBody(Body):
    """The numbers the reviewer found true."""

    numerator: int = Field(ge=0, le=10**12)
    denominator: int = Field(ge=1, le=10**12)


class Answer(Body):
    """A score in thousandths, or a return, with reasons."""

    decision: Literal["score", "return"]
    reasons: str = Field(min_length=1, max_length=MOST_REASONS)
    score_milli: int = Field(default=0, ge=0, le=1000)
    value: ValueBody | None = None


class Answered(BaseModel):
    """Where the report stands now."""

    state: str
    state_text: str


class ManyAnswers(Body):
    """The same answer to many reviews."""

    decision: Literal["accept", "return"]
    reasons: str = Field(min_length=1, max_length=MOST_REASONS)
    assignments: list[str] = Field(min_length=1, max_length=MOST_AT_ONCE)


class DoneView(BaseModel):
    """What became of one of many."""

    assignment: str
    done: bool
    code: str
    message: str


class HandingOn(Body):
    """Who takes over (empty: by the rule), and why."""

    reviewer: str = Field(default="", max_length=100)
    reason: str = Field(min_length=1, max_length=500)


class Made(BaseModel):
    """The new assignment."""

    id: str


class Membership(BaseModel):
    """Whether the caller takes part in reviews."""

    active: bool


class AgreementView(BaseModel):
    """Agreement between first and second reviewers; decimals for reading, never scored."""

    period: str
    pairs: int
    within: int
    within_share: str | None
    mean_difference: str | None
    alpha: str | None
    arbitrated: int
    tolerance: str


def router(reviews: Reviews, looking: Looking, roster: Roster) -> APIRouter:
    """Routes of reviews; the fixed paths come before those that take an id."""
    router = APIRouter(prefix="/reviews", tags=["reviews"])
    _queue(router, looking)
    _of_the_area(router, looking)
    _roster(router, roster)
    _answers(router, reviews)
    _of_one(router, looking)
    return router


def _queue(router: APIRouter, looking: Looking) -> None:
    @router.get("", response_model=QueueView)
    @allow(REVIEWER, INSPECTOR)
    def queue(
        who: Caller,
        *,
        state: Literal["open", "waiting", "opened", "done"] = "open",
        aspect: Annotated[str, Query(max_length=64)] = "",
        search: Annotated[str, Query(max_length=50)] = "",
        overdue: bool = False,
        as_of: Day = None,
        offset: Offset = 0,
        limit: Limit = 50,
    ) -> Any:
        """Reviews given to the caller, now or on a past day; for an inspector those to arbitrate."""
        found = looking.queue(
            who,
            state=state,
            aspect=aspect,
            search=search,
            overdue=overdue,
            offset=offset,
            limit=limit,
            at=looking.end_of(as_of),
        )
        return QueueView(
            total=found.total,
            overdue=found.overdue,
            aspects=_aspects(found),
            rows=[QueueRow(**_row(r)) for r in found.rows],
        )


def _of_the_area(router: APIRouter, looking: Looking) -> None:
    @router.get("/area", response_model=AreaView)
    @allow(INSPECTOR)
    def area(
        who: Caller,
        *,
        overdue: bool = False,
        to_hand_on: bool = False,
        reviewer: Annotated[str, Query(max_length=100)] = "",
        as_of: Day = None,
        offset: Offset = 0,
        limit: Limit = 50,
    ) -> Any:
        """Open reviews of the inspector's area, to see what is late or has no reviewer any more, and hand it on."""
        at = looking.end_of(as_of)
        found = looking.of_area(
            who, overdue=overdue, to_hand_on=to_hand_on, reviewer=reviewer, offset=offset, limit=limit, at=at
        )
        return AreaView(
            total=found.total,
            overdue=found.overdue,
            unassigned=looking.unassigned(who, at),
            to_hand_on=looking.to_hand_on(who, at),
            rows=[AreaRow(**_row(row), **{name: row[name] for name in _ASKED}) for row in found.rows],
        )

    @router.get("/agreement", response_model=AgreementView)
    @allow(REVIEWER, INSPECTOR)
    def agreement(
        who: Caller, period: Annotated[str, Query(pattern=r"^[0-9]{4}(-[0-9]{2})?$")], as_of: Day = None
    ) -> Any:
        """How far reviewers agree in the caller's area, or had agreed on a day."""
        found = looking.agreement(who, period, looking.end_of(as_of))
        share = Fraction(found.within, found.pairs) if found.pairs else None
        return AgreementView(
            period=period,
            pairs=found.pairs,
            within=found.within,
            within_share=_decimal(share, 4),
            mean_difference=_decimal(
                None if found.mean_difference is None else found.mean_difference / 1000, 4
            ),
            alpha=_decimal(found.alpha, 3),
            arbitrated=found.arbitrated,
            tolerance=score_text(looking.tolerance_milli),
        )


def _roster(router: APIRouter, roster: Roster) -> None:
    @router.get("/membership", response_model=Membership)
    @allow(REVIEWER)
    def membership(who: Caller) -> Any:
        return {"active": roster.has(who)}

    @router.post("/membership", response_model=Membership)
    @allow(REVIEWER)
    def join(who: Caller) -> Any:
        """Take part in reviews, with the unit and area of this sign-in."""
        roster.join(who)
        return {"active": True}

    @router.delete("/membership", response_model=Membership)
    @allow(REVIEWER)
    def leave(who: Caller) -> Any:
        roster.leave(who)
        return {"active": False}


def _answers(router: APIRouter, reviews: Reviews) -> None:
    @router.post("/many", response_model=list[DoneView])
    @allow(REVIEWER)
    def answer_many(body: ManyAnswers, who: Caller) -> Any:
        """Accept what the numbers suggest, or return, for many at once; each row says what became of it."""
        done = reviews.answer_many(who, body.assignments, decision=body.decision, reasons=body.reasons)
        return [asdict(one) for one in done]

    @router.post("/{assignment}/opening", status_code=204)
    @allow(REVIEWER, INSPECTOR)
    def open_review(assignment: str, who: Caller) -> None:
        """Begin a review; the unit cannot withdraw any more."""
        reviews.open(who, assignment)

    @router.post("/{assignment}/answer", response_model=Answered)
    @allow(REVIEWER, INSPECTOR)
    def answer(assignment: str, body: Answer, who: Caller) -> Any:
        value = Value(body.value.numerator, body.value.denominator) if body.value else None
        state = reviews.answer(who, assignment, Mark(body.decision, body.reasons, body.score_milli, value))
        return {"state": state, "state_text": STATE_WORDS[state]}

    @router.post("/{assignment}/handing-on", response_model=Made)
    @allow(INSPECTOR)
    def reassign(assignment: str, body: HandingOn, who: Caller) -> Any:
        return {"id": reviews.reassign(who, assignment, reviewer=body.reviewer, reason=body.reason)}


def _of_one(router: APIRouter, looking: Looking) -> None:
    @router.get("/{assignment}", response_model=ReviewView)
    @allow(REVIEWER, INSPECTOR)
    def one(assignment: str, who: Caller, as_of: Day = None) -> Any:
        """One review; as of a past day nothing can be done with it."""
        return _view(looking.one(who, assignment, looking.end_of(as_of)))

    @router.get("/{assignment}/files/{digest}", response_class=Response)
    @allow(REVIEWER, INSPECTOR)
    def file(assignment: str, digest: str, who: Caller, as_of: Day = None) -> Response:
        """A file of the version under review, as an attachment."""
        item, content = looking.file(who, assignment, digest, looking.end_of(as_of))
        return attachment(content, name=item.name, media_type=item.media_type)


def _view(detail: ReviewDetail) -> ReviewView:
    row, head = detail.row, detail.head
    current = row["done_at"] is None and row["round"] == head["round"]
    return ReviewView(
        id=str(row["id"]),
        report=str(head["id"]),
        period=head["period"],
        round=row["round"],
        unit={"code": head["unit"], "name": detail.unit_name},
        result=result_view(detail.result),
        content=content_view(detail.content, detail.result),
        state=head["state"],
        state_text=STATE_WORDS[head["state"]],
        is_arbitration=row["place"] == 3,
        is_open=current and head["state"] in ("submitted", "reviewing") and not detail.is_past,
        due_on=row["due_on"],
        overdue=row["done_at"] is None and row["due_on"] < detail.today,
        mark=_mark(detail.mark) if detail.mark else None,
        others=[_mark(mark) for mark in detail.others],
        returned_before=list(detail.returned_before),
    )


def _mark(mark: Mark) -> MarkView:
    return MarkView(
        decision=mark.decision,
        score=score_text(mark.score_milli) if mark.decision == "score" else None,
        numerator=mark.value.numerator if mark.value else None,
        denominator=mark.value.denominator if mark.value else None,
        reasons=mark.reasons,
    )


def _row(row: dict[str, Any]) -> dict[str, Any]:
    given = {name: row[name] for name in QueueRow.model_fields if name in row}
    suggested = row["suggested_milli"]
    return given | {
        "id": str(row["id"]),
        "is_arbitration": row["place"] == 3,
        "suggested": None if suggested is None else score_text(suggested),
    }


def _aspects(found: Queue) -> list[dict[str, str]]:
    framework = found.framework
    tops = [
        n for part in framework.root.children for n in (part.children if framework.components else (part,))
    ]
    return [{"id": node.code, "title": node.title} for node in tops]


def _decimal(value: Fraction | None, places: int) -> str | None:
    """A fraction rounded half away from nought, for reading."""
    if value is None:
        return None
    scaled = abs(value) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    digits = f"{whole:0{places + 1}d}"
    return f"{'-' if value < 0 and whole else ''}{digits[:-places]}.{digits[-places:]}"
