"""Which events stand behind a node of a unit's tree: the probes below it, and the condition in the log."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, bindparam

from services.assessment.framework.values import Framework
from services.assessment.lineage import units_at
from services.assessment.ranking.asked import Asked
from services.assessment.scoring.rules import NodeScore
from services.assessment.scoring.tallies import Assessed


def probes_below(framework: Framework, found: NodeScore) -> set[str]:
    """The probes whose findings count below a node, as far as this unit's peer group is asked for them."""
    if found.node.method is not None:
        return set(found.node.probes or (framework.collected_as(found.node),))
    return set().union(*(probes_below(framework, child) for child in found.children))


def scope_of(
    unit: Assessed, asked: Asked, probes: Sequence[str]
) -> tuple[str, dict[str, Any], list[BindParameter[Any]]]:
    """The condition, with its values, under which events of these probes count for a unit in a year."""
    whose = "e.unit = :unit"
    units, moment, typed = units_at(asked.units_at if unit.group.events == "subtree" else None)
    if unit.group.events == "subtree":
        whose = (
            f"e.unit IN (SELECT code FROM {units} u WHERE substr(path, 1, length(:path)) = :path) "
            "AND (e.probe NOT LIKE '%/%' OR e.unit = :unit)"
        )
    where = f"{whose} AND e.period >= :start AND e.period <= :end AND e.probe IN :probes"
    if asked.known:
        where += " AND e.seq <= :known"
    values: dict[str, Any] = {
        "unit": unit.code,
        "path": unit.path,
        "start": asked.window.first,
        "end": asked.window.last,
        "probes": list(probes),
        **moment,
    }
    if asked.known:
        values["known"] = asked.known.seq
    return where, values, [*typed, bindparam("probes", expanding=True)]
