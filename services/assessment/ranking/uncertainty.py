"""
Uncertainty 不确定性: how far a ranking follows from the data, and how far from choices and chance.

A peer group is scored again and again, with weights and choices of method moved as COINr does it (Becker et al.)
and findings drawn anew from what they support; each run ranks all units. Within a run everything is the
published arithmetic: with no noise, one method and no drawing, a run is the published ranking.

Whoever makes a run again gets its scores to the last bit (docs/decisions/0069): what is summed are whole numbers that
a double holds, so that order, blocks and libraries of linear algebra mean nothing, and everything else is done with
one operation after another in a stated order.

Why each choice was made, with sources: docs/ranking.md. Chance is draws.py, the matrix matrix.py, tiers tiers.py.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.assessment.framework.values import FULL_MARKS, MICRO
from services.assessment.ranking.draws import betas, exponential, keys_of, logarithm, uniforms
from services.assessment.ranking.matrix import Findings, Floats, Indexes, Matrix, attained
from services.assessment.ranking.parameters import Parameters

Flags = NDArray[np.bool_]
UNITS_A_STEP = 128  # so that a step stays in the processor's cache; nothing depends on it
DRAWS_A_STEP = 50_000
_MILLE = 1000
_FACTOR_STEPS = 2.0**24  # 10^8 micro-points twice that much are below 2^53: exact in any order
_SHARE_STEPS = 2.0**30


class Draws(NamedTuple):
    """
    One column a run: factors of the weights, and whether it uses the other method.

    `samples`: how many drawings of the findings the runs share, in equal blocks; 0 takes findings as they are.
    """

    component: Floats
    aspect: Floats
    result: Floats
    geometric: Flags
    group_mean: Flags
    samples: int

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return len(self.geometric)


class RankRange(NamedTuple):
    """Ranks of a unit over all runs: the middle, and the quantiles told, as COINr's RankStats."""

    median: Floats
    low: Floats
    high: Floats


def seed_of(*parts: str) -> int:
    """A seed that anyone who knows the parts can make again."""
    whole = "\x1f".join(parts).encode()
    return int.from_bytes(hashlib.sha256(b"fazhi/ranking/v1\n" + whole).digest()[:16])


def draw(matrix: Matrix, parameters: Parameters, seed: int) -> Draws:
    """Weights and methods of every run."""
    samples = min(parameters.samples, parameters.runs)
    runs = parameters.runs // samples * samples
    places = np.arange(runs, dtype=np.uint64)

    def even(purpose: str, names: Sequence[Sequence[str]]) -> Floats:
        return uniforms(keys_of(seed, purpose, names)[:, None], places)

    def factors(purpose: str, codes: Sequence[str], noise: float) -> Floats:
        moved = 1 + noise * (2 * even(purpose, [(code,) for code in codes]) - 1)
        found: Floats = np.rint(moved * _FACTOR_STEPS) / _FACTOR_STEPS
        return found

    def chosen(purpose: str, choices: Sequence[str], wanted: str) -> Flags:
        taken: Flags = np.array(choices)[(even(purpose, [()])[0] * len(choices)).astype(np.intp)] == wanted
        return taken

    return Draws(
        component=factors("component", matrix.part_codes, parameters.component_noise),
        aspect=factors("aspect", matrix.aspects, parameters.aspect_noise),
        result=factors("result", matrix.codes, parameters.result_noise),
        geometric=chosen("aggregation", parameters.aggregation, "geometric"),
        group_mean=chosen("missing", parameters.missing, "group_mean"),
        samples=samples,
    )


def as_published(matrix: Matrix, *, geometric: bool = False, group_mean: bool = False) -> Draws:
    """One run without noise; with nothing said, the published arithmetic."""
    component, aspect, result = (
        np.ones((number, 1)) for number in (len(matrix.weights), len(matrix.aspects), len(matrix.leaves))
    )
    return Draws(component, aspect, result, np.array([geometric]), np.array([group_mean]), samples=0)


def simulate(matrix: Matrix, parameters: Parameters, seed: int) -> Floats:
    """Scores out of 100 of every unit in every run."""
    return scores(matrix, draw(matrix, parameters, seed), parameters.geometric_floor, seed)


