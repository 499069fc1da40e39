"""
Self-report 指标填报: which results wait for one, which state may follow which, what a report must hold.

A result 成果 without probes waits for what the unit says of itself, once a period. A report is a row of versions
(what was said) and a row of events (what became of it); both are only ever added to. Names and numbers of natural
persons have no place in it: statements are about the unit's work.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar, Literal

from kernel.errors import Invalid, Problem, RuleViolation
from services.assessment.framework.values import Framework, Method, Node, PeerGroup

State = Literal["draft", "submitted", "reviewing", "returned", "scored"]
Act = Literal["opened", "submitted", "withdrawn", "review_opened", "returned", "scored", "rescored"]
DRAFT: State = "draft"
SUBMITTED: State = "submitted"
REVIEWING: State = "reviewing"
RETURNED: State = "returned"
SCORED: State = "scored"
NOT_STARTED = "not_started"
STATES: tuple[State, ...] = (DRAFT, SUBMITTED, REVIEWING, RETURNED, SCORED)
WRITABLE: frozenset[State] = frozenset({DRAFT, RETURNED})
SEEN_BY_OTHERS: frozenset[State] = frozenset({SUBMITTED, REVIEWING, RETURNED, SCORED})
STATE_WORDS: Mapping[str, str] = {
    NOT_STARTED: "未填报",
    DRAFT: "填报中",
    SUBMITTED: "已提交待审核",
    REVIEWING: "审核中",
    RETURNED: "已退回",
    SCORED: "已评分",
}
FOLLOWS: Mapping[tuple[State, Act], State] = {
    (DRAFT, "submitted"): SUBMITTED,
    (RETURNED, "submitted"): SUBMITTED,
    (SUBMITTED, "withdrawn"): DRAFT,
    (SUBMITTED, "review_opened"): REVIEWING,
    (REVIEWING, "returned"): RETURNED,
    (REVIEWING, "scored"): SCORED,
    (SCORED, "rescored"): SCORED,
}
# An act leads to one state, whatever it follows: the last act until a moment says how a report stood.
LEADS_TO: Mapping[Act, State] = {"opened": DRAFT, **{act: state for (_, act), state in FOLLOWS.items()}}
ACTS: tuple[Act, ...] = tuple(LEADS_TO)
_ACT_WORDS: Mapping[Act, str] = {
    "opened": "开始填报",
    "submitted": "提交",
    "withdrawn": "撤回",
    "review_opened": "开始审核",
    "returned": "退回",
    "scored": "评分",
    "rescored": "更正评分",
}
_MOST = 10**12


class WrongState(RuleViolation):
    """The report is not in a state in which this may be done."""

    code: ClassVar[str] = "assessment.report_state"


class ReportIncomplete(Invalid):
    """The report lacks what a submission must have; `problems` name each place."""

    code: ClassVar[str] = "assessment.report_incomplete"
    message: ClassVar[str] = "填报内容不完整，未能提交，请按提示补充。"


@dataclass(frozen=True, slots=True)
class Value:
    """A measured value 填报数值 of a ratio: numerator 分子 over denominator 分母, whole and not negative."""

    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """
    One piece of evidence 佐证材料: a file by its digest, or a business object that a service already has.

    `kind` "file": `reference` is "sha256:…"; "object": `reference` is "enforcement/cases/<id>".
    """

    kind: Literal["file", "object"]
    reference: str
    name: str = ""
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """What one version of a report says."""

    statement: str
    value: Value | None = None
    evidence: tuple[EvidenceItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits 填报限制 from catalog/assessment/review.yaml."""

    due_month: int
    due_day: int
    days_after_month: int
    closes_days_after_due: int
    statement_characters: int
    evidence_items: int
    quota_bytes: int


def after(state: State, act: Act) -> State:
    """The state an act leads to. Raises WrongState."""
    following = FOLLOWS.get((state, act))
    if following is None:
        raise WrongState(
            f"填报目前为“{STATE_WORDS[state]}”，不能{_ACT_WORDS[act]}，请刷新后查看。",
        )
    return following


def is_self_reported(framework: Framework, node: Node) -> bool:
    """Whether a result waits for self-report: no probes, no survey, and in no part that others measure."""
    if node.method is None or node.probes or node.method.kind == "survey":
        return False
    return node.code not in _measured_by_others(framework)


def asked(framework: Framework, group: PeerGroup) -> Iterator[tuple[Node, Node]]:
    """(aspect, result) of every self-report asked of units of a peer group, in the order of the framework."""
    outside = _measured_by_others(framework)
    tops = [
        node
        for part in framework.root.children
        for node in (part.children if framework.components else (part,))
    ]
    for aspect in tops:
        for node in aspect.walk():
            if group.id in node.points and node.code not in outside and is_self_reported(framework, node):
                yield aspect, node


