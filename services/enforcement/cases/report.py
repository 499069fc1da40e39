"""The report of a case file: what was found in it, row by row, and what became of it (R48)."""

from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

import orjson

from kernel.errors import Problem
from services.enforcement.cases.rules.faults import Fault, Notice

CHECKED, REFUSED, IMPORTED, FORGOTTEN = "checked", "refused", "imported", "forgotten"
NEW, CORRECTION = "new", "correction"
MOST_FAULTS = 500
STATE_WORDS = {CHECKED: "核验通过，待确认导入", REFUSED: "有错误，未导入任何一行", IMPORTED: "已导入"}


@dataclass(slots=True)
class ImportReport:
    """
    What a file holds and what became of it.

    `faults` lists the first 500 of `fault_count`; a file with any fault is imported with none of its rows.
    `already_imported`: the same bytes were imported before, and this is the report of that time.
    """

    digest: str
    name: str
    unit: str
    purpose: str = NEW
    state: str = CHECKED
    rows: int = 0
    fault_count: int = 0
    faults: list[Fault] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    units: int = 0
    unchanged: int = 0
    first_decided_on: str = ""
    last_decided_on: str = ""
    already_imported: bool = False

    def add(self, *faults: Fault) -> None:
        """Note faults; the first few hundred with all they say."""
        self.fault_count += len(faults)
        self.faults.extend(faults[: max(0, MOST_FAULTS - len(self.faults))])

    def count(self, kind: str, decided_on: date) -> None:
        """Note one good row."""
        day = decided_on.isoformat()
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        self.first_decided_on = min(self.first_decided_on or day, day)
        self.last_decided_on = max(self.last_decided_on, day)

    def closed(self) -> "ImportReport":
        """The same report with its faults in the order of rows, and its state decided by them."""
        faults = sorted(self.faults, key=lambda fault: fault.row)
        return replace(self, faults=faults, state=REFUSED if faults else self.state)

    @property
    def problems(self) -> list[Problem]:
        """The faults as the error tree carries them."""
        return [
            Problem(f"第{f.row}行/{f.column}" if f.row else f.column, f.code, f.message) for f in self.faults
        ]

    def stored(self) -> str:
        """The report as it is kept."""
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def restored(cls, raw: str) -> "ImportReport":
        """The inverse of `stored`."""
        values: dict[str, Any] = orjson.loads(raw)
        values["faults"] = [Fault(**fault) for fault in values["faults"]]
        values["notices"] = [Notice(**notice) for notice in values["notices"]]
        return cls(**values)
