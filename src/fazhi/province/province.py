"""
The province in a box: one object, iterators that stream, and the truths that were planted.

    box = Province(seed=1, size="county")
    for unit in box.units(): ...

Order matters to whoever loads it: units, bodies, officers, power items, cases, decisions, reconsiderations,
normative documents, clues, accounts. Any of them can be asked for alone and comes out the same, because each
unit has its own chance (rng.py). Nothing is kept between calls except the tree.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Literal, TypeVar

from fazhi.province import accounts as people
from fazhi.province import cases as enforcement
from fazhi.province import clues as outside
from fazhi.province import decisions as councils
from fazhi.province import documents as registers
from fazhi.province import reconsiderations as disputes
from fazhi.province import registry
from fazhi.province.frame import Frame
from fazhi.province.records import (
    Account,
    Body,
    Clue,
    Decision,
    NormativeDocument,
    Officer,
    PowerItem,
    Reconsideration,
    Row,
    Truth,
    Unit,
)
from fazhi.province.tree import Seat, Tree

GENERATOR_VERSION = 2  # goes up when the same seed gives other bytes
Size = Literal["county", "city", "province"]
SUBJECTS = ("enforcement_case", "decision", "reconsideration", "normative_document", "clue")
T = TypeVar("T")

_SUPERIORS = ("sf", "scjg", "swj")  # reviewers, demonstration accounts, and the tax office's own line


class Province:
    """
    A made-up province of one seed; equal arguments give equal rows on every machine.

    `province` is a two-digit code; other provinces than 15 need `divisions`, the folder of the public list.
    `focus` names the county or city to be made; the first one otherwise. `until` is the last day known,
    31 October by default; it is cut to the end of `year`.
    """

    def __init__(
        self,
        seed: int = 1,
        size: Size = "county",
        *,
        province: str = "15",
        year: int = 2026,
        until: date | None = None,
        focus: str | None = None,
        divisions: Path | None = None,
    ) -> None:
        if size not in ("county", "city", "province"):
            raise ValueError(f"不认识的规模 {size}，可用 county、city、province。")
        last = date(year, 12, 31)
        default = date(2026, 10, 31) if year == 2026 else last
        self.seed, self.size, self.code = seed, size, province
        self.frame = Frame(seed, year, min(until or default, last))
        if self.frame.until < date(year, 1, 31):
            raise ValueError(f"截止日应在 {year} 年 1 月 31 日或以后，否则没有一个月的业务可供生成。")
        self.tree = Tree(seed, province, divisions)
        self._root = self.tree.by_code[f"{province}0000"]
        self._focus = self._focused(focus)

    def units(self) -> Iterator[Unit]:
        """Units from the root down; above a county or city its superiors with those departments it answers to."""
        for seat in self._above():
            yield seat.unit
            for kind in _SUPERIORS:
                department = self.tree.by_code.get(f"{seat.unit.code}-{kind}")
                if department is not None:
                    yield department.unit
        for seat in self._seats():
            yield seat.unit

    def bodies(self) -> Iterator[Body]:
        """Enforcement bodies 执法主体."""
        return (registry.body(self.frame, seat) for seat in self._bodies())

    def officers(self) -> Iterator[Officer]:
        """Officers 执法人员 with their certificates, body by body."""
        return chain.from_iterable(registry.officers(self.frame, seat) for seat in self._bodies())

    def power_items(self) -> Iterator[PowerItem]:
        """Items of the power lists 权责清单."""
        return chain.from_iterable(registry.power_items(seat) for seat in self._bodies())

    def cases(self) -> Iterator[Row]:
        """
        Enforcement cases 执法案件 as rows under the Chinese headers of the case file.

        Rows of units that only report have no procedure columns: an import must take them as files of their
        own, since in a file with those columns a blank means that the step was not taken.
        """
        return (row for seat in self._bodies() for row, _ in enforcement.cases(self.frame, seat))

    def decisions(self) -> Iterator[Decision]:
        """Major decisions 重大行政决策 with all their facts."""
        return _first(councils.decisions(self.frame, self.tree, seat) for seat in self._seats())

    def reconsiderations(self) -> Iterator[Reconsideration]:
        """Reconsideration cases 行政复议案件 against the units of this size."""
        return _first(disputes.reconsiderations(self.frame, self.tree, seat) for seat in self._seats())

    def normative_documents(self) -> Iterator[NormativeDocument]:
        """Normative documents 行政规范性文件."""
        return _first(registers.documents(self.frame, seat) for seat in self._seats())

    def clues(self) -> Iterator[Clue]:
        """Clues 线索 in the senders' own field names."""
        return _first(outside.clues(self.frame, seat) for seat in self._bodies())

    def accounts(self) -> Iterator[Account]:
        """Demonstration accounts 演示账号; they have no passwords here."""
        county = self._focus
        city = self.tree.by_code.get(county.place.parent)
        return people.accounts(self._root, city if city is not self._root else None, county)

    def truths(self) -> Iterator[Truth]:
        """Everything that was planted, in the order of the records it is in."""
        return chain.from_iterable(self.truths_of(subject) for subject in SUBJECTS)

    def truths_of(self, subject: str) -> Iterator[Truth]:
        """What was planted in the records of one subject; SUBJECTS are all."""
        frame, tree = self.frame, self.tree
        if subject == "enforcement_case":
            return _planted(enforcement.cases(frame, seat) for seat in self._bodies())
        if subject == "decision":
            return _planted(councils.decisions(frame, tree, seat) for seat in self._seats())
        if subject == "reconsideration":
            return _planted(disputes.reconsiderations(frame, tree, seat) for seat in self._seats())
        if subject == "normative_document":
            return _planted(registers.documents(frame, seat) for seat in self._seats())
        if subject == "clue":
            return _planted(outside.clues(frame, seat) for seat in self._bodies())
        raise KeyError(subject)

    def counts(self) -> dict[str, int]:
        """How many rows each iterator will give, without making them."""
        frame, bodies, seats = self.frame, list(self._bodies()), list(self._seats())
        return {
            "units": sum(1 for _ in self.units()),
            "bodies": len(bodies),
            "officers": sum(seat.officers for seat in bodies),
            "power_items": sum(len(registry.power_kinds(seat)) for seat in bodies),
            "cases": sum(enforcement.case_count(frame, seat) for seat in bodies),
            "decisions": sum(councils.decision_count(frame, seat) for seat in seats),
            "reconsiderations": sum(disputes.reconsideration_count(frame, seat) for seat in seats),
            "normative_documents": sum(registers.document_count(frame, seat) for seat in seats),
            "clues": sum(
                outside.clue_count(frame, seat, system)
                for seat in bodies
                for system in ("hotline", "petition", "litigation")
            ),
            "accounts": sum(1 for _ in self.accounts()),
        }

    def summary(self) -> dict[str, int]:
        """How many truths of each probe and outcome there are: the rates a dashboard should show."""
        found: dict[str, int] = {}
        for truth in self.truths():
            key = f"{truth.probe or 'holiday'}:{truth.expected}"
            found[key] = found.get(key, 0) + 1
        return dict(sorted(found.items()))

    def _focused(self, focus: str | None) -> Seat:
        """The county that a county or city is made around, and where county accounts sit."""
        counties = [s for s in self.tree.seats if s.unit.code == s.place.code and s.place.level == 3]
        inside = [
            s for s in counties if focus in (None, s.place.code, s.place.parent) and not s.place.is_zone
        ]
        if not inside:
            raise ValueError(f"这个省没有县级或市级区划 {focus}，请检查 focus。")
        return inside[0]

    def _scope(self) -> str:
        if self.size == "province":
            return self._root.unit.code
        return self._focus.place.parent if self.size == "city" else self._focus.unit.code

    def _above(self) -> list[Seat]:
        chain_up = []
        code = self.tree.by_code[self._scope()].unit.parent
        while code:
            chain_up.append(self.tree.by_code[code])
            code = self.tree.by_code[code].unit.parent
        return chain_up[::-1]

    def _seats(self) -> Iterator[Seat]:
        return self.tree.under(self._scope())

    def _bodies(self) -> Iterator[Seat]:
        return (seat for seat in self._seats() if seat.enforces)


def _first(streams: Iterable[Iterable[tuple[T, list[Truth]]]]) -> Iterator[T]:
    return (record for stream in streams for record, _ in stream)


def _planted(streams: Iterable[Iterable[tuple[T, list[Truth]]]]) -> Iterator[Truth]:
    return (truth for stream in streams for _, truths in stream for truth in truths)
