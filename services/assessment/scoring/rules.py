"""
Scoring 计分: from the tallies of a unit's findings to its score, coverage and tree.

Only findings that say something move a score. Not applicable (不适用) leaves the denominator; not computable
(无法计算, or a probe that was never heard) lowers coverage and never the score; not due (未到期) is neither.
A veto (一票否决) brings the parent of its result to 0. What is left is scaled once, at the total:
total = earned × 100 ÷ applicable, rounded half up to six decimals.

Two doors, one arithmetic: `roll_up_totals` for the hundred thousand, `roll_up` for the tree one person
looks at. Both evaluate the leaves with `_evaluate` and add integers, so the order of anything does not
matter and both agree to the last digit. What one result earns is attainment.py; plan.py is a framework
compiled for one peer group.

All amounts are integers in micro-points (1 point = 1,000,000), coverage in millionths.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.assessment.framework.values import FULL_MARKS, MICRO, Framework, Node
from services.assessment.scoring.attainment import Amounts, Found, ProbeState, Status, evaluate, half_up
from services.assessment.scoring.plan import Plan, plan_for

__all__ = [
    "Amounts",
    "NodeScore",
    "ProbeState",
    "Standing",
    "Status",
    "Totals",
    "rank",
    "roll_up",
    "roll_up_totals",
    "score_of",
]


@dataclass(frozen=True, slots=True)
class Totals:
    """A unit's score without the tree; None where nothing could be computed."""

    score: int | None
    coverage: int
    vetoes: int
    amounts: Amounts
    aspects: tuple[tuple[str, int | None], ...]


@dataclass(frozen=True, slots=True)
class NodeScore:
    """
    One node and what the unit reached there; amounts as in `Amounts`, coverage in millionths.

    `contribution` is the node's share of the final score: those of the leaves add up to it exactly.
    `attainment` is earned over applicable in millionths; `vetoed`: brought to 0 by a child's veto;
    `veto`: this result's own veto has fallen.
    """

    node: Node
    points: int
    amounts: Amounts
    status: Status
    attainment: int | None
    coverage: int
    contribution: int
    veto: bool
    vetoed: bool
    children: tuple["NodeScore", ...]


class Standing(NamedTuple):
    """A unit's place among its peers; `rank` None where there is no score."""

    unit: str
    rank: int | None
    tied: bool


def roll_up_totals(framework: Framework, peer_group: str, states: Mapping[str, ProbeState]) -> Totals:
    """Score, coverage and aspects of one unit; `states` by probe, a missing probe was never heard."""
    plan = plan_for(framework, peer_group)
    found, vetoed = _evaluate(plan, states)
    applying, covered, applicable, earned = plan.silent_points, 0, 0, 0
    by_aspect = {aspect: [0, 0] for aspect in plan.aspects}
    for leaf, _, amounts, _ in found:
        reached = 0 if leaf.parent in vetoed else amounts.earned
        applying += amounts.applying
        covered += amounts.covered
        applicable += amounts.applicable
        earned += reached
        aspect = by_aspect[leaf.aspect]
        aspect[0] += amounts.applicable
        aspect[1] += reached
    total = Amounts(applying, covered, applicable, earned)
    return Totals(
        score=_score(total.earned, total.applicable),
        coverage=_coverage(total),
        vetoes=sum(one.veto for one in found),
        amounts=total,
        aspects=tuple((plan.nodes[place].code, _score(e, a)) for place, (a, e) in by_aspect.items()),
    )


