"""Who may ask for replays over HTTP, and how they are rendered."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlalchemy import Row

from contracts.roles import INSPECTOR, REVIEWER, STAFF
from kernel.access.rules import allow
from kernel.hosting.api import Caller
from kernel.hosting.validation import Body
from services.assessment.ranking.api import RankingView, ranking_view, shanghai
from services.assessment.replay.model import DONE
from services.assessment.replay.service import Replays
from services.assessment.replay.sheet import workbook_of

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_UNITS = 100_000


class NewReplay(Body):
    """
    What to replay: a published version (`framework`, `version`), a draft by its id, or a whole document.
    """

    framework: Annotated[str, Field(max_length=64)] = ""
    version: Annotated[str, Field(max_length=20)] = ""
    draft: Annotated[str, Field(max_length=36)] = ""
    document: dict[str, Any] | None = None
    period: Annotated[str, Field(pattern=r"^[0-9]{4}(-[0-9]{2})?$")]
    upto: Annotated[str, Field(pattern=r"^([0-9]{4}-[0-9]{2})?$")] = ""


def router(replays: Replays) -> APIRouter:
    """Replays and their reports."""
    router = APIRouter(prefix="/replays", tags=["replay"])

    @router.post("", status_code=202)
    @allow(REVIEWER, INSPECTOR)
    def ask(asked: NewReplay, who: Caller) -> dict[str, str]:
        """Replay a period under another framework (重放); it is made in the background."""
        return {"id": replays.ask(who, **asked.model_dump())}

    @router.get("")
    @allow(*STAFF)
    def listed(limit: Annotated[int, Query(ge=1, le=200)] = 50) -> dict[str, Any]:
        """The newest replays."""
        return {"rows": [_head(row) for row in replays.listed(limit)]}

    @router.get("/{replay}")
    @allow(*STAFF)
    def one(replay: str) -> dict[str, Any]:
        """How far a replay is; its summary by peer group when it is done."""
        row = replays.one(replay)
        return {**_head(row), "summary": orjson.loads(row.summary)}

    @router.get("/{replay}/report")
    @allow(*STAFF)
    def report(
        replay: str,
        peer_group: str,
        who: Caller,
        order: Annotated[
            str, Query(pattern="^(place|moved)$", description="moved：变动最大的排在前")
        ] = "place",
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> dict[str, Any]:
        """Unit by unit: before, after and why (影响分析)."""
        total, rows = replays.rows(
            who, replay, peer_group, offset=offset, limit=limit, moved=order == "moved"
        )
        return {"total": total, "rows": rows}

    @router.get("/{replay}/ranking")
    @allow(*STAFF)
    def ranking(
        replay: str,
        peer_group: str,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> RankingView:
        """The ranking as the replayed framework gives it; under the framework in force, the ranking itself."""
        return ranking_view(replays.ranking(replay, peer_group, offset=offset, limit=limit))

    @router.get("/{replay}/report.json")
    @allow(*STAFF)
    def whole(replay: str, who: Caller) -> Response:
        """The whole report as JSON."""
        told = {**one(replay), "groups": _whole(replays, who, replay)}
        return Response(orjson.dumps(told, option=orjson.OPT_INDENT_2), media_type="application/json")

    @router.get("/{replay}/report.xlsx")
    @allow(*STAFF)
    def workbook(replay: str, who: Caller) -> Response:
        """The whole report as a workbook."""
        row = replays.one(replay)
        summary = orjson.loads(row.summary) if row.state == DONE else []
        content = workbook_of(summary, _whole(replays, who, replay))
        disposition = {"Content-Disposition": f'attachment; filename="replay-{row.period}.xlsx"'}
        return Response(content, media_type=XLSX, headers=disposition)

    return router


def _whole(replays: Replays, who: Caller, replay: str) -> dict[str, list[dict[str, Any]]]:
    row = replays.one(replay)
    if row.state != DONE:
        return {}
    groups = [group["peer_group"]["id"] for group in orjson.loads(row.summary)]
    return {group: replays.rows(who, replay, group, limit=MOST_UNITS)[1] for group in groups}


def _head(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "framework": row.framework,
        "digest": row.digest,
        "period": row.period,
        "upto": row.upto,
        "at_seq": row.at_seq,
        "state": row.state,
        "done": row.done,
        "total": row.total,
        "asked_by": row.asked_by,
        "asked_at": shanghai(row.asked_at),
    }
