"""The kinds of departments, organs and power items of the made-up province, read from `catalog/province`."""

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fazhi.province.divisions import CATALOG

FOLDER = CATALOG / "province"


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
    """A power item that every body of a field may hold; an empty field is for those without own items."""

    code: str
    field: str
    kind: str
    name: str
    document: str
    article: str
    cause: str
    is_heavy: bool  # may end in revoking a licence or stopping production


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


@lru_cache(maxsize=1)
def powers() -> dict[str, tuple[PowerKind, ...]]:
    """Power items by field; the general ones under the empty field."""
    by_field: dict[str, list[PowerKind]] = {}
    for row in _rows("powers.csv"):
        item = PowerKind(
            row["code"],
            row["field"],
            row["kind"],
            row["name"],
            row["document"],
            row["article"],
            row["cause_text"],
            row["heavy"] == "1",
        )
        by_field.setdefault(item.field, []).append(item)
    return {name: tuple(items) for name, items in by_field.items()}


def powers_of(field: str, kind: str = "") -> tuple[PowerKind, ...]:
    """Items of a field, of one kind if named; the general items where a field has none of that kind."""
    own = tuple(item for item in powers().get(field, ()) if kind in ("", item.kind))
    return own or tuple(item for item in powers()[""] if kind in ("", item.kind))


def _rows(name: str) -> list[dict[str, str]]:
    with (Path(FOLDER) / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
