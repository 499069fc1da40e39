"""
Scoring 计分: from the tallies of a unit's findings to its score, coverage and tree.

Only findings that say something move a score. Not applicable (不适用) leaves the denominator; not computable
(无法计算, or a probe that was never heard) lowers coverage and never the score; not due (未到期) is neither.
A veto (一票否决) brings the parent of its result to 0. What is left is scaled once, at the total:
total = earned × 100 ÷ applicable, rounded half up to six decimals.

Two doors, one arithmetic: `roll_up_totals` for the hundred thousand, `roll_up` for the tree one person
looks at. Both evaluate the leaves with `_evaluate` and add integers, so the order of anything does not
matter and both agree to the last digit. `Plan` is a framework compiled for one peer group.

All amounts are integers in micro-points (1 point = 1,000,000), coverage in millionths.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from services.assessment.framework.values import FULL_MARKS, MICRO, Framework, Method, Node

Status = Literal["scored", "not_applicable", "not_computable", "not_due"]
_MARKS = 1000


@dataclass(frozen=True, slots=True)
class ProbeState:
    """
    Tally of one unit's standing findings of one probe in a period (corrected ones are not in it).

    `graded_milli` is the sum of the marks of the passed and failed findings, 0..1000 each;
    `numerator` and `denominator` are the sums of what the probe measured.
    """

    passed: int = 0
    failed: int = 0
    graded_milli: int = 0
    not_applicable: int = 0
    not_computable: int = 0
    not_due: int = 0
    numerator: int = 0
    denominator: int = 0


class Leaf(NamedTuple):
    """A result as one peer group meets it: flat, for speed."""

    place: int
    parent: int
    aspect: int
    points: int
    method: Method
    probes: tuple[str, ...]
    veto_below_milli: int


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """
    One peer group's part of a framework, nodes in preorder: a parent's place is before its children's.

    Only leaves with probes are evaluated; the points of the others (`silent`) wait for self-report and
    weigh on coverage alone.
    """

    group: str
    nodes: tuple[Node, ...]
    parents: tuple[int, ...]
    points: tuple[int, ...]
    leaves: tuple[Leaf, ...]
    aspects: tuple[int, ...]
    silent: Mapping[int, int]
    silent_points: int


class Amounts(NamedTuple):
    """
    What adds up from leaves to the total, in micro-points.

    `applying` applies and is due; `covered` is the part of it that rests on data; `applicable` applies
    and could be computed, it is what `earned` is measured against.
    """

    applying: int = 0
    covered: int = 0
    applicable: int = 0
    earned: int = 0


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


class _Found(NamedTuple):
    leaf: Leaf
    status: Status
    amounts: Amounts
    veto: bool = False


@lru_cache(maxsize=64)
def plan_for(framework: Framework, peer_group: str) -> Plan:
    """The framework compiled for one peer group; made once per framework and group."""
    nodes: list[Node] = []
    parents: list[int] = []
    aspects: list[int] = []
    leaves: list[Leaf] = []
    silent: dict[int, int] = {}

    def visit(node: Node, parent: int, aspect: int, depth: int) -> None:
        place = len(nodes)
        nodes.append(node)
        parents.append(parent)
        if depth == 1:
            aspect = place
            aspects.append(place)
        for child in node.children:
            if peer_group in child.points:
                visit(child, place, aspect, depth + 1)
        if node.method is None:
            return
        points = node.points[peer_group]
        if node.probes:
            leaves.append(
                Leaf(place, parent, aspect, points, node.method, node.probes, node.veto_below_milli)
            )
        else:
            silent[place] = points

    visit(framework.root, -1, -1, 0)
    return Plan(
        group=peer_group,
        nodes=tuple(nodes),
        parents=tuple(parents),
        points=tuple(node.points.get(peer_group, 0) for node in nodes),
        leaves=tuple(leaves),
        aspects=tuple(aspects),
        silent=silent,
        silent_points=sum(silent.values()),
    )


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
            attainment=_half_up(amounts.earned * MICRO, amounts.applicable) if amounts.applicable else None,
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


def _evaluate(plan: Plan, states: Mapping[str, ProbeState]) -> tuple[list[_Found], set[int]]:
    """Every leaf with probes, and the places of the parents that a veto brings to 0."""
    found = [_leaf(leaf, states) for leaf in plan.leaves]
    return found, {one.leaf.parent for one in found if one.veto}


def _leaf(leaf: Leaf, states: Mapping[str, ProbeState]) -> _Found:
    counted: list[ProbeState] = []
    asked = 0
    known, of = 0, 1  # mean share of computable findings over the probes that were asked, times `asked`
    due_later = False
    for probe in leaf.probes:
        state = states.get(probe)
        if state is None:
            asked += 1
            continue
        heard = state.passed + state.failed
        missing = state.not_computable
        if heard:
            counted.append(state)
        elif not missing:
            if state.not_due:
                due_later = True
                continue
            if state.not_applicable:
                continue
            missing = 1  # a state that never heard anything
        asked += 1
        known, of = known * (heard + missing) + heard * of, of * (heard + missing)
    if not asked:
        return _Found(leaf, "not_due" if due_later else "not_applicable", Amounts())
    share = _attainment(leaf.method, counted)
    if share is None:
        return _Found(leaf, "not_computable", Amounts(applying=leaf.points))
    reached, full = share
    amounts = Amounts(
        applying=leaf.points,
        covered=leaf.points * known // (of * asked),
        applicable=leaf.points,
        earned=_half_up(leaf.points * reached, full),
    )
    return _Found(leaf, "scored", amounts, bool(leaf.veto_below_milli) and _falls(leaf, counted))


def _attainment(method: Method, counted: Sequence[ProbeState]) -> tuple[int, int] | None:
    """The share of the points reached, as an exact fraction 0..1; None where there is nothing to divide."""
    if method.kind == "checklist":
        return _mean_of_items(counted)
    marks, full = _marks(method, counted)
    if full <= 0:
        return None
    if method.kind == "deduct":
        left = _MARKS * _MARKS - (full - marks) * method.step_milli
        return max(0, left), _MARKS * _MARKS
    if method.kind == "add":
        return min(_MARKS * _MARKS, marks * method.step_milli), _MARKS * _MARKS
    span = method.target_milli - method.floor_milli
    above = marks * _MARKS - method.floor_milli * full
    return min(max(0, above), span * full), span * full


def _marks(method: Method, counted: Sequence[ProbeState]) -> tuple[int, int]:
    if method.measured:
        return sum(s.numerator for s in counted), sum(s.denominator for s in counted)
    return sum(s.graded_milli for s in counted), sum((s.passed + s.failed) * _MARKS for s in counted)


def _mean_of_items(counted: Sequence[ProbeState]) -> tuple[int, int] | None:
    reached, full = 0, 1
    for state in counted:
        marks = (state.passed + state.failed) * _MARKS
        reached, full = reached * marks + state.graded_milli * full, full * marks
    return (reached, full * len(counted)) if counted else None


def _falls(leaf: Leaf, counted: Sequence[ProbeState]) -> bool:
    marks = sum(state.graded_milli for state in counted)
    findings = sum(state.passed + state.failed for state in counted)
    return marks < leaf.veto_below_milli * findings


def _contributions(plan: Plan, sums: Sequence[Sequence[int]]) -> list[int]:
    """The score split over the leaves by largest remainder, so that the parts add up to the last digit."""
    shares = [0] * len(plan.nodes)
    applicable = sum(sums[leaf.place][2] for leaf in plan.leaves)
    if not applicable:
        return shares
    total = _half_up(sum(sums[leaf.place][3] for leaf in plan.leaves) * FULL_MARKS, applicable)
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
    return _half_up(earned * FULL_MARKS, applicable) if applicable else None


def _coverage(amounts: Amounts) -> int:
    """Covered over applying in millionths, rounded down: full only where everything is known."""
    return amounts.covered * MICRO // amounts.applying if amounts.applying else MICRO


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
