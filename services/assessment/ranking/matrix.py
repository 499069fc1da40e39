"""
Matrix 得分矩阵: what every unit of a peer group reached in every result, side by side, for statistics.

It is filled by the same `evaluate` that makes published scores; only what is drawn from it are floats. The
simulation is uncertainty.py, the questions "what if" are what_if.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.assessment.framework.values import MICRO, Framework
from services.assessment.scoring.attainment import Amounts, Found, ProbeState, evaluate, half_up
from services.assessment.scoring.plan import Leaf, Plan, plan_for

Floats = NDArray[np.float64]
Indexes = NDArray[np.intp]
States = Mapping[str, ProbeState]


class Findings(NamedTuple):
    """
    Findings that a share rests on, one entry for each unit and result (for each item of a checklist).

    `item` is the probe of a checklist's item, "" otherwise. `marks` is the sum of their marks and `number` the most
    it could be, in thousandths, whole: sums of them are exact in any order. The share of the points is
    clip((rate - floor) / span) for ratios; `step` of each failure (deduct) or pass (add) otherwise; the mean of
    those over the `items` of the result.
    """

    unit: Indexes
    leaf: Indexes
    item: tuple[str, ...]
    marks: Floats
    number: Floats
    kind: Indexes
    floor: Floats
    span: Floats
    step: Floats
    items: Floats

    @property
    def rate(self) -> Floats:
        """The mean mark of each, 0 to 1."""
        rates: Floats = self.marks / self.number
        return rates

    def of(self, rows: slice) -> "Findings":
        """Those of these units, which are counted from 0."""
        first, last = np.searchsorted(self.unit, (rows.start, rows.stop))
        kept = slice(int(first), int(last))
        return Findings(
            self.unit[kept] - rows.start,
            self.leaf[kept],
            self.item[kept],
            self.marks[kept],
            self.number[kept],
            self.kind[kept],
            self.floor[kept],
            self.span[kept],
            self.step[kept],
            self.items[kept],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """
    Units down, results across, results of one aspect beside one another.

    `applicable` points of results that were scored, `missing` points of those that could not be computed,
    `share` of the points reached, `worst` the share if all that is not known were bad. `spans` are the columns
    of each aspect, `parts` the component each belongs to, `weights` those of the components.
    """

    units: tuple[str, ...]
    leaves: tuple[Leaf, ...]
    codes: tuple[str, ...]
    aspects: tuple[str, ...]
    spans: tuple[slice, ...]
    parts: Indexes
    part_codes: tuple[str, ...]
    weights: Floats
    applicable: Floats
    missing: Floats
    share: Floats
    worst: Floats
    findings: Findings


_MILLE = 1000
_RATIO, _DEDUCT, _ADD = range(3)
_KINDS = {"deduct": _DEDUCT, "add": _ADD}


def matrix_of(framework: Framework, group: str, units: Sequence[str], states: Mapping[str, States]) -> Matrix:
    """The matrix of these units of a peer group; a unit without states was never heard of."""
    plan = plan_for(framework, group)
    leaves = sorted((*plan.leaves, *plan.collected.values()))
    column = {leaf.place: index for index, leaf in enumerate(leaves)}
    shape = (len(units), len(leaves))
    applicable, missing, share, worst = (np.zeros(shape) for _ in range(4))
    collected = [column[leaf.place] for leaf in plan.collected.values()]
    missing[:, collected] = [leaf.points / MICRO for leaf in plan.collected.values()]
    rows: list[tuple[float, ...]] = []
    items: list[str] = []
    for row, unit in enumerate(units):
        own = states.get(unit, {})
        found = [evaluate(leaf, own) for leaf in plan.heard(own)]
        bad = [one if one.amounts.covered == one.amounts.applying else _at_worst(one, own) for one in found]
        vetoed = {one.leaf.parent for one in found if one.veto}
        bad_vetoed = {one.leaf.parent for one in bad if one.veto}
        for (leaf, status, amounts, _, _), worse in zip(found, bad, strict=True):
            at = row, column[leaf.place]
            missing[at] = amounts.applying / MICRO if status == "not_computable" else 0.0
            if not amounts.applicable:
                continue
            applicable[at] = amounts.applicable / MICRO
            if leaf.parent in vetoed:
                continue
            share[at] = amounts.earned / amounts.applicable
            if leaf.parent not in bad_vetoed:
                worst[at] = worse.amounts.earned / amounts.applicable
            if not leaf.collected or leaf.method.kind == "survey":
                for item, line in _lines(leaf, own):
                    items.append(item)
                    rows.append((*at, *line))
    aspects, spans, parts = _aspects(plan, leaves)
    return Matrix(
        units=tuple(units),
        leaves=tuple(leaves),
        codes=tuple(plan.nodes[leaf.place].code for leaf in leaves),
        aspects=aspects,
        spans=spans,
        parts=parts,
        part_codes=tuple(plan.nodes[part.place].code for part in plan.parts),
        weights=np.array([part.weight / MICRO for part in plan.parts]),
        applicable=applicable,
        missing=missing,
        share=share,
        worst=worst,
        findings=_findings(rows, items),
    )


def attained(findings: Findings, rate: Floats) -> Floats:
    """The share of the points at these mean marks, by each result's method."""
    ratio = (rate - findings.floor) / findings.span
    number = findings.number / _MILLE
    left = 1 - (1 - rate) * number * findings.step
    gained = rate * number * findings.step
    by_kind = np.where(findings.kind == _DEDUCT, left, np.where(findings.kind == _ADD, gained, ratio))
    shares: Floats = np.clip(by_kind, 0.0, 1.0)
    return shares


