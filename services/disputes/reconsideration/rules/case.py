"""
Case 复议案件: what the recorded steps of one case add up to. State is read off the steps, never stored by hand.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from services.disputes.reconsideration.rules import steps as s

AnyStep = (
    s.Forwarded | s.NotAnApplication | s.Received | s.MaterialAsked | s.MaterialSupplied | s.Abandoned | s.Refused
    | s.Accepted | s.DeemedAccepted | s.TrackChanged | s.CopyReceived | s.Answered | s.HearingDecided
    | s.HearingHeld | s.Suspended | s.Resumed | s.Extended | s.CommitteeConsulted | s.Decided | s.Served
    | s.Performed | s.OpinionReceived | s.OpinionAnswered | s.Sued | s.DeadlineSettled
)  # fmt: skip
S = TypeVar("S", bound=s.Step)

STATES = {
    "draft": "待登记", "returned": "已退回", "received": "审查中", "awaiting_material": "待补正", "abandoned": "视为放弃",
    "refused": "不予受理", "accepted": "审理中", "suspended": "中止", "decided": "已作出决定", "effective": "已生效",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """The steps in force, in the order of recording; corrected ones are already replaced."""

    steps: tuple[AnyStep, ...]

    def all(self, kind: type[S]) -> list[S]:
        """Every step of a kind."""
        return [step for step in self.steps if isinstance(step, kind)]

    def last(self, kind: type[S]) -> S | None:
        """The latest step of a kind by its own day."""
        return max(self.all(kind), key=lambda step: step.on, default=None)

    def first(self, kind: type[S]) -> S | None:
        """The earliest step of a kind by its own day."""
        return min(self.all(kind), key=lambda step: step.on, default=None)

    def has(self, kind: type[S]) -> bool:
        """Whether a step of this kind was recorded."""
        return any(isinstance(step, kind) for step in self.steps)

    def plus(self, step: AnyStep) -> "Case":
        """The case with one more step."""
        return Case((*self.steps, step))

    @property
    def accepted_on(self) -> date | None:
        """Day of acceptance, in fact or by silence, whichever came first; the period to decide runs from it."""
        days = [step.on for step in self.steps if isinstance(step, (s.Accepted, s.DeemedAccepted))]
        return min(days, default=None)

    @property
    def track(self) -> s.Track:
        """普通程序 unless accepted as simple and never changed."""
        accepted = self.last(s.Accepted)
        if accepted is None or self.has(s.TrackChanged):
            return "ordinary"
        return accepted.track

    @property
    def decided(self) -> s.Decided | None:
        """The decision in force."""
        return self.last(s.Decided)

    @property
    def effective_on(self) -> date | None:
        """Day of effect 生效: service (Art. 75)."""
        served = self.first(s.Served)
        return served.on if served else None

    @property
    def awaits_material(self) -> bool:
        """Whether material was asked for and not yet supplied."""
        asked, supplied = self.last(s.MaterialAsked), self.last(s.MaterialSupplied)
        return asked is not None and (supplied is None or supplied.on < asked.on)

    @property
    def is_suspended(self) -> bool:
        """Whether the case stands still 中止."""
        return len(self.all(s.Suspended)) > len(self.all(s.Resumed))

    @property
    def suspended_days(self) -> int:
        """Calendar days of suspensions, ended by resumption or with the case; the period to decide counts none."""
        begins = sorted(step.on for step in self.all(s.Suspended))
        ends = sorted(step.on for step in self.all(s.Resumed))
        if self.is_suspended and self.decided is not None:
            ends.append(max(self.decided.on, begins[-1]))
        return sum((end - begin).days for begin, end in zip(begins, ends, strict=False))

    @property
    def state(self) -> str:
        """The state 状态, a key of STATES: the first of these that holds."""
        accepted = self.accepted_on is not None
        holding = (
            (self.has(s.NotAnApplication), "returned"),
            (self.decided is not None and self.effective_on is not None, "effective"),
            (self.decided is not None, "decided"),
            (self.has(s.Refused), "refused"),
            (accepted and self.is_suspended, "suspended"),
            (accepted, "accepted"),
            (self.has(s.Abandoned), "abandoned"),
            (self.awaits_material, "awaiting_material"),
            (self.has(s.Received), "received"),
        )
        return next((state for holds, state in holding if holds), "draft")

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is decided in it 已办结."""
        return self.state in ("returned", "effective", "decided", "refused", "abandoned")


def in_force(recorded: Iterable[tuple[str, str, AnyStep]]) -> Case:
    """
    The case of (step id, id of the step it corrects or empty, step) in order of recording.

    A correction takes the place of what it corrects; of several the last one holds. What lapsed is no step.
    """
    places: dict[str, str] = {}
    held: dict[str, AnyStep] = {}
    for step_id, corrects, step in recorded:
        place = places.get(corrects, step_id)
        places[step_id] = place
        held[place] = step
    return Case(
        tuple(step for step in held.values() if not (isinstance(step, s.DeemedAccepted) and step.lapsed))
    )
