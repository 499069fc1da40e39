"""
Deadlines 法定期限: which periods a step sets in motion or changes (Arts. 30, 31, 48, 54, 62, 76).

A deadline is reckoned when its step is recorded and kept; nothing but another step changes it, not even a newly
published calendar. A suspension stops the period to decide: while it lasts there is no last day, and afterwards
the days it took are added. The numbers come from the catalog, with the row in force on the day they start.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from kernel.calendar import Deadline, WorkingCalendar
from services.disputes.reconsideration.rules import steps as s
from services.disputes.reconsideration.rules.case import AnyStep, Case

ACCEPTANCE = "reconsideration.acceptance"
SUPPLY = "reconsideration.supply_material"
COPY = "reconsideration.copy"
ANSWER = "reconsideration.answer"
DECIDE = "reconsideration.decide"
SUSPENSION = "reconsideration.suspension_ends"
PERFORM = "reconsideration.perform"
OPINION = "reconsideration.opinion_letter"
LAWSUIT = "litigation.after_reconsideration"
BY_TRACK = frozenset({COPY, ANSWER, DECIDE})  # the catalog has one row for each track
TITLES = {PERFORM: "履行复议决定"}


_STARTED_BY: dict[type[s.Step], str] = {
    s.Received: ACCEPTANCE,
    s.MaterialAsked: SUPPLY,
    s.MaterialSupplied: ACCEPTANCE,
    s.CopyReceived: ANSWER,
    s.Served: LAWSUIT,
    s.OpinionReceived: OPINION,
}
_CHANGES_PERIOD_TO_DECIDE = (s.Accepted, s.DeemedAccepted, s.Resumed, s.Extended, s.TrackChanged)


@dataclass(frozen=True, slots=True)
class Clock:
    """One row of catalog/clocks: `unit` is working or calendar; `extension` in the same unit."""

    id: str
    title: str
    days: int
    unit: str
    roll_forward: bool
    extension: int
    article: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline as kept: which clock, from which day, until when, and with which calendar it was reckoned."""

    clock: str
    from_on: date
    due_on: date
    provisional: bool
    calendar_version: str