def scores(matrix: Matrix, draws: Draws, geometric_floor: float, seed: int | None = None) -> Floats:
    """Scores of these runs; `seed` is needed where findings are drawn. NaN where nothing could be computed."""
    found = np.empty((len(matrix.units), draws.runs))
    mean = _group_mean(matrix)
    pooled = _pooled_rates(matrix)
    for start in range(0, len(matrix.units), UNITS_A_STEP):
        rows = slice(start, start + UNITS_A_STEP)
        points = np.rint(matrix.applicable[rows] * MICRO)
        reached = _reached(matrix, rows, points, pooled, draws.samples, seed)
        found[rows] = _totals(matrix, rows, points, reached, mean, draws, geometric_floor)
    found *= FULL_MARKS
    np.rint(found, out=found)
    found /= MICRO
    return found


def ranks(found: Floats) -> Indexes:
    """Places in every run, best first, equal scores sharing the better place: 1, 2, 2, 4."""
    places = np.empty(found.shape, dtype=np.intp)
    for run in range(found.shape[1]):
        ordered = np.sort(-found[:, run])
        places[:, run] = np.searchsorted(ordered, -found[:, run], side="left") + 1
    return places


def rank_range(places: Indexes, low: float, high: float) -> RankRange:
    """
    Middle and quantiles of the places (linear interpolation, as R's default and COINr's).

    The share of the way between two places is whole thousandths, so that a whole place is told as one.
    """
    runs = places.shape[1]
    cuts = [divmod(round(share * _MILLE) * (runs - 1), _MILLE) for share in (0.5, low, high)]
    ends = [(whole, min(whole + 1, runs - 1)) for whole, _ in cuts]
    ordered = np.partition(places, sorted({end for pair in ends for end in pair}), axis=1)
    return RankRange(
        *(
            ordered[:, lower] + (ordered[:, upper] - ordered[:, lower]) * part / _MILLE
            for (lower, upper), (_, part) in zip(ends, cuts, strict=True)
        )
    )


def bottom(matrix: Matrix) -> Floats:
    """
    Scores if all that is not known were bad: what no missing datum can have raised.

    A result that the platform has no probe for and nobody of the group reported on asks nothing of anybody.
    """
    fed = np.array([not leaf.collected for leaf in matrix.leaves]) | (matrix.applicable > 0).any(axis=0)
    applicable = matrix.applicable + matrix.missing * fed
    reached = matrix.applicable * matrix.worst
    share = np.divide(reached, applicable, out=np.zeros_like(reached), where=applicable > 0)
    filled = replace(matrix, applicable=applicable, share=share)
    totals: Floats = scores(filled, as_published(filled), 1.0)[:, 0]
    return totals


def _reached(
    matrix: Matrix, rows: slice, points: Floats, pooled: Floats, samples: int, seed: int | None
) -> Floats:
    """
    Points reached by these units, whole micro-points: a layer a drawing of the findings, or one of the found ones.

    Every rate is drawn from Beta(marks + p, the rest + 1 - p), p the rate of the whole group in that result: what
    one finding more would weigh, for a unit that is known as little as that.
    """
    known = np.rint(points * matrix.share[rows])
    if not samples:
        return known[None]
    assert seed is not None
    findings = matrix.findings.of(rows)
    shares = np.rint(attained(findings, _rates(matrix, rows, findings, pooled, samples, seed)) * _SHARE_STEPS)
    place = findings.unit * known.shape[1] + findings.leaf
    first = np.flatnonzero(np.diff(place, prepend=-1))  # items of one checklist follow one another
    mean = np.add.reduceat(shares, first, axis=1) if len(first) else shares
    mean /= findings.items[first] * _SHARE_STEPS
    reached = np.repeat(known.reshape(1, -1), samples, axis=0)
    reached[:, place[first]] = np.rint(points.ravel()[place[first]] * mean)
    return reached.reshape(samples, *known.shape)


