"""
Rank intervals 名次区间 of a board: how sure each place is, and which places the data tells apart.

The seed is made of the framework's digest, the window and the group, so anybody who has the same data and the same
parameters gets the same numbers (draws.py); it does not hold the number of events, so that what was shown on a day
and the same "as of" that day are one.
"""

import threading
from dataclasses import dataclass
from math import ceil, floor
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from services.assessment.framework.writing import canonical, digest_of, document_of
from services.assessment.ranking.boards import Board
from services.assessment.ranking.parameters import Parameters
from services.assessment.ranking.tiers import above_next, bands_of, tiers_of
from services.assessment.ranking.uncertainty import bottom, rank_range, ranks, seed_of, simulate

_MICRO = 1_000_000


class UnitRange(NamedTuple):
    """
    How sure one unit's place is.

    `above_next`: the share of runs in which it is above the next in the ranking; None for the last.
    `place_at_worst`: its place if everything that is not known about it were bad; where that is worse than its
    place, its place leans on missing data (数据缺口).
    """

    unit: str
    rank: int
    median: float
    low: int
    high: int
    above_next: float | None
    tier: int
    band: int
    place_at_worst: int


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """The ranges of all ranked units of a board, in published order, and what repeats them."""

    rows: tuple[UnitRange, ...]
    seed: int
    method: dict[str, Any]


class RankIntervals:
    """Makes rank intervals, and keeps them for as long as the board they are of."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self._made: WeakKeyDictionary[Board, Intervals] = WeakKeyDictionary()
        self._turn = threading.Lock()

    def of(self, board: Board) -> Intervals:
        """The intervals of a board; made once, one board at a time, for each fills the processor."""
        with self._turn:
            found = self._made.get(board)
            if found is None:
                found = self._made[board] = intervals_of(board, self.parameters)
        return found


def intervals_of(board: Board, parameters: Parameters) -> Intervals:
    """Simulate a board. Scores of the ranking are exact; only what is told of their certainty is statistics."""
    matrix = board.matrix
    digest = digest_of(canonical(document_of(board.framework)))
    seed = seed_of(digest, board.window.text, board.group.id)
    method = parameters.told() | {"framework_digest": digest, "seed": str(seed)}
    if not matrix.units:
        return Intervals((), seed, method)
    found = simulate(matrix, parameters, seed)
    ranges = rank_range(ranks(found), parameters.low, parameters.high)
    published = [board.totals[unit].score or 0 for unit in matrix.units]
    places = {standing.unit: standing.rank for standing in board.standings}
    at_worst = _places_at_worst(bottom(matrix), published)
    next_one: list[float | None] = [*above_next(found), None]
    rows = tuple(
        UnitRange(
            unit=unit,
            rank=places[unit] or 0,
            median=float(ranges.median[row]),
            low=floor(ranges.low[row]),
            high=ceil(ranges.high[row]),
            above_next=next_one[row],
            tier=tier,
            band=band,
            place_at_worst=at_worst[row],
        )
        for row, (unit, tier, band) in enumerate(
            zip(
                matrix.units,
                tiers_of(found, published, parameters.confidence),
                bands_of(found, published, parameters.confidence),
                strict=True,
            )
        )
    )
    return Intervals(rows, seed, method)


def _places_at_worst(least: Any, published: list[int]) -> list[int]:
    """The place that each unit's least score would have among the published scores of the others."""
    scores = np.array(published)
    rounded = np.round(least * _MICRO).astype(np.int64) + 1  # a float's last digit is no missing datum
    above = np.searchsorted(np.sort(-scores), -rounded, side="left")
    return [int(place) + 1 for place in above - (scores > rounded)]
