"""Trend 走势: a unit's score and place by month, each month alone and the year up to it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.assessment.framework.values import Framework
from services.assessment.ranking.asked import Asked
from services.assessment.ranking.periods import window
from services.assessment.scoring.model import PROBE_STATES
from services.assessment.scoring.rules import ProbeState, rank, roll_up_totals
from services.assessment.scoring.tallies import Assessed

States = Mapping[str, ProbeState]
_COUNTS = tuple(field.name for field in fields(ProbeState))


class Point(NamedTuple):
    """One month: score and place of the month alone, and of the year up to it; None where there is none."""

    month: str
    score: int | None
    rank: int | None
    to_date: int | None
    rank_to_date: int | None


def trend(session: Session, asked: Asked, units: Sequence[Assessed], unit: str) -> list[Point]:
    """
    The months in which anything is known of these units of a group, in order.

    With only the unit itself, places are left out.
    """
    year: dict[str, States] = {}
    points = []
    for month in months_heard(session, asked):
        alone = Asked(asked.framework, window(month), asked.known).states(session, units)
        if not alone:
            continue  # nothing of that month was known yet
        for code, states in alone.items():
            year[code] = added(year.get(code, {}), states)
        score, place = _place(asked.framework, units, alone, unit)
        to_date, place_to_date = _place(asked.framework, units, year, unit)
        points.append(Point(month, score, place, to_date, place_to_date))
    return points


def months_heard(session: Session, asked: Asked) -> list[str]:
    """Months of the window that any finding is of."""
    months = PROBE_STATES.c.period
    query = select(months).where(months >= asked.window.first, months <= asked.window.last)
    return list(session.execute(query.distinct().order_by(months)).scalars())


def added(one: States, other: States) -> States:
    """Both tallies together; counts just add."""
    return {probe: _sum(one.get(probe), other.get(probe)) for probe in one.keys() | other.keys()}


def _sum(one: ProbeState | None, other: ProbeState | None) -> ProbeState:
    if one is None or other is None:
        return one or other or ProbeState()
    return ProbeState(*(getattr(one, name) + getattr(other, name) for name in _COUNTS))


def _place(
    framework: Framework, units: Iterable[Assessed], states: Mapping[str, States], unit: str
) -> tuple[int | None, int | None]:
    scores = {
        one.code: roll_up_totals(framework, one.group.id, states.get(one.code, {})).score for one in units
    }
    if len(scores) == 1:
        return scores[unit], None
    places = {standing.unit: standing.rank for standing in rank(scores.items())}
    return scores[unit], places[unit]
