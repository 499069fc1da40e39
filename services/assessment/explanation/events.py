"""
The events behind a node, a page at a time: failures first, then the newest.

How many there are, and which of them is the last of its probe, is told by the states; the log is read for the rows that
are shown and, as of an event, for those states only that were still growing then. So a government with a
million events below it is answered like a department with a thousand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from contracts.findings import Outcome
from services.assessment.explanation.scope import Scope
from services.assessment.ledger.rules import Reached, State, state_of

FAILED = f"e.outcome = {int(Outcome.FAIL)}"
_OF_STATE = "e.unit = k.unit AND e.probe = k.probe AND e.period = k.period AND e.seq <= :known"
_HOW_MANY = (
    "SELECT coalesce(sum(CASE WHEN k.last_seq <= :known THEN k.events "
    f"ELSE (SELECT count(*) FROM event_log e WHERE {_OF_STATE}) END), 0) "
    "FROM probe_states k WHERE {states} AND k.first_seq <= :known"
)
_LAST = (
    "SELECT max(CASE WHEN k.last_seq <= :known THEN k.last_seq "
    f"ELSE (SELECT max(e.seq) FROM event_log e WHERE {_OF_STATE}) END) "
    "FROM probe_states k WHERE {states} AND k.first_seq <= :known"
)
_CORRECTED_BY = (
    "SELECT c.event_id FROM event_log c WHERE c.corrects = e.event_id AND c.source = e.source AND c.seq <= :known "
    "ORDER BY c.recorded_at DESC, c.event_id DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event of the log, with what corrected it."""

    seq: int
    leaf: dict[str, Any]
    leaf_hash: str
    corrected_by: str | None
    state: State


class EventsBehind:
    """The events of one scope, as of the event number that the scope names."""

    def __init__(self, session: Session, scope: Scope, outcome: int = 0) -> None:
        self._session = session
        self._scope = scope
        self._outcome = outcome

    def count(self) -> int:
        """How many there are, corrected ones too."""
        if self._outcome:
            return self._counted(f"e.outcome = {int(self._outcome)}")
        return int(self._one(_HOW_MANY))

    def bases(self) -> dict[str, tuple[tuple[str, str, str], ...]]:
        """The legal basis of each probe, as its latest event cites it."""
        latest = f"SELECT probe, leaf FROM event_log WHERE seq IN ({_LAST} GROUP BY k.probe)"
        rows = self._run(latest)
        return {row.probe: tuple((b[0], b[1], b[2]) for b in orjson.loads(row.leaf)["basis"]) for row in rows}

    def page(self, offset: int, limit: int, reached: Reached) -> tuple[LoggedEvent, ...]:
        """These rows of the list."""
        numbers = self._numbers(offset, limit)
        query = text(
            f"SELECT e.seq, e.leaf, e.leaf_hash, ({_CORRECTED_BY}) AS corrected_by FROM event_log e "
            "WHERE e.seq IN :numbers"
        ).bindparams(bindparam("numbers", expanding=True))
        known = self._scope.values["known"]
        found = {row.seq: row for row in self._session.execute(query, {"numbers": numbers, "known": known})}
        return tuple(
            LoggedEvent(
                seq,
                orjson.loads(found[seq].leaf),
                found[seq].leaf_hash,
                str(found[seq].corrected_by) if found[seq].corrected_by else None,
                state_of(seq, reached),
            )
            for seq in numbers
        )

    def _numbers(self, offset: int, limit: int) -> list[int]:
        if self._outcome:
            return self._newest(f"e.outcome = {int(self._outcome)}", offset, limit)
        failed = self._newest(FAILED, offset, limit)
        if len(failed) == limit:
            return failed
        failures = offset + len(failed) if failed or not offset else self._counted(FAILED)
        return failed + self._newest(f"NOT {FAILED}", max(0, offset - failures), limit - len(failed))

    def _newest(self, which: str, offset: int, limit: int) -> list[int]:
        # Without the last number there may be, a unit that is no more is looked for from the end of the log.
        rows = self._run(
            f"SELECT e.seq FROM event_log e WHERE {{events}} AND {which} AND e.seq <= ({_LAST}) "
            "ORDER BY e.seq DESC LIMIT :limit OFFSET :offset",
            limit=limit,
            offset=offset,
        )
        return [row.seq for row in rows]

    def _counted(self, which: str) -> int:
        return int(self._one(f"SELECT count(*) FROM event_log e WHERE {{events}} AND {which}"))

    def _one(self, statement: str) -> Any:
        return self._run(statement)[0][0]

    def _run(self, statement: str, **more: int) -> Sequence[Any]:
        scope = self._scope
        query = text(statement.format(events=scope.events, states=scope.states)).bindparams(*scope.typed)
        return self._session.execute(query, {**scope.values, **more}).all()
