"""
Scoring 计分: from the tallies of a unit's findings to its score, coverage and tree.

Only findings that say something move a score. Not applicable (不适用) leaves the denominator; not computable
(无法计算, or a probe that was never heard) lowers coverage and never the score; not due (未到期) is neither.
A veto (一票否决) brings the parent of its result to 0. What is left is scaled once, at the total:
total = earned × 100 ÷ applicable, rounded half up to six decimals. A framework of components (综合得分, such as
50 system, 30 survey, 20 on-site) does this in each of them and weighs the shares:
total = Σ weight × earned ÷ applicable × 100 ÷ Σ weight, over the components that could be computed; a missing one
lowers coverage and never the score. There is one rounding, at the end.

Two doors, one arithmetic: `roll_up_totals` for the hundred thousand, `roll_up` for the tree one person
looks at. Both evaluate the leaves with `_evaluate` and add integers, so the order of anything does not
matter and both agree to the last digit. What one result earns is attainment.py; plan.py is a framework
compiled for one peer group.

All amounts are integers in micro-points (1 point = 1,000,000), coverage in millionths.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import lcm
from typing import NamedTuple

from services.assessment.framework.values import FULL_MARKS, MICRO, Framework, Node
from services.assessment.scoring.attainment import (
    Amounts,
    Found,
    Modes,
    ProbeState,
    Status,
    evaluate,
    half_up,
)
from services.assessment.scoring.plan import Part, Plan, plan_for

__all__ = [
    "Amounts",
    "Modes",
    "NodeScore",
    "ProbeState",
    "Standing",
    "Status",
    "Totals",
    "rank",
    "roll_up",
    "roll_up_totals",
]


@dataclass(frozen=True, slots=True)
class Totals:
    """
    A unit's score without the tree; None where nothing could be computed.

    `aspects`: (code, own score out of 100) of the first level; `modes` in millionths of what was counted.
    """

    score: int | None
    coverage: int
    vetoes: int
    amounts: Amounts
    aspects: tuple[tuple[str, int | None], ...]
    modes: Modes


@dataclass(frozen=True, slots=True)
class NodeScore:
    """
    One node and what the unit reached there; amounts as in `Amounts`, coverage in millionths.

    `score` is the node's own out of 100. `contribution` is its share of the final score: those of the leaves add
    up to it exactly. `attainment` is earned over applicable in millionths; `vetoed`: brought to 0 by a child's
    veto; `veto`: this result's own veto has fallen; `modes` are amounts in micro-points.
    """

    node: Node
    points: int
    amounts: Amounts
    status: Status
    score: int | None
    coverage: int
    contribution: int
    veto: bool
    vetoed: bool
    modes: Modes
    children: tuple["NodeScore", ...]

    @property
    def attainment(self) -> int | None:
        """Earned over applicable in millionths."""
        return (
            half_up(self.amounts.earned * MICRO, self.amounts.applicable) if self.amounts.applicable else None
        )


class Standing(NamedTuple):
    """A unit's place among its peers; `rank` None where there is no score."""

    unit: str
    rank: int | None
    tied: bool


