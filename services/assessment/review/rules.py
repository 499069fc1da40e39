"""
Review 指标审核: who may review whom, who gets what, what two scores come to, and how far reviewers agree.

Nobody reviews the own unit (R37), a unit over or under it in the tree, or the same line of work (条线) one level up
or down: who guides a department's work answers for it too. Assignment is a rule, not a choice: the nearest area
first, then whoever has least, then a hash of the seed. Which reports are scored twice is drawn from the seed and
the report's name alone, before anybody has written a word of it, so that nobody can choose (双盲).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal

from kernel.errors import Invalid, Problem
from services.assessment.framework.values import Method
from services.assessment.reporting.rules import Value, needs_value, suggested_milli

FULL_MILLI = 1000
FIRST, SECOND, ARBITRATION = 1, 2, 3
Decision = Literal["score", "return"]


class MarkInvalid(Invalid):
    """The answer of a reviewer lacks something; `problems` name each place."""

    code: ClassVar[str] = "assessment.mark_invalid"
    message: ClassVar[str] = "评审意见不完整，请按提示补充后再提交。"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a unit or a reviewer stands: unit code, path in the tree, field of work 领域."""

    unit: str
    path: str
    field: str = ""
    is_government: bool = False


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A reviewer 评审员 of the roster; `area` is the part of the tree this person may review."""

    account: str
    place: Place
    area: str


@dataclass(frozen=True, slots=True)
class Mark:
    """
    What one reviewer answered: a score 0..1000 or a return, with reasons.

    `value`: the numbers the reviewer found true of a measured result; the score follows from them.
    """

    decision: Decision
    reasons: str
    score_milli: int = 0
    value: Value | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody has not answered yet."""


@dataclass(frozen=True, slots=True)
class Arbitrate:
    """Two answers differ by more than the tolerance: an inspector decides (仲裁)."""


@dataclass(frozen=True, slots=True)
class Returned:
    """The report goes back to its unit, with reasons."""

    reasons: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """The report is scored."""

    score_milli: int
    value: Value | None
    reasons: str


Outcome = Waiting | Arbitrate | Returned | Agreed


@dataclass(frozen=True, slots=True)
class Agreement:
    """
    How far first and second reviewers agree (评分一致性, N11), over pairs of scores.

    Mean absolute difference in thousandths; `within` of `pairs` inside the tolerance; `alpha` is Krippendorff's for
    interval data, None where every score is the same or there are fewer than two pairs. Exact fractions: rounding
    is left to whoever shows them.
    """

    pairs: int
    within: int
    arbitrated: int
    mean_difference: Fraction | None
    alpha: Fraction | None


def may_review(reviewer: Place, unit: Place) -> bool:
    """Whether somebody of one unit may review another unit's reports at all."""
    if reviewer.unit == unit.unit or not reviewer.path or not unit.path:
        return False
    if reviewer.path.startswith(unit.path):
        return False  # the reviewer's own superior
    if unit.path.startswith(reviewer.path):
        return reviewer.is_government  # a department's own subordinates, yes of a government
    return not _same_line(reviewer, unit)


def _same_line(one: Place, other: Place) -> bool:
    """Departments of one field of work where one's seat lies over the other's (业务指导关系)."""
    if not one.field or one.field != other.field or one.is_government or other.is_government:
        return False
    seats = (_seat(one.path), _seat(other.path))
    return seats[0].startswith(seats[1]) or seats[1].startswith(seats[0])


def _seat(path: str) -> str:
    """The path of the government that a department belongs to."""
    return path.rstrip("/").rpartition("/")[0] + "/"


def eligible(reviewers: Sequence[Reviewer], unit: Place) -> list[Reviewer]:
    """Who of the roster may review a unit."""
    return [
        one
        for one in reviewers
        if one.area and unit.path.startswith(one.area) and may_review(one.place, unit)
    ]


def chosen(
    reviewers: Sequence[Reviewer], loads: Mapping[str, int], *, seed: str, report: str
) -> Reviewer | None:
    """Whose turn it is among those eligible: nearest area, least to do, then by lot; None of nobody."""
    return min(
        reviewers,
        key=lambda one: (-len(one.area), loads.get(one.account, 0), _lot(seed, "turn", report, one.account)),
        default=None,
    )