def _measured_by_others(framework: Framework) -> frozenset[str]:
    parts = {component.code for component in framework.components if component.source != "framework"}
    return frozenset(
        node.code for part in framework.root.children if part.code in parts for node in part.walk()
    )


def needs_value(method: Method) -> bool:
    """Whether a result of this method is measured, so that the report must say numerator and denominator."""
    return method.kind == "ratio"


def suggested_milli(method: Method, value: Value | None) -> int | None:
    """What a measured value earns by the method, 0..1000, rounded half up; None where nothing is measured."""
    if value is None or not needs_value(method) or value.denominator <= 0:
        return None
    span = (method.target_milli - method.floor_milli) * value.denominator
    above = value.numerator * 1000 - method.floor_milli * value.denominator
    reached = min(max(0, above), span)
    return (2 * reached * 1000 + span) // (2 * span)


def content_problems(content: Content, method: Method, limits: Limits) -> list[Problem]:
    """What a draft must not hold, however unfinished."""
    problems = []
    if len(content.statement) > limits.statement_characters:
        problems.append(
            _problem(
                "statement",
                "statement_too_long",
                f"情况说明不超过 {limits.statement_characters} 字，请精简。",
            )
        )
    if len(content.evidence) > limits.evidence_items:
        problems.append(
            _problem("evidence", "too_many_evidence", f"佐证材料不超过 {limits.evidence_items} 件，请合并。")
        )
    if len({item.reference for item in content.evidence}) != len(content.evidence):
        problems.append(_problem("evidence", "evidence_twice", "同一件材料只需列一次，请删去重复的。"))
    return problems + _value_problems(content.value, method)


def _value_problems(value: Value | None, method: Method) -> list[Problem]:
    if value is None:
        return []
    if not needs_value(method):
        return [_problem("value", "no_value_asked", "这项成果不填数值，请只写情况说明。")]
    problems = []
    if not 0 <= value.numerator <= _MOST:
        problems.append(_problem("value.numerator", "numerator", "分子应为不小于 0 的整数。"))
    if not 1 <= value.denominator <= _MOST:
        problems.append(
            _problem(
                "value.denominator", "denominator", "分母应为大于 0 的整数；没有发生的请在情况说明中写明。"
            )
        )
    if not problems and value.numerator > value.denominator:
        problems.append(_problem("value.numerator", "numerator_too_large", "分子不应大于分母，请核对。"))
    return problems


def missing(content: Content, method: Method) -> list[Problem]:
    """What a submission lacks."""
    problems = []
    if not content.statement.strip():
        problems.append(_problem("statement", "statement_missing", "请填写情况说明。"))
    if needs_value(method) and content.value is None:
        problems.append(_problem("value", "value_missing", "请填写分子和分母。"))
    if not content.evidence:
        problems.append(_problem("evidence", "evidence_missing", "请至少附一件佐证材料或引用一个业务对象。"))
    return problems


def last_day(period: str) -> date:
    """The last day of a year "2026" or a month "2026-09". Raises Invalid."""
    try:
        if len(period) == 4:
            return date(int(period), 12, 31)
        first = date(int(period[:4]), int(period[5:]), 1)
        return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    except (ValueError, OverflowError) as wrong:
        raise Invalid("考核期应写成 2026 或 2026-09。", code="assessment.bad_period") from wrong


def check_begun(period: str, today: date) -> None:
    """Refuse what is said of a period before its first day: it would count in the one before. Raises RuleViolation."""
    end = last_day(period)
    if today < date(end.year, end.month if len(period) > 4 else 1, 1):
        raise RuleViolation(f"考核期 {period} 尚未开始，不能填报或评分。", code="assessment.period_not_begun")


def check_period(period: str, today: date, limits: Limits) -> None:
    """Refuse periods that have not begun, or whose time for reporting is over. Raises RuleViolation, Invalid."""
    check_begun(period, today)
    end = last_day(period)
    closes = max(end, date(end.year, limits.due_month, limits.due_day)) + timedelta(
        days=limits.closes_days_after_due
    )
    if today > closes:
        raise RuleViolation(
            f"考核期 {period} 的填报已于 {closes} 结束；确需补充的，请通过申诉提出。",
            code="assessment.period_closed",
        )


def _problem(path: str, code: str, message: str) -> Problem:
    return Problem(path, f"assessment.{code}", message)


def evidence_of(rows: Sequence[Mapping[str, str]]) -> tuple[EvidenceItem, ...]:
    """Evidence as it was stored."""
    return tuple(
        EvidenceItem(
            "object" if row["kind"] == "object" else "file", row["reference"], row["name"], row["media_type"]
        )
        for row in rows
    )
