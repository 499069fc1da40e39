"""The frame every part of the province shares: seed, year, last day, and how good each unit is."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from fazhi.province.days import Season, whole_year_weight
from fazhi.province.rng import Stream
from fazhi.province.tree import Seat

MODES = ("reported", "entered", "real_time")
# Of a thousand units: good, fair, weak, and a few bad apples; and how often each goes wrong.
_TIERS = (300, 520, 150, 30)
_TIER_FAULTS = (300, 1000, 2500, 7000)


@dataclass(frozen=True)
class Frame:
    """Seed and period; everything is known as of the end of `until`."""

    seed: int
    year: int
    until: date

    @property
    def first(self) -> date:
        """The first day of the period."""
        return date(self.year, 1, 1)

    @cached_property
    def season(self) -> Season:
        """How work falls on the days of the period."""
        return Season(self.first, self.until)

    def scaled(self, yearly: int) -> int:
        """A yearly number cut to the part of the year's work that lies in the period."""
        return yearly * self.season.weight // whole_year_weight(self.year)

    def stream(self, part: str, *key: str | int) -> Stream:
        """The chance of one part of one unit, independent of all others."""
        return Stream(self.seed, part, self.year, *key)

    def fault_factor(self, seat: Seat) -> int:
        """Thousandths by which this unit's faults differ from the usual: its own quality and its region's."""
        tier = _TIER_FAULTS[Stream(self.seed, "tier", seat.unit.code).weighted(_TIERS)]
        region = Stream(self.seed, "region", seat.place.code[:6]).between(700, 1400)
        return tier * region // 1000

    def mode(self, seat: Seat) -> str:
        """Operating mode 接入模式: monthly report, entered afterwards, or live."""
        weights = (40, 50, 10) if seat.place.level == 4 else (15, 60, 25)
        return MODES[Stream(self.seed, "mode", seat.unit.code).weighted(weights)]
