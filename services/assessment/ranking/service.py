"""
Ranking 排名: who stands where within a peer group, and one unit's standing.

Only units of one peer group are ranked against one another (国办函〔2026〕12号 forbids ranking people and app
usage; neither is in the data). Equal scores share a place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.errors import NotFound
from kernel.storage.db import one_moment
from kernel.storage.work import Store
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework, PeerGroup
from services.assessment.ranking.asked import Asked, what_is_asked
from services.assessment.ranking.boards import Board, Boards
from services.assessment.ranking.intervals import Intervals, RankIntervals
from services.assessment.ranking.known import NOW, AsOf, received
from services.assessment.ranking.parameters import Parameters
from services.assessment.ranking.rules import may_see_detail
from services.assessment.scoring.model import ROLLED_UP, UNIT_SCORES
from services.assessment.scoring.roll_up import key_of, scored_years
from services.assessment.scoring.rules import Modes, NodeScore, Standing, rank, roll_up
from services.assessment.scoring.tallies import Assessed, assessed_units
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
    """A page of a ranking and what it rests on; `above` is the name of the unit above each of its units."""

    framework: Framework
    group: PeerGroup
    period: str
    total: int
    at_seq: int
    known_at: datetime | None
    rows: tuple[RankingRow, ...]
    above: Mapping[str, str]


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
    """A unit's score as of an event number, and when it was reckoned."""

    unit: str
    score: int | None
    coverage: int
    at_seq: int
    known_at: datetime


class Rankings:
    """Questions about scores and places."""

    def __init__(self, store: Store, frameworks: Frameworks, parameters: Parameters) -> None:
        self._store = store
        self._frameworks = frameworks
        self._boards = Boards()
        self._intervals = RankIntervals(parameters)

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

    def page(
        self,
        period: str,
        group: str,
        *,
        offset: int,
        limit: int,
        name: str = "",
        upto: str = "",
        as_of: AsOf = NOW,
    ) -> RankingPage:
        """
        A page of the ranking of a peer group, units whose name contains `name` only.

        `period` is a year ("" the newest) or a month, `upto` ends a year with a month. Raises Invalid, NotFound.
        """
        with self._store.reading() as session:
            one_moment(session)
            asked = self.asked(session, period, upto, as_of)
            found = peer_group(asked.framework, group)
            if not asked.is_kept:
                board = self._boards.board(session, asked.framework, found, asked.window, asked.known)
                return page_of(session, board, offset=offset, limit=limit, name=name)
            standings = self._standings(session, asked.framework, asked.window.year, group)
            if name:
                standings = named(session, standings, name)
            shown = standings[offset : offset + limit]
            rows = self._rows(session, asked.framework, asked.window.year, shown)
            at_seq = rolled_up(session, asked.framework)
            return RankingPage(
                framework=asked.framework,
                group=found,
                period=asked.window.text,
                total=len(standings),
                at_seq=at_seq,
                known_at=received(session, at_seq),
                rows=tuple(_row(standing, rows[standing.unit]) for standing in shown),
                above=_above(session, shown),
            )

    def unit(
        self, who: Principal, unit: str, period: str, *, upto: str = "", as_of: AsOf = NOW
    ) -> UnitStanding:
        """One unit's tree; raises NotFound when there is none, or none this caller may see."""
        with self._store.reading() as session:
            one_moment(session)
            asked = self.asked(session, period, upto, as_of)
            assessed = visible_unit(session, asked.framework, who, unit, at=asked.units_at)
            if asked.is_kept:
                states = asked.states(session, [assessed]).get(unit, {})
                standings = self._standings(session, asked.framework, asked.window.year, assessed.group.id)
            else:
                board = self._boards.board(
                    session, asked.framework, assessed.group, asked.window, asked.known
                )
                states = dict(board.states[unit])
                standings = board.standings
        place = next((standing.rank for standing in standings if standing.unit == unit), None)
        return UnitStanding(
            framework=asked.framework,
            unit=assessed,
            period=asked.window.text,
            tree=roll_up(asked.framework, assessed.group.id, states),
            rank=place,
            ranked_units=sum(standing.rank is not None for standing in standings),
        )

    def intervals(
        self, period: str, group: str, *, upto: str = "", as_of: AsOf = NOW
    ) -> tuple[Board, Intervals]:
        """How sure the places of a peer group are. Raises Invalid, NotFound."""
        board = self.board(period, group, upto=upto, as_of=as_of)
        return board, self._intervals.of(board)

    def board(self, period: str, group: str, *, upto: str = "", as_of: AsOf = NOW) -> Board:
        """A peer group with everything that can be asked of it; of now, it may be a moment old."""
        with self._store.reading() as session:
            one_moment(session)
            asked = self.asked(session, period, upto, as_of)
            return self._boards.board(
                session,
                asked.framework,
                peer_group(asked.framework, group),
                asked.window,
                asked.known,
                reuse_seconds=self.parameters.reuse_seconds,
            )

    @property
    def parameters(self) -> Parameters:
        """How certainty is simulated."""
        return self._intervals.parameters

    def asked(self, session: Session, period: str, upto: str, as_of: AsOf) -> Asked:
        """What a question is about. Raises Invalid, NotFound."""
        return what_is_asked(session, self._frameworks, self._store.clock, period, upto, as_of)

    def newest(self) -> tuple[int, datetime | None]:
        """Up to which event scores are known now, and when the last was reckoned."""
        newest = select(func.coalesce(func.max(UNIT_SCORES.c.at_seq), 0), func.max(UNIT_SCORES.c.known_at))
        with self._store.reading() as session:
            seq, known_at = session.execute(newest).one()
            return seq, known_at

    def changes(
        self, period: str, unit_path: str, after: int, since: datetime | None = None
    ) -> list[ScoreChange]:
        """
        Scores of units below `unit_path` ("" none) that were made after an event number or a moment, oldest first.

        A move in the directory changes scores without any event.
        """
        if not unit_path:
            return []
        framework = self._frameworks.in_force(int(period))
        later = UNIT_SCORES.c.at_seq > after
        if since is not None:
            later |= UNIT_SCORES.c.known_at > since
        columns = (UNIT_SCORES.c[name] for name in ScoreChange.__annotations__)
        query = (
            select(*columns)
            .join(UNITS.table, UNITS.table.c.code == UNIT_SCORES.c.unit)
            .where(
                UNIT_SCORES.c.framework == key_of(framework),
                UNIT_SCORES.c.year == period,
                later,
                UNITS.table.c.path.startswith(unit_path, autoescape=True),
            )
            .order_by(UNIT_SCORES.c.at_seq)
        )
        with self._store.reading() as session:
            return [ScoreChange(*row) for row in session.execute(query)]

    def _standings(self, session: Session, framework: Framework, period: str, group: str) -> list[Standing]:
        query = select(UNIT_SCORES.c.unit, UNIT_SCORES.c.score).where(
            UNIT_SCORES.c.framework == key_of(framework),
            UNIT_SCORES.c.year == period,
            UNIT_SCORES.c.peer_group == group,
        )
        return rank((row.unit, row.score) for row in session.execute(query))

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


