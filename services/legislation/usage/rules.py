"""
Usage rules 使用率: what the numbers mean, in their first form. Plain Python.

Facts are citations 引用 told by enforcement, decisions and disputes: which article a record of theirs was based on.

* U2 = organs that cited the document at least once in the period
       ÷ organs that cited any document in the period.
  The full definition divides by the organs that have a power based on the document; the power lists are kept in
  enforcement and are not told yet, so the first form compares with the organs known to be active. It is a lower
  bound where few organs have such powers, and says so (`denominator`).
* U3 = numbered articles of the version in force cited at least once in the period ÷ its numbered articles.
  Purposes, definitions and final clauses are rarely cited, so U3 compares periods of one text, not texts.

Citations are counted by version: numbers of an old and a new text are never mixed. High usage is no merit by
itself; it also rises when enforcement goes wrong. Shares are integers in thousandths, None without denominator.
"""

from dataclasses import dataclass
from datetime import date

ACTIVE_ORGANS = "period_active_organs"


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, exact."""

    numerator: int
    denominator: int

    @property
    def milli(self) -> int | None:
        """Thousandths, rounded down; None when there is no whole."""
        return self.numerator * 1000 // self.denominator if self.denominator else None


def month(day: date) -> str:
    """The month a citation counts in: "2026-03"."""
    return f"{day.year:04d}-{day.month:02d}"


def read_day(text: str) -> date | None:
    """A day as citations carry it (YYYY-MM-DD); None when empty or impossible."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
