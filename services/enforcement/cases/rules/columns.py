"""
Columns of a case file, as the catalog declares them, and how a header row is matched with them by name.

A province renames or leaves out columns by editing the file; it does not invent fields, because a field the
probes do not know would be asked of the bodies for nothing (政务数据共享条例 Art. 19).
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kernel.catalog import read
from kernel.errors import Problem
from services.enforcement.cases.rules.faults import Fault, Notice, shown
from services.enforcement.cases.rules.record import DATA_FIELDS

TYPES = ("text", "code", "date", "money", "int", "list")
HEADER_IN_FIRST_ROWS = 5
LEAST_HEADERS = 3


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its field, names it goes by, type, allowed codes, and for which acts it must be filled."""

    field: str
    header: str
    aliases: tuple[str, ...]
    type: str
    codes: Mapping[str, str]
    longest: int
    required: str


@dataclass(frozen=True, slots=True)
class Header:
    """A matched header row: columns by position, what was odd about it, and columns that some acts must have."""

    row: int
    columns: Mapping[int, Column]
    lacking: tuple[Column, ...] = ()
    faults: tuple[Fault, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def given(self) -> frozenset[str]:
        """The fields this file has a column for."""
        return frozenset(column.field for column in self.columns.values())


@dataclass(frozen=True, slots=True)
class ColumnSet:
    """All columns a case file may have."""

    columns: tuple[Column, ...]
    by_name: Mapping[str, Column] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "ColumnSet":
        """Read the column file. Raises CatalogInvalid with file and line."""
        file = read(path)
        problems = [
            Problem(f"columns[{i}]", "enforcement.column_file", f"未知字段或类型：{row.get('field')}。")
            for i, row in enumerate(file.data["columns"])
            if row.get("field") not in DATA_FIELDS or row.get("type") not in TYPES
        ]
        if problems:
            raise file.located(problems)
        columns = tuple(
            Column(
                row["field"],
                row["header"],
                tuple(row.get("aliases", ())),
                row["type"],
                row.get("codes", {}),
                row.get("max", 4000),
                row["required"],
            )
            for row in file.data["columns"]
        )
        return cls(columns, {folded(name): c for c in columns for name in (c.header, *c.aliases)})

    def match(self, row: int, cells: Sequence[object]) -> Header | None:
        """The header in this row; None when it is none."""
        named = {position: self.by_name[name] for position, name in _names(cells) if name in self.by_name}
        if len(named) < LEAST_HEADERS:
            return None
        faults = [*self._repeated(row, named), *self._missing(row, named)]
        notices = [
            Notice(
                "enforcement.ignored_column",
                f"第 {position + 1} 列“{shown(cells[position])}”不在字段表中，未读取。",
            )
            for position, name in _names(cells)
            if name not in self.by_name
        ]
        present = {column.field for column in named.values()}
        lacking = tuple(
            c for c in self.columns if c.required not in ("always", "never") and c.field not in present
        )
        return Header(row, named, lacking, tuple(faults), tuple(notices))

    def _repeated(self, row: int, named: Mapping[int, Column]) -> list[Fault]:
        seen: set[str] = set()
        faults = []
        for column in named.values():
            if column.field in seen:
                message = f"“{column.header}”出现了两列，请删去其中一列。"
                faults.append(
                    Fault(row, column.header, "enforcement.repeated_column", column.header, message)
                )
            seen.add(column.field)
        return faults

    def _missing(self, row: int, named: Mapping[int, Column]) -> list[Fault]:
        present = {column.field for column in named.values()}
        return [
            Fault(
                row, c.header, "enforcement.missing_column", "", f"缺少“{c.header}”一列，请补上后重新上传。"
            )
            for c in self.columns
            if c.required == "always" and c.field not in present
        ]


def folded(name: str) -> str:
    """A header as it is compared: width, blanks, marks of duty (*) and kind of brackets do not matter."""
    return re.sub(r"[\s*:]", "", unicodedata.normalize("NFKC", name)).casefold()


def _names(cells: Sequence[object]) -> list[tuple[int, str]]:
    return [(position, folded(str(cell))) for position, cell in enumerate(cells) if str(cell).strip()]
