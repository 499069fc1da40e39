"""
Periods and publication on paper: what may follow what, and who may confirm whom.

Four eyes (R37): who asks does not confirm. A period is closed or open, and while somebody's request waits nobody
else's is taken. Closing fixes nothing by itself; it says from which event on a fact about the period is late
(补记), so that what was published stands until the period is opened again by two people.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kernel.errors import Conflict, Invalid, Problem, RuleViolation

Act = Literal["close_asked", "closed", "reopen_asked", "reopened", "refused"]
PUBLIC_FILES = ("manifest.json", "publication.note", "framework.json", "scores.jsonl", "checkpoints.jsonl")
CONFIRMS: dict[Act, Act] = {"close_asked": "closed", "reopen_asked": "reopened"}
_PERIOD = re.compile(r"20[0-9]{2}(-(0[1-9]|1[0-2]))?")


@dataclass(frozen=True, slots=True)
class PeriodAct:
    """One act about a period, by an account, when the log had so many events."""

    id: str
    act: Act
    account: str
    at_seq: int


@dataclass(frozen=True, slots=True)
class PeriodState:
    """Where a period stands; `closed_at_seq` None while it is open; `waiting` the request not answered yet."""

    closed_at_seq: int | None = None
    waiting: PeriodAct | None = None


def check_period(period: str) -> None:
    """A year or a month; raises Invalid."""
    if _PERIOD.fullmatch(period) is None:
        problem = Problem("period", "period", "考核期应为四位年度（2026）或月份（2026-09）。")
        raise Invalid(problems=[problem], code="assessment.bad_period")


def standing(acts: Sequence[PeriodAct]) -> PeriodState:
    """The state after these acts, in the order they were done."""
    closed: int | None = None
    waiting: PeriodAct | None = None
    for act in acts:
        if act.act in CONFIRMS:
            waiting = act
            continue
        if act.act == "closed":
            closed = act.at_seq
        elif act.act == "reopened":
            closed = None
        waiting = None
    return PeriodState(closed, waiting)


def ask(state: PeriodState, act: Act) -> None:
    """Whether this may be asked for now; raises Conflict."""
    if state.waiting is not None:
        raise Conflict("已有一项关闭或重开申请等待另一人确认，请先办理。", code="assessment.period_waiting")
    if act == "close_asked" and state.closed_at_seq is not None:
        raise Conflict(
            "该考核期已经关闭，不能重复关闭；需要更正的，请先申请重开。", code="assessment.period_closed"
        )
    if act == "reopen_asked" and state.closed_at_seq is None:
        raise Conflict("该考核期没有关闭，无需重开。", code="assessment.period_open")


def confirm(state: PeriodState, account: str) -> PeriodAct:
    """The request this account may confirm; raises Conflict or RuleViolation."""
    if state.waiting is None:
        raise Conflict("没有等待确认的申请，可能已由他人办理。", code="assessment.nothing_to_confirm")
    four_eyes(state.waiting.account, account)
    return state.waiting


def four_eyes(asked_by: str, confirmed_by: str) -> None:
    """Who asks does not confirm (R37); raises RuleViolation."""
    if asked_by == confirmed_by:
        raise RuleViolation(
            "申请人不能确认自己的申请，请由另一名有权限的人员确认。", code="assessment.four_eyes"
        )


def last_month(period: str, upto: str, this_month: str) -> str:
    """The last month a ranking of a year counts; raises Invalid for one outside the year or still to come."""
    check_period(period)
    upto = upto or min(f"{period}-12", this_month)
    if len(period) != 4 or not f"{period}-01" <= upto <= f"{period}-12" or upto > this_month:
        problem = Problem("upto", "upto", "截止月份应在该年度之内，且不晚于本月。")
        raise Invalid(problems=[problem], code="assessment.bad_period")
    return upto
