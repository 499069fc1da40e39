"""
Scoring 评价分值: what 26 verdicts make out of 100 points, and the band.

Integers only: points and scores in thousandths. Items that do not apply leave the sum, and the rest is scaled
to 100; items that cannot be computed or are not due leave it too and lower the coverage. A failed veto item
makes the decision 不合格 whatever the sum.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.findings import FULL_MARKS_MILLI, Outcome, Verdict

HUNDRED_MILLI = 100_000


@dataclass(frozen=True, slots=True)
class Item:
    """One item 考核项 of a template, with its place and points (thousandths)."""

    id: str
    title: str
    point: str  # 监督点
    indicator: str  # 指标
    points_milli: int
    veto: bool
    articles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A band 等次, from a score (thousandths of a point) upwards."""

    id: str
    title: str
    at_least_milli: int


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one decision; `score_milli` is None while no item could be scored."""

    score_milli: int | None
    coverage_milli: int
    vetoed: tuple[str, ...]
    band: Band | None


def result_of(items: tuple[Item, ...], bands: tuple[Band, ...], verdicts: Mapping[str, Verdict]) -> Result:
    """Sum up; `bands` run from best to worst."""
    earned = scored = applicable = 0
    vetoed = []
    for item in items:
        verdict = verdicts[item.id]
        if verdict.outcome is Outcome.NOT_APPLICABLE:
            continue
        applicable += item.points_milli
        if verdict.outcome in (Outcome.PASS, Outcome.FAIL):
            scored += item.points_milli
            earned += item.points_milli * verdict.score_milli
        if item.veto and verdict.outcome is Outcome.FAIL:
            vetoed.append(item.id)
    score = None if scored == 0 else _rounded(earned * HUNDRED_MILLI, scored * FULL_MARKS_MILLI)
    coverage = 0 if applicable == 0 else _rounded(scored * 1000, applicable)
    return Result(score, coverage, tuple(vetoed), _band(bands, score, vetoed=bool(vetoed)))


def _band(bands: tuple[Band, ...], score_milli: int | None, *, vetoed: bool) -> Band | None:
    if vetoed:
        return bands[-1]
    if score_milli is None:
        return None
    return next((band for band in bands if score_milli >= band.at_least_milli), bands[-1])


def _rounded(numerator: int, denominator: int) -> int:
    """Half up, in whole numbers."""
    return (2 * numerator + denominator) // (2 * denominator)
