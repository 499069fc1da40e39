"""Who may ask for rankings and scores over HTTP, and how they are rendered."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from contracts.roles import EVERYONE_SIGNED_IN, SCORE_READERS
from kernel.access.rules import allow
from kernel.clock import SHANGHAI
from kernel.hosting.api import Caller
from services.assessment.framework.values import Framework
from services.assessment.ranking.known import AsOf
from services.assessment.ranking.rules import modes_text, points_text, share_text
from services.assessment.ranking.service import RankingPage, RankingRow, Rankings
from services.assessment.scoring.rules import NodeScore

Period = Annotated[
    str,
    Query(
        pattern=r"^([0-9]{4}(-[0-9]{2})?)?$",
        description="年度（2026）或单独一个月（2026-09）；不写则为最近有数据的年度",
    ),
]
Upto = Annotated[
    str,
    Query(pattern=r"^([0-9]{4}-[0-9]{2})?$", description="年初至该月（2026-09），与年度一并填写"),
]


Day = Annotated[date | None, Query(alias="as_of", description="按该日结束时（北京时间）的情况")]


def as_of(
    as_of: Annotated[date | None, Query(description="按该日结束时（北京时间）已知的情况")] = None,
    as_of_seq: Annotated[int | None, Query(ge=0, description="按日志前若干个事件已知的情况")] = None,
) -> AsOf:
    """As of 截至: what is taken as known."""
    return AsOf(as_of, as_of_seq)


KnownBy = Annotated[AsOf, Depends(as_of)]


class UnitRef(BaseModel):
    """A unit by code and name, with the name of the unit above it where it is asked for."""

    code: str
    name: str
    region_code: str = ""
    above: str = ""


class AspectScore(BaseModel):
    """An aspect's own score out of 100."""

    node: str
    title: str
    score: str | None


class RankingLine(BaseModel):
    """One unit's line."""

    rank: int | None
    tied: bool
    unit: UnitRef
    score: str | None
    coverage: str
    vetoes: int
    events: int
    aspects: list[AspectScore]
    credibility: dict[str, str]


class FrameworkRef(BaseModel):
    """A framework version."""

    id: str
    version: str
    title: str


class RankingView(BaseModel):
    """A page of a ranking, with what it rests on."""

    period: str
    framework: FrameworkRef
    peer_group: dict[str, str]
    at_seq: int
    known_at: str | None
    total: int
    rows: list[RankingLine]


class NodeView(BaseModel):
    """A node of the framework tree with what the unit reached there; decimals as strings."""

    node: str
    title: str
    level: str
    points: str
    applicable: str
    earned: str
    attainment: str | None
    status: str
    coverage: str
    veto: bool
    vetoed: bool
    contribution: str
    credibility: dict[str, str]
    children: list["NodeView"]


class ScoreView(BaseModel):
    """One unit's score and tree."""

    unit: UnitRef
    period: str
    framework: FrameworkRef
    peer_group: dict[str, str]
    score: str | None
    coverage: str
    rank: int | None
    ranked_units: int
    tree: NodeView


def router(rankings: Rankings) -> APIRouter:
    """Rankings, unit scores, and the framework in force."""
    router = APIRouter(tags=["ranking"])

    @router.get("/frameworks/current")
    @allow(*EVERYONE_SIGNED_IN)
    def current_framework() -> dict[str, Any]:
        """The framework in force, its peer groups with how many units each has, the years with data."""
        framework, units, years = rankings.overview()
        return {
            **framework_ref(framework).model_dump(),
            "year": framework.year,
            "sample": framework.sample,
            "notice": framework.notice,
            "counts": {f"{level}s": framework.count(level) for level in framework.levels},
            "peer_groups": [
                {"id": group.id, "title": group.title, "units": units.get(group.id, 0)}
                for group in framework.peer_groups
            ],
            "periods": years,
        }

    @router.get("/rankings")
    @allow(*SCORE_READERS)
    def ranking(
        peer_group: str,
        known: KnownBy,
        period: Period = "",
        upto: Upto = "",
        name: Annotated[str, Query(max_length=50)] = "",
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> RankingView:
        """Units of a peer group, best first."""
        page = rankings.page(
            period, peer_group, offset=offset, limit=limit, name=name, upto=upto, as_of=known
        )
        return ranking_view(page)

    @router.get("/units/{unit}/score")
    @allow(*SCORE_READERS)
    def unit_score(unit: str, who: Caller, known: KnownBy, period: Period = "", upto: Upto = "") -> ScoreView:
        """A unit's score, place and whole tree."""
        standing = rankings.unit(who, unit, period, upto=upto, as_of=known)
        score = standing.tree.score
        return ScoreView(
            unit=UnitRef(
                code=standing.unit.code, name=standing.unit.name, region_code=standing.unit.region_code
            ),
            period=standing.period,
            framework=framework_ref(standing.framework),
            peer_group={"id": standing.unit.group.id, "title": standing.unit.group.title},
            score=None if score is None else points_text(score),
            coverage=share_text(standing.tree.coverage),
            rank=standing.rank,
            ranked_units=standing.ranked_units,
            tree=node_view(standing.tree, depth=10),
        )

    return router


def ranking_view(page: RankingPage) -> RankingView:
    """A page of a ranking as the API shows it."""
    titles = {node.code: node.title for node in page.framework.root.children}
    return RankingView(
        period=page.period,
        framework=framework_ref(page.framework),
        peer_group={"id": page.group.id, "title": page.group.title},
        at_seq=page.at_seq,
        known_at=shanghai(page.known_at),
        total=page.total,
        rows=[_line(row, titles, page.above.get(row.unit, "")) for row in page.rows],
    )


def shanghai(at: datetime | None) -> str | None:
    """A moment as the API writes it."""
    return at.astimezone(SHANGHAI).isoformat() if at else None


def framework_ref(framework: Framework) -> FrameworkRef:
    """A framework as the API names it."""
    return FrameworkRef(id=framework.id, version=framework.version, title=framework.title)


def node_view(tree: NodeScore, *, depth: int) -> NodeView:
    """A node and `depth` levels below it."""
    return NodeView(
        node=tree.node.code,
        title=tree.node.title,
        level=tree.node.level,
        points=points_text(tree.points),
        applicable=points_text(tree.amounts.applicable),
        earned=points_text(tree.amounts.earned),
        attainment=None if tree.attainment is None else share_text(tree.attainment),
        status=tree.status,
        coverage=share_text(tree.coverage),
        veto=tree.veto,
        vetoed=tree.vetoed,
        contribution=points_text(tree.contribution),
        credibility=modes_text(tree.modes),
        children=[node_view(child, depth=depth - 1) for child in tree.children] if depth else [],
    )


def _line(row: RankingRow, titles: dict[str, str], above: str) -> RankingLine:
    return RankingLine(
        rank=row.rank,
        tied=row.tied,
        unit=UnitRef(code=row.unit, name=row.unit_name, region_code=row.region_code, above=above),
        score=None if row.score is None else points_text(row.score),
        coverage=share_text(row.coverage),
        vetoes=row.vetoes,
        events=row.findings,
        aspects=[
            AspectScore(
                node=code, title=titles.get(code, code), score=None if score is None else points_text(score)
            )
            for code, score in row.aspects
        ],
        credibility=modes_text(row.modes),
    )
