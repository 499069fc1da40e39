"""
Days of the made-up year: which are working days, how many lie between two, and how busy each is.

Working days of past years come from the published State Council arrangements. The library that carries them
is read up to 2026 only: the year it learns next must not change the bytes of a province already made, so
later years count weekends.
"""

from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from functools import lru_cache

import chinese_calendar

from fazhi.province.rng import Stream

LAST_KNOWN_YEAR = 2026
_FIRST = date(2018, 1, 1)
_LAST = date(2028, 12, 31)

# Work of an average day in each month, in tenths: the spring-festival dip and the year-end rush.
_MONTHS = (8, 5, 10, 10, 10, 11, 10, 9, 11, 9, 13, 17)


@lru_cache(maxsize=1)
def _working_days() -> tuple[int, ...]:
    span = range(_FIRST.toordinal(), _LAST.toordinal() + 1)
    return tuple(day for day in span if _is_published_as_working(date.fromordinal(day)))


@lru_cache(maxsize=1)
def _working_set() -> frozenset[int]:
    return frozenset(_working_days())


def _is_published_as_working(day: date) -> bool:
    if day.year > LAST_KNOWN_YEAR:
        return day.weekday() < 5
    return bool(chinese_calendar.is_workday(day))


def is_working_day(day: date) -> bool:
    """Working day 工作日, make-up days included."""
    return day.toordinal() in _working_set()


def working_days_after(day: date, count: int) -> date:
    """The last day of a period of so many working days; the day it starts from is not counted."""
    days = _working_days()
    return date.fromordinal(days[bisect_right(days, day.toordinal()) - 1 + count])


def working_days_between(start: date, end: date) -> int:
    """Working days after `start` up to and with `end`."""
    days = _working_days()
    return bisect_right(days, end.toordinal()) - bisect_right(days, start.toordinal())


def on_or_before(day: date) -> date:
    """The day itself if people work on it, else the last working day before it."""
    days = _working_days()
    return date.fromordinal(days[bisect_right(days, day.toordinal()) - 1])


def on_or_after(day: date) -> date:
    """The day itself if people work on it, else the next working day."""
    days = _working_days()
    return date.fromordinal(days[bisect_left(days, day.toordinal())])


class Season:
    """How the work of a year falls on its days."""

    def __init__(self, first: date, last: date) -> None:
        days = _working_days()
        low, high = bisect_left(days, first.toordinal()), bisect_right(days, last.toordinal())
        self.days = tuple(date.fromordinal(day) for day in days[low:high])
        self._sums: list[int] = []
        total = 0
        for day in self.days:
            total += _MONTHS[day.month - 1]
            self._sums.append(total)
        self.weight = total
        span = (last - first).days + 1
        every = (first + timedelta(days=offset) for offset in range(span))
        self.holidays = tuple(day for day in every if not is_working_day(day))

    def draw(self, stream: Stream) -> date:
        """A working day, busy months likelier."""
        return self.days[bisect_right(self._sums, stream.below(self.weight))]


@lru_cache(maxsize=8)
def whole_year_weight(year: int) -> int:
    """The weight of the whole year, to scale a part of it."""
    return Season(date(year, 1, 1), date(year, 12, 31)).weight
