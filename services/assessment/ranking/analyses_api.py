"""Who may ask for intervals, trends, advice and what-ifs over HTTP, and how they are rendered."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from contracts.roles import SCORE_READERS
from kernel.access.rules import allow
from kernel.errors import Invalid, Problem
from kernel.hosting.api import Caller
from kernel.hosting.validation import Body, WrittenDay
from services.assessment.framework.reading import micro
from services.assessment.framework.values import Framework, Method, MethodKind
from services.assessment.ranking.analyses import Advice, Analyses
from services.assessment.ranking.api import KnownBy, Period, Upto, framework_ref, shanghai
from services.assessment.ranking.boards import Board
from services.assessment.ranking.intervals import UnitRange
from services.assessment.ranking.known import AsOf
from services.assessment.ranking.rules import points_text, signed_text
from services.assessment.ranking.service import Rankings
from services.assessment.ranking.trend import Point
from services.assessment.ranking.what_if import Moved, Moves

_MOST_MOVES = 300
_FACTOR = Annotated[float, Field(ge=0, le=10)]


class MethodMoved(Body):
    """A result's method, as in a framework; rates in thousandths."""

    kind: MethodKind
    floor_milli: Annotated[int, Field(ge=0, le=1000)] = 0
    target_milli: Annotated[int, Field(ge=1, le=1000)] = 1000
    step_milli: Annotated[int, Field(ge=0, le=1000)] = 0


class WhatIf(Body):
    """
    What is moved: `factors` multiply the weight of a node, `points` replace those of a result (decimals as text).
    """

    peer_group: str
    period: str = ""
    upto: str = ""
    as_of: WrittenDay | None = None
    as_of_seq: Annotated[int, Field(ge=0)] | None = None
    factors: dict[str, _FACTOR] = Field(default_factory=dict, max_length=_MOST_MOVES)
    points: dict[str, str] = Field(default_factory=dict, max_length=_MOST_MOVES)
    methods: dict[str, MethodMoved] = Field(default_factory=dict, max_length=_MOST_MOVES)
    geometric: bool = False
    group_mean: bool = False


def router(rankings: Rankings, analyses: Analyses) -> APIRouter:
    """What can be asked beyond the ranking itself."""
    router = APIRouter(tags=["ranking"])

    @router.get("/rankings/intervals")
    @allow(*SCORE_READERS)
    def intervals(peer_group: str, known: KnownBy, period: Period = "", upto: Upto = "") -> dict[str, Any]:
        """How sure every place of a peer group is (名次区间), tiers and bands; with what repeats the numbers."""
        board, found = rankings.intervals(period, peer_group, upto=upto, as_of=known)
        return {
            **_head(board),
            "method": found.method,
            "tiers": _counted([row.tier for row in found.rows]),
            "bands": _counted([row.band for row in found.rows]),
            "rows": [_range(row) for row in found.rows],
        }

    @router.get("/units/{unit}/trend")
    @allow(*SCORE_READERS)
    def trend(unit: str, who: Caller, known: KnownBy, period: Period = "", upto: Upto = "") -> dict[str, Any]:
        """A unit's score and place by month: the month alone, and the year up to it."""
        told = analyses.trend(who, unit, period, upto=upto, as_of=known)
        return {
            "unit": {"code": told.unit.code, "name": told.unit.name},
            "period": told.period,
            "framework": framework_ref(told.framework).model_dump(),
            "ranked": told.ranked,
            "months": [_point(point) for point in told.points],
        }

    @router.get("/units/{unit}/advice")
    @allow(*SCORE_READERS)
    def advice(
        unit: str,
        who: Caller,
        known: KnownBy,
        period: Period = "",
        upto: Upto = "",
        since: date | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 20,
    ) -> dict[str, Any]:
        """What would raise a unit's score most (提分建议), and what moved it since a day (不写则为上月末)."""
        return _advice(analyses.advice(who, unit, period, since=since, upto=upto, as_of=known), limit)

    @router.post("/what-ifs")
    @allow(*SCORE_READERS)
    def what_if(asked: WhatIf) -> dict[str, Any]:
        """Scores, places, tiers and bands of a peer group with weights and methods moved; nothing is stored."""
        board, moved = analyses.what_if(
            asked.period,
            asked.peer_group,
            _moves(asked),
            upto=asked.upto,
            as_of=AsOf(asked.as_of, asked.as_of_seq),
        )
        return {**_head(board), "rows": [_moved(board, row) for row in moved]}

    return router


