"""
Plan: a framework compiled for one peer group, flat, so that a province rolls up in seconds.

Made once per framework and group and kept; frameworks are compared by identity, for a published one is never
edited.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from services.assessment.framework.values import FULL_MARKS, Framework, Method, Node


class Leaf(NamedTuple):
    """A result as one peer group meets it: flat, for speed. `part` is the place of its part in `Plan.parts`."""

    place: int
    parent: int
    top: int
    part: int
    points: int
    method: Method
    probes: tuple[str, ...]
    veto_below_milli: int
    collected: bool = False


class Part(NamedTuple):
    """What is scaled by itself: a component of the framework, or the whole where there are none."""

    place: int
    weight: int


@dataclass(slots=True, eq=False)
class Plan:
    """
    One peer group's part of a framework, nodes in preorder: a parent's place is before its children's.

    `leaves` are bound to probes of services and always evaluated. `collected` are the results that assessment
    gathers itself, by the probe of their facts: a unit has few of those, so only what was heard is evaluated and
    the points of the others (`silent_points`, per part) weigh on coverage alone. `tops` are the first level.
    """

    group: str
    nodes: list[Node] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    points: list[int] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)
    collected: dict[str, Leaf] = field(default_factory=dict)
    tops: list[int] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    silent_points: list[int] = field(default_factory=list)

    def heard(self, states: Mapping[str, object]) -> list[Leaf]:
        """The leaves to evaluate for a unit with these states."""
        return self.leaves + [leaf for probe, leaf in self.collected.items() if probe in states]


@lru_cache(maxsize=64)
def plan_for(framework: Framework, peer_group: str) -> Plan:
    """The framework compiled for one peer group; made once per framework and group."""
    plan = Plan(peer_group)
    weights = {component.code: component.weight for component in framework.components}

    def visit(node: Node, parent: int, top: int, depth: int) -> None:
        place = len(plan.nodes)
        plan.nodes.append(node)
        plan.parents.append(parent)
        plan.points.append(node.points.get(peer_group, 0))
        if depth == 1:
            top = place
            plan.tops.append(place)
        if depth == (1 if weights else 0):
            plan.parts.append(Part(place, weights.get(node.code, FULL_MARKS)))
            plan.silent_points.append(0)
        for child in node.children:
            if peer_group in child.points:
                visit(child, place, top, depth + 1)
        if node.method is not None:
            _take(
                plan,
                framework,
                node,
                Leaf(
                    place,
                    parent,
                    top,
                    len(plan.parts) - 1,
                    node.points[peer_group],
                    node.method,
                    node.probes,
                    node.veto_below_milli,
                ),
            )

    visit(framework.root, -1, -1, 0)
    return plan


def _take(plan: Plan, framework: Framework, node: Node, leaf: Leaf) -> None:
    if leaf.probes:
        plan.leaves.append(leaf)
        return
    probe = framework.collected_as(node)
    plan.collected[probe] = leaf._replace(probes=(probe,), collected=True)
    plan.silent_points[leaf.part] += leaf.points