class Clocks:
    """The clocks of the catalog over one calendar."""

    def __init__(
        self, rows: Iterable[Clock], calendar: WorkingCalendar, ends_after_60_days: frozenset[str]
    ) -> None:
        self._rows: dict[str, list[Clock]] = {}
        for row in sorted(rows, key=lambda row: row.valid_from):
            self._rows.setdefault(row.id, []).append(row)
        self.calendar = calendar
        self._ends_after_60_days = ends_after_60_days

    def row(self, clock: str, track: s.Track, day: date) -> Clock:
        """
        The row in force on a day; raises KeyError for a clock the catalog lacks.

        Before the first row was in force the first row answers, so that old cases can still be read.
        """
        name = f"{clock}_{track}" if clock in BY_TRACK else clock
        begun = [row for row in self._rows[name] if row.valid_from <= day]
        in_force = [row for row in begun if row.valid_to is None or day <= row.valid_to]
        return (in_force or begun or self._rows[name][:1])[-1]

    def due(self, clock: str, track: s.Track, start: date, *, more_days: int = 0) -> Due:
        """The deadline of a clock that starts with an act on `start`."""
        row = self.row(clock, track, start)
        if row.unit == "working":
            deadline = self.calendar.working_days_after(start, row.days + more_days)
        else:
            deadline = self.calendar.calendar_days_after(
                start, row.days + more_days, roll_forward=row.roll_forward
            )
        return _kept(clock, start, deadline)

    def set_by(self, before: Case, step: AnyStep) -> list[Due]:
        """The deadlines a step sets or changes, given the case before it."""
        case = before.plus(step)
        clock = _STARTED_BY.get(type(step))
        if isinstance(step, s.Received) and case.has(s.MaterialSupplied):
            return []  # a corrected receipt: the examination has begun anew with the material (Art. 31)
        if clock is not None:
            return [self.due(clock, case.track, step.on)]
        if isinstance(step, s.DeemedAccepted) and step.lapsed:
            return [self._to_copy(before), self._to_decide(before)] if before.accepted_on else []
        if isinstance(step, (s.Suspended, s.Decided)):
            return list(self._set_by_standstill(case, step))
        if isinstance(step, _CHANGES_PERIOD_TO_DECIDE) and case.accepted_on is not None:
            copy = [self._to_copy(case)] if before.accepted_on != case.accepted_on else []
            received = (
                case.last(s.CopyReceived) if isinstance(step, s.Accepted) else None
            )  # acceptance corrected
            answer = [self.due(ANSWER, case.track, received.on)] if received else []
            return [*copy, *answer, self._to_decide(case)]
        return []

    def _set_by_standstill(self, case: Case, step: s.Suspended | s.Decided) -> Iterator[Due]:
        if isinstance(step, s.Decided) and step.perform_by is not None:
            yield Due(PERFORM, step.on, step.perform_by, provisional=False, calendar_version="")
        if isinstance(step, s.Suspended) and case.is_suspended and step.reason in self._ends_after_60_days:
            yield self.due(SUSPENSION, case.track, step.on)
        corrected = isinstance(step, s.Suspended) and not case.is_suspended  # one that is over
        ended_in_it = case.is_suspended and case.decided is not None
        if case.accepted_on is not None and (corrected or ended_in_it):
            yield self._to_decide(case)

    def standing(self, case: Case, kept: Mapping[str, Due]) -> dict[str, Due]:
        """The kept deadlines without those whose ground a correction, or another suspension, has taken away."""
        decided, suspended = case.decided, case.last(s.Suspended)
        gone = set() if case.accepted_on else {COPY, DECIDE}
        if decided is None or decided.perform_by is None:
            gone.add(PERFORM)
        if suspended is None or suspended.reason not in self._ends_after_60_days:
            gone.add(SUSPENSION)
        return {clock: due for clock, due in kept.items() if clock not in gone}

    def again(self, case: Case, kept: Due) -> Due:
        """A kept deadline reckoned again with the calendar of today; for DeadlineSettled."""
        if kept.clock == DECIDE:
            return self._to_decide(case)
        if kept.clock == PERFORM:
            return kept
        return self.due(kept.clock, case.track, kept.from_on)

    def longest_extension(self, track: s.Track, day: date) -> int:
        """Days by which the period to decide may be extended at most; none in the simple procedure."""
        return self.row(DECIDE, track, day).extension

    def _to_copy(self, case: Case) -> Due:
        if case.accepted_on is None:
            raise ValueError("the copy is due from acceptance")
        return self.due(COPY, case.track, case.accepted_on)

    def _to_decide(self, case: Case) -> Due:
        accepted = case.accepted_on
        if accepted is None:
            raise ValueError("the period to decide runs from acceptance")
        most = self.longest_extension(case.track, accepted)
        granted = sum(step.days for step in case.all(s.Extended) if step.approved is not False)
        return self.due(DECIDE, case.track, accepted, more_days=min(granted, most) + case.suspended_days)


def running(case: Case, kept: Mapping[str, Due]) -> list[Due]:
    """The deadlines somebody still has to keep, the nearest first."""
    open_clocks = _open_clocks(case)
    return sorted((due for due in kept.values() if due.clock in open_clocks), key=lambda due: due.due_on)


def _open_clocks(case: Case) -> set[str]:
    """The clocks that run, by the state of the case; the lawsuit is the applicant's and nobody's duty."""
    state = case.state
    proceeding = state in ("accepted", "suspended")
    runs = {
        ACCEPTANCE: state == "received",
        SUPPLY: state == "awaiting_material",
        COPY: proceeding and not case.has(s.CopyReceived),
        ANSWER: proceeding and not case.has(s.Answered),
        DECIDE: state == "accepted",
        SUSPENSION: state == "suspended",
        PERFORM: not case.has(s.Performed),
        OPINION: not case.has(s.OpinionAnswered),
    }
    return {clock for clock, running_now in runs.items() if running_now}


def _kept(clock: str, start: date, deadline: Deadline) -> Due:
    return Due(clock, start, deadline.due_on, deadline.provisional, deadline.calendar_version)
