"""
A year of findings about the departments of a province in a box, with cheating planted in some and honest noise in all.

Both times of every fact matter here: when it was true and when it was recorded. Honest offices are late too, have
rushes before a quarter ends, and mark themselves somewhat better than outsiders do; what is planted goes from faint
to plain, so that a detector that finds everything and nothing else would be a surprise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from fazhi.province.rng import Stream

Kind = Literal["gap", "bunching", "backdating", "copied", "reopened"]
KINDS: tuple[Kind, ...] = ("gap", "bunching", "backdating", "copied", "reopened")
PLANTED_MILLE = 50
QUARTERS = ((3, 31), (6, 30), (9, 30), (12, 31))


@dataclass(frozen=True, slots=True)
class Fact:
    """One finding: which case of which unit, marks in thousandths, both times; `mends` the case it says is mended."""

    unit: str
    case: int
    marks: int
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Marks:
    """What a unit said of one result (`own`), and what outsiders found."""

    unit: str
    own: tuple[int, ...]
    outside: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Gaming:
    """The story of one seed over these units; the same seed, the same story."""

    units: Sequence[str]
    year: int
    seed: int

    def planted(self) -> dict[str, frozenset[Kind]]:
        """Unit -> what it does; most do nothing."""
        found: dict[str, set[Kind]] = {unit: set() for unit in self.units}
        for kind in KINDS:
            stream = Stream("gaming", self.seed, kind)
            chosen = [unit for unit in self.units if stream.chance(PLANTED_MILLE)]
            if kind == "copied" and len(chosen) % 2:  # copying takes two
                chosen = chosen[:-1]
            for unit in chosen:
                found[unit].add(kind)
        return {unit: frozenset(kinds) for unit, kinds in found.items()}

    def facts(self) -> Iterator[Fact]:
        """Findings of the year's cases, in the order in which they were recorded."""
        planted = self.planted()
        every = [fact for unit in self.units for fact in self._of_unit(unit, planted[unit])]
        yield from sorted(every, key=lambda fact: (fact.recorded_at, fact.unit, fact.case))

    def marks(self) -> Iterator[Marks]:
        """Reviewed self-reports and outside observation of every unit."""
        planted = self.planted()
        for unit in self.units:
            stream = Stream("gaming", self.seed, "marks", unit)
            honest = stream.between(620, 900)
            lift = stream.between(180, 420) if "gap" in planted[unit] else stream.between(-30, 70)
            yield Marks(
                unit,
                tuple(_within(honest + lift + stream.between(-60, 60)) for _ in range(6)),
                tuple(_within(honest + stream.between(-90, 90)) for _ in range(6)),
            )

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Evidence files: one of every unit its own, and pairs that copied from one another."""
        planted = self.planted()
        copying = [unit for unit in self.units if "copied" in planted[unit]]
        pairs = {unit: place // 2 for place, unit in enumerate(copying)}
        for unit in self.units:
            if unit in pairs:
                yield unit, f"材料,数量\n共用台账 {pairs[unit]},{self.seed}\n".encode()
            elif Stream("gaming", self.seed, "file", unit).chance(150):
                yield unit, f"材料,数量\n{unit} 台账,{self.seed}\n".encode()

    def _of_unit(self, unit: str, planted: frozenset[Kind]) -> Iterator[Fact]:
        stream = Stream("gaming", self.seed, "facts", unit)
        rush = stream.between(450, 800) if "bunching" in planted else stream.between(20, 200)
        delay = stream.between(350, 700) if "backdating" in planted else stream.between(0, 120)
        again = stream.between(3, 5) if "reopened" in planted else stream.early(0, 2)
        for case in range(stream.between(40, 90)):
            occurred, recorded = self._times(stream, rush, delay)
            marks = 1000 if stream.chance(850) else 0
            if again and marks == 0:
                again -= 1
                yield from self._mended_and_found_again(unit, case, occurred, recorded)
            else:
                yield Fact(unit, case, marks, occurred, recorded)

    def _times(self, stream: Stream, rush: int, delay: int) -> tuple[datetime, datetime]:
        start = datetime(self.year, 1, 1, 1, tzinfo=UTC)
        if stream.chance(rush):
            month, day = stream.pick(QUARTERS)
            end = datetime.combine(date(self.year, month, day), datetime.min.time(), UTC)
            recorded = end - timedelta(days=stream.between(0, 3), hours=-stream.between(1, 9))
            return recorded - timedelta(days=stream.early(0, 40)), recorded
        occurred = start + timedelta(days=stream.below(300), hours=stream.below(8))
        lag = stream.between(63, 110) if stream.chance(delay) else stream.early(0, 25)
        return occurred, min(occurred + timedelta(days=lag), start + timedelta(days=364))

    @staticmethod
    def _mended_and_found_again(
        unit: str, case: int, occurred: datetime, recorded: datetime
    ) -> Iterator[Fact]:
        for step, marks in enumerate((0, 1000, 0)):
            yield Fact(unit, case, marks, occurred, recorded + timedelta(minutes=step))


def _within(marks: int) -> int:
    return min(1000, max(0, marks))
