"""
Board 榜: a peer group in a window of months, as known at one event, with everything that can be asked of it.

Rankings of years as they are now are read from the kept scores; everything else (a month, the year to date, a past
moment, another framework) is a board: counted once from the states, by the arithmetic of the kept scores, and
remembered for as long as nothing of it changed.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Generic, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kernel.storage.db import one_moment
from services.assessment.framework.values import Framework, PeerGroup
from services.assessment.ranking.known import Known, head_of, received
from services.assessment.ranking.matrix import Matrix, matrix_of
from services.assessment.ranking.periods import Window
from services.assessment.scoring.model import UNIT_SCORES
from services.assessment.scoring.roll_up import key_of
from services.assessment.scoring.rules import ProbeState, Standing, Totals, rank, roll_up_totals
from services.assessment.scoring.tallies import Assessed, assessed_units, states_of
from services.assessment.tables import UNITS

T = TypeVar("T")
UNITS_A_STATEMENT = 500
SUBTREES_A_STATEMENT = 20  # each may hold a hundredth of the log
BOARDS_KEPT = 8


@dataclass(frozen=True, eq=False)
class Board:
    """
    All units of a group with their states and totals; `known_at` is when the last known event was received.

    `units_at` is the moment of which the units have their names and places; None for now.
    """

    framework: Framework
    group: PeerGroup
    window: Window
    at_seq: int
    known_at: datetime | None
    units: Mapping[str, Assessed]
    states: Mapping[str, Mapping[str, ProbeState]]
    totals: Mapping[str, Totals]
    units_at: datetime | None = None

    @cached_property
    def standings(self) -> list[Standing]:
        """Everybody's place, best first."""
        return rank((unit, totals.score) for unit, totals in self.totals.items())

    @cached_property
    def matrix(self) -> Matrix:
        """The units that have a score, in published order, for statistics."""
        ranked = [standing.unit for standing in self.standings if standing.rank is not None]
        return matrix_of(self.framework, self.group.id, ranked, self.states)


@dataclass
class Remembered(Generic[T]):
    """The last few things made, each made once however many ask at the same time."""

    most: int
    _made: OrderedDict[tuple[object, ...], T] = field(default_factory=OrderedDict)
    _turns: dict[tuple[object, ...], threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """What was made for this key, or is made now."""
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            with self._lock:
                if key in self._made:
                    self._made.move_to_end(key)
                    return self._made[key]
            made = make()
            with self._lock:
                self._made[key] = made
                while len(self._made) > self.most:
                    forgotten, _ = self._made.popitem(last=False)
                    self._turns.pop(forgotten, None)
        return made


class Boards:
    """Makes boards and remembers the last few."""

    def __init__(self) -> None:
        self._boards: Remembered[Board] = Remembered(BOARDS_KEPT)
        self._recent: dict[tuple[object, ...], tuple[float, Board]] = {}

    def board(
        self,
        session: Session,
        framework: Framework,
        group: PeerGroup,
        window: Window,
        known: Known | None,
        *,
        reuse_seconds: int = 0,
    ) -> Board:
        """
        The board of a group; `known` None is now.

        `reuse_seconds`: a board of now that was asked for so recently does, though events came since; it says up to
        which event it counts.
        """
        stamp = _directory_stamp(session)
        asked = framework, group.id, window, known, stamp
        if known is None and asked in self._recent:
            made_at, board = self._recent[asked]
            if time.monotonic() - made_at < reuse_seconds:
                return board
        mark = known.seq if known else _last_change(session, framework, group, window)
        board = self._boards.get((*asked, mark), lambda: make_board(session, framework, group, window, known))
        if known is None:
            self._recent = {key: kept for key, kept in self._recent.items() if kept[1] is not board}
            self._recent = dict([*self._recent.items(), (asked, (time.monotonic(), board))][-BOARDS_KEPT:])
        return board


def make_board(
    session: Session,
    framework: Framework,
    group: PeerGroup,
    window: Window,
    known: Known | None,
    advance: Callable[[int], None] = lambda _: None,
    *,
    from_log: bool = False,
) -> Board:
    """Count a board; `advance` hears of every so many units, `from_log` is what states_of says of it."""
    one_moment(session)
    head = head_of(session) if known is None else known.seq
    at = known.at if known else None
    units = [unit for unit in assessed_units(session, framework, at=at) if unit.group.id == group.id]
    units.sort(key=lambda unit: unit.code)
    states: dict[str, Mapping[str, ProbeState]] = {}
    totals: dict[str, Totals] = {}
    size = SUBTREES_A_STATEMENT if group.events == "subtree" else UNITS_A_STATEMENT
    for start in range(0, len(units), size):
        part = units[start : start + size]
        found = states_of(
            session,
            part,
            window.year,
            since=window.first,
            until=window.last,
            at_seq=known.seq if known else None,
            at=at,
            from_log=from_log,
        )
        for unit in part:
            states[unit.code] = found.get(unit.code, {})
            totals[unit.code] = roll_up_totals(framework, group.id, states[unit.code])
        advance(len(part))
    return Board(
        framework=framework,
        group=group,
        window=window,
        at_seq=head,
        known_at=received(session, head),
        units={unit.code: unit for unit in units},
        states=states,
        totals=totals,
        units_at=at,
    )


def _directory_stamp(session: Session) -> tuple[int, int]:
    units = UNITS.table
    row = session.execute(
        select(func.count(), func.coalesce(func.sum(units.c.version), 0)).select_from(units)
    )
    count, versions = row.one()
    return int(count), int(versions)


def _last_change(session: Session, framework: Framework, group: PeerGroup, window: Window) -> int:
    """Up to which event the group's scores of that year were last made anew."""
    query = select(func.coalesce(func.max(UNIT_SCORES.c.at_seq), 0)).where(
        UNIT_SCORES.c.framework == key_of(framework),
        UNIT_SCORES.c.year == window.year,
        UNIT_SCORES.c.peer_group == group.id,
    )
    return int(session.execute(query).scalar_one())
