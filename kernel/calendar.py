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
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

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
        tables = _tables(years)
        self.published = tables.published
        self.version = "+".join(
            [f"chinesecalendar-{chinese_calendar.__version__}"]
            + [f"{y.year}{'-' + y.region if y.region else ''}-{y.version}" for y in years]
        )
        self._working_days, self._rank = tables.working_days, tables.rank
        self._unpublished = tables.unpublished

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on that day: make-up Saturdays do, holidays do not."""
        index = self._index(day)
        return self._rank[index] != (self._rank[index - 1] if index else 0)

    def working_days_after(self, day: date, n: int) -> Deadline:
        """The nth working day after `day`, which itself is not counted; n = 0 is the day itself."""
        if n <= 0:
            return Deadline(_later(day, n), provisional=False, calendar_version=self.version)
        place = self._rank[self._index(day)] + n - 1
        if place >= len(self._working_days):
            raise _outside(f"{day} 之后第 {n} 个工作日")
        due_on = date.fromordinal(self._working_days[place])
        return Deadline(due_on, self._blind_days(self._index(day), self._index(due_on)) > 0, self.version)

    def calendar_days_after(self, day: date, n: int, *, roll_forward: bool = False) -> Deadline:
        """
        The nth day after `day`, working or not.

        `roll_forward`: a last day that is no working day gives way to the next working day. Parties'
        periods do in litigation (行政诉讼法 Art. 101 with 民事诉讼法 2023 Art. 85) and in reconsideration, which
        refers to the same article (行政复议法 2023 Art. 88). Other laws say nothing of it, so it is never
        assumed: each clock of catalog/clocks/ says whether it rolls.
        """
        return self._ending(_later(day, n), roll_forward=roll_forward)

    def months_after(self, day: date, n: int, *, roll_forward: bool = False) -> Deadline:
        """The day of the same number n months on, or the last of a shorter month; a year is 12 months."""
        return self._ending(_months_later(day, n), roll_forward=roll_forward)

    def working_days_between(self, start: date, end: date) -> int:
        """Working days after `start` up to and including `end`; negative when `end` is earlier."""
        return self._rank[self._index(end)] - self._rank[self._index(start)]

    def _ending(self, last: date, *, roll_forward: bool) -> Deadline:
        index = self._index(last)
        due_on = last
        if roll_forward and not self.is_working_day(last):
            due_on = date.fromordinal(self._working_days[self._rank[index]])
        # That the last day is a working day is itself known only for a published year.
        leans = roll_forward and self._blind_days(index - 1, self._index(due_on)) > 0
        return Deadline(due_on, leans, self.version)

    def _blind_days(self, after: int, until: int) -> int:
        """Days of unpublished years among the days after one index up to another."""
        return self._unpublished[until] - (self._unpublished[after] if after >= 0 else 0)

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
    years: dict[tuple[int, str], CalendarYear] = {}
    for file in read_folder(folder):
        problems = list(_year_problems(file.data))
        if problems:
            raise file.located(problems)
        year = _year(file.data)
        if (year.year, year.region) in years:
            raise file.located([Problem("year", "calendar.twice", f"{year.year} 年已有文件，请合并为一个。")])
        years[year.year, year.region] = year
    return tuple(years.values())


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
    year, spans, working = data.get("year"), data.get("holidays"), data.get("working_days") or []
    if not isinstance(year, int) or not FIRST_YEAR < year < LAST_YEAR:
        yield Problem("year", "calendar.year", "请填写四位年份。")
    elif not isinstance(spans, list) or not all(_is_span(span) for span in spans):
        yield Problem(
            "holidays", "calendar.holidays", "每项应有 from、to 两个日期（年-月-日），to 不早于 from。"
        )
    elif not isinstance(working, list) or not all(_is_day(day) for day in working):
        yield Problem("working_days", "calendar.working_days", "请逐行填写补班日期（年-月-日）。")
    else:
        yield from _day_problems(year, spans, working)
    if "version" not in data:
        yield Problem("version", "calendar.version", "请填写版本号，修改文件时加一。")
    if not isinstance(data.get("source"), dict) or not data["source"].get("document"):
        yield Problem("source", "calendar.source", "请填写所依据通知的名称、文号和日期。")


def _day_problems(year: int, spans: list[dict[str, date]], working: list[date]) -> Iterator[Problem]:
    off = {day: f"holidays[{index}]" for index, span in enumerate(spans) for day in _days(span)}
    for index, day in enumerate(working):
        place = f"working_days[{index}]"
        if day in off:
            yield Problem(place, "calendar.both", f"{day} 同时是假日和补班日，请核对通知。")
        if day.weekday() < _SATURDAY:
            yield Problem(place, "calendar.weekday", f"{day} 本来就是工作日，不必补班。")
    for day, place in (off | {day: f"working_days[{index}]" for index, day in enumerate(working)}).items():
        if not date(year - 1, 12, 1) <= day <= date(year + 1, 1, 31):
            yield Problem(place, "calendar.other_year", f"{day} 不属于 {year} 年的安排，请核对。")


def _is_day(value: object) -> bool:
    return type(value) is date  # a datetime is one too, and would not compare


def _is_span(span: object) -> bool:
    return (
        isinstance(span, dict)
        and _is_day(span.get("from"))
        and _is_day(span.get("to"))
        and timedelta(0) <= span["to"] - span["from"] < timedelta(days=31)
    )


def _days(span: Mapping[str, date]) -> Iterator[date]:
    day = span["from"]
    while day <= span["to"]:
        yield day
        day += timedelta(days=1)


class _Tables(NamedTuple):
    """Ordinals of working days; and per day, how many working and how many unpublished days to date."""

    published: frozenset[int]
    working_days: "array[int]"
    rank: "array[int]"
    unpublished: "array[int]"


@lru_cache(maxsize=8)  # several services of one process ask for the same years
def _tables(years: tuple[CalendarYear, ...]) -> _Tables:
    holidays, working = set(chinese_calendar.holidays), set(chinese_calendar.workdays)
    published = frozenset(
        {day.year for day in holidays | working} | {year.year for year in years if not year.region}
    )
    for year in years:
        holidays = (holidays - year.working_days) | year.holidays
        working = (working - year.holidays) | year.working_days
    off = {day.toordinal() for day in holidays}
    on = {day.toordinal() for day in working}
    tables = _Tables(published, array("l"), array("l"), array("l"))
    blind = 0
    for number in range(FIRST_YEAR, LAST_YEAR + 1):
        for ordinal in range(date(number, 1, 1).toordinal(), date(number, 12, 31).toordinal() + 1):
            if ordinal in on or ((ordinal - 1) % 7 < _SATURDAY and ordinal not in off):
                tables.working_days.append(ordinal)
            blind += number not in published
            tables.rank.append(len(tables.working_days))
            tables.unpublished.append(blind)
    return tables


def _later(day: date, n: int) -> date:
    if n < 0:
        raise CalendarInvalid("期限天数不能为负数，请核对期限设置。", code="calendar.negative_days")
    if n > _END - day.toordinal():
        raise _outside(f"{day} 之后第 {n} 天")
    return day + timedelta(days=n)


def _months_later(day: date, n: int) -> date:
    """The day of that number n months on, or the month's last day where it has none (民法典 Art. 202)."""
    if not 0 <= n <= 12 * (LAST_YEAR - FIRST_YEAR):
        raise CalendarInvalid("期限月数超出范围，请核对期限设置。", code="calendar.months")
    year, month = divmod(day.year * 12 + day.month - 1 + n, 12)
    if year > LAST_YEAR:
        raise _outside(f"{day} 之后第 {n} 个月")
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _outside(day: object) -> CalendarInvalid:
    return CalendarInvalid(
        f"日期 {day} 超出日历范围（{FIRST_YEAR} 至 {LAST_YEAR} 年），请核对日期。", code="calendar.outside"
    )
