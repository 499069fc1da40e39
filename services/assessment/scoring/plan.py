"""
Plan: a framework compiled for one peer group, flat, so that a province rolls up in seconds.

Made once per framework and group and kept; frameworks are compared by identity, for a published one is never
edited.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from services.assessment.framework.values import Framework, Method, Node


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
