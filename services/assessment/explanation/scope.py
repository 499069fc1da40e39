"""Which events stand behind a node of a unit's tree: the probes below it, and the condition in the log."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, bindparam

from services.assessment.framework.values import Framework
from services.assessment.lineage import units_at
from services.assessment.ranking.asked import Asked
from services.assessment.scoring.rules import NodeScore
from services.assessment.scoring.tallies import Assessed

EVERYTHING = 2**63 - 1


class Scope(NamedTuple):
    """The condition on events `e` and that on their states `k`, with the values of both; `known` is the last number."""

    events: str
    states: str
    values: dict[str, Any]
    typed: list[BindParameter[Any]]


def probes_below(framework: Framework, found: NodeScore) -> set[str]:
    """The probes whose findings count below a node, as far as this unit's peer group is asked for them."""
    if found.node.method is not None:
        return set(found.node.probes or (framework.collected_as(found.node),))
    return set().union(*(probes_below(framework, child) for child in found.children))


def scope_of(unit: Assessed, asked: Asked, probes: Sequence[str]) -> Scope:
    """Which events of these probes count for a unit in a year."""
    is_above = unit.group.events == "subtree"
    units, moment, typed = units_at(asked.units_at if is_above else None)
    whose = "{0}.unit = :unit"
    if is_above:
        whose = (
            f"{{0}}.unit IN (SELECT code FROM {units} u WHERE substr(path, 1, length(:path)) = :path) "
            "AND ({0}.probe NOT LIKE '%/%' OR {0}.unit = :unit)"
        )
    within = f"{whose} AND {{0}}.period >= :start AND {{0}}.period <= :end AND {{0}}.probe IN :probes"
    values: dict[str, Any] = {
        "unit": unit.code,
        "path": unit.path,
        "start": asked.window.first,
        "end": asked.window.last,
        "probes": list(probes),
        "known": asked.known.seq if asked.known else EVERYTHING,
        **moment,
    }
    return Scope(
        events=f"{within.format('e')} AND e.seq <= :known",
        states=within.format("k"),
        values=values,
        typed=[*typed, bindparam("probes", expanding=True)],
    )
