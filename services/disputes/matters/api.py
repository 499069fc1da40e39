"""Doors: matters and court outcomes over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from contracts.roles import INSPECTOR, REPORTER, REVIEWER, UNIT_HEAD
from kernel.access.rules import allow
from kernel.clock import SHANGHAI
from kernel.hosting.api import Caller
from kernel.hosting.validation import Body
from services.disputes.matters.model import CourtOutcomeRow, MatterRow
from services.disputes.matters.service import Matters


class MatterView(BaseModel):
    """A matter in a list."""

    receipt: str
    kind: str
    system: str
    unit: str
    title: str
    state: str
    note: str
    subject: str
    received_at: str


class MatterList(BaseModel):
    """A page of matters."""

    total: int
    rows: list[MatterView]


class CourtOutcomeView(BaseModel):
    """A judgment about a unit."""

    id: str
    case_number: str
    instance: str
    court: str
    unit: str
    outcome: str
    lost: str
    ground: str
    head_attended: str
    decided_on: str
    effective_on: str | None


class AnswerRequest(Body):
    """What the sender is told; `returned` gives the matter back."""

    note: Annotated[str, Field(min_length=1, max_length=2000)]
    returned: bool = False


def router(matters: Matters) -> APIRouter:
    """Routes under /matters and /court_outcomes."""
    routes = APIRouter(tags=["matters"])

    @routes.get("/matters")
    @allow(REPORTER, UNIT_HEAD, REVIEWER, INSPECTOR)
    def list_matters(
        who: Caller,
        state: str = "",
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> MatterList:
        total, rows = matters.page(who, state=state, offset=offset, limit=limit)
        return MatterList(total=total, rows=[_matter(row) for row in rows])

    @routes.post("/matters/{receipt}/answer", status_code=204)
    @allow(REPORTER, UNIT_HEAD)
    def answer_matter(receipt: str, request: AnswerRequest, who: Caller) -> None:
        matters.answer(who, receipt, request.note, returned=request.returned)

    @routes.get("/court_outcomes")
    @allow(REPORTER, UNIT_HEAD, REVIEWER, INSPECTOR)
    def list_court_outcomes(
        who: Caller, unit: str = "", limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> list[CourtOutcomeView]:
        return [_court(row) for row in matters.court_outcomes(who, unit=unit, limit=limit)]

    return routes


def _matter(row: MatterRow) -> MatterView:
    return MatterView(
        receipt=row.receipt,
        kind=row.kind,
        system=row.system,
        unit=row.unit,
        title=row.title,
        state=row.state,
        note=row.note,
        subject=row.subject,
        received_at=row.received_at.astimezone(SHANGHAI).isoformat(timespec="seconds"),
    )


def _court(row: CourtOutcomeRow) -> CourtOutcomeView:
    return CourtOutcomeView(
        id=row.id,
        case_number=row.case_number,
        instance=row.instance,
        court=row.court,
        unit=row.unit,
        outcome=row.outcome,
        lost=row.lost,
        ground=row.ground,
        head_attended=row.head_attended,
        decided_on=row.decided_on.isoformat(),
        effective_on=row.effective_on.isoformat() if row.effective_on else None,
    )
