"""
HTTP of the clue exchange 线索.

POST /clues takes bytes: the signature is verified before anything is parsed (R29). 202 and a receipt mean that
the clue is stored; the same record sent again gets the same receipt.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from contracts.roles import EXTERNAL_SYSTEM, INSPECTOR, REVIEWER
from gateway.clues.amendments import REASON_CHARACTERS, Amendments, Change
from gateway.clues.answers import Answers
from gateway.clues.intake import Intake, Receipt
from gateway.clues.originals import Originals
from gateway.clues.review import MAX_ROWS, AnswerLine, ClueCourse, ClueLine, Review
from gateway.partners.api import RawBody, address_of, headers_of
from gateway.partners.service import Partners
from kernel.access.rules import allow, public
from kernel.clock import SHANGHAI
from kernel.hosting.api import Caller
from kernel.hosting.attachments import attachment
from kernel.hosting.edge import raw_body
from kernel.hosting.validation import Body, WrittenDay
from kernel.storage.reach import of, within

_Limit = Annotated[int, Query(ge=1, le=MAX_ROWS)]
_Offset = Annotated[int, Query(ge=0)]
_MOMENTS = ("former", "amended", "recorded_at")
_State = Literal["", "received", "routed", "accepted", "returned", "answered"]


class ReceiptView(BaseModel):
    """A receipt 回执."""

    receipt: str
    duplicate: bool
    state: str
    received_at: str


class NewAmendment(Body):
    """What is amended 更正: the deadline or the day of answering, with the day, or that the clue does not count."""

    kind: Literal["due", "answered", "excluded"]
    on: WrittenDay | None = None
    reason: str = Field(max_length=REASON_CHARACTERS)


def router(partners: Partners, intake: Intake, review: Review, answers: Answers) -> APIRouter:
    """Routes under /clues, /quarantine and /answers."""
    router = APIRouter(tags=["clues"])
    _handing_in(router, partners, intake, review)
    _following(router, review)
    _quarantine(router, review)
    _answers(router, review, answers)
    return router


def _handing_in(router: APIRouter, partners: Partners, intake: Intake, review: Review) -> None:
    @router.post("/clues", status_code=202)
    @public
    @raw_body
    def submit(request: Request, raw: RawBody) -> ReceiptView:
        sender = partners.authenticate(
            headers_of(request), raw, address=address_of(request), request=request.state.request_id
        )
        return _receipt(intake.take(sender, raw))

    @router.post("/clues/{receipt}/follow")
    @public
    @raw_body
    def follow_signed(receipt: str, request: Request) -> dict[str, Any]:
        """For systems that only sign: the receipt number is what is signed, whatever the body."""
        sender = partners.authenticate(
            headers_of(request),
            receipt.encode(),
            address=address_of(request),
            request=request.state.request_id,
            action="clue.follow_refused",
        )
        with within(of(sender.principal)):
            return _course(review.course(sender.principal, receipt), for_staff=False)


def _following(router: APIRouter, review: Review) -> None:
    @router.get("/clues")
    @allow(REVIEWER, INSPECTOR)
    def clues(who: Caller, state: _State = "", limit: _Limit = 100, offset: _Offset = 0) -> dict[str, Any]:
        page = review.clues(who, state=state, limit=limit, offset=offset)
        return {"rows": [_line(line) for line in page.rows], "total": page.total}

    @router.get("/clues/{receipt}")
    @allow(REVIEWER, INSPECTOR, EXTERNAL_SYSTEM)
    def course(receipt: str, who: Caller) -> dict[str, Any]:
        return _course(review.course(who, receipt), for_staff=not who.has(EXTERNAL_SYSTEM))


def _quarantine(router: APIRouter, review: Review) -> None:
    @router.get("/quarantine")
    @allow(INSPECTOR)
    def held(who: Caller, limit: _Limit = 100) -> dict[str, Any]:
        rows = [
            {
                "id": entry.id,
                "consumer": entry.consumer,
                "system": entry.source,
                "headers": dict(entry.headers),
                "code": entry.code,
                "reason": entry.reason,
                "held_at": _shown(entry.held_at),
                "raw": entry.raw[:65_536].decode("utf-8", "backslashreplace"),
                "bytes": len(entry.raw),
            }
            for entry in review.held(who, limit=limit)
        ]
        return {"rows": rows}

    @router.post("/quarantine/{entry}/release")
    @allow(INSPECTOR)
    def release(entry: str, who: Caller) -> ReceiptView:
        return _receipt(review.release(who, entry))

    @router.post("/quarantine/{entry}/refusal", status_code=204)
    @allow(INSPECTOR)
    def refuse(entry: str, who: Caller) -> None:
        review.refuse(who, entry)


def _answers(router: APIRouter, review: Review, answers: Answers) -> None:
    @router.get("/answers")
    @allow(INSPECTOR)
    def list_answers(
        who: Caller,
        state: Literal["pending", "delivered", "dead"] = "dead",
        limit: _Limit = 100,
        offset: _Offset = 0,
    ) -> list[AnswerLine]:
        return review.answers(who, state=state, limit=limit, offset=offset)

    @router.post("/answers/{answer}/attempts", status_code=204)
    @allow(INSPECTOR)
    def send_again(answer: str, who: Caller) -> None:
        review.demand_top(who)
        answers.send_again(who, answer)


def original_router(originals: Originals) -> APIRouter:
    """Route to the original of a clue."""
    router = APIRouter(tags=["clues"])

    @router.get("/clues/{receipt}/evidence/{digest}", response_class=Response)
    @allow(REVIEWER, INSPECTOR)
    def original(receipt: str, digest: str, who: Caller) -> Response:
        """The clue as it came, as an attachment; it may name persons, so each reading is on record."""
        found = originals.read(who, receipt, digest)
        return attachment(found.content, name=found.name, media_type=found.media_type)

    return router


def amendment_router(amendments: Amendments) -> APIRouter:
    """Route by which an upheld objection about a clue is answered."""
    router = APIRouter(tags=["clues"])

    @router.post("/clues/{receipt}/amendments", status_code=201)
    @allow(INSPECTOR)
    def amend(receipt: str, body: NewAmendment, who: Caller) -> dict[str, str]:
        """Amend what is measured about a clue; only while a correction asked 更正通知 waits for it."""
        return {"id": amendments.amend(who, receipt, Change(body.kind, body.on, body.reason))}

    return router


def _receipt(receipt: Receipt) -> ReceiptView:
    return ReceiptView(
        receipt=receipt.receipt,
        duplicate=receipt.is_repeat,
        state=receipt.state,
        received_at=_shown(receipt.received_at),
    )


def _line(line: ClueLine) -> dict[str, Any]:
    return {
        "receipt": line.receipt,
        "system": line.system,
        "external_id": line.external_id,
        "kind": line.kind,
        "title": line.title,
        "state": line.state,
        "unit": line.unit,
        "received_at": _shown(line.received_at),
        "due_at": _shown(line.due_at),
        "answered_at": _shown(line.answered_at) if line.answered_at else None,
    }


def _course(course: ClueCourse, *, for_staff: bool) -> dict[str, Any]:
    progress = [
        {
            "state": step.state,
            "note": step.note,
            "subject": step.subject if for_staff else "",
            "recorded_at": _shown(step.recorded_at),
        }
        for step in course.progress
    ]
    shown = {**_line(course.line), "progress": progress}
    if for_staff:
        amendments = [
            asdict(one) | {name: _shown(at) if (at := getattr(one, name)) else None for name in _MOMENTS}
            for one in course.amendments
        ]
        shown |= {"content": course.content, "region_code": course.region_code, "amendments": amendments}
    return shown


def _shown(at: datetime) -> str:
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds")