def is_drawn(seed: str, report: str, share_milli: int) -> bool:
    """Whether a report is scored twice: the same answer always, whatever its content and whoever asks."""
    return _lot(seed, "second", report) % FULL_MILLI < share_milli


def _lot(*parts: str) -> int:
    hasher = hashlib.sha256(b"fazhi/review-lot/v1\n")
    for part in parts:
        raw = part.encode()
        hasher.update(len(raw).to_bytes(4, "big") + raw)
    return int.from_bytes(hasher.digest()[:8], "big")


def checked_mark(mark: Mark, method: Method) -> Mark:
    """The answer with the score that measured numbers come to. Raises MarkInvalid."""
    problems = []
    if not mark.reasons.strip():
        problems.append(_problem("reasons", "reasons_missing", "请写明评分或退回的理由，填报单位会看到。"))
    if mark.decision == "return":
        if problems:
            raise MarkInvalid(problems=problems)
        return Mark("return", mark.reasons)
    score: int | None = mark.score_milli
    if needs_value(method):
        value = mark.value
        if value is None or value.denominator <= 0 or not 0 <= value.numerator <= value.denominator:
            problems.append(_problem("value", "value_missing", "这项按数值计分，请填写核定的分子和分母。"))
        score = suggested_milli(method, value)
    elif mark.value is not None:
        problems.append(_problem("value", "no_value_asked", "这项不按数值计分，请直接评分。"))
    if score is None or not 0 <= score <= FULL_MILLI:
        problems.append(_problem("score_milli", "score", "评分应在 0 至 1 之间，最多三位小数。"))
    if problems or score is None:
        raise MarkInvalid(problems=problems)
    return Mark("score", mark.reasons, score, mark.value)


def settle(marks: Mapping[int, Mark], *, asked: int, tolerance_milli: int) -> Outcome:
    """
    What the answers so far come to; `marks` by place, `asked` is how many reviewers were (1 or 2).

    Two scores within the tolerance give their mean, rounded half up; two numbers of a measured result must be the
    same, for a number is a fact and has no mean. An inspector's answer ends the matter.
    """
    last = marks.get(ARBITRATION)
    if last is not None:
        return _final(last, last.reasons)
    given = [marks[place] for place in (FIRST, SECOND) if place in marks]
    if len(given) < asked:
        return Waiting()
    if asked == 1:
        return _final(given[0], given[0].reasons)
    return _met(*given, tolerance_milli=tolerance_milli)


def _met(one: Mark, other: Mark, *, tolerance_milli: int) -> Outcome:
    reasons = f"评审一：{one.reasons}\n评审二：{other.reasons}"
    if one.decision != other.decision:
        return Arbitrate()
    if one.decision == "return":
        return Returned(reasons)
    if one.value != other.value or abs(one.score_milli - other.score_milli) > tolerance_milli:
        return Arbitrate()
    return Agreed((one.score_milli + other.score_milli + 1) // 2, one.value, reasons)


def _final(mark: Mark, reasons: str) -> Outcome:
    if mark.decision == "return":
        return Returned(reasons)
    return Agreed(mark.score_milli, mark.value, reasons)


def agreement(pairs: Sequence[tuple[int, int]], *, tolerance_milli: int, arbitrated: int = 0) -> Agreement:
    """Agreement over (first, second) scores in thousandths (Krippendorff 2011, interval data, two observers)."""
    differences = [abs(one - other) for one, other in pairs]
    return Agreement(
        pairs=len(pairs),
        within=sum(difference <= tolerance_milli for difference in differences),
        arbitrated=arbitrated,
        mean_difference=Fraction(sum(differences), len(pairs)) if pairs else None,
        alpha=_alpha(pairs),
    )


def _alpha(pairs: Sequence[tuple[int, int]]) -> Fraction | None:
    values = [score for pair in pairs for score in pair]
    count = len(values)
    spread = count * sum(value * value for value in values) - sum(values) ** 2
    if len(pairs) < 2 or not spread:
        return None
    observed = sum((one - other) ** 2 for one, other in pairs)
    return 1 - Fraction((count - 1) * observed, spread)


def _problem(path: str, code: str, message: str) -> Problem:
    return Problem(path, f"assessment.{code}", message)
