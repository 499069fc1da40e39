"""
The kinds of departments, organs and power items of the made-up province.

They are read from `catalog/province`; power items first from the sample list in `catalog/powers`.
"""

import csv
from dataclasses import dataclass
from functools import lru_cache

from fazhi.province.divisions import CATALOG
from kernel.catalog import read

FOLDER = CATALOG / "province"
_SUPPLEMENT = "province/power-supplement.yaml"


@dataclass(frozen=True, slots=True)
class DepartmentKind:
    """A kind of department; an empty name says that the level has none."""

    code: str
    names: tuple[str, str, str]  # province, city, county
    field: str
    officers: int
    cases: int
    mix: tuple[int, int, int]  # percent of penalties, licences, inspections


@dataclass(frozen=True, slots=True)
class OrganKind:
    """An enforcement organ below a department."""

    code: str
    department: str
    suffix: str
    is_team: bool  # named 总队/支队/大队 by level
    kind: str  # authorised | entrusted
    officers: int
    cases: int


@dataclass(frozen=True, slots=True)
class PowerKind:
    """An item of the sample power lists, which every body of a field and level may hold."""

    code: str
    title: str
    field: str
    departments: tuple[str, ...]  # kinds of departments it is kept for; none: all of the field
    kind: str  # penalty | licence | inspection
    levels: tuple[str, ...]
    document: str
    article: str
    review: str
    is_heavy: bool  # may end in revoking a licence or stopping production

    @property
    def cause(self) -> str:
        """案由: the title without its wrapping."""
        return self.title.removeprefix("对").removesuffix("的处罚")


@lru_cache(maxsize=1)
def departments() -> tuple[DepartmentKind, ...]:
    """All kinds of departments, in a fixed order."""
    return tuple(
        DepartmentKind(
            row["code"],
            (row["province"], row["city"], row["county"]),
            row["field"],
            int(row["officers"]),
            int(row["cases"]),
            (int(row["penalty"]), int(row["licence"]), int(row["inspection"])),
        )
        for row in _rows("departments.csv")
    )


@lru_cache(maxsize=1)
def organs() -> tuple[OrganKind, ...]:
    """All kinds of organs, the first are set up first."""
    return tuple(
        OrganKind(
            row["code"],
            row["department"],
            row["suffix"],
            row["level"] == "team",
            row["kind"],
            int(row["officers"]),
            int(row["cases"]),
        )
        for row in _rows("organs.csv")
    )


def powers_of(department: str, field: str, level: str, kind: str) -> tuple[PowerKind, ...]:
    """
    Items of one kind that a body may hold.

    Those kept for its department, else the sample list's of its field and level, else the supplement's of
    its field, else the general ones.
    """
    sample, supplement = _power_list("powers/sample-power-list.yaml"), _power_list(_SUPPLEMENT)
    open_to_all = [item for item in supplement if not item.departments]
    choices = (
        [item for item in supplement if department in item.departments],
        [item for item in sample if item.field == field],
        [item for item in open_to_all if item.field == field],
        [item for item in open_to_all if item.field == "general"],
    )
    for items in choices:
        found = tuple(item for item in items if item.kind == kind and level in item.levels)
        if found:
            return found
    raise AssertionError("the supplement has general items of every kind and level")


@lru_cache(maxsize=2)
def _power_list(path: str) -> tuple[PowerKind, ...]:
    return tuple(
        PowerKind(
            code=item["code"],
            title=item["title"],
            field=item["field"],
            departments=tuple(item.get("departments", ())),
            kind=item["kind"],
            levels=tuple(item["levels"]),
            document=item["basis"][0]["document"],
            article=item["basis"][0]["article"],
            review=item["review"],
            is_heavy=item["heavy"],
        )
        for item in read(CATALOG / path).data["items"]
    )


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
