"""HTTP of leads: inspectors read their area, accept, return, answer."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from contracts.roles import INSPECTOR, REVIEWER
from kernel.access.rules import allow
from kernel.hosting.api import Caller
from kernel.hosting.validation import Body
from services.enforcement.supervision.service import MOST_ROWS, Supervision


class LeadView(BaseModel):
    """A lead 监督线索."""

    id: str
    system: str
    external_id: str
    kind: str
    unit: str
    region_code: str
    title: str
    pending_hint: bool
    state: str
    note: str
    occurred_at: datetime | None
    due_at: datetime | None
    received_at: datetime
    changed_at: datetime


class LeadDetail(LeadView):
    """A lead with what was complained of."""

    content: str


class LeadPage(BaseModel):
    """One page of leads."""

    total: int
    rows: list[LeadView]


class Note(Body):
    """A reason or an answer, in words the sender will read."""

    note: str = Field(max_length=2000)


class Acceptance(Body):
    """Accepting; `checked_not_pending`: the inspector made sure that no review or trial is pending (Art. 33)."""

    checked_not_pending: bool = False


def router(supervision: Supervision) -> APIRouter:
    """Routes of leads."""
    router = APIRouter(prefix="/leads", tags=["supervision"])

    @router.get("", response_model=LeadPage)
    @allow(INSPECTOR, REVIEWER)
    def page(
        who: Caller,
        state: Literal["", "received", "accepted", "returned", "answered"] = "",
        unit: Annotated[str, Query(max_length=100)] = "",
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
    ) -> Any:
        total, rows = supervision.page(who, state=state, unit=unit, offset=offset, limit=limit)
        return {"total": total, "rows": rows}

    @router.get("/{lead}", response_model=LeadDetail)
    @allow(INSPECTOR, REVIEWER)
    def one(lead: str, who: Caller) -> Any:
        return supervision.one(who, lead)

    @router.post("/{lead}/acceptance", response_model=LeadView)
    @allow(INSPECTOR)
    def accept(lead: str, body: Acceptance, who: Caller) -> Any:
        return supervision.accept(who, lead, checked_not_pending=body.checked_not_pending)

    @router.post("/{lead}/return", response_model=LeadView)
    @allow(INSPECTOR)
    def send_back(lead: str, body: Note, who: Caller) -> Any:
        return supervision.send_back(who, lead, body.note)

    @router.post("/{lead}/answer", response_model=LeadView)
    @allow(INSPECTOR)
    def answer(lead: str, body: Note, who: Caller) -> Any:
        return supervision.answer(who, lead, body.note)

    return router
