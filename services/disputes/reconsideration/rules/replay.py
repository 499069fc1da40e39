"""
Replay 回放: a case handed in after the fact goes over its clocks as it would have at the time.

Silence is put in where it fell: before a step that came after the period had run out, and at the end.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from services.disputes.reconsideration.rules.case import AnyStep, Case
from services.disputes.reconsideration.rules.deadlines import Clocks, Due
from services.disputes.reconsideration.rules.silence import by_silence


@dataclass(slots=True)
class Replay:
    """A case, the deadlines now in force, and each step with the deadlines it set."""

    case: Case = field(default_factory=lambda: Case(()))
    kept: dict[str, Due] = field(default_factory=dict)
    taken: list[tuple[AnyStep, list[Due]]] = field(default_factory=list)

    def take(self, step: AnyStep, clocks: Clocks) -> None:
        """One more step."""
        set_now = clocks.set_by(self.case, step)
        self.case = self.case.plus(step)
        self.kept = clocks.standing(self.case, self.kept | {due.clock: due for due in set_now})
        self.taken.append((step, set_now))

    def take_silence(self, today: date, clocks: Clocks) -> bool:
        """The fact that silence made by this day, if any."""
        silent = by_silence(self.case, self.kept, today)
        if silent is None:
            return False
        self.take(silent, clocks)
        return True


def replay(steps: Iterable[AnyStep], clocks: Clocks, today: date) -> Replay:
    """All steps in order, and what silence made of them until today."""
    played = Replay()
    for step in steps:
        played.take_silence(step.on, clocks)
        played.take(step, clocks)
    played.take_silence(today, clocks)
    return played
