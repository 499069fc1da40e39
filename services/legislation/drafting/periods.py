"""Periods of filing and validity, from catalog/clocks/legislation.yaml: a province writes its own days there."""

from datetime import date
from pathlib import Path

from kernel import catalog
from kernel.calendar import WorkingCalendar
from kernel.errors import NotFound, Problem
from kernel.periods import Periods

FILING = "document.file"
VALIDITY = "document.validity"
TRIAL_VALIDITY = "document.validity_trial"
_TRIAL_WORDS = ("暂行", "试行")


class DocumentPeriods:
    """The periods that the register of normative documents needs; the row in force on the day of the act counts."""

    def __init__(self, periods: Periods, calendar: WorkingCalendar) -> None:
        self._periods = periods
        self._calendar = calendar

    @classmethod
    def load(cls, file: Path, calendar: WorkingCalendar) -> "DocumentPeriods":
        """Read the catalog. Raises `CatalogInvalid` with the line of each fault."""
        periods = Periods.load(file)
        known = {period.id for period in periods}
        missing = [name for name in (FILING, VALIDITY, TRIAL_VALIDITY) if name not in known]
        if missing:
            lacking = Problem("clocks", "legislation.missing_clock", f"缺少期限 {'、'.join(missing)}")
            raise catalog.read(file).located([lacking])
        return cls(periods, calendar)

    def file_by(self, published_on: date | None) -> date | None:
        """Last day of filing; a deadline once reckoned is stored and does not move."""
        return self._last_day(FILING, published_on)

    def expires_on(self, title: str, effective_on: date | None) -> date | None:
        """Last day of validity where the document itself does not say one."""
        is_trial = any(word in title for word in _TRIAL_WORDS)
        return self._last_day(TRIAL_VALIDITY if is_trial else VALIDITY, effective_on)

    def _last_day(self, name: str, start: date | None) -> date | None:
        """None also where the catalog has no row for the day: what nobody fixed cannot run out."""
        if start is None:
            return None
        try:
            return self._periods.in_force(name, start).ends(start, self._calendar).due_on
        except NotFound:
            return None
