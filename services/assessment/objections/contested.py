"""
Contested points 争议分: how far a unit's total would move if its running objections were all answered as asked.

The same states and the same arithmetic as the score itself: the contested events are taken out of the tallies and
put back as the unit asks, and the unit is rolled up once more. A government's points include those of the units
whose findings it answers for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from contracts.findings import Outcome
from kernel.storage.reach import beyond
from services.assessment.framework.values import Framework
from services.assessment.objections.model import OBJECTIONS
from services.assessment.objections.rules import ASKED_PASS
from services.assessment.scoring.model import EVENT_LOG
from services.assessment.scoring.rules import ProbeState, roll_up_totals
from services.assessment.scoring.tallies import assessed_units, states_of
from services.assessment.tables import UNITS

_FULL = 1000


def contested(session: Session, framework: Framework, year: str, units: Iterable[str]) -> dict[str, int]:
    """Unit -> micro-points in dispute; units without a running objection are left out."""
    assessed = assessed_units(session, framework, units)
    rows = _running(session, year)
    of_unit: dict[str, list[Row[Any]]] = {}
    for unit in assessed:
        for row in rows:
            is_below = unit.group.events == "subtree" and row.path.startswith(unit.path)
            if row.unit == unit.code or is_below:
                of_unit.setdefault(unit.code, []).append(row)
    concerned = [unit for unit in assessed if unit.code in of_unit]
    states = states_of(session, concerned, year)
    found = {}
    for unit in concerned:
        now = states.get(unit.code, {})
        score = roll_up_totals(framework, unit.group.id, now).score
        asked = roll_up_totals(framework, unit.group.id, as_asked(now, of_unit[unit.code])).score
        found[unit.code] = abs((asked or 0) - (score or 0))
    return found


def as_asked(states: Mapping[str, ProbeState], rows: Iterable[Row[Any]]) -> dict[str, ProbeState]:
    """The states with each contested event counted as its unit asks."""
    changed = dict(states)
    for row in rows:
        state = changed.get(row.probe)
        if state is not None:
            changed[row.probe] = _put(_taken(state, row), row)
    return changed


def _taken(state: ProbeState, row: Row[Any]) -> ProbeState:
    """The state without the event."""
    if row.outcome == Outcome.PASS:
        state = replace(state, passed=state.passed - 1)
    elif row.outcome == Outcome.FAIL:
        state = replace(state, failed=state.failed - 1)
    elif row.outcome == Outcome.NOT_COMPUTABLE:
        state = replace(state, not_computable=state.not_computable - 1)
    elif row.outcome == Outcome.NOT_DUE:
        state = replace(state, not_due=state.not_due - 1)
    else:
        state = replace(state, not_applicable=state.not_applicable - 1)
    if row.outcome > Outcome.FAIL:
        return state
    return replace(
        state,
        graded_milli=state.graded_milli - row.score_milli,
        numerator=state.numerator - row.numerator,
        denominator=state.denominator - row.denominator,
    )


def _put(state: ProbeState, row: Row[Any]) -> ProbeState:
    """The state with the event as the unit asks."""
    if row.asked != ASKED_PASS:
        return replace(state, not_applicable=state.not_applicable + 1)
    return replace(
        state,
        passed=state.passed + 1,
        graded_milli=state.graded_milli + _FULL,
        numerator=state.numerator + row.denominator,
        denominator=state.denominator + row.denominator,
    )


def _running(session: Session, year: str) -> list[Row[Any]]:
    """Running objections of a year against events that still stand, with the event and the unit's path."""
    log, units = EVENT_LOG, UNITS.table
    later = log.alias("later")
    corrected = select(later.c.seq).where(later.c.corrects == log.c.event_id, later.c.source == log.c.source)
    query = (
        select(
            OBJECTIONS.c.unit,
            OBJECTIONS.c.asked,
            units.c.path,
            log.c.probe,
            log.c.outcome,
            log.c.score_milli,
            log.c.numerator,
            log.c.denominator,
        )
        .join(log, (log.c.event_id == OBJECTIONS.c.event_id) & (log.c.source == OBJECTIONS.c.source))
        .join(units, units.c.code == OBJECTIONS.c.unit)
        .where(
            OBJECTIONS.c.state != "closed",
            OBJECTIONS.c.period >= f"{year}-01",
            OBJECTIONS.c.period <= f"{year}-12",
            ~corrected.exists(),
        )
        .order_by(log.c.seq)
    )
    with beyond("a ranking says of every unit how many of its points are in dispute", session):
        return list(session.execute(query))