def rolled_up(session: Session, framework: Framework) -> int:
    """Up to which event the kept scores of a framework are made."""
    query = select(ROLLED_UP.c.seq).where(ROLLED_UP.c.framework == key_of(framework))
    return session.execute(query).scalar_one_or_none() or 0


def peer_group(framework: Framework, group: str) -> PeerGroup:
    """A peer group of a framework. Raises NotFound."""
    found = next((known for known in framework.peer_groups if known.id == group), None)
    if found is None:
        raise NotFound(
            f"没有考核对象类别“{group[:50]}”，请从类别列表中选择。", code="assessment.unknown_peer_group"
        )
    return found


def page_of(session: Session, board: Board, *, offset: int, limit: int, name: str = "") -> RankingPage:
    """A page of a board, line by line what the ranking of the kept scores would say."""
    standings = board.standings
    if name:
        standings = [standing for standing in standings if name in board.units[standing.unit].name]
    shown = standings[offset : offset + limit]
    return RankingPage(
        framework=board.framework,
        group=board.group,
        period=board.window.text,
        total=len(standings),
        at_seq=board.at_seq,
        known_at=board.known_at,
        rows=tuple(_board_row(board, standing) for standing in shown),
        above=_above(session, shown, board.units_at),
    )


def _above(session: Session, shown: Sequence[Standing], at: datetime | None = None) -> dict[str, str]:
    """Unit -> name of the unit above it, of these; under what a picture of them puts each."""
    table = UNITS.table_at(at)
    query = select(table.c.code, table.c.path).where(table.c.code.in_([one.unit for one in shown]))
    over = {
        row.code: parts[-2]
        for row in session.execute(query)
        if len(parts := row.path.strip("/").split("/")) > 1
    }
    names = select(table.c.code, table.c.name).where(table.c.code.in_(set(over.values())))
    known = {row.code: row.name for row in session.execute(names)}
    return {unit: known[code] for unit, code in over.items() if code in known}


def named(session: Session, standings: Sequence[Standing], name: str) -> list[Standing]:
    """Those whose unit's name contains this."""
    table = UNITS.table
    matching = select(table.c.code).where(table.c.name.contains(name, autoescape=True))
    codes = {row[0] for row in session.execute(matching)}
    return [standing for standing in standings if standing.unit in codes]


def visible_unit(
    session: Session, framework: Framework, who: Principal, unit: str, *, at: datetime | None = None
) -> Assessed:
    """
    An assessed unit whose detail this caller may see; raises NotFound otherwise, and says no more.

    `at` gives it with the name and place it had then; who may see it, is decided by where it stands today.
    """
    found = assessed_units(session, framework, [unit], at=at)
    if not found or not may_see_detail(who, UNITS.path_today(session, unit) if at else found[0].path):
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


def _board_row(board: Board, standing: Standing) -> RankingRow:
    unit, totals = board.units[standing.unit], board.totals[standing.unit]
    return RankingRow(
        rank=standing.rank,
        tied=standing.tied,
        unit=unit.code,
        unit_name=unit.name,
        region_code=unit.region_code,
        score=totals.score,
        coverage=totals.coverage,
        vetoes=totals.vetoes,
        findings=sum(state.passed + state.failed for state in board.states[unit.code].values()),
        aspects=totals.aspects,
        modes=totals.modes,
    )
