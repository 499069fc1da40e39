"""
Contested points 争议分: how far a unit's total would move if its running objections were all answered as asked.

The same states and the same arithmetic as the score itself: the contested events are taken out of the tallies and
put back as the unit asks, and the unit is rolled up once more. A government's points include those of the units
whose findings it answers for. `contested` tells of a year as it is now; `contested_on` of what is published or asked
as of a day: the months of a board, as known at its moment, so that the same board always has the same points in dispute.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session

from contracts.findings import Outcome
from kernel.storage.reach import beyond
from services.assessment.framework.values import Framework
from services.assessment.objections.model import OBJECTIONS
from services.assessment.objections.rules import ASKED_PASS
from services.assessment.ranking.boards import Board
from services.assessment.ranking.periods import Window, window
from services.assessment.scoring.model import EVENT_LOG
from services.assessment.scoring.rules import ProbeState, roll_up_totals
from services.assessment.scoring.tallies import Assessed, assessed_units, states_of
from services.assessment.tables import UNITS

_FULL = 1000


def contested(session: Session, framework: Framework, year: str, units: Iterable[str]) -> dict[str, int]:
    """Unit -> micro-points in dispute; units without a running objection are left out."""
    assessed = assessed_units(session, framework, units)
    concerned = _concerned(assessed, _running(session, window(year)))
    states = states_of(session, [unit for unit in assessed if unit.code in concerned], year)
    return {
        unit.code: _moved(framework, unit, states.get(unit.code, {}), concerned[unit.code])
        for unit in assessed
        if unit.code in concerned
    }


def contested_on(session: Session, board: Board) -> dict[str, int]:
    """The same of a board as of a moment: objections that ran then, against what was known then; {} for one of now."""
    if board.units_at is None:
        return {}
    rows = _running(session, board.window, at_seq=board.at_seq, at=board.units_at)
    concerned = _concerned(board.units.values(), rows)
    return {
        code: _moved(board.framework, board.units[code], board.states[code], against)
        for code, against in concerned.items()
    }


def _concerned(units: Iterable[Assessed], rows: Sequence[Row[Any]]) -> dict[str, list[Row[Any]]]:
    """Unit -> the contested events it answers for."""
    found: dict[str, list[Row[Any]]] = {}
    for unit in units:
        for row in rows:
            # what assessment collected itself never counts for the unit above (tallies.py)
            is_below = "/" not in row.probe and unit.group.events == "subtree"
            if row.unit == unit.code or (is_below and row.path.startswith(unit.path)):
                found.setdefault(unit.code, []).append(row)
    return found


def _moved(
    framework: Framework, unit: Assessed, states: Mapping[str, ProbeState], against: Iterable[Row[Any]]
) -> int:
    score = roll_up_totals(framework, unit.group.id, states).score
    asked = roll_up_totals(framework, unit.group.id, as_asked(states, against)).score
    return abs((asked or 0) - (score or 0))


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


def _running(
    session: Session, months: Window, *, at_seq: int | None = None, at: datetime | None = None
) -> list[Row[Any]]:
    """
    Running objections about these months, against events that still stand, with the event and the unit's path.

    `at_seq` and `at`: as when the log had so many events, the last of which was received at that moment.
    """
    log, units = EVENT_LOG, UNITS.table_at(at)
    later = log.alias("later")
    corrected = select(later.c.seq).where(later.c.corrects == log.c.event_id, later.c.source == log.c.source)
    known = [OBJECTIONS.c.state != "closed"]
    if at_seq is not None and at is not None:
        corrected = corrected.where(later.c.seq <= at_seq)
        ran = or_(OBJECTIONS.c.closed_at.is_(None), OBJECTIONS.c.closed_at > at)
        known = [OBJECTIONS.c.filed_at <= at, ran, log.c.seq <= at_seq]
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
            OBJECTIONS.c.period >= months.first,
            OBJECTIONS.c.period <= months.last,
            ~corrected.exists(),
            *known,
        )
        .order_by(log.c.seq)
    )
    with beyond("a ranking says of every unit how many of its points are in dispute", session):
        return list(session.execute(query))
