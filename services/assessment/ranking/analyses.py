"""Analyses 分析: questions beyond "who stands where", for one unit or one group. Nothing is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.clock import local_date
from kernel.storage.db import one_moment
from kernel.storage.work import Store
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework
from services.assessment.ranking.advice import Gain, Movement, gains, movements
from services.assessment.ranking.asked import Asked, what_is_asked
from services.assessment.ranking.boards import Board
from services.assessment.ranking.known import NOW, AsOf, known_as_of
from services.assessment.ranking.service import Rankings, visible_unit
from services.assessment.ranking.trend import Point, trend
from services.assessment.ranking.what_if import Moved, Moves, what_if
from services.assessment.scoring.rules import roll_up
from services.assessment.scoring.tallies import Assessed, assessed_units


@dataclass(frozen=True, slots=True)
class Trend:
    """A unit's months; `ranked` says whether its group is small enough to rank every month at once."""

    framework: Framework
    unit: Assessed
    period: str
    points: Sequence[Point]
    ranked: bool


@dataclass(frozen=True, slots=True)
class Advice:
    """What would raise a unit's score, and what moved it since a day; amounts in micro-points."""

    framework: Framework
    unit: Assessed
    period: str
    score: int | None
    since: date
    score_then: int | None
    gains: Sequence[Gain]
    movements: Sequence[Movement]


class Analyses:
    """Trends, advice, and what would be if."""

    def __init__(self, store: Store, frameworks: Frameworks, rankings: Rankings) -> None:
        self._store = store
        self._frameworks = frameworks
        self._rankings = rankings

    def trend(self, who: Principal, unit: str, period: str, *, upto: str = "", as_of: AsOf = NOW) -> Trend:
        """A unit's score and place by month. Raises NotFound, Invalid."""
        with self._store.reading() as session:
            one_moment(session)
            asked = self._asked(session, period[:4], upto, as_of)
            assessed = visible_unit(session, asked.framework, who, unit, at=asked.units_at)
            peers = [
                one
                for one in assessed_units(session, asked.framework, at=asked.units_at)
                if one.group.id == assessed.group.id
            ]
            ranked = len(peers) <= self._rankings.parameters.trend_units
            points = trend(session, asked, peers if ranked else [assessed], unit)
        return Trend(asked.framework, assessed, asked.window.text, points, ranked)

    def advice(
        self,
        who: Principal,
        unit: str,
        period: str,
        *,
        since: date | None = None,
        upto: str = "",
        as_of: AsOf = NOW,
    ) -> Advice:
        """
        What would raise a unit's score most, and which results moved it since the end of a day.

        `since` None is the last day of the month before. Raises NotFound, Invalid.
        """
        with self._store.reading() as session:
            one_moment(session)
            asked = self._asked(session, period, upto, as_of)
            assessed = visible_unit(session, asked.framework, who, unit, at=asked.units_at)
            today = local_date(asked.known.at if asked.known else self._store.clock.now())
            since = since or today.replace(day=1) - timedelta(days=1)
            then = Asked(asked.framework, asked.window, known_as_of(session, self._store.clock, AsOf(since)))
            group = assessed.group.id
            states = asked.states(session, [assessed]).get(unit, {})
            states_then = then.states(session, [assessed]).get(unit, {})
        now, before = (roll_up(asked.framework, group, known) for known in (states, states_then))
        return Advice(
            framework=asked.framework,
            unit=assessed,
            period=asked.window.text,
            score=now.score,
            since=since,
            score_then=before.score,
            gains=gains(asked.framework, group, states),
            movements=movements(before, now),
        )

    def what_if(
        self, period: str, group: str, moves: Moves, *, upto: str = "", as_of: AsOf = NOW
    ) -> tuple[Board, list[Moved]]:
        """A group with weights and methods moved. Raises NotFound, Invalid."""
        board = self._rankings.board(period, group, upto=upto, as_of=as_of)
        return board, what_if(board, moves, self._rankings.parameters)

    def _asked(self, session: Session, period: str, upto: str, as_of: AsOf) -> Asked:
        return what_is_asked(session, self._frameworks, self._store.clock, period, upto, as_of)