def _rates(
    matrix: Matrix, rows: slice, findings: Findings, pooled: Floats, samples: int, seed: int
) -> Floats:
    """A rate for each of these findings, a line a drawing."""
    units, codes = matrix.units[rows], matrix.codes
    named = zip(findings.unit.tolist(), findings.leaf.tolist(), findings.item, strict=True)
    keys = keys_of(seed, "finding", ((units[unit], codes[leaf], item) for unit, leaf, item in named))
    prior = pooled[findings.leaf]
    marks, rest = findings.marks / _MILLE + prior, (findings.number - findings.marks) / _MILLE + (1 - prior)
    found = np.empty((samples, len(keys)))
    step = max(1, DRAWS_A_STEP // samples)
    for start in range(0, len(keys), step):
        part = slice(start, start + step)
        found[:, part] = betas(keys[part], marks[part], rest[part], samples).T
    return found


def _pooled_rates(matrix: Matrix) -> Floats:
    """The rate of each result over all findings of the group, kept off 0 and 1 by half a finding each way."""
    findings = matrix.findings
    size = len(matrix.leaves)
    marks = np.bincount(findings.leaf, findings.marks, size)
    number = np.bincount(findings.leaf, findings.number, size)
    rates: Floats = (marks + _MILLE / 2) / (number + _MILLE)
    return rates


def _group_mean(matrix: Matrix) -> Floats:
    """The points reached in each result, in the mean of the units where it was scored; NaN where it was for none."""
    scored = matrix.applicable > 0
    number = scored.sum(axis=0)
    reached = np.rint(matrix.applicable * MICRO * matrix.share).sum(axis=0)
    mean: Floats = np.divide(reached, number, out=np.full(len(number), np.nan), where=number > 0)
    return np.rint(mean)


def _totals(
    matrix: Matrix,
    rows: slice,
    points: Floats,
    reached: Floats,
    mean: Floats,
    draws: Draws,
    geometric_floor: float,
) -> Floats:
    """
    Shares of full marks of these rows, a column a run.

    Results make aspects, aspects weighted by their applicable points make components, components by their
    weights the total. Points are whole micro-points and factors whole steps, so sums of their products are exact.
    """
    filled = np.where(np.isnan(mean), 0.0, np.rint(matrix.missing[rows] * MICRO))
    put_in = np.where(filled > 0, np.nan_to_num(mean), 0.0)
    weight = np.zeros((len(matrix.weights), len(points), draws.runs))
    earned = np.zeros_like(weight)
    for aspect, (span, part) in enumerate(zip(matrix.spans, matrix.parts, strict=True)):
        factors = draws.result[span]
        got = _by_layer(reached[:, :, span], factors)
        full = points[:, span] @ factors
        worth = np.repeat(points[:, span].sum(axis=1)[:, None], draws.runs, axis=1)
        if draws.group_mean.any():
            got += (put_in[:, span] @ factors) * draws.group_mean
            full += (filled[:, span] @ factors) * draws.group_mean
            worth += filled[:, span].sum(axis=1)[:, None] * draws.group_mean
        score = np.divide(got, full, out=np.zeros_like(full), where=full > 0)
        score[:, draws.geometric] = logarithm(np.maximum(score[:, draws.geometric], geometric_floor))
        worth *= draws.aspect[aspect]
        weight[part] += worth
        earned[part] += worth * score
    return _over_parts(matrix, draws, weight, earned)


def _by_layer(reached: Floats, factors: Floats) -> Floats:
    """Points reached in every run: each block of runs meets its own layer."""
    layers, units, results = reached.shape
    blocks = factors.reshape(results, layers, -1).transpose(1, 0, 2)
    found: Floats = np.matmul(reached, blocks).transpose(1, 0, 2).reshape(units, -1)
    return found


def _over_parts(matrix: Matrix, draws: Draws, weight: Floats, earned: Floats) -> Floats:
    score = np.divide(earned, weight, out=np.zeros_like(earned), where=weight > 0)
    score[:, :, draws.geometric] = exponential(score[:, :, draws.geometric])
    whole, total = np.zeros(weight.shape[1:]), np.zeros(weight.shape[1:])
    for part, points in enumerate(np.rint(matrix.weights * MICRO)):
        share = points * draws.component[part] * (weight[part] > 0)
        whole += share
        total += share * score[part]
    found: Floats = np.divide(total, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return found
