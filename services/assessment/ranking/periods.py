"""Windows of a year that can be ranked: the year, one month of it, or the year up to a month."""

import re
from typing import NamedTuple

from kernel.errors import Invalid

_PERIOD = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2]))?")


class Window(NamedTuple):
    """Months from `first` to `last` ("YYYY-MM"), both counted; `text` names them as one."""

    text: str
    first: str
    last: str

    @property
    def year(self) -> str:
        """The year the months are of."""
        return self.first[:4]

    @property
    def is_year(self) -> bool:
        """Whether this is a whole year, whose scores are kept."""
        return len(self.text) == 4


def window(period: str, upto: str = "") -> Window:
    """
    The months of "2026" (the year), "2026-09" (that month alone), or "2026" up to "2026-09" (year to date).

    Raises Invalid.
    """
    if not _PERIOD.fullmatch(period) or (upto and not _PERIOD.fullmatch(upto)):
        raise Invalid("考核期应为年度（如 2026）或月份（如 2026-09）。", code="assessment.period")
    if not upto or upto == f"{period}-12":
        return Window(period, period, period) if len(period) == 7 else _months(period, 1, 12, period)
    if len(period) != 4 or len(upto) != 7 or not upto.startswith(period):
        raise Invalid("upto 应为该年度的一个月份，例如 period=2026&upto=2026-09。", code="assessment.period")
    return _months(period, 1, int(upto[5:]), f"{period}-01..{upto}")


def _months(year: str, first: int, last: int, text: str) -> Window:
    return Window(text, f"{year}-{first:02}", f"{year}-{last:02}")
