"""How far the events behind each leaf of a unit's tree have come in the ledger (R20)."""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.storage.db import one_moment
from kernel.storage.work import Store
from services.assessment.explanation.scope import probes_below, scope_of
from services.assessment.framework.service import Frameworks
from services.assessment.ledger.rules import State, state_of
from services.assessment.ledger.service import Ledger
from services.assessment.ranking.asked import Asked, what_is_asked
from services.assessment.ranking.known import AsOf
from services.assessment.ranking.service import visible_unit
from services.assessment.scoring.rules import NodeScore, roll_up
from services.assessment.scoring.tallies import Assessed


class Entries:
    """Answers "is what this rests on still being sealed"."""

    def __init__(self, store: Store, frameworks: Frameworks, ledger: Ledger) -> None:
        self._store = store
        self._frameworks = frameworks
        self._ledger = ledger

    def of_unit(self, who: Principal, unit: str, period: str, upto: str, as_of: AsOf) -> dict[str, State]:
        """
        Leaf -> the state of the event behind it that has come least far; leaves without events are left out.

        Raises NotFound for a unit this caller cannot see.
        """
        with self._store.reading() as session:
            one_moment(session)
            asked = what_is_asked(session, self._frameworks, self._store.clock, period, upto, as_of)
            assessed = visible_unit(session, asked.framework, who, unit, at=asked.units_at)
            heard = asked.states(session, [assessed]).get(unit, {})
            reached = self._ledger.reached(session, asked.known if as_of.day else None)
            newest = _newest_after(session, assessed, asked, sorted(heard), reached.all_of_them)
        found = {}
        for leaf in _leaves(roll_up(asked.framework, assessed.group.id, heard)):
            probes = probes_below(asked.framework, leaf) & heard.keys()
            if probes:
                last = max(newest.get(probe, reached.all_of_them) for probe in probes)
                found[leaf.node.code] = state_of(last, reached)
        return found


def _newest_after(
    session: Session, unit: Assessed, asked: Asked, probes: list[str], after: int
) -> dict[str, int]:
    """Probe -> its newest event after one of the log; few are, for the ledger is seconds behind the log."""
    if not probes:
        return {}
    scope = scope_of(unit, asked, probes)
    statement = f"SELECT e.probe, max(e.seq) AS seq FROM event_log e WHERE {scope.events} AND e.seq > :after GROUP BY e.probe"
    rows = session.execute(text(statement).bindparams(*scope.typed), {**scope.values, "after": after})
    return {row.probe: row.seq for row in rows}


def _leaves(tree: NodeScore) -> Iterator[NodeScore]:
    if not tree.children:
        yield tree
    for child in tree.children:
        yield from _leaves(child)
