"""Door of corrections asked 更正通知 over HTTP: one list, alike in every service that owns data."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy import Row

from contracts.corrections.reading import CORRECTED, MOST_ROWS, WAITING, Corrections
from contracts.findings.values import Outcome
from contracts.roles import STAFF
from kernel.access.rules import allow
from kernel.hosting.api import Caller


class CorrectionUnit(BaseModel):
    """The unit the datum counts for."""

    code: str
    name: str


class CorrectionView(BaseModel):
    """
    A correction asked: the event, its business object, and what it ought to say (`score_milli` in thousandths).

    `state` is waiting 待更正 or corrected 已更正; `correction` is the event told in its place.
    """

    id: str
    objection: str
    event: str
    unit: CorrectionUnit
    probe: str
    subject: str
    outcome: str
    score_milli: int
    reason: str
    state: str
    due_at: datetime
    is_overdue: bool
    asked_at: datetime
    correction: str | None
    corrected_at: datetime | None


class CorrectionPage(BaseModel):
    """One page of corrections asked."""

    total: int
    rows: list[CorrectionView]


def corrections_routes(corrections: Corrections) -> APIRouter:
    """GET /corrections-asked."""
    routes = APIRouter(tags=["corrections"])

    @routes.get("/corrections-asked")
    @allow(*STAFF)
    def asked(
        who: Caller,
        state: Literal["", "waiting", "corrected"] = "",
        subject: Annotated[str, Query(max_length=200)] = "",
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
    ) -> CorrectionPage:
        """Upheld objections against data of this service, for units of the caller's area; what waits first."""
        total, rows = corrections.page(who, state=state, subject=subject, offset=offset, limit=limit)
        now = corrections.now()
        return CorrectionPage(total=total, rows=[_view(row, now) for row in rows])

    return routes


def _view(row: Row[Any], now: datetime) -> CorrectionView:
    waits = row.corrected_at is None
    return CorrectionView(
        id=row.id,
        objection=row.objection,
        event=row.event_id,
        unit=CorrectionUnit(code=row.unit, name=row.name),
        probe=row.probe,
        subject=row.subject,
        outcome=Outcome(row.outcome).name.lower(),
        score_milli=row.score_milli,
        reason=row.reason,
        state=WAITING if waits else CORRECTED,
        due_at=row.due_at,
        is_overdue=waits and row.due_at <= now,
        asked_at=row.asked_at,
        correction=row.correction,
        corrected_at=row.corrected_at,
    )