def _head(board: Board) -> dict[str, Any]:
    return {
        "period": board.window.text,
        "framework": framework_ref(board.framework).model_dump(),
        "peer_group": {"id": board.group.id, "title": board.group.title},
        "at_seq": board.at_seq,
        "known_at": shanghai(board.known_at),
    }


def _counted(numbers: list[int]) -> list[dict[str, int]]:
    return [{"number": number, "units": numbers.count(number)} for number in sorted(set(numbers))]


def _range(row: UnitRange) -> dict[str, Any]:
    return {
        "unit": row.unit,
        "rank": row.rank,
        "median": f"{row.median:g}",
        "low": row.low,
        "high": row.high,
        "above_next": None if row.above_next is None else f"{row.above_next:.3f}",
        "tier": row.tier,
        "band": row.band,
        "place_at_worst": row.place_at_worst,
        "leans_on_gaps": row.place_at_worst > row.rank,
    }


def _point(point: Point) -> dict[str, Any]:
    return {
        "month": point.month,
        "score": None if point.score is None else points_text(point.score),
        "rank": point.rank,
        "to_date": None if point.to_date is None else points_text(point.to_date),
        "rank_to_date": point.rank_to_date,
    }


def _advice(told: Advice, limit: int) -> dict[str, Any]:
    return {
        "unit": {"code": told.unit.code, "name": told.unit.name},
        "period": told.period,
        "framework": framework_ref(told.framework).model_dump(),
        "score": None if told.score is None else points_text(told.score),
        "since": told.since.isoformat(),
        "score_then": None if told.score_then is None else points_text(told.score_then),
        "gains": [
            {
                "node": gain.node.code,
                "title": gain.node.title,
                "aspect": _aspect(told.framework, gain.node.code),
                "status": gain.status,
                "earned": points_text(gain.earned),
                "applicable": points_text(gain.applicable),
                "gain": points_text(gain.gain),
                "lifts_veto": gain.lifts_veto,
                "method": gain.node.method.text() if gain.node.method else None,
            }
            for gain in told.gains[:limit]
        ],
        "movements": [
            {
                "node": moved.node.code,
                "title": moved.node.title,
                "before": points_text(moved.before),
                "after": points_text(moved.after),
                "change": signed_text(moved.change),
            }
            for moved in told.movements[:limit]
        ],
    }


def _aspect(framework: Framework, code: str) -> str:
    """The title of the first level above a result."""
    for top in framework.root.children:
        if any(node.code == code for node in top.walk()):
            return top.title
    return ""


def _moves(asked: WhatIf) -> Moves:
    points = {code: micro(text) for code, text in asked.points.items()}
    problems = [
        Problem(f"points.{code}", "points", '分值应为带引号的小数，最多六位，例如 "1.5"。')
        for code, value in points.items()
        if value is None
    ]
    problems += [
        Problem(f"methods.{code}", "target_not_above_floor", "target 必须大于 floor。")
        for code, method in asked.methods.items()
        if method.floor_milli >= method.target_milli
    ]
    if problems:
        raise Invalid(problems=problems)
    return Moves(
        factors=asked.factors,
        points={code: value for code, value in points.items() if value is not None},
        methods={code: Method(**method.model_dump()) for code, method in asked.methods.items()},
        geometric=asked.geometric,
        group_mean=asked.group_mean,
    )


def _moved(board: Board, row: Moved) -> dict[str, Any]:
    unit = board.units[row.unit]
    return {
        "unit": {"code": unit.code, "name": unit.name, "region_code": unit.region_code},
        "before": f"{row.before:.4f}",
        "after": f"{row.after:.4f}",
        "rank_before": row.rank_before,
        "rank": row.rank,
        "tier": row.tier,
        "band": row.band,
    }
