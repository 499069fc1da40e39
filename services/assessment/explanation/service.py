"""
Explanation 得分解释: why a number is what it is, from the node down to single events.

What is shown is recomputed from the same states and by the same arithmetic as the score, so it cannot differ
from it. Events are read from the log with the canonical leaf that was hashed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.errors import NotFound
from kernel.storage.work import Store
from services.assessment.explanation.rules import arithmetic
from services.assessment.explanation.scope import probes_below, scope_of
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework, Node
from services.assessment.ledger.rules import Reached, State, state_of
from services.assessment.ledger.service import Ledger
from services.assessment.ranking.asked import Asked, what_is_asked
from services.assessment.ranking.boards import one_moment
from services.assessment.ranking.known import NOW, AsOf
from services.assessment.ranking.service import visible_unit
from services.assessment.scoring.rules import NodeScore, ProbeState, roll_up
from services.assessment.scoring.tallies import Assessed


@dataclass(frozen=True, slots=True)
class Tally:
    """What one probe found on one unit in the period."""

    probe: str
    title: str
    state: ProbeState
    basis: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event of the log, with what corrected it."""

    seq: int
    leaf: dict[str, Any]
    leaf_hash: str
    corrected_by: str | None
    state: State


@dataclass(frozen=True, slots=True)
class Explained:
    """The answer to "why this number"."""

    framework: Framework
    unit: Assessed
    period: str
    node: NodeScore
    ancestors: tuple[Node, ...]
    arithmetic: tuple[str, ...]
    tallies: tuple[Tally, ...]
    events: tuple[LoggedEvent, ...]
    events_total: int


class Explanations:
    """Answers "why this number"."""

    def __init__(self, store: Store, frameworks: Frameworks, ledger: Ledger) -> None:
        self._store = store
        self._frameworks = frameworks
        self._ledger = ledger

    def explain(
        self,
        who: Principal,
        unit: str,
        period: str,
        node: str,
        *,
        probe: str = "",
        outcome: int = 0,
        offset: int = 0,
        limit: int = 50,
        upto: str = "",
        as_of: AsOf = NOW,
    ) -> Explained:
        """Explain a node of a unit's tree; `probe` and `outcome` narrow the events. Raises NotFound, Invalid."""
        with self._store.reading() as session:
            one_moment(session)
            asked = what_is_asked(session, self._frameworks, self._store.clock, period, upto, as_of)
            framework = asked.framework
            assessed = visible_unit(session, framework, who, unit, at=asked.units_at)
            states = asked.states(session, [assessed]).get(unit, {})
            tree = roll_up(framework, assessed.group.id, states)
            found, ancestors = _find(tree, node or tree.node.code)
            probes = sorted(probes_below(framework, found))
            wanted = [probe] if probe in probes else probes
            reached = self._ledger.reached(session)
            events, total = _events(session, assessed, asked, wanted, outcome, offset, limit, reached)
            bases = _bases(session, assessed, asked, probes)
        return Explained(
            framework=framework,
            unit=assessed,
            period=asked.window.text,
            node=found,
            ancestors=ancestors,
            arithmetic=tuple(arithmetic(found, tree)),
            tallies=tuple(
                Tally(
                    name,
                    self._frameworks.probe_titles.get(name, name),
                    states.get(name, ProbeState()),
                    bases.get(name, ()),
                )
                for name in probes
            ),
            events=events,
            events_total=total,
        )


def _bases(
    session: Session, unit: Assessed, asked: Asked, probes: Sequence[str]
) -> dict[str, tuple[tuple[str, str, str], ...]]:
    """The legal basis of each probe, as this unit's latest event cites it."""
    if not probes:
        return {}
    where, values, typed = scope_of(unit, asked, probes)
    latest = text(
        f"SELECT probe, leaf FROM event_log WHERE seq IN (SELECT max(e.seq) FROM event_log e WHERE {where} "
        "GROUP BY e.probe)"
    ).bindparams(*typed)
    rows = session.execute(latest, values)
    return {row.probe: tuple((b[0], b[1], b[2]) for b in orjson.loads(row.leaf)["basis"]) for row in rows}


def _find(tree: NodeScore, code: str) -> tuple[NodeScore, tuple[Node, ...]]:
    waiting: list[tuple[NodeScore, tuple[Node, ...]]] = [(tree, ())]
    while waiting:
        current, above = waiting.pop()
        if current.node.code == code:
            return current, above
        waiting.extend((child, (*above, current.node)) for child in current.children)
    raise NotFound("该单位的指标体系中没有这个指标，请从得分树中选择。", code="assessment.unknown_node")


def _events(
    session: Session,
    unit: Assessed,
    asked: Asked,
    probes: Sequence[str],
    outcome: int,
    offset: int,
    limit: int,
    reached: Reached,
) -> tuple[tuple[LoggedEvent, ...], int]:
    if not probes:
        return (), 0
    where, values, typed = scope_of(unit, asked, probes)
    if outcome:
        where += " AND e.outcome = :outcome"
        values["outcome"] = outcome
    total = session.execute(
        text(f"SELECT count(*) FROM event_log e WHERE {where}").bindparams(*typed), values
    ).scalar_one()
    corrections = "AND c.seq <= :known" if asked.known else ""
    rows = session.execute(
        text(
            "SELECT e.seq, e.leaf, e.leaf_hash, (SELECT c.event_id FROM event_log c WHERE c.corrects = e.event_id "
            f"AND c.source = e.source {corrections} ORDER BY c.recorded_at DESC, c.event_id DESC LIMIT 1) "
            f"AS corrected_by FROM event_log e WHERE {where} ORDER BY e.outcome = 2 DESC, e.seq DESC LIMIT :limit OFFSET :offset"
        ).bindparams(*typed),
        {**values, "limit": limit, "offset": offset},
    )
    events = tuple(
        LoggedEvent(
            row.seq,
            orjson.loads(row.leaf),
            row.leaf_hash,
            str(row.corrected_by) if row.corrected_by else None,
            state_of(row.seq, reached),
        )
        for row in rows
    )
    return events, total
