"""
Warnings 预警: when a fall warns. A line is crossed when a score goes from above it, or from nothing, to below it;
what stays below warns no more until it has come up again. The numbers are the province's
(catalog/assessment/warnings.yaml); a line that a framework draws at a node goes before them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Literal

from kernel.errors import Problem
from services.assessment.framework.values import FULL_MARKS

Kind = Literal["line", "trend", "overdue", "finding"]
KINDS: tuple[Kind, ...] = ("line", "trend", "overdue", "finding")
TOTAL = "total"
LEVELS = (TOTAL, "component", "aspect", "measure", "result")
MILLI = 1000
VETO = "veto"
GRAVEST_FIRST = (VETO, TOTAL, "finding", "overdue", "trend", "line")


@dataclass(frozen=True, slots=True)
class Trend:
    """A trend 连续下降: so many months running, `least_fall` thousandths in all, looked at on a day of the month."""

    months: int
    least_fall: int
    look_on_day: int


@dataclass(frozen=True, slots=True)
class WarningRules:
    """What warns and what a warning does 预警规则; shares in thousandths of the full marks."""

    lines: Mapping[str, int]
    least_coverage: int
    trend: Trend
    findings: frozenset[str]
    not_supervised: tuple[str, ...]
    relapse_days: int
    opens_order: Mapping[str, bool]
    proof: Mapping[str, str]

    def line_of(self, level: str, drawn: int) -> int:
        """The line at a node: the framework's own where it draws one."""
        return drawn or self.lines.get(level, 0)

    def is_supervised(self, subject: str) -> bool:
        """Whether an order may be opened about a business object (行政执法监督条例 Art. 33)."""
        return not subject.startswith(self.not_supervised)


def share_of(score: int) -> int:
    """Micro-points of 100 as thousandths, rounded down: 59.99 is 599."""
    return score * MILLI // FULL_MARKS


def is_crossed(*, was_below: bool | None, is_below: bool) -> bool:
    """Whether being below is news; `was_below` None: not seen yet."""
    return is_below and not was_below


def falls(scores: Sequence[int | None], trend: Trend) -> bool:
    """Whether the scores (micro-points, oldest first, one more than the months) fell every month, and enough."""
    if len(scores) != trend.months + 1 or None in scores:
        return False
    known = [score for score in scores if score is not None]
    falling = all(later < earlier for earlier, later in pairwise(known))
    return falling and share_of(known[0]) - share_of(known[-1]) >= trend.least_fall


def parse(data: Any) -> WarningRules:
    """The rules of a catalog file; `problems` must have found nothing."""
    return WarningRules(
        lines=dict(data["lines"]),
        least_coverage=data["least_coverage"],
        trend=Trend(**data["trend"]),
        findings=frozenset(data["findings"]),
        not_supervised=tuple(data["not_supervised"]),
        relapse_days=data["relapse_days"],
        opens_order=dict(data["opens_order"]),
        proof=dict(data["proof"]),
    )


def problems(data: Any, probes: frozenset[str]) -> Iterator[Problem]:
    """What is wrong with a catalog file; `probes` are the ones there are."""
    if not isinstance(data, dict):
        yield Problem("", "warnings.not_a_mapping", "文件应为键值形式。")
        return
    for path, value, is_right, what in _checks(data):
        if not is_right(value):
            yield Problem(path, "warnings.value", f"{path} {what}。")
    if not _are_texts(data.get("findings")) or not probes.issuperset(data["findings"]):
        yield Problem("findings", "warnings.findings", "请只列探针表中有的探针。")


def _checks(data: Mapping[str, Any]) -> Iterator[tuple[str, Any, Callable[[Any], bool], str]]:
    """(path, value, what it must be, in words) of every value."""
    shares = "应为 0 至 1000 的整数（千分）"
    for level in LEVELS:
        yield f"lines.{level}", _in(data, "lines", level), _is_share, shares
    yield "least_coverage", data.get("least_coverage"), _is_share, shares
    for name, most in (("months", 11), ("least_fall", MILLI), ("look_on_day", 28)):
        yield (
            f"trend.{name}",
            _in(data, "trend", name),
            partial(_is_count, most=most),
            f"应为 1 至 {most} 的整数",
        )
    yield "relapse_days", data.get("relapse_days"), partial(_is_count, most=3650), "应为正整数"
    for cause in (TOTAL, *KINDS):
        yield f"opens_order.{cause}", _in(data, "opens_order", cause), _is_choice, "应为 true 或 false"
    for kind in KINDS:
        yield f"proof.{kind}", _in(data, "proof", kind), _is_text, "应写明单位应当提交的材料"
    yield "not_supervised", data.get("not_supervised"), _are_texts, "应逐项列出业务对象的开头"


def _in(data: Mapping[str, Any], group: str, name: str) -> Any:
    inner = data.get(group)
    return inner.get(name) if isinstance(inner, dict) else None


def _is_count(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _is_share(value: object) -> bool:
    return value == 0 or _is_count(value, MILLI)


def _is_choice(value: object) -> bool:
    return isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """A warning 预警 with what it saw; `subjects` are the business objects of a finding."""

    kind: Kind
    unit: str
    node: str
    framework: str
    year: str
    at_seq: int
    title: str
    seen: Mapping[str, Any]
    subjects: tuple[str, ...] = ()

    @property
    def cause(self) -> str:
        """What decides whether it opens an order: its kind, and for a line whether it is the total's."""
        return TOTAL if self.kind == "line" and not self.node else self.kind

    @property
    def gravity(self) -> int:
        """How grave it is beside others about the same node, 0 the gravest: that one opens the order, they join it."""
        return GRAVEST_FIRST.index(VETO if "veto_below" in self.seen else self.cause)

    @property
    def reason(self) -> str:
        """What an order that it opens says of it: the title, and the numbers it saw."""
        seen = self.seen
        if "line" in seen:
            return f"{self.title}：得分 {_points(seen['score'])}，预警线 {_points(seen['line'] * FULL_MARKS // MILLI)}"
        if "veto_below" in seen and seen["attainment"] is not None:
            return f"{self.title}：达成率 {_points(seen['attainment'] * 100)}%，否决线 {_points(seen['veto_below'] * 100_000)}%"
        if "scores" in seen:
            return f"{self.title}：由 {_points(seen['scores'][0])} 分降至 {_points(seen['scores'][-1])} 分"
        return f"{self.title}：期限 {seen['due_on']}" if "due_on" in seen else self.title


def _points(micro: int) -> str:
    """Micro-points with two places, rounded down: what a person compares with a line."""
    whole, rest = divmod(micro, 1_000_000)
    return f"{whole}.{rest // 10_000:02d}"
