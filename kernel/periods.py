"""
Periods as data 期限: so many working days, days, months or years from an act, read from a catalog file.

A law changes its numbers from a day on, so a period is found by its id and the day of the act that starts it;
rows of one id follow one another in time. Reckoning is the calendar's (calendar.py): the day of the act is not
counted, and a last day on a holiday rolls forward only where the row says so.

Format: `clocks: [{id, days, unit, from, extension?, roll_forward?, basis, valid_from, valid_to?}]`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from kernel.calendar import Deadline, WorkingCalendar
from kernel.catalog import read
from kernel.errors import NotFound, Problem

Unit = Literal["working", "calendar", "month", "year"]
Pause = tuple[date, date]

_WORDS: Mapping[Unit, str] = {"working": "个工作日", "calendar": "日", "month": "个月", "year": "年"}


@dataclass(frozen=True, slots=True)
class Period:
    """One row: `count` units, at most `extension` more; `basis` is (document, version, article)."""

    id: str
    title: str
    count: int
    unit: Unit
    extension: int
    roll_forward: bool
    valid_from: date
    valid_to: date | None
    basis: tuple[str, str, str]

    @property
    def words(self) -> str:
        """The length as people say it."""
        return f"{self.count}{_WORDS[self.unit]}"

    def ends(
        self,
        start: date,
        calendar: WorkingCalendar,
        *,
        extended: bool = False,
        pauses: Iterable[Pause] = (),
    ) -> Deadline:
        """
        The last day of the period begun by an act on `start`.

        A pause (中止) is (day the clock stopped, day it went on): the days after the first up to the second
        are not counted. One that begins after the period has ended changes nothing.
        """
        last = self._plain(start, self.count + (self.extension if extended else 0), calendar)
        for stopped, resumed in sorted(pauses):
            if stopped < last.due_on and stopped < resumed:
                last = self._prolonged(last, stopped, resumed, calendar)
        if self.unit == "working":
            return last
        return calendar.calendar_days_after(last.due_on, 0, roll_forward=self.roll_forward)

    def _plain(self, start: date, count: int, calendar: WorkingCalendar) -> Deadline:
        if self.unit == "working":
            return calendar.working_days_after(start, count)
        if self.unit == "calendar":
            return calendar.calendar_days_after(start, count)
        return calendar.months_after(start, count * 12 if self.unit == "year" else count)

    def _prolonged(self, last: Deadline, stopped: date, resumed: date, calendar: WorkingCalendar) -> Deadline:
        if self.unit != "working":
            return calendar.calendar_days_after(last.due_on, (resumed - stopped).days)
        later = calendar.working_days_after(last.due_on, calendar.working_days_between(stopped, resumed))
        return replace(later, provisional=last.provisional or later.provisional)


class Periods:
    """The periods of one catalog file, by id and day."""

    def __init__(self, rows: Iterable[Period]) -> None:
        self._rows: dict[str, list[Period]] = {}
        for row in sorted(rows, key=lambda row: row.valid_from):
            self._rows.setdefault(row.id, []).append(row)

    @classmethod
    def load(cls, path: Path) -> "Periods":
        """Read a file. Errors: `CatalogInvalid` with the line of each fault."""
        file = read(path)
        rows = file.data.get("clocks") if isinstance(file.data, dict) else None
        if not isinstance(rows, list):
            raise file.located([Problem("clocks", "period.no_clocks", "请在 clocks 下逐条列出期限。")])
        problems = [
            problem for index, row in enumerate(rows) for problem in _problems(row, f"clocks[{index}]")
        ]
        if not problems:
            problems = list(_overlaps(rows))
        if problems:
            raise file.located(problems)
        return cls(_period(row) for row in rows)

    def in_force(self, id: str, on: date) -> Period:
        """
        The row in force on the day of the act. Errors: `NotFound`.

        Before the first row was in force the first row answers, so that old files can still be read.
        """
        rows = self._rows.get(id)
        if not rows:
            raise NotFound(f"没有期限 {id}，请在配置目录 clocks 中补充。", code="period.unknown")
        known = [row for row in rows if row.valid_from <= on and (row.valid_to is None or on <= row.valid_to)]
        if known:
            return known[-1]
        if on < rows[0].valid_from:
            return rows[0]
        raise NotFound(
            f"期限 {id} 在 {on} 没有有效规定，请在配置目录 clocks 中补充。", code="period.not_in_force"
        )

    def __iter__(self) -> Iterator[Period]:
        return (row for rows in self._rows.values() for row in rows)


def _problems(row: Any, path: str) -> Iterator[Problem]:
    if not isinstance(row, dict):
        yield Problem(path, "period.not_a_mapping", "每条期限应为键值形式。")
        return
    for key in ("id", "title", "from"):
        if not isinstance(row.get(key), str) or not row[key]:
            yield Problem(f"{path}.{key}", "period.text", f"请填写“{key}”。")
    if not _is_count(row.get("days"), least=1):
        yield Problem(f"{path}.days", "period.days", "days 应为正整数。")
    if not _is_count(row.get("extension", 0), least=0):
        yield Problem(f"{path}.extension", "period.extension", "extension 应为整数。")
    if row.get("unit") not in get_args(Unit):
        yield Problem(f"{path}.unit", "period.unit", f"unit 应为 {'、'.join(get_args(Unit))} 之一。")
    if type(row.get("valid_from")) is not date or type(row.get("valid_to", date.max)) is not date:
        yield Problem(f"{path}.valid_from", "period.dates", "valid_from、valid_to 应为日期（年-月-日）。")
    basis = row.get("basis")
    if not isinstance(basis, dict) or not {"document", "version", "article"} <= basis.keys():
        yield Problem(f"{path}.basis", "period.basis", "请写明依据的 document、version、article。")


def _overlaps(rows: list[dict[str, Any]]) -> Iterator[Problem]:
    """Two rows of one id in force on the same day would make the answer a matter of chance."""
    ends: dict[str, date] = {}
    for index, row in sorted(enumerate(rows), key=lambda item: (item[1]["id"], item[1]["valid_from"])):
        before = ends.get(row["id"])
        if before is not None and row["valid_from"] <= before:
            yield Problem(
                f"clocks[{index}].valid_from", "period.overlap", f"期限 {row['id']} 的有效日期重叠。"
            )
        ends[row["id"]] = row.get("valid_to") or date.max - timedelta(days=1)


def _is_count(value: object, *, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= 10_000


def _period(row: Mapping[str, Any]) -> Period:
    basis = row["basis"]
    return Period(
        id=row["id"],
        title=row["title"],
        count=row["days"],
        unit=row["unit"],
        extension=row.get("extension", 0),
        roll_forward=row.get("roll_forward") is True,
        valid_from=row["valid_from"],
        valid_to=row.get("valid_to"),
        basis=(str(basis["document"]), str(basis["version"]), str(basis["article"])),
    )
