"""
Ranking 排名: who stands where within a peer group, and one unit's standing.

Only units of one peer group are ranked against one another (国办函〔2026〕12号 forbids ranking people and app
usage; neither is in the data). Equal scores share a place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.errors import NotFound
from kernel.storage.work import Store
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework, PeerGroup
from services.assessment.ranking.rules import may_see_detail
from services.assessment.scoring.model import LOG_HEAD, UNIT_SCORES
from services.assessment.scoring.roll_up import key_of, latest_year, scored_years
from services.assessment.scoring.rules import Modes, NodeScore, Standing, rank, roll_up
from services.assessment.scoring.tallies import Assessed, assessed_units, states_of
from services.assessment.tables import UNITS


@dataclass(frozen=True, slots=True)
class RankingRow:
    """One unit's line in a ranking; amounts in micro-points and millionths."""

    rank: int | None
    tied: bool
    unit: str
    unit_name: str
    region_code: str
    score: int | None
    coverage: int
    vetoes: int
    findings: int
    aspects: tuple[tuple[str, int | None], ...]
    modes: Modes


@dataclass(frozen=True, slots=True)
class RankingPage:
    """A page of a ranking and what it rests on."""

    framework: Framework
    group: PeerGroup
    period: str
    total: int
    at_seq: int
    known_at: datetime | None
    rows: tuple[RankingRow, ...]


@dataclass(frozen=True, slots=True)
class UnitStanding:
    """One unit's score tree and place among its peers."""

    framework: Framework
    unit: Assessed
    period: str
    tree: NodeScore
    rank: int | None
    ranked_units: int


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """A unit's score as of an event number."""

    unit: str
    score: int | None
    coverage: int
    at_seq: int


