"""
Rules of the clue exchange 线索: which state may follow which, when an answer is due, what is scored, and how long
an answer is tried.

GW-ANS-01 measures the unit complained of: was the clue answered in time. A clue sent back because it is not ours
is not applicable; one that is not yet answered and not yet due says nothing. What an upheld objection has amended
更正 counts as amended.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contracts.findings import Basis, ProbeSet, Verdict, failed, not_applicable, not_due, passed
from kernel.calendar import WorkingCalendar
from kernel.clock import local_date, start_of_day

FINAL = frozenset({"returned", "answered"})
RANK = {"received": 0, "routed": 1, "accepted": 2, "returned": 3, "answered": 4}
STATE_NAMES = {1: "received", 2: "routed", 3: "accepted", 4: "returned", 5: "answered"}
KIND_NUMBERS = {
    "": 0,
    "enforcement_complaint": 1,
    "inaction": 2,
    "reconsideration": 3,
    "litigation_result": 4,
    "dispute": 5,
}
KIND_NAMES = {number: name for name, number in KIND_NUMBERS.items()}
DUE, ANSWERED, EXCLUDED = "due", "answered", "excluded"
AMENDMENTS = (DUE, ANSWERED, EXCLUDED)
RETRY_AFTER = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 86400, 86400)
)
REST_AFTER_FAILURES = 5
LONGEST_REST = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFacts:
    """What is known of a clue's answer when it is looked at."""

    state: str
    due_at: datetime
    answered_at: datetime | None
    now: datetime
    is_excluded: bool = False


PROBES: ProbeSet[AnswerFacts] = ProbeSet()


@PROBES.probe(
    "GW-ANS-01",
    version=1,
    title="转办线索按时答复",
    basis=(
        Basis("国务院办公厅关于进一步优化地方政务服务便民热线的指导意见", "2020-12-28", "三（六）"),
        Basis("信访工作条例", "2022-02-25", "第三十四条"),
    ),
)
def answered_in_time(facts: AnswerFacts) -> Verdict:
    """转办线索按时答复: answered within the sender's deadline, or within the agreed period when he set none."""
    due_on = local_date(facts.due_at)
    now, answered_at = whole_second(facts.now), facts.answered_at and whole_second(facts.answered_at)
    if facts.state == "returned":
        return not_applicable("线索不属于受理范围，已退回来源系统")
    if facts.is_excluded:
        return not_applicable("经申诉核实，本件不计入按时答复")
    if answered_at is None and now <= facts.due_at:
        return not_due(f"答复期限经更正为 {due_on}，尚未届满")
    if answered_at is None:
        return failed(f"应于 {due_on} 前答复，至今未答复", 0, 1)
    answered_on = local_date(answered_at)
    if answered_at <= facts.due_at:
        return passed(f"应于 {due_on} 前答复，于 {answered_on} 答复", 1, 1)
    return failed(f"应于 {due_on} 前答复，于 {answered_on} 答复，逾期", 0, 1)


def follows(former: str, state: str) -> bool:
    """Whether a state may follow: forwards only, so that progress told late never turns a clue back."""
    return former not in FINAL and RANK[state] > RANK[former]


def answer_due(
    received_at: datetime, days: int, *, in_working_days: bool, calendar: WorkingCalendar
) -> datetime:
    """The last second of the day on which an answer is due; the day of receipt is not counted."""
    start = local_date(received_at)
    deadline = (
        calendar.working_days_after(start, days)
        if in_working_days
        else calendar.calendar_days_after(start, days)
    )
    return end_of(deadline.due_on)


def next_try(attempts: int, jitter: float) -> timedelta | None:
    """
    How long to wait after so many failed attempts; None when it is given up and listed as dead.

    About five days in all. `jitter` in 0..1 spreads the attempts of many answers by a fifth.
    """
    if attempts > len(RETRY_AFTER):
        return None
    return RETRY_AFTER[attempts - 1] * (0.9 + 0.2 * jitter)


def rest(failures: int) -> timedelta:
    """How long a system that failed so often in a row is left alone (R34)."""
    if failures < REST_AFTER_FAILURES:
        return timedelta(0)
    return min(timedelta(seconds=30) * (1 << min(failures - REST_AFTER_FAILURES, 10)), LONGEST_REST)


def renamed(values: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """An answer in the sender's own field names."""
    return {names[key]: value for key, value in values.items()}


def whole_second(at: datetime) -> datetime:
    """The second a moment falls in, in which deadlines are written: the last one counts to its end."""
    return at.replace(microsecond=0)


def end_of(day: date) -> datetime:
    """The last second of a day."""
    return start_of_day(day + timedelta(days=1)) - timedelta(seconds=1)
