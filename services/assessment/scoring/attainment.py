"""
Attainment 达成: what one result earns from the tallies of its probes.

Three things are told apart here and nowhere else: not applicable and not due leave the result out, not
computable (or never heard) lowers its coverage, and only what passed or failed earns. Shares are exact
fractions of integers until the single rounding, half up, to micro-points.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from services.assessment.framework.values import Method
from services.assessment.scoring.plan import Leaf

Status = Literal["scored", "not_applicable", "not_computable", "not_due"]
_MARKS = 1000


@dataclass(frozen=True, slots=True)
class ProbeState:
    """
    Tally of one unit's standing findings of one probe in a period (corrected ones are not in it).

    `graded_milli` is the sum of the marks of the passed and failed findings, 0..1000 each;
    `numerator` and `denominator` are the sums of what the probe measured; the last four count the passed and
    failed findings by how their facts reached us.
    """

    passed: int = 0
    failed: int = 0
    graded_milli: int = 0
    not_applicable: int = 0
    not_computable: int = 0
    not_due: int = 0
    numerator: int = 0
    denominator: int = 0
    reported: int = 0
    entered: int = 0
    real_time: int = 0
    external: int = 0


class Amounts(NamedTuple):
    """
    What adds up from leaves to the total, in micro-points.

    `applying` applies and is due; `covered` is the part of it that rests on data; `applicable` applies
    and could be computed, it is what `earned` is measured against.
    """

    applying: int = 0
    covered: int = 0
    applicable: int = 0
    earned: int = 0


class Modes(NamedTuple):
    """Credibility 可信度: how what was counted reached us, as amounts or shares that add up by mode."""

    reported: int = 0
    entered: int = 0
    real_time: int = 0
    external: int = 0


class Found(NamedTuple):
    """One result evaluated; `veto`: its own veto has fallen; `modes` counts the findings behind it."""

    leaf: Leaf
    status: Status
    amounts: Amounts
    veto: bool = False
    modes: Modes = Modes()


def evaluate(leaf: Leaf, states: Mapping[str, ProbeState]) -> Found:
    """What a result earns; `states` by probe, a missing probe was never heard."""
    counted: list[ProbeState] = []
    asked = 0
    known, of = 0, 1  # mean share of computable findings over the probes that were asked, times `asked`
    due_later = False
    for probe in leaf.probes:
        state = states.get(probe)
        if state is None:
            asked += 1
            continue
        heard = state.passed + state.failed
        missing = state.not_computable
        if heard:
            counted.append(state)
        elif not missing:
            if state.not_due:
                due_later = True
                continue
            if state.not_applicable:
                continue
            missing = 1  # a state that never heard anything
        asked += 1
        known, of = known * (heard + missing) + heard * of, of * (heard + missing)
    if not asked:
        return Found(leaf, "not_due" if due_later else "not_applicable", Amounts())
    share = _attainment(leaf.method, counted)
    if share is None:
        return Found(leaf, "not_computable", Amounts(applying=leaf.points))
    reached, full = share
    amounts = Amounts(
        applying=leaf.points,
        covered=leaf.points * known // (of * asked),
        applicable=leaf.points,
        earned=half_up(leaf.points * reached, full),
    )
    falls = bool(leaf.veto_below_milli) and _falls(leaf, counted)
    return Found(leaf, "scored", amounts, falls, _modes(counted))


def _attainment(method: Method, counted: Sequence[ProbeState]) -> tuple[int, int] | None:
    """The share of the points reached, as an exact fraction 0..1; None where there is nothing to divide."""
    if method.kind == "checklist":
        return _mean_of_items(counted)
    if method.kind == "survey":
        return _mean_of_answers(method, counted)
    marks, full = _marks(method, counted)
    if full <= 0:
        return None
    if method.kind == "deduct":
        left = _MARKS * _MARKS - (full - marks) * method.step_milli
        return max(0, left), _MARKS * _MARKS
    if method.kind == "add":
        return min(_MARKS * _MARKS, marks * method.step_milli), _MARKS * _MARKS
    span = method.target_milli - method.floor_milli
    above = marks * _MARKS - method.floor_milli * full
    return min(max(0, above), span * full), span * full


def _marks(method: Method, counted: Sequence[ProbeState]) -> tuple[int, int]:
    if method.measured:
        return sum(s.numerator for s in counted), sum(s.denominator for s in counted)
    return sum(s.graded_milli for s in counted), sum((s.passed + s.failed) * _MARKS for s in counted)


def _mean_of_items(counted: Sequence[ProbeState]) -> tuple[int, int] | None:
    reached, full = 0, 1
    for state in counted:
        marks = (state.passed + state.failed) * _MARKS
        reached, full = reached * marks + state.graded_milli * full, full * marks
    return (reached, full * len(counted)) if counted else None


def _mean_of_answers(method: Method, counted: Sequence[ProbeState]) -> tuple[int, int] | None:
    marks, full = sum(s.numerator for s in counted), sum(s.denominator for s in counted)
    if full < max(1, method.responses_at_least) * _MARKS:
        return None
    return min(marks, full), full


def _falls(leaf: Leaf, counted: Sequence[ProbeState]) -> bool:
    marks = sum(state.graded_milli for state in counted)
    findings = sum(state.passed + state.failed for state in counted)
    return marks < leaf.veto_below_milli * findings


def _modes(counted: Sequence[ProbeState]) -> Modes:
    return Modes(
        sum(s.reported for s in counted),
        sum(s.entered for s in counted),
        sum(s.real_time for s in counted),
        sum(s.external for s in counted),
    )


def half_up(numerator: int, denominator: int) -> int:
    """The quotient rounded half up; both positive."""
    return (2 * numerator + denominator) // (2 * denominator)