class Rankings:
    """Questions about scores and places."""

    def __init__(self, store: Store, frameworks: Frameworks) -> None:
        self._store = store
        self._frameworks = frameworks

    def overview(self) -> tuple[Framework, dict[str, int], list[str]]:
        """The framework in force, how many scored units each peer group has, and the years with data."""
        framework = self._frameworks.current()
        with self._store.reading() as session:
            query = (
                select(UNIT_SCORES.c.peer_group, func.count(UNIT_SCORES.c.unit.distinct()))
                .where(UNIT_SCORES.c.framework == key_of(framework))
                .group_by(UNIT_SCORES.c.peer_group)
            )
            units = {row[0]: row[1] for row in session.execute(query)}
            return framework, units, scored_years(session)

    def page(self, period: str, group: str, *, offset: int, limit: int, name: str = "") -> RankingPage:
        """A page of the ranking of a peer group in a year ("" the newest), units whose name contains `name` only."""
        framework = self._frameworks.current()
        found = self._group(framework, group)
        with self._store.reading() as session:
            period = period or latest_year(session)
            standings = self._standings(session, framework, period, group)
            if name:
                standings = self._named(session, standings, name)
            shown = standings[offset : offset + limit]
            rows = self._rows(session, framework, period, shown)
            head = session.execute(select(LOG_HEAD.c.size)).scalar_one()
        known = [row.known_at for row in rows.values()]
        return RankingPage(
            framework=framework,
            group=found,
            period=period,
            total=len(standings),
            at_seq=head,
            known_at=max(known) if known else None,
            rows=tuple(_row(standing, rows[standing.unit]) for standing in shown),
        )

    def unit(self, who: Principal, unit: str, period: str) -> UnitStanding:
        """One unit's tree; raises NotFound when there is none, or none this caller may see."""
        framework = self._frameworks.current()
        with self._store.reading() as session:
            period = period or latest_year(session)
            assessed = visible_unit(session, framework, who, unit)
            states = states_of(session, [assessed], period).get(unit, {})
            standings = self._standings(session, framework, period, assessed.group.id)
        place = next((standing.rank for standing in standings if standing.unit == unit), None)
        return UnitStanding(
            framework=framework,
            unit=assessed,
            period=period,
            tree=roll_up(framework, assessed.group.id, states),
            rank=place,
            ranked_units=sum(standing.rank is not None for standing in standings),
        )

    def newest_seq(self) -> int:
        """Up to which event scores are known now."""
        with self._store.reading() as session:
            newest: int = session.execute(
                select(func.coalesce(func.max(UNIT_SCORES.c.at_seq), 0))
            ).scalar_one()
            return newest

    def changes(self, period: str, unit_path: str, after: int) -> list[ScoreChange]:
        """Scores of units below `unit_path` that were made after an event number, oldest first."""
        framework = self._frameworks.current()
        query = (
            select(UNIT_SCORES.c.unit, UNIT_SCORES.c.score, UNIT_SCORES.c.coverage, UNIT_SCORES.c.at_seq)
            .join(UNITS.table, UNITS.table.c.code == UNIT_SCORES.c.unit)
            .where(
                UNIT_SCORES.c.framework == key_of(framework),
                UNIT_SCORES.c.year == period,
                UNIT_SCORES.c.at_seq > after,
                UNITS.table.c.path.startswith(unit_path, autoescape=True),
            )
            .order_by(UNIT_SCORES.c.at_seq)
        )
        with self._store.reading() as session:
            return [ScoreChange(*row) for row in session.execute(query)]

    def _group(self, framework: Framework, group: str) -> PeerGroup:
        found = next((known for known in framework.peer_groups if known.id == group), None)
        if found is None:
            raise NotFound(
                f"没有考核对象类别“{group[:50]}”，请从类别列表中选择。", code="assessment.unknown_peer_group"
            )
        return found

    def _standings(self, session: Session, framework: Framework, period: str, group: str) -> list[Standing]:
        query = select(UNIT_SCORES.c.unit, UNIT_SCORES.c.score).where(
            UNIT_SCORES.c.framework == key_of(framework),
            UNIT_SCORES.c.year == period,
            UNIT_SCORES.c.peer_group == group,
        )
        return rank((row.unit, row.score) for row in session.execute(query))

    def _named(self, session: Session, standings: Sequence[Standing], name: str) -> list[Standing]:
        table = UNITS.table
        matching = select(table.c.code).where(table.c.name.contains(name, autoescape=True))
        codes = {row[0] for row in session.execute(matching)}
        return [standing for standing in standings if standing.unit in codes]

    def _rows(
        self, session: Session, framework: Framework, period: str, shown: Sequence[Standing]
    ) -> dict[str, Row[Any]]:
        query = (
            select(UNIT_SCORES, UNITS.table.c.name.label("unit_name"), UNITS.table.c.region_code)
            .join(UNITS.table, UNITS.table.c.code == UNIT_SCORES.c.unit)
            .where(
                UNIT_SCORES.c.framework == key_of(framework),
                UNIT_SCORES.c.year == period,
                UNIT_SCORES.c.unit.in_([standing.unit for standing in shown]),
            )
        )
        return {row.unit: row for row in session.execute(query)}


def visible_unit(session: Session, framework: Framework, who: Principal, unit: str) -> Assessed:
    """An assessed unit whose detail this caller may see; raises NotFound otherwise, and says no more."""
    found = assessed_units(session, framework, [unit])
    if not found or not may_see_detail(who, found[0].path):
        raise NotFound(
            "没有这个考核对象，或不在您的查看范围内，请核对单位代码。", code="assessment.unknown_unit"
        )
    return found[0]


def _row(standing: Standing, row: Row[Any]) -> RankingRow:
    return RankingRow(
        rank=standing.rank,
        tied=standing.tied,
        unit=standing.unit,
        unit_name=row.unit_name,
        region_code=row.region_code,
        score=row.score,
        coverage=row.coverage,
        vetoes=row.vetoes,
        findings=row.findings,
        aspects=tuple((code, score) for code, score in orjson.loads(row.aspects)),
        modes=Modes(*orjson.loads(row.modes)),
    )
