"""Due times 期限: the end of the last day of a period in Asia/Shanghai, as a moment that a clock can compare."""

from datetime import date, datetime, timedelta

from kernel.calendar import WorkingCalendar
from kernel.clock import local_date, start_of_day
from kernel.periods import Periods


class Dues:
    """The periods of catalog/clocks/rectification.yaml on the working calendar."""

    def __init__(self, periods: Periods, calendar: WorkingCalendar) -> None:
        self._periods = periods
        self._calendar = calendar

    def due(self, clock: str, at: datetime) -> datetime:
        """When a period that begins with an act at this moment is over."""
        return end_of(self.last_day(clock, local_date(at)))

    def last_day(self, clock: str, start: date) -> date:
        """The last day of a period begun on a day."""
        return self._periods.in_force(clock, start).ends(start, self._calendar).due_on

    def longest_extension(self, clock: str, due_at: datetime) -> date:
        """The last day to which a period that ends with `due_at` may be extended."""
        last = local_date(due_at - timedelta(microseconds=1))
        period = self._periods.in_force(clock, last)
        return self._calendar.working_days_after(last, period.extension).due_on


def end_of(day: date) -> datetime:
    """The moment a day ends."""
    return start_of_day(day + timedelta(days=1))
