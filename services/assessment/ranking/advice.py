"""
Advice 提分建议: what would raise a unit's score most, and what moved it since a day. All of it exact.

What a result could bring is the score with that one result at full marks, less the score now, by the arithmetic
of scoring.rules. What moved the score is the difference of two trees, whose leaves add up to their totals, so the
movements add up to the change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from services.assessment.framework.values import MICRO, Framework, Node
from services.assessment.scoring.attainment import Amounts, ProbeState, Status, evaluate, half_up
from services.assessment.scoring.plan import Leaf, Plan, plan_for
from services.assessment.scoring.rules import NodeScore

_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Gain:
    """
    What one result would bring: `gain` micro-points of the total at full marks.

    `lifts_veto`: part of it comes from a veto that would no longer fall.
    """

    node: Node
    status: Status
    earned: int
    applicable: int
    gain: int
    lifts_veto: bool


class Movement(NamedTuple):
    """How the share of one result in the total changed; all of a unit's movements add up to its change."""

    node: Node
    before: int
    after: int

    @property
    def change(self) -> int:
        """Micro-points of the total; negative lowered it."""
        return self.after - self.before


def gains(framework: Framework, group: str, states: Mapping[str, ProbeState]) -> list[Gain]:
    """Results that would raise the total, most first; results without data count as asked and not reached."""
    plan = plan_for(framework, group)
    found = {one.leaf.place: one for one in (evaluate(leaf, states) for leaf in plan.heard(states))}
    vetoing = {place for place, one in found.items() if one.veto}
    amounts = {place: one.amounts for place, one in found.items()}
    for leaf in plan.collected.values():
        amounts.setdefault(leaf.place, Amounts(applying=leaf.points))
    now = _score(plan, amounts, vetoing)
    listed = []
    for leaf in (*plan.leaves, *plan.collected.values()):
        own = amounts[leaf.place]
        if not own.applying:
            continue
        full = own._replace(applicable=leaf.points, earned=leaf.points)
        then = _score(plan, {**amounts, leaf.place: full}, vetoing - {leaf.place})
        if then > now:
            status: Status = "scored" if own.applicable else "not_computable"
            listed.append(
                Gain(
                    node=plan.nodes[leaf.place],
                    status=status,
                    earned=own.earned,
                    applicable=own.applicable,
                    gain=then - now,
                    lifts_veto=leaf.place in vetoing,
                )
            )
    return sorted(listed, key=lambda one: (-one.gain, one.node.code))


def movements(before: NodeScore, after: NodeScore) -> list[Movement]:
    """
    Results whose share of the total changed: what lowered it most first, then what raised it most.

    Either tree may lack some, which then count as nothing.
    """
    earlier, later = ({leaf.node.code: leaf for leaf in _leaves(tree)} for tree in (before, after))
    moved = []
    for code in earlier.keys() | later.keys():
        one, other = earlier.get(code), later.get(code)
        named = other or one
        assert named is not None
        moved.append(Movement(named.node, one.contribution if one else 0, other.contribution if other else 0))
    return sorted(
        (one for one in moved if one.change),
        key=lambda one: (one.change > 0, -abs(one.change), one.node.code),
    )


def _score(plan: Plan, amounts: Mapping[int, Amounts], vetoing: set[int]) -> int:
    """The total of these amounts, 0 where nothing could be computed; one rounding, as scoring.rules has it."""
    leaves: list[Leaf] = [*plan.leaves, *plan.collected.values()]
    vetoed = {leaf.parent for leaf in leaves if leaf.place in vetoing}
    applicable = [0] * len(plan.parts)
    earned = [0] * len(plan.parts)
    for leaf in leaves:
        own = amounts[leaf.place]
        applicable[leaf.part] += own.applicable
        earned[leaf.part] += 0 if leaf.parent in vetoed else own.earned
    weight, reached = 0, Fraction(0)
    for part, full, got in zip(plan.parts, applicable, earned, strict=True):
        if full:
            weight += part.weight
            reached += Fraction(part.weight * got, full)
    if not weight:
        return 0
    share = reached / weight
    return half_up(share.numerator * _PERCENT * MICRO, share.denominator)


def _leaves(tree: NodeScore) -> list[NodeScore]:
    if not tree.children:
        return [tree]
    return [leaf for child in tree.children for leaf in _leaves(child)]
