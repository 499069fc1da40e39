"""
Codes and clocks of disputes out of the catalog: outcomes, grounds, suspension reasons, statutory periods.

A province may change the files; what is missing for a case to be judged at all is refused when the service starts,
with the file's name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kernel.calendar import WorkingCalendar, load_years
from kernel.catalog import CatalogFile, read
from kernel.errors import Problem
from services.disputes.reconsideration.rules.deadlines import Clock, Clocks
from services.disputes.reconsideration.rules.probes import Outcome

_NEEDED = (
    "reconsideration.acceptance", "reconsideration.supply_material", "reconsideration.copy_ordinary",
    "reconsideration.copy_simple", "reconsideration.answer_ordinary", "reconsideration.answer_simple",
    "reconsideration.decide_ordinary", "reconsideration.decide_simple", "reconsideration.suspension_ends",
    "reconsideration.opinion_letter", "litigation.after_reconsideration",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CourtOutcome:
    """A judgment code 裁判结果: whether the organ lost (yes, no, separate)."""

    code: str
    title: str
    lost: str


@dataclass(frozen=True, slots=True)
class Codes:
    """The code lists, by code."""

    outcomes: Mapping[str, Outcome]
    court_outcomes: Mapping[str, CourtOutcome]
    grounds: Mapping[str, str]
    suspensions: Mapping[str, str]
    ends_after_60_days: frozenset[str]


def load_codes(catalog: Path) -> Codes:
    """The code lists; raises CatalogInvalid with file and line."""
    file = read(catalog / "codes" / "disputes.yaml")
    try:
        return _codes(file.data["lists"])
    except (KeyError, TypeError) as wrong:
        raise file.located([_problem("lists", f"代码表缺少必要内容：{wrong!r}，请对照样例修改。")]) from wrong


def load_clocks(catalog: Path, codes: Codes) -> Clocks:
    """The statutory periods over the working calendar; raises CatalogInvalid with file and line."""
    file = read(catalog / "clocks" / "disputes.yaml")
    try:
        rows = [_clock(row) for row in file.data["clocks"]]
    except (KeyError, TypeError, ValueError) as wrong:
        raise file.located(
            [_problem("clocks", f"期限表缺少必要内容：{wrong!r}，请对照样例修改。")]
        ) from wrong
    _check_needed(file, rows)
    calendar = WorkingCalendar(load_years(catalog / "calendars"))
    return Clocks(rows, calendar, codes.ends_after_60_days)


def _codes(lists: Mapping[str, Any]) -> Codes:
    return Codes(
        outcomes={
            row["code"]: Outcome(
                row["code"], row["title"], row["article"], row["corrected"], row.get("against") == "document"
            )
            for row in lists["reconsideration_outcomes"]
        },
        court_outcomes={
            row["code"]: CourtOutcome(row["code"], row["title"], row["lost"])
            for row in lists["litigation_outcomes"]
        },
        grounds={row["code"]: row["title"] for row in lists["grounds"]},
        suspensions={row["code"]: row["title"] for row in lists["suspension_reasons"]},
        ends_after_60_days=frozenset(
            row["code"] for row in lists["suspension_reasons"] if row["ends_after_60_days"]
        ),
    )


def _clock(row: Mapping[str, Any]) -> Clock:
    return Clock(
        id=row["id"],
        title=row["title"],
        days=int(row["days"]),
        unit=row["unit"],
        roll_forward=bool(row.get("roll_forward")),
        extension=int(row.get("extension", 0)),
        article=row["basis"]["article"],
        valid_from=_day(row["valid_from"]) or date.min,
        valid_to=_day(row.get("valid_to")),
    )


def _check_needed(file: CatalogFile, rows: list[Clock]) -> None:
    units = {row.id: row.unit for row in rows}
    problems = [
        _problem("clocks", f"期限表缺少 {clock}，或者其单位不是工作日、自然日。")
        for clock in _NEEDED
        if units.get(clock) not in ("working", "calendar")
    ]
    if problems:
        raise file.located(problems)


def _day(value: object) -> date | None:
    return value if isinstance(value, date) else None


def _problem(path: str, message: str) -> Problem:
    return Problem(path, "disputes.catalog", message)