def roll_up(framework: Framework, peer_group: str, states: Mapping[str, ProbeState]) -> NodeScore:
    """The whole tree of one unit, total at the root; agrees with `roll_up_totals` to the last digit."""
    plan = plan_for(framework, peer_group)
    found, vetoed = _evaluate(plan, states)
    sums = [[0, 0, 0, 0] for _ in plan.nodes]
    status: dict[int, Status] = {}
    vetoes: set[int] = set()
    for place, points in plan.silent.items():
        sums[place][0] = points
        status[place] = "not_computable"
    for leaf, leaf_status, amounts, veto in found:
        sums[leaf.place] = list(amounts)
        if leaf.parent in vetoed:
            sums[leaf.place][3] = 0
        status[leaf.place] = leaf_status
        if veto:
            vetoes.add(leaf.place)
    shares = _contributions(plan, sums)
    for place in range(len(plan.nodes) - 1, 0, -1):
        above = sums[plan.parents[place]]
        for index, amount in enumerate(sums[place]):
            above[index] += amount
        shares[plan.parents[place]] += shares[place]
    below: dict[int, list[int]] = {}
    for place in range(1, len(plan.nodes)):
        below.setdefault(plan.parents[place], []).append(place)

    def grown(place: int) -> NodeScore:
        children = tuple(grown(child) for child in below.get(place, ()))
        amounts = Amounts(*sums[place])
        return NodeScore(
            node=plan.nodes[place],
            points=plan.points[place],
            amounts=amounts,
            status=status.get(place) or _status_above(amounts, children),
            attainment=half_up(amounts.earned * MICRO, amounts.applicable) if amounts.applicable else None,
            coverage=_coverage(amounts),
            contribution=shares[place],
            veto=place in vetoes,
            vetoed=place in vetoed,
            children=children,
        )

    return grown(0)


def score_of(tree: NodeScore) -> int | None:
    """A node's score out of 100 in micro-points; None where nothing could be computed."""
    return _score(tree.amounts.earned, tree.amounts.applicable)


def rank(rows: Iterable[tuple[str, int | None]]) -> list[Standing]:
    """
    Places 名次 of (unit, score) within one peer group, best first: 1, 2, 2, 4.

    Equal scores share a place and stand in order of unit code; units without a score stand last, unplaced.
    """
    ordered = sorted(rows, key=lambda row: (row[1] is None, -(row[1] or 0), row[0]))
    counts: dict[int | None, int] = {}
    for _, score in ordered:
        counts[score] = counts.get(score, 0) + 1
    standings: list[Standing] = []
    place = 0
    previous: int | None = None
    for index, (unit, score) in enumerate(ordered, start=1):
        if score is None:
            standings.append(Standing(unit, rank=None, tied=False))
            continue
        if score != previous:
            place, previous = index, score
        standings.append(Standing(unit, place, counts[score] > 1))
    return standings


def _evaluate(plan: Plan, states: Mapping[str, ProbeState]) -> tuple[list[Found], set[int]]:
    """Every leaf with probes, and the places of the parents that a veto brings to 0."""
    found = [evaluate(leaf, states) for leaf in plan.leaves]
    return found, {one.leaf.parent for one in found if one.veto}


def _contributions(plan: Plan, sums: Sequence[Sequence[int]]) -> list[int]:
    """The score split over the leaves by largest remainder, so that the parts add up to the last digit."""
    shares = [0] * len(plan.nodes)
    applicable = sum(sums[leaf.place][2] for leaf in plan.leaves)
    if not applicable:
        return shares
    total = half_up(sum(sums[leaf.place][3] for leaf in plan.leaves) * FULL_MARKS, applicable)
    remainders = []
    for leaf in plan.leaves:
        shares[leaf.place], rest = divmod(sums[leaf.place][3] * FULL_MARKS, applicable)
        remainders.append((-rest, leaf.place))
    for _, place in sorted(remainders)[: total - sum(shares)]:
        shares[place] += 1
    return shares


def _status_above(amounts: Amounts, children: Sequence[NodeScore]) -> Status:
    if amounts.applicable:
        return "scored"
    if amounts.applying:
        return "not_computable"
    return "not_due" if any(child.status == "not_due" for child in children) else "not_applicable"


def _score(earned: int, applicable: int) -> int | None:
    return half_up(earned * FULL_MARKS, applicable) if applicable else None


def _coverage(amounts: Amounts) -> int:
    """Covered over applying in millionths, rounded down: full only where everything is known."""
    return amounts.covered * MICRO // amounts.applying if amounts.applying else MICRO
