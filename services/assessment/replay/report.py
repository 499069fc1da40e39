"""
Impact report 影响分析: who moves when a group is scored under another framework, why, and what has no data.

Both sides are boards over the same events; reasons are the differences of the two trees, which add up to the
difference of the two scores.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from services.assessment.ranking.advice import Movement, movements
from services.assessment.ranking.boards import Board
from services.assessment.ranking.intervals import intervals_of
from services.assessment.ranking.parameters import Parameters
from services.assessment.ranking.rules import points_text, share_text, signed_text
from services.assessment.scoring.plan import plan_for
from services.assessment.scoring.rules import roll_up

REASONS_TOLD = 6
NAMED_IN_SUMMARY = 10


class Side(NamedTuple):
    """A unit under one of the two frameworks; amounts in micro-points and millionths."""

    score: int | None
    coverage: int
    rank: int | None
    tier: int | None
    band: int | None


@dataclass(frozen=True, slots=True)
class Impact:
    """One unit before and after, and the results that moved it most."""

    unit: str
    name: str
    path: str
    before: Side | None
    after: Side
    reasons: tuple[Movement, ...]

    @property
    def rank_change(self) -> int:
        """Places won; negative lost; 0 where either side has no place."""
        before = self.before.rank if self.before else None
        return before - self.after.rank if before and self.after.rank else 0


def impacts(before: Board | None, after: Board, parameters: Parameters) -> Iterator[Impact]:
    """All units of a group in the order of the replayed ranking."""
    sides_after = _sides(after, parameters)
    sides_before = sides_after if before is after else _sides(before, parameters) if before else {}
    for standing in after.standings:
        unit = after.units[standing.unit]
        one, other = sides_before.get(unit.code), sides_after[unit.code]
        reasons = _reasons(before, after, unit.code) if before and one and one.score != other.score else ()
        yield Impact(unit.code, unit.name, unit.path, one, other, reasons)


def results_without_data(board: Board) -> list[dict[str, Any]]:
    """Results for which no unit of the group could be scored though they apply to some."""
    matrix = board.matrix
    plan = plan_for(board.framework, board.group.id)
    scored, missing = (matrix.applicable > 0).sum(axis=0), (matrix.missing > 0).sum(axis=0)
    return [
        {
            "node": matrix.codes[column],
            "title": plan.nodes[leaf.place].title,
            "points": points_text(leaf.points),
            "units_waiting": int(missing[column]),
            "collected": leaf.collected,
        }
        for column, leaf in enumerate(matrix.leaves)
        if not scored[column] and missing[column]
    ]


def summary(board: Board, found: list[Impact]) -> dict[str, Any]:
    """The group in numbers."""
    placed = [one for one in found if one.before and one.before.rank and one.after.rank]
    ups = sorted(placed, key=lambda one: (-one.rank_change, one.unit))
    return {
        "peer_group": {"id": board.group.id, "title": board.group.title},
        "units": len(found),
        "ranked": sum(one.after.rank is not None for one in found),
        "moved": sum(one.rank_change != 0 for one in placed),
        "other_tier": sum(one.before is not None and one.before.tier != one.after.tier for one in placed),
        "other_band": sum(one.before is not None and one.before.band != one.after.band for one in placed),
        "mean_shift": f"{sum(abs(one.rank_change) for one in placed) / len(placed):.2f}" if placed else None,
        "most_won": [_named(one) for one in ups[:NAMED_IN_SUMMARY] if one.rank_change > 0],
        "most_lost": [_named(one) for one in ups[::-1][:NAMED_IN_SUMMARY] if one.rank_change < 0],
        "results_without_data": results_without_data(board),
    }


def row_of(impact: Impact) -> dict[str, Any]:
    """One unit's line as it is stored and told."""
    return {
        "unit": {"code": impact.unit, "name": impact.name},
        "before": _side(impact.before),
        "after": _side(impact.after),
        "rank_change": impact.rank_change,
        "reasons": [
            {
                "node": reason.node.code,
                "title": reason.node.title,
                "before": points_text(reason.before),
                "after": points_text(reason.after),
                "change": signed_text(reason.change),
            }
            for reason in impact.reasons
        ],
    }


def _sides(board: Board, parameters: Parameters) -> dict[str, Side]:
    ranges = {row.unit: row for row in intervals_of(board, parameters).rows}
    sides = {}
    for standing in board.standings:
        totals, found = board.totals[standing.unit], ranges.get(standing.unit)
        sides[standing.unit] = Side(
            totals.score,
            totals.coverage,
            standing.rank,
            found.tier if found else None,
            found.band if found else None,
        )
    return sides


def _reasons(before: Board, after: Board, unit: str) -> tuple[Movement, ...]:
    trees = (roll_up(board.framework, board.group.id, board.states[unit]) for board in (before, after))
    moved = movements(*trees)
    return tuple(sorted(moved, key=lambda one: (-abs(one.change), one.node.code))[:REASONS_TOLD])


def _side(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {
        "score": None if side.score is None else points_text(side.score),
        "coverage": share_text(side.coverage),
        "rank": side.rank,
        "tier": side.tier,
        "band": side.band,
    }


def _named(impact: Impact) -> dict[str, Any]:
    return {"code": impact.unit, "name": impact.name, "rank_change": impact.rank_change}
