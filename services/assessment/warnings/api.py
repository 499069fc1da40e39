"""Who may read warnings over HTTP, and how they are rendered."""

from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query
from pydantic import BaseModel

from contracts.roles import STAFF
from kernel.access.rules import allow
from kernel.hosting.api import Caller
from services.assessment.ranking.api import Day
from services.assessment.warnings.service import MOST_ROWS, Warnings


class WarningView(BaseModel):
    """A warning 预警 with what it saw; scores in micro-points of 100, lines in thousandths."""

    id: str
    kind: str
    unit: dict[str, str]
    node: str
    framework: str
    year: str
    at_seq: int
    title: str
    seen: dict[str, Any]
    raised_at: datetime
    order: str | None


class WarningPage(BaseModel):
    """One page of warnings."""

    total: int
    rows: list[WarningView]


def router(warnings: Warnings) -> APIRouter:
    """Routes of warnings."""
    router = APIRouter(prefix="/warnings", tags=["warnings"])

    @router.get("")
    @allow(*STAFF)
    def page(
        who: Caller,
        kind: Literal["", "line", "trend", "overdue", "finding"] = "",
        unit: Annotated[str, Query(max_length=100)] = "",
        as_of: Day = None,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
    ) -> WarningPage:
        """Warnings of the caller's area, newest first."""
        total, rows, names = warnings.page(who, kind=kind, unit=unit, offset=offset, limit=limit, as_of=as_of)
        return WarningPage(
            total=total,
            rows=[
                WarningView(
                    id=row["id"],
                    kind=row["kind"],
                    unit={"code": row["unit"], "name": names.get(row["unit"], row["unit"])},
                    node=row["node"],
                    framework=row["framework"],
                    year=row["year"],
                    at_seq=row["at_seq"],
                    title=row["title"],
                    seen=orjson.loads(row["seen"]),
                    raised_at=row["raised_at"],
                    order=row["order_id"],
                )
                for row in rows
            ],
        )

    return router
