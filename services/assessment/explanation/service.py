"""
Explanation 得分解释: why a number is what it is, from the node down to single events.

What is shown is recomputed from the same states and by the same arithmetic as the score, so it cannot differ
from it. Events are read from the log with the canonical leaf that was hashed.
"""

from dataclasses import dataclass

from kernel.access.principal import Principal
from kernel.errors import NotFound
from kernel.storage.db import one_moment
from kernel.storage.work import Store
from services.assessment.explanation.events import EventsBehind, LoggedEvent
from services.assessment.explanation.rules import arithmetic
from services.assessment.explanation.scope import probes_below, scope_of
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework, Node
from services.assessment.ledger.service import Ledger
from services.assessment.ranking.asked import what_is_asked
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
            reached = self._ledger.reached(session, asked.known if as_of.day else None)
            listed = EventsBehind(session, scope_of(assessed, asked, wanted), outcome)
            events, total = listed.page(offset, limit, reached), listed.count()
            bases = EventsBehind(session, scope_of(assessed, asked, probes)).bases()
        return Explained(
            framework=framework,
            unit=assessed,
            period=asked.window.text,
            node=found,
            ancestors=ancestors,
            arithmetic=tuple(arithmetic(framework, found, tree)),
            tallies=tuple(
                Tally(
                    name,
                    self._frameworks.title_of(name, framework),
                    states.get(name, ProbeState()),
                    bases.get(name, ()),
                )
                for name in probes
            ),
            events=events,
            events_total=total,
        )


def _find(tree: NodeScore, code: str) -> tuple[NodeScore, tuple[Node, ...]]:
    waiting: list[tuple[NodeScore, tuple[Node, ...]]] = [(tree, ())]
    while waiting:
        current, above = waiting.pop()
        if current.node.code == code:
            return current, above
        waiting.extend((child, (*above, current.node)) for child in current.children)
    raise NotFound("该单位的指标体系中没有这个指标，请从得分树中选择。", code="assessment.unknown_node")
