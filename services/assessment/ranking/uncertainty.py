"""
Uncertainty 不确定性: how far a ranking follows from the data, and how far from choices and chance.

A peer group is scored again and again, with weights and choices of method moved as COINr does it (Becker et al.)
and findings drawn anew from what they support; each run ranks all units. Within a run everything is the
published arithmetic: with no noise, one method and no drawing, a run is the published ranking.

Why each choice was made, with sources: docs/ranking.md. The matrix is matrix.py, tiers are tiers.py.
"""

import hashlib
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.assessment.ranking.matrix import Floats, Indexes, Matrix, attained
from services.assessment.ranking.parameters import Parameters

Flags = NDArray[np.bool_]
UNITS_A_STEP = 256  # so that a step stays in the processor's cache; part of what a seed means
_DECIMALS = 6  # a run's scores are compared as published scores are, not by the last bit of a float


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


def draw(matrix: Matrix, parameters: Parameters, generator: np.random.Generator) -> Draws:
    """Weights and methods of every run."""
    samples = min(parameters.samples, parameters.runs)
    runs = parameters.runs // samples * samples

    def factors(number: int, noise: float) -> Floats:
        return 1 + generator.uniform(-noise, noise, (number, runs))

    return Draws(
        component=factors(len(matrix.weights), parameters.component_noise),
        aspect=factors(len(matrix.aspects), parameters.aspect_noise),
        result=factors(len(matrix.leaves), parameters.result_noise),
        geometric=generator.choice(np.array(parameters.aggregation), runs) == "geometric",
        group_mean=generator.choice(np.array(parameters.missing), runs) == "group_mean",
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
    generator = np.random.Generator(np.random.PCG64(seed))
    return scores(matrix, draw(matrix, parameters, generator), parameters.geometric_floor, generator)


def scores(
    matrix: Matrix, draws: Draws, geometric_floor: float, generator: np.random.Generator | None = None
) -> Floats:
    """Scores of these runs; `generator` is needed where findings are drawn. NaN where nothing could be computed."""
    found = np.empty((len(matrix.units), draws.runs))
    mean = _group_mean(matrix)
    pooled = _pooled_rates(matrix)
    for start in range(0, len(matrix.units), UNITS_A_STEP):
        rows = slice(start, start + UNITS_A_STEP)
        share = _shares(matrix, rows, pooled, draws.samples, generator)
        found[rows] = _totals(matrix, rows, share, mean, draws, geometric_floor)
    return np.round(found * 100, _DECIMALS)


def ranks(found: Floats) -> Indexes:
    """Places in every run, best first, equal scores sharing the better place: 1, 2, 2, 4."""
    places = np.empty(found.shape, dtype=np.intp)
    for run in range(found.shape[1]):
        ordered = np.sort(-found[:, run])
        places[:, run] = np.searchsorted(ordered, -found[:, run], side="left") + 1
    return places


def rank_range(places: Indexes, low: float, high: float) -> RankRange:
    """Middle and quantiles of the places (linear interpolation, as R's default and COINr's)."""
    quantiles = np.quantile(places, [0.5, low, high], axis=1)
    return RankRange(*quantiles)


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


def _shares(
    matrix: Matrix, rows: slice, pooled: Floats, samples: int, generator: np.random.Generator | None
) -> Floats:
    """
    Shares of these rows, a layer a drawing of the findings; one layer of the found ones without drawing.

    Every rate is drawn from Beta(marks + p, the rest + 1 - p), p the rate of the whole group in that result: what
    one finding more would weigh, for a unit that is known as little as that.
    """
    known = matrix.share[rows]
    if not samples:
        return known[None]
    assert generator is not None
    findings = matrix.findings.of(rows)
    marks = findings.rate * findings.number
    size = samples, len(marks)
    prior = pooled[findings.leaf]
    rates = generator.beta(marks + prior, findings.number - marks + 1 - prior, size)
    drawn = findings.weight * attained(findings, rates)
    share = np.repeat(known.reshape(1, -1), samples, axis=0)
    place = findings.unit * known.shape[1] + findings.leaf
    first = np.flatnonzero(np.diff(place, prepend=-1))  # items of one checklist follow one another
    share[:, place[first]] = np.add.reduceat(drawn, first, axis=1) if len(first) else drawn
    return share.reshape(samples, *known.shape)


def _pooled_rates(matrix: Matrix) -> Floats:
    """The rate of each result over all findings of the group, kept off 0 and 1 by half a finding each way."""
    findings = matrix.findings
    size = len(matrix.leaves)
    marks = np.bincount(findings.leaf, findings.rate * findings.number, size)
    number = np.bincount(findings.leaf, findings.number, size)
    rates: Floats = (marks + 0.5) / (number + 1)
    return rates


def _group_mean(matrix: Matrix) -> Floats:
    """The mean share of each result over the units where it was scored; NaN where it was for none."""
    scored = matrix.applicable > 0
    number = scored.sum(axis=0)
    total = np.where(scored, matrix.share, 0.0).sum(axis=0)
    mean: Floats = np.divide(total, number, out=np.full(len(number), np.nan), where=number > 0)
    return mean


def _totals(
    matrix: Matrix, rows: slice, share: Floats, mean: Floats, draws: Draws, geometric_floor: float
) -> Floats:
    """
    Shares of full marks of these rows, a column a run.

    Results make aspects, aspects weighted by their applicable points make components, components by their
    weights the total.
    """
    points = matrix.applicable[rows]
    filled = np.where(np.isnan(mean), 0.0, matrix.missing[rows])
    reached = points * share
    put_in = filled * np.nan_to_num(mean)
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
        score[:, draws.geometric] = np.log(np.maximum(score[:, draws.geometric], geometric_floor))
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
    score[:, :, draws.geometric] = np.exp(score[:, :, draws.geometric])
    shares = (matrix.weights[:, None] * draws.component)[:, None, :] * (weight > 0)
    whole = shares.sum(axis=0)
    totals: Floats = np.divide(
        (shares * score).sum(axis=0), whole, out=np.full(whole.shape, np.nan), where=whole > 0
    )
    return totals
