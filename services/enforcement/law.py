"""
Law as data 法定期限和标准: what the catalog says was in force on a day.

Periods come from `clocks/enforcement.yaml`, limits and kinds of penalty from `codes/enforcement.yaml`, hearing
amounts from the power lists under `powers/`, known bases from `codes/basis_documents.yaml`. Amounts decide which
procedure applies and nothing else (行政处罚法 Art. 74). Nothing here is a number of our own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from kernel.calendar import Deadline, WorkingCalendar, load_years
from kernel.catalog import CatalogInvalid, read, read_folder
from kernel.errors import Problem
from services.enforcement.cases.rules.basis import title_of

_WORDS = {"working": "个工作日", "calendar": "日", "month": "个月", "year": "年"}
PERSON = "person"
ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True)
class Term:
    """One statutory period 法定期限: so many (`days`) working or calendar days, months or years from an act."""

    id: str
    days: int
    unit: str
    roll_forward: bool
    valid_from: date
    valid_to: date | None

    @property
    def words(self) -> str:
        """The length as people say it."""
        return f"{self.days}{_WORDS[self.unit]}"


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """A published law whose text was looked up: how many articles it has, and since when it is repealed."""

    title: str
    articles: int
    repealed_on: date | None


@dataclass(frozen=True, slots=True)
class HearingAmounts:
    """较大数额 of one power list: yuan by kind of party, with the amounts of single fields."""

    valid_from: date
    default: Mapping[str, int]
    fields: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Law:
    """Everything the probes ask the catalog; built once by `Law.load`."""

    calendar: WorkingCalendar
    terms: Mapping[str, tuple[Term, ...]]
    hearing_amounts: tuple[HearingAmounts, ...]
    simple_limits: Mapping[str, int]
    simple_kinds: frozenset[str]
    always_heard: frozenset[str]
    heard_by_amount: frozenset[str]
    officers_least: int
    item_reviews: Mapping[str, str] = field(default_factory=dict)
    documents: Mapping[str, KnownDocument] = field(default_factory=dict)

    @classmethod
    def load(cls, catalog: Path) -> "Law":
        """Read the catalog. Raises CatalogInvalid with file and line."""
        codes = read(catalog / "codes" / "enforcement.yaml").data
        kinds = codes["lists"]["penalty_kinds"]
        lists = [file.data for file in read_folder(catalog / "powers")]
        simple = codes["settings"]["simple_procedure"]
        return cls(
            calendar=WorkingCalendar(load_years(catalog / "calendars")),
            terms=_terms(catalog / "clocks" / "enforcement.yaml"),
            hearing_amounts=_hearing_amounts(lists),
            simple_limits={PERSON: simple["person_yuan"], ORGANISATION: simple["organisation_yuan"]},
            simple_kinds=frozenset(kind["code"] for kind in kinds if kind["simple"]),
            always_heard=frozenset(kind["code"] for kind in kinds if kind["hearing"] == "always"),
            heard_by_amount=frozenset(kind["code"] for kind in kinds if kind["hearing"] == "amount"),
            officers_least=codes["settings"]["officers_least"],
            item_reviews={item["code"]: item["review"] for each in lists for item in each["items"]},
            documents=_documents(catalog / "codes" / "basis_documents.yaml"),
        )

    def term(self, name: str, start: date, work: str = "") -> Term:
        """
        The period in force on the day it starts; a field of work may have its own ("penalty.decide.security").

        Before the first row was in force the first row answers: older acts are not judged by it, but shown.
        """
        rows = self.terms.get(f"{name}.{work}") or self.terms[name]
        in_force = [
            row for row in rows if row.valid_from <= start and (row.valid_to is None or start <= row.valid_to)
        ]
        return in_force[-1] if in_force else rows[0]

    def last_day(self, term: Term, start: date) -> Deadline:
        """The last day of a period that starts on a day, which itself is not counted."""
        if term.unit == "working":
            return self.calendar.working_days_after(start, term.days)
        if term.unit == "calendar":
            return self.calendar.calendar_days_after(start, term.days, roll_forward=term.roll_forward)
        months = term.days * 12 if term.unit == "year" else term.days
        return self.calendar.months_after(start, months, roll_forward=term.roll_forward)

    def hearing_amount(self, work: str, party: str, on: date) -> Decimal | None:
        """较大数额 in yuan for a field of work and kind of party on a day; None when nobody fixed it."""
        known = [amounts for amounts in self.hearing_amounts if amounts.valid_from <= on]
        if not known:
            return None
        amounts = known[-1].fields.get(work, known[-1].default)
        return Decimal(amounts[_limit_of(party)])

    def simple_limit(self, party: str) -> int:
        """Highest fine in yuan that may be imposed on the spot (行政处罚法 Art. 51)."""
        return self.simple_limits[_limit_of(party)]


def _limit_of(party: str) -> str:
    """个体工商户 counts as a citizen here: the lower amount protects it, and practice differs by field."""
    return ORGANISATION if party == ORGANISATION else PERSON


def _terms(path: Path) -> dict[str, tuple[Term, ...]]:
    file = read(path)
    found: dict[str, list[Term]] = {}
    for index, row in enumerate(file.data["clocks"]):
        if row["unit"] not in _WORDS:
            raise file.located(
                [Problem(f"clocks[{index}].unit", "enforcement.clock_unit", "单位应为 working 等。")]
            )
        term = Term(
            row["id"],
            row["days"],
            row["unit"],
            row.get("roll_forward", False),
            row["valid_from"],
            row.get("valid_to"),
        )
        found.setdefault(term.id, []).append(term)
    return {name: tuple(sorted(rows, key=lambda term: term.valid_from)) for name, rows in found.items()}


def _hearing_amounts(lists: Iterable[Mapping[str, Any]]) -> tuple[HearingAmounts, ...]:
    found = []
    for each in lists:
        given = each.get("thresholds")
        if given is None:
            continue
        fields = {name: _amounts(value) for name, value in given.get("fields", {}).items()}
        found.append(HearingAmounts(given.get("valid_from", date.min), _amounts(given["default"]), fields))
    return tuple(sorted(found, key=lambda amounts: amounts.valid_from))


def _amounts(given: Mapping[str, int]) -> dict[str, int]:
    return {PERSON: given["person_yuan"], ORGANISATION: given["organisation_yuan"]}


def _documents(path: Path) -> dict[str, KnownDocument]:
    if not path.exists():
        return {}
    try:
        rows = read(path).data["documents"]
        return {
            title_of(row["title"]): KnownDocument(row["title"], row["articles"], row.get("repealed_on"))
            for row in rows
        }
    except (KeyError, TypeError) as wrong:
        raise CatalogInvalid(f"配置文件 {path.name} 缺少必填项：{wrong}。") from wrong