def roll_up_totals(framework: Framework, peer_group: str, states: Mapping[str, ProbeState]) -> Totals:
    """Score, coverage and first level of one unit; `states` by probe, a missing probe was never heard."""
    plan = plan_for(framework, peer_group)
    found, vetoed = _evaluate(plan, states)
    parts = [[silent, 0, 0, 0] for silent in plan.silent_points]
    tops = {top: [0, 0] for top in plan.tops}
    modes = [[0, 0, 0, 0] for _ in parts]
    for leaf, _, amounts, _, counts in found:
        reached = 0 if leaf.parent in vetoed else amounts.earned
        part = parts[leaf.part]
        part[0] += amounts.applying - (leaf.points if leaf.collected else 0)
        part[1] += amounts.covered
        part[2] += amounts.applicable
        part[3] += reached
        top = tops[leaf.top]
        top[0] += amounts.applicable
        top[1] += reached
        if amounts.applicable:
            for index, amount in enumerate(_mode_amounts(amounts.applicable, counts)):
                modes[leaf.part][index] += amount
    sums = [Amounts(*part) for part in parts]
    weighed = _whole_modes(plan.parts, sums, modes)
    whole = sum(weighed)
    return Totals(
        score=_total(plan.parts, sums),
        coverage=_coverage(plan.parts, sums),
        vetoes=sum(one.veto for one in found),
        amounts=_whole(plan.parts, sums),
        aspects=tuple(
            (plan.nodes[top].code, _score(earned, applicable)) for top, (applicable, earned) in tops.items()
        ),
        modes=Modes(*(amount * MICRO // whole for amount in weighed)) if whole else Modes(),
    )


def roll_up(framework: Framework, peer_group: str, states: Mapping[str, ProbeState]) -> NodeScore:
    """The whole tree of one unit, total at the root; agrees with `roll_up_totals` to the last digit."""
    plan = plan_for(framework, peer_group)
    found, vetoed = _evaluate(plan, states)
    sums = [[0] * 8 for _ in plan.nodes]
    status: dict[int, Status] = {}
    for leaf in plan.collected.values():
        sums[leaf.place][0] = leaf.points
        status[leaf.place] = "not_computable"
    for leaf, leaf_status, amounts, _, counts in found:
        reached = 0 if leaf.parent in vetoed else amounts.earned
        sums[leaf.place] = [*amounts[:3], reached, *_mode_amounts(amounts.applicable, counts)]
        status[leaf.place] = leaf_status
    for place in range(len(plan.nodes) - 1, 0, -1):
        above = sums[plan.parents[place]]
        for index, amount in enumerate(sums[place]):
            above[index] += amount
    return _tree(plan, sums, status, {one.leaf.place for one in found if one.veto}, vetoed)


def _tree(
    plan: Plan, sums: list[list[int]], status: Mapping[int, Status], vetoes: set[int], vetoed: set[int]
) -> NodeScore:
    parts = [Amounts(*sums[part.place][:4]) for part in plan.parts]
    modes = _whole_modes(plan.parts, parts, [sums[part.place][4:] for part in plan.parts])
    shares = _contributions(plan, sums)
    below: dict[int, list[int]] = {}
    for place in range(1, len(plan.nodes)):
        below.setdefault(plan.parents[place], []).append(place)

    def grown(place: int) -> NodeScore:
        children = tuple(grown(child) for child in below.get(place, ()))
        amounts = Amounts(*sums[place][:4]) if place else _whole(plan.parts, parts)
        return NodeScore(
            node=plan.nodes[place],
            points=plan.points[place],
            amounts=amounts,
            status=status.get(place) or _status_above(amounts, children),
            score=_score(amounts.earned, amounts.applicable) if place else _total(plan.parts, parts),
            coverage=_coverage([plan.parts[0]], [amounts]) if place else _coverage(plan.parts, parts),
            contribution=sum(child.contribution for child in children) if children else shares[place],
            veto=place in vetoes,
            vetoed=place in vetoed,
            modes=Modes(*sums[place][4:]) if place else modes,
            children=children,
        )

    return grown(0)


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
    """Every leaf that may say something, and the places of the parents that a veto brings to 0."""
    found = [evaluate(leaf, states) for leaf in plan.heard(states)]
    return found, {one.leaf.parent for one in found if one.veto}


def _contributions(plan: Plan, sums: Sequence[Sequence[int]]) -> list[int]:
    """The score split over the leaves by largest remainder, so that the parts add up to the last digit."""
    shares = [0] * len(plan.nodes)
    parts = [Amounts(*sums[part.place][:4]) for part in plan.parts]
    total = _total(plan.parts, parts)
    if total is None:
        return shares
    whole = sum(part.weight for part, amounts in zip(plan.parts, parts, strict=True) if amounts.applicable)
    common = lcm(*(amounts.applicable for amounts in parts if amounts.applicable))
    remainders = []
    for leaf in (*plan.leaves, *plan.collected.values()):
        applicable = parts[leaf.part].applicable
        if applicable:
            exact = sums[leaf.place][3] * plan.parts[leaf.part].weight * FULL_MARKS * (common // applicable)
            shares[leaf.place], rest = divmod(exact, common * whole)
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


def _mode_amounts(applicable: int, counts: Modes) -> tuple[int, ...]:
    """The points of a result shared out by how its findings reached us, rounded down."""
    whole = sum(counts)
    return tuple(applicable * count // whole for count in counts) if whole else (0, 0, 0, 0)


def _score(earned: int, applicable: int) -> int | None:
    return half_up(earned * FULL_MARKS, applicable) if applicable else None


def _total(parts: Sequence[Part], sums: Sequence[Amounts]) -> int | None:
    """The parts that could be computed, weighed; an exact fraction until the one rounding."""
    if len(parts) == 1:
        return _score(sums[0].earned, sums[0].applicable)
    measured = [
        (part.weight, amounts) for part, amounts in zip(parts, sums, strict=True) if amounts.applicable
    ]
    if not measured:
        return None
    common = lcm(*(amounts.applicable for _, amounts in measured))
    earned = sum(weight * amounts.earned * (common // amounts.applicable) for weight, amounts in measured)
    return half_up(earned * FULL_MARKS, common * sum(weight for weight, _ in measured))


def _coverage(parts: Sequence[Part], sums: Sequence[Amounts]) -> int:
    """Covered over applying in millionths, rounded down: full only where everything is known."""
    if len(parts) == 1:
        return sums[0].covered * MICRO // sums[0].applying if sums[0].applying else MICRO
    asked = [(part.weight, amounts) for part, amounts in zip(parts, sums, strict=True) if amounts.applying]
    if not asked:
        return MICRO
    common = lcm(*(amounts.applying for _, amounts in asked))
    covered = sum(weight * amounts.covered * (common // amounts.applying) for weight, amounts in asked)
    return covered * MICRO // (common * sum(weight for weight, _ in asked))


def _whole(parts: Sequence[Part], sums: Sequence[Amounts]) -> Amounts:
    """The amounts of the total: those of the only part, or the weights of the components and what they brought."""
    if len(parts) == 1:
        return sums[0]
    both = list(zip(parts, sums, strict=True))
    return Amounts(
        applying=sum(part.weight for part, amounts in both if amounts.applying),
        covered=sum(part.weight * a.covered // a.applying for part, a in both if a.applying),
        applicable=sum(part.weight for part, amounts in both if amounts.applicable),
        earned=sum(half_up(part.weight * a.earned, a.applicable) for part, a in both if a.applicable),
    )


def _whole_modes(parts: Sequence[Part], sums: Sequence[Amounts], modes: Sequence[Sequence[int]]) -> Modes:
    """How what the total rests on reached us: the points of the only part, or of the parts by their weight."""
    if len(parts) == 1:
        return Modes(*modes[0])
    measured = [
        (part.weight, amounts.applicable, found)
        for part, amounts, found in zip(parts, sums, modes, strict=True)
        if amounts.applicable
    ]
    return Modes(
        *(
            sum(weight * found[way] // applicable for weight, applicable, found in measured)
            for way in range(4)
        )
    )
