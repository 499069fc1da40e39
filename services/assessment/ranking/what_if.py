"""
What if 假设分析: weights and methods moved, and how scores, places, tiers and bands would follow. Nothing is stored.

It works on the matrix of a board, so an answer for a thousand units takes a fraction of a second. Scores of this
page are statistics, told to four decimals; with nothing moved they are the published ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from kernel.errors import Invalid, Problem
from services.assessment.framework.values import MICRO, Framework, Method, Node
from services.assessment.ranking.boards import Board
from services.assessment.ranking.matrix import Floats, Matrix, matrix_of
from services.assessment.ranking.parameters import Parameters
from services.assessment.ranking.tiers import bands_of, tiers_of
from services.assessment.ranking.uncertainty import as_published, ranks, scores, seed_of, simulate
from services.assessment.scoring.plan import plan_for

_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Moves:
    """
    What is moved.

    `factors`: of a component, aspect, measure or result, by code; its weight is multiplied. `points`: of results, in
    micro-points instead of the framework's. `methods`: of results. `geometric`, `group_mean`: instead of the
    published aggregation and treatment of missing data.
    """

    factors: Mapping[str, float] = field(default_factory=dict)
    points: Mapping[str, int] = field(default_factory=dict)
    methods: Mapping[str, Method] = field(default_factory=dict)
    geometric: bool = False
    group_mean: bool = False


class Moved(NamedTuple):
    """One unit before and after."""

    unit: str
    before: float
    after: float
    rank_before: int
    rank: int
    tier: int
    band: int


def what_if(board: Board, moves: Moves, parameters: Parameters) -> list[Moved]:
    """All ranked units in their new order. Raises Invalid for codes that the group is not asked for."""
    _check(board, moves)
    matrix = board.matrix
    if not matrix.units:
        return []
    changed = _moved(_with_methods(board, moves), board.framework, board.group.id, moves)
    draws = as_published(changed, geometric=moves.geometric, group_mean=moves.group_mean)
    after = np.round(scores(changed, draws, parameters.geometric_floor)[:, 0], _DECIMALS)
    order = np.lexsort((np.array(changed.units), -after))
    quick = replace(
        parameters.quick(),
        aggregation=("geometric",) if moves.geometric else parameters.aggregation,
        missing=("group_mean",) if moves.group_mean else parameters.missing,
    )
    found = simulate(changed, quick, seed_of("what-if", board.window.text, board.group.id))[order]
    published = [int(score) for score in np.round(after[order] * 10**_DECIMALS)]
    before = {standing.unit: standing.rank or 0 for standing in board.standings}
    places = ranks(after[:, None])[:, 0]
    tiers = tiers_of(found, published, parameters.confidence)
    bands = bands_of(found, published, parameters.confidence)
    return [
        Moved(
            unit=changed.units[row],
            before=round((board.totals[changed.units[row]].score or 0) / MICRO, _DECIMALS),
            after=float(after[row]),
            rank_before=before[changed.units[row]],
            rank=int(places[row]),
            tier=tier,
            band=band,
        )
        for row, tier, band in zip(order, tiers, bands, strict=True)
    ]


def _check(board: Board, moves: Moves) -> None:
    plan = plan_for(board.framework, board.group.id)
    nodes = {node.code for node in plan.nodes[1:]}
    results = {plan.nodes[leaf.place].code for leaf in (*plan.leaves, *plan.collected.values())}
    problems = [
        Problem(f"{name}.{code}", "unknown_node", f"这一类考核对象没有指标 {code}，请核对。")
        for name, given, known in (
            ("factors", moves.factors, nodes),
            ("points", moves.points, results),
            ("methods", moves.methods, results),
        )
        for code in given
        if code not in known
    ]
    if problems:
        raise Invalid(problems=problems)


def _with_methods(board: Board, moves: Moves) -> Matrix:
    """The board's matrix, its shares made anew where results have another method."""
    if not moves.methods:
        return board.matrix
    changed = replace(board.framework, root=_with(board.framework.root, moves.methods), _by_code={})
    return matrix_of(changed, board.group.id, board.matrix.units, board.states)


def _with(node: Node, methods: Mapping[str, Method]) -> Node:
    if node.method is not None:
        return replace(node, method=_instead(node.method, methods.get(node.code, node.method)))
    return replace(node, children=tuple(_with(child, methods) for child in node.children))


def _instead(method: Method, moved: Method) -> Method:
    """The method moved; what is counted, and how many must have answered, stays unless the kind is another."""
    if moved.kind != method.kind:
        return moved
    return replace(moved, measured=method.measured, responses_at_least=method.responses_at_least)


def _moved(matrix: Matrix, framework: Framework, group: str, moves: Moves) -> Matrix:
    """The matrix with its points and weights moved."""
    plan = plan_for(framework, group)
    columns = np.ones(len(matrix.leaves))
    for column, leaf in enumerate(matrix.leaves):
        code = matrix.codes[column]
        if code in moves.points:
            columns[column] = moves.points[code] / leaf.points
        place = leaf.place
        part = plan.parts[leaf.part].place
        while place not in (part, 0):
            columns[column] *= moves.factors.get(plan.nodes[place].code, 1.0)
            place = plan.parents[place]
    weights: Floats = matrix.weights * [moves.factors.get(code, 1.0) for code in matrix.part_codes]
    return replace(
        matrix,
        applicable=matrix.applicable * columns,
        missing=matrix.missing * columns,
        weights=weights,
    )
