"""
What a bulletin says: computed from a published ranking, the one before it, and what was done about findings.

Nothing is weighed here; every figure is a published one or a count of facts. Who moved is told only where the
intervals do not overlap, so that a change nobody can tell from chance is not reported as one (N7).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from services.assessment.framework.reading import micro
from services.assessment.framework.values import MICRO
from services.assessment.scoring.attainment import half_up

Kind = Literal["monthly", "yearly"]
KINDS: Mapping[Kind, str] = {"monthly": "月度通报", "yearly": "年度报告"}
SHOWN = 20
WEAKEST = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One unit of the published ranking; amounts as they were written."""

    unit: str
    name: str
    rank: int | None
    interval: tuple[int, int] | None
    tier: int | None
    score: str | None
    coverage: str
    vetoes: int
    contested: str
    aspects: tuple[tuple[str, str, str | None], ...]
    credibility: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Moved:
    """A unit whose place changed by more than can be told from chance."""

    name: str
    before: int
    now: int


@dataclass(frozen=True, slots=True)
class Supervision:
    """What was opened and closed in the time of the bulletin."""

    warnings: int
    opened: int
    closed: int
    overdue: int
    objections: int


@dataclass(frozen=True, slots=True)
class Bulletin:
    """Everything a bulletin says."""

    kind: Kind
    title: str
    period_words: str
    group_title: str
    framework_title: str
    published_on: str
    at_seq: int
    witnesses: int
    lines: tuple[Line, ...]
    moved: tuple[Moved, ...]
    weakest: tuple[tuple[str, str], ...]
    supervision: Supervision
    notice: str

    @property
    def scored(self) -> tuple[Line, ...]:
        """The units that have a place."""
        return tuple(line for line in self.lines if line.rank is not None)

    @property
    def tiers(self) -> dict[int, list[Line]]:
        """The units of each tier, best first."""
        found: dict[int, list[Line]] = {}
        for line in self.scored:
            found.setdefault(line.tier or 0, []).append(line)
        return found


def line_of(row: Mapping[str, Any]) -> Line:
    """A line of a published ranking."""
    interval = row["interval"]
    return Line(
        unit=row["unit"],
        name=row["name"],
        rank=row["rank"],
        interval=(interval[0], interval[1]) if interval else None,
        tier=row["tier"],
        score=row["score"],
        coverage=row["coverage"],
        vetoes=row["vetoes"],
        contested=row["contested"],
        aspects=tuple((code, title, score) for code, title, score in row["aspects"]),
        credibility=row["credibility"],
    )


def moved(now: Sequence[Line], before: Sequence[Line]) -> tuple[Moved, ...]:
    """Who stands elsewhere than before beyond doubt, the greatest moves first."""
    earlier = {line.unit: line for line in before}
    found = []
    for line in now:
        former = earlier.get(line.unit)
        if (
            former is None
            or line.rank is None
            or former.rank is None
            or not line.interval
            or not former.interval
        ):
            continue
        apart = line.interval[1] < former.interval[0] or former.interval[1] < line.interval[0]
        if apart:
            found.append(Moved(line.name, former.rank, line.rank))
    return tuple(sorted(found, key=lambda one: (-abs(one.now - one.before), one.name)))


def weakest(lines: Sequence[Line]) -> tuple[tuple[str, str], ...]:
    """The aspects in which units reached least on the whole: (title, mean to one decimal, rounded half up)."""
    reached: dict[tuple[str, str], list[int]] = {}
    for line in lines:
        for code, title, score in line.aspects:
            amount = None if score is None else micro(score)
            if amount is not None:
                reached.setdefault((code, title), []).append(amount)
    means = sorted((Fraction(sum(amounts), len(amounts)), *aspect) for aspect, amounts in reached.items())
    tenths = [(title, half_up(mean.numerator, mean.denominator * MICRO // 10)) for mean, _, title in means]
    return tuple((title, f"{mean // 10}.{mean % 10}") for title, mean in tenths[:WEAKEST])


def period_words(period: str, upto: str) -> str:
    """The time a ranking counts, in words."""
    if upto.endswith("-12"):
        return f"{period}年度"
    return f"{period}年1月至{int(upto[5:])}月" if not upto.endswith("-01") else f"{period}年1月"


def percent(share: str) -> str:
    """A share written as a decimal, in percent: "0.6312" is "63.1%"."""
    whole, _, part = share.partition(".")
    thousandths = int(whole) * 1000 + int((part + "000")[:3])
    return f"{thousandths // 10}.{thousandths % 10}%"