def _at_worst(found: Found, states: States) -> Found:
    """The same if findings that could not be computed had failed, and nothing came of a probe never heard."""
    leaf = found.leaf
    bad: dict[str, ProbeState] = {}
    for probe in leaf.probes:
        state = states.get(probe)
        if state is None or not (state.passed + state.failed):
            return found._replace(amounts=Amounts(), veto=bool(leaf.veto_below_milli))
        bad[probe] = replace(state, failed=state.failed + state.not_computable, not_computable=0)
    return evaluate(leaf, bad)


def _lines(leaf: Leaf, states: States) -> Iterator[tuple[str, tuple[float, ...]]]:
    """(item, (marks, number, kind, floor, span, step, items)) of a result's findings; an item each of a checklist."""
    method = leaf.method
    counted = {probe: s for probe in leaf.probes if (s := states.get(probe)) and s.passed + s.failed}
    kind = float(_KINDS.get(method.kind, _RATIO))
    shape = kind, method.floor_milli / _MILLE, (method.target_milli - method.floor_milli) / _MILLE
    step = method.step_milli / _MILLE
    if method.kind == "checklist":
        for probe, s in counted.items():
            number = (s.passed + s.failed) * _MILLE
            yield probe, (s.graded_milli, number, *shape, step, len(counted))
        return
    number = sum(s.passed + s.failed for s in counted.values()) * _MILLE
    marks = sum(s.graded_milli for s in counted.values())
    if method.kind == "survey" or method.measured:
        full = sum(s.denominator for s in counted.values())
        number = full if method.kind == "survey" else number
        marks = half_up(number * min(sum(s.numerator for s in counted.values()), full), full)
    yield "", (marks, number, *shape, step, 1)


def _findings(rows: Sequence[Sequence[float]], items: Sequence[str]) -> Findings:
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 9).T
    unit, leaf, marks, number, kind, floor, span, step, of_items = table
    return Findings(
        unit.astype(np.intp),
        leaf.astype(np.intp),
        tuple(items),
        marks,
        number,
        kind.astype(np.intp),
        floor,
        span,
        step,
        of_items,
    )


def _aspects(plan: Plan, leaves: Sequence[Leaf]) -> tuple[tuple[str, ...], tuple[slice, ...], Indexes]:
    """The nodes right below the parts, the columns of each, and the part each belongs to."""
    tops: list[int] = []
    starts: list[int] = []
    parts: list[int] = []
    for index, leaf in enumerate(leaves):
        top = leaf.place
        while plan.parents[top] not in (plan.parts[leaf.part].place, -1):
            top = plan.parents[top]
        if not tops or tops[-1] != top:
            tops.append(top)
            starts.append(index)
            parts.append(leaf.part)
    ends = [*starts[1:], len(leaves)]
    return (
        tuple(plan.nodes[top].code for top in tops),
        tuple(slice(start, end) for start, end in zip(starts, ends, strict=True)),
        np.array(parts, dtype=np.intp),
    )
