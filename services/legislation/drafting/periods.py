"""Periods of filing and validity, from catalog/clocks/legislation.yaml: a province writes its own days there."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kernel import catalog
from kernel.calendar import WorkingCalendar
from kernel.errors import Problem

FILING = "document.file"
VALIDITY = "document.validity"
TRIAL_VALIDITY = "document.validity_trial"
_UNITS = ("calendar", "working", "month", "year")
_TRIAL_WORDS = ("暂行", "试行")


@dataclass(frozen=True, slots=True)
class Period:
    """So many days, working days, months or years."""

    count: int
    unit: str

    def ends(self, start: date, calendar: WorkingCalendar) -> date:
        """The last day of the period that begins with `start`, which is not counted."""
        if self.unit == "working":
            return calendar.working_days_after(start, self.count).due_on
        if self.unit == "calendar":
            return calendar.calendar_days_after(start, self.count).due_on
        months = self.count * 12 if self.unit == "year" else self.count
        return calendar.months_after(start, months).due_on


class DocumentPeriods:
    """The periods that the register of normative documents needs."""

    def __init__(
        self, filing: Period, validity: Period, trial_validity: Period, calendar: WorkingCalendar
    ) -> None:
        self._filing = filing
        self._validity = validity
        self._trial = trial_validity
        self._calendar = calendar

    @classmethod
    def load(cls, file: Path, calendar: WorkingCalendar) -> "DocumentPeriods":
        """Read the catalog. Raises `CatalogInvalid` with the line of each fault."""
        read = catalog.read(file)
        rows = read.data.get("clocks", []) if isinstance(read.data, dict) else []
        found: dict[str, Period] = {}
        problems = []
        for at, row in enumerate(rows):
            name = row.get("id") if isinstance(row, dict) else None
            if name not in (FILING, VALIDITY, TRIAL_VALIDITY):
                continue
            if _is_period(row):
                found[name] = Period(row["days"], row["unit"])
            else:
                problems.append(
                    Problem(f"clocks[{at}]", "legislation.bad_clock", "days 应为正整数，unit 应为期间单位")
                )
        missing = [name for name in (FILING, VALIDITY, TRIAL_VALIDITY) if name not in found]
        if missing and not problems:
            problems.append(Problem("clocks", "legislation.missing_clock", f"缺少期限 {'、'.join(missing)}"))
        if problems:
            raise read.located(problems)
        return cls(found[FILING], found[VALIDITY], found[TRIAL_VALIDITY], calendar)

    def file_by(self, published_on: date | None) -> date | None:
        """Last day of filing; a deadline once reckoned is stored and does not move."""
        return self._filing.ends(published_on, self._calendar) if published_on else None

    def expires_on(self, title: str, effective_on: date | None) -> date | None:
        """Last day of validity where the document itself does not say one."""
        if effective_on is None:
            return None
        period = self._trial if any(word in title for word in _TRIAL_WORDS) else self._validity
        return period.ends(effective_on, self._calendar)


def _is_period(row: dict[str, Any]) -> bool:
    days = row.get("days")
    return isinstance(days, int) and days > 0 and row.get("unit") in _UNITS
