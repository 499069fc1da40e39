"""
Calendar: working days 工作日, and when a period ends.

Holidays and make-up days come from the State Council office's yearly notices: to 2026 out of the library
chinesecalendar, later years and regional holidays from files (format: catalog/calendars/README.md).
A year without a notice counts weekends only, and a deadline that leans on it says so (`provisional`).
A deadline is a value, stored by whoever set it; a later notice never moves it by itself.

The day of the act is not counted, and a period ends with its last day (行政诉讼法 Art. 101 with
民事诉讼法 2023 Art. 85; 行政许可法 Art. 82, 行政处罚法 Art. 85, 行政复议法 Art. 88 for working days).
Whether a last day that is a holiday rolls forward is the rule's business, not ours: see `roll_forward`.

All look-ups are two array reads, so a hundred thousand cases cost a fraction of a second.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

import chinese_calendar

from kernel.catalog import read_folder
from kernel.errors import Invalid, Problem

FIRST_YEAR = 1990
LAST_YEAR = 2069
_SATURDAY = 5
_ORIGIN = date(FIRST_YEAR, 1, 1).toordinal()
_END = date(LAST_YEAR, 12, 31).toordinal()


class CalendarInvalid(Invalid):
    """A day outside the calendar, or a year file that contradicts itself."""

    code: ClassVar[str] = "calendar.invalid"


@dataclass(frozen=True, slots=True)
class Deadline:
    """
    Last day of a period.

    `provisional`: the period reaches into a year whose holidays were not published when it was reckoned.
    `calendar_version` names the data it was reckoned with.
    """

    due_on: date
    provisional: bool
    calendar_version: str


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """
    Holidays and make-up working days of one notice.

    `region` empty: the national notice, which makes the year published. A region's own holidays
    (地方性节假日) only add to it. Days may lie just outside `year`: the notice of a year often moves days
    at the end of the year before.
    """

    year: int
    version: str
    holidays: frozenset[date]
    working_days: frozenset[date]
    region: str = ""


class WorkingCalendar:
    """Working days of one place, fixed at construction; make a new one when a file is added."""

    def __init__(self, extra: Iterable[CalendarYear] = ()) -> None:
        years = tuple(sorted(extra, key=lambda year: (year.year, year.region)))
        library_days = chinese_calendar.holidays.keys() | chinese_calendar.workdays.keys()
        holidays = set(chinese_calendar.holidays)
        working = set(chinese_calendar.workdays)
        self.published = frozenset(
            {day.year for day in library_days} | {y.year for y in years if not y.region}
        )
        for year in years:
            holidays = (holidays - year.working_days) | year.holidays
            working = (working - year.holidays) | year.working_days
        self.version = "+".join(
            [f"chinesecalendar-{chinese_calendar.__version__}"]
            + [f"{y.year}{'-' + y.region if y.region else ''}-{y.version}" for y in years]
        )
        self._working_days, self._rank, self._unpublished = _tables(holidays, working, self.published)

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on that day: make-up Saturdays do, holidays do not."""
        index = self._index(day)
        return self._rank[index] != (self._rank[index - 1] if index else 0)

    def working_days_after(self, day: date, n: int) -> Deadline:
        """The nth working day after `day`, which itself is not counted; n = 0 is the day itself."""
        if n <= 0:
            return self._deadline(day, _not_negative(day, n))
        place = self._rank[self._index(day)] + n - 1
        if place >= len(self._working_days):
            raise _outside(day + timedelta(days=n))
        return self._deadline(day, date.fromordinal(self._working_days[place]))

    def calendar_days_after(self, day: date, n: int, *, roll_forward: bool = False) -> Deadline:
        """
        The nth day after `day`, working or not.

        `roll_forward`: a last day that is no working day gives way to the next working day. Parties'
        periods in litigation do (民事诉讼法 2023 Art. 85 by way of 行政诉讼法 Art. 101), and reconsideration
        follows that practice for applicants; an organ's own period to decide is set without it unless
        the clock in the catalog says so.
        """
        last = _not_negative(day, n)
        if not roll_forward or self.is_working_day(last):
            return Deadline(last, False, self.version)
        rolled = self.working_days_after(last, 1)
        return Deadline(
            rolled.due_on, self._leans_on_unpublished(last, rolled.due_on, both_ends=True), self.version
        )

    def working_days_between(self, start: date, end: date) -> int:
        """Working days after `start` up to and including `end`; negative when `end` is earlier."""
        return self._rank[self._index(end)] - self._rank[self._index(start)]

    def _deadline(self, start: date, due_on: date) -> Deadline:
        return Deadline(due_on, self._leans_on_unpublished(start, due_on), self.version)

    def _leans_on_unpublished(self, start: date, end: date, *, both_ends: bool = False) -> bool:
        before = self._index(start) - 1 if both_ends else self._index(start)
        return self._unpublished[self._index(end)] != (self._unpublished[before] if before >= 0 else 0)

    def _index(self, day: date) -> int:
        ordinal = day.toordinal()
        if not _ORIGIN <= ordinal <= _END:
            raise _outside(day)
        return ordinal - _ORIGIN


