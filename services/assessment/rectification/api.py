"""HTTP of orders: inspectors issue, return and close, units answer with proof, others check."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response, UploadFile
from pydantic import Field

from contracts.roles import INSPECTOR, REPORTER, REVIEWER, STAFF, UNIT_HEAD
from kernel.access.rules import allow
from kernel.hosting.api import Caller
from kernel.hosting.attachments import attachment
from kernel.hosting.validation import Body, WrittenDay
from services.assessment.ranking.api import Day
from services.assessment.rectification.reading import MOST_ROWS, OrderReading
from services.assessment.rectification.rules import Opening
from services.assessment.rectification.service import Orders
from services.assessment.rectification.views import (
    FileView,
    OrderPage,
    OrderRow,
    OrderView,
    order_row,
    order_view,
)

Words = Annotated[str, Field(min_length=1, max_length=2000)]


class NewOrder(Body):
    """An order to issue or propose; `checked_not_pending`: made sure that no review or trial is pending (Art. 33)."""

    unit: Annotated[str, Field(min_length=1, max_length=100)]
    node: Annotated[str, Field(max_length=64)] = ""
    matter: Annotated[str, Field(max_length=200)] = ""
    title: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Words
    proof: Words
    due_on: WrittenDay | None = None
    checked_not_pending: bool = False


class Issue(Body):
    """Putting a proposed order to the unit."""

    due_on: WrittenDay | None = None
    checked_not_pending: bool = False


class Statement(Body):
    """What the unit did."""

    statement: Words


class Check(Body):
    """What a check found."""

    is_met: bool
    note: Words


class SentBack(Body):
    """Why an answer is returned, and until when it must be completed."""

    note: Words
    due_on: WrittenDay | None = None


class Extension(Body):
    """Why the due time is extended, and until when."""

    note: Words
    due_on: WrittenDay


class Closing(Body):
    """The outcome and its reasons."""

    outcome: Literal["rectified", "unrectified", "not_established", "in_review_or_court", "not_issued"]
    note: Words


Shown = Callable[..., OrderView]


def router(orders: Orders, reading: OrderReading) -> APIRouter:
    """Routes of orders."""
    router = APIRouter(prefix="/orders", tags=["orders"])

    def shown(who: Caller, order: str, at: datetime | None = None) -> OrderView:
        found = reading.one(who, order) if at is None else reading.one_then(who, order, at)
        return order_view(found, at or reading.now())

    _reading(router, reading, shown)
    _beginning(router, orders, shown)
    _proof(router, orders)
    _course(router, orders, shown)
    return router


def _reading(router: APIRouter, reading: OrderReading, shown: Shown) -> None:
    @router.get("")
    @allow(*STAFF)
    def page(
        who: Caller,
        *,
        state: Literal["", "proposed", "open", "answered", "checked", "closed"] = "",
        unit: Annotated[str, Query(max_length=100)] = "",
        overdue: bool = False,
        mine: bool = False,
        as_of: Day = None,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
    ) -> OrderPage:
        """Orders of the caller's area, what is due first before what is ended; `mine`: those the caller began."""
        at = reading.end_of(as_of)
        total, rows, names = reading.page(
            who, state=state, unit=unit, overdue=overdue, mine=mine, offset=offset, limit=limit, at=at
        )
        now = at or reading.now()
        return OrderPage(total=total, rows=[OrderRow(**order_row(row, names, now)) for row in rows])

    @router.get("/{order}")
    @allow(*STAFF)
    def one(order: str, who: Caller, as_of: Day = None) -> OrderView:
        """One order with its facts and what the caller may do next; as of a past day there is nothing to do."""
        return shown(who, order, reading.end_of(as_of))


def _beginning(router: APIRouter, orders: Orders, shown: Shown) -> None:
    @router.post("", status_code=201)
    @allow(INSPECTOR, REVIEWER)
    def open_order(body: NewOrder, who: Caller) -> OrderView:
        """Issue an order (inspector), or propose one (reviewer)."""
        opening = Opening(
            unit=body.unit,
            node=body.node,
            matter=body.matter,
            title=body.title,
            reason=body.reason,
            proof=body.proof,
        )
        order = orders.open(who, opening, due_on=body.due_on, checked_not_pending=body.checked_not_pending)
        return shown(who, order)

    @router.post("/{order}/issue")
    @allow(INSPECTOR)
    def issue(order: str, body: Issue, who: Caller) -> OrderView:
        """Put a proposed order to the unit."""
        orders.issue(who, order, due_on=body.due_on, checked_not_pending=body.checked_not_pending)
        return shown(who, order)


def _proof(router: APIRouter, orders: Orders) -> None:
    @router.post("/{order}/files", status_code=201)
    @allow(REPORTER, UNIT_HEAD)
    def hand_in(order: str, file: UploadFile, who: Caller) -> FileView:
        """Hand in a file as proof."""
        kept = orders.hand_in(who, order, file.file, file.filename or "")
        return FileView(
            digest=kept.digest,
            media_type=kept.media_type,
            name=kept.name,
            size=kept.size,
            place=f"/api/assessment/v1/orders/{order}/files/{kept.digest}",
        )

    @router.get("/{order}/files/{digest}")
    @allow(*STAFF)
    def file(order: str, digest: str, who: Caller) -> Response:
        """The bytes of a piece of proof, to be saved."""
        content, held = orders.file(who, order, digest)
        return attachment(content, name=held["name"], media_type=held["media_type"])


def _course(router: APIRouter, orders: Orders, shown: Shown) -> None:
    @router.post("/{order}/answer")
    @allow(REPORTER, UNIT_HEAD)
    def answer(order: str, body: Statement, who: Caller) -> OrderView:
        """Report what was done."""
        orders.answer(who, order, body.statement)
        return shown(who, order)

    @router.post("/{order}/check")
    @allow(INSPECTOR, REVIEWER)
    def check(order: str, body: Check, who: Caller) -> OrderView:
        """Check an answer; not by whoever issued the order."""
        orders.check(who, order, is_met=body.is_met, note=body.note)
        return shown(who, order)

    @router.post("/{order}/return")
    @allow(INSPECTOR)
    def send_back(order: str, body: SentBack, who: Caller) -> OrderView:
        """Return an answer with the reason."""
        orders.send_back(who, order, body.note, due_on=body.due_on)
        return shown(who, order)

    @router.post("/{order}/extension")
    @allow(INSPECTOR)
    def extend(order: str, body: Extension, who: Caller) -> OrderView:
        """Extend the due time, once."""
        orders.extend(who, order, body.note, body.due_on)
        return shown(who, order)

    @router.post("/{order}/closing")
    @allow(INSPECTOR)
    def close(order: str, body: Closing, who: Caller) -> OrderView:
        """End an order with an outcome."""
        orders.close(who, order, body.outcome, body.note)
        return shown(who, order)
