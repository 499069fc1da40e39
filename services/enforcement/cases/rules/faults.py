"""Faults and notices of a case file: where, which rule, what stood there, and what to do about it (R48)."""

from dataclasses import dataclass

SHOWN_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason why nothing of the file is taken. `row` counts as the spreadsheet does; 0: the whole file."""

    row: int
    column: str
    code: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the reporter should know, that stops nothing."""

    code: str
    message: str


def shown(value: object) -> str:
    """A cell as a report may show it: short, one line."""
    return " ".join(str(value).split())[:SHOWN_CHARACTERS]