def load_years(folder: Path) -> tuple[CalendarYear, ...]:
    """
    The year files of one folder, checked.

    A notice that names a day both as holiday and as make-up day, or a day far from its year, is refused
    with file and line (`CatalogInvalid`): a wrong calendar moves every deadline reckoned with it.
    """
    years = []
    for file in read_folder(folder):
        problems = list(_year_problems(file.data))
        if problems:
            raise file.located(problems)
        years.append(_year(file.data))
    return tuple(years)


def _year(data: Mapping[str, Any]) -> CalendarYear:
    return CalendarYear(
        year=data["year"],
        version=str(data["version"]),
        holidays=frozenset(day for span in data["holidays"] for day in _days(span)),
        working_days=frozenset(data.get("working_days") or ()),
        region=str(data.get("region", "")),
    )


def _year_problems(data: object) -> Iterator[Problem]:
    if not isinstance(data, dict):
        yield Problem("", "calendar.not_a_mapping", "文件应为键值形式，格式见 catalog/calendars/README.md。")
        return
    if not isinstance(data.get("year"), int) or not FIRST_YEAR < data["year"] < LAST_YEAR:
        yield Problem("year", "calendar.year", "请填写四位年份。")
        return
    if "version" not in data:
        yield Problem("version", "calendar.version", "请填写版本号，修改文件时加一。")
    if not isinstance(data.get("source"), dict) or not data["source"].get("document"):
        yield Problem("source", "calendar.source", "请填写所依据通知的名称、文号和日期。")
    spans = data.get("holidays")
    if not isinstance(spans, list) or not all(_is_span(span) for span in spans):
        yield Problem(
            "holidays", "calendar.holidays", "每项应有 from 和 to 两个日期（年-月-日），to 不早于 from。"
        )
        return
    working = data.get("working_days") or []
    if not isinstance(working, list) or not all(isinstance(day, date) for day in working):
        yield Problem("working_days", "calendar.working_days", "请逐行填写补班日期（年-月-日）。")
        return
    off = {day for span in spans for day in _days(span)}
    for index, day in enumerate(working):
        if day in off:
            yield Problem(
                f"working_days[{index}]", "calendar.both", f"{day} 同时是假日和补班日，请核对通知。"
            )
        if day.weekday() < _SATURDAY:
            yield Problem(f"working_days[{index}]", "calendar.weekday", f"{day} 本来就是工作日，不必补班。")
    for place, day in [
        *((f"holidays[{i}]", d) for i, s in enumerate(spans) for d in _days(s)),
        *((f"working_days[{i}]", d) for i, d in enumerate(working)),
    ]:
        if not date(data["year"] - 1, 12, 1) <= day <= date(data["year"] + 1, 1, 31):
            yield Problem(place, "calendar.other_year", f"{day} 不属于 {data['year']} 年的安排，请核对。")


def _is_span(span: object) -> bool:
    return (
        isinstance(span, dict)
        and isinstance(span.get("from"), date)
        and isinstance(span.get("to"), date)
        and timedelta(0) <= span["to"] - span["from"] < timedelta(days=31)
    )


def _days(span: Mapping[str, date]) -> Iterator[date]:
    day = span["from"]
    while day <= span["to"]:
        yield day
        day += timedelta(days=1)


def _tables(
    holidays: set[date], working: set[date], published: frozenset[int]
) -> tuple["array[int]", "array[int]", "array[int]"]:
    """Ordinals of working days; and per day, how many working and how many unpublished days to date."""
    days = array("l")
    rank = array("l")
    unpublished = array("l")
    blind = 0
    for ordinal in range(_ORIGIN, _END + 1):
        day = date.fromordinal(ordinal)
        if day in working or (day.weekday() < _SATURDAY and day not in holidays):
            days.append(ordinal)
        blind += day.year not in published
        rank.append(len(days))
        unpublished.append(blind)
    return days, rank, unpublished


def _not_negative(day: date, n: int) -> date:
    if n < 0:
        raise CalendarInvalid("期限天数不能为负数，请核对期限设置。", code="calendar.negative_days")
    return day + timedelta(days=n)


def _outside(day: date) -> CalendarInvalid:
    return CalendarInvalid(
        f"日期 {day} 超出日历范围（{FIRST_YEAR} 至 {LAST_YEAR} 年），请核对日期。", code="calendar.outside"
    )
