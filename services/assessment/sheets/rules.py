"""
Sheets on paper: what may be marked by whom.

On-site check 现场督察查验 and third-party evaluation 第三方评估 differ in who looks; what is handed in is the same:
marks with reasons for every result of the sheet. Nobody marks their own unit (R37).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kernel.errors import Invalid, Problem, RuleViolation
from services.assessment.framework.values import Framework, Node

Kind = Literal["on_site", "third_party"]
KINDS: Mapping[Kind, str] = {"on_site": "现场督察查验", "third_party": "第三方评估"}


@dataclass(frozen=True, slots=True)
class Item:
    """Marks for one result, in thousandths, and why."""

    result: str
    marks: int
    reasons: str


@dataclass(frozen=True, slots=True)
class SheetFile:
    """A file that belongs to a sheet."""

    digest: str
    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Version:
    """What was handed in, and when."""

    version: int
    items: tuple[Item, ...]
    reason: str
    account: str
    handed_in_at: datetime


def is_looked_at(node: Node) -> bool:
    """Whether a result is marked by somebody who looks: no probe finds it, and it is not asked of people."""
    return node.method is not None and not node.probes and node.method.kind == "reviewed"


def check_results(framework: Framework, group: str, results: Sequence[str]) -> None:
    """Raise Invalid where a sheet asks for what cannot be marked."""
    problems = []
    if not results or len(set(results)) != len(results):
        problems.append(Problem("results", "results", "请选择至少一项成果，且不重复。"))
    for index, code in enumerate(results):
        node = framework.node(code)
        if node is None or not is_looked_at(node) or group not in node.points:
            problems.append(
                Problem(f"results[{index}]", "unknown_result", f"{code[:64]} 不是该单位按评审法计分的成果。")
            )
    if problems:
        raise Invalid(problems=problems, code="assessment.sheet_invalid")


def check_items(results: Sequence[str], items: Sequence[Item]) -> None:
    """Raise Invalid unless every result of the sheet is marked once, with reasons."""
    given = [item.result for item in items]
    problems = [
        Problem(f"items.{code}", "mark", "每项成果应评一次分。") for code in results if given.count(code) != 1
    ]
    for index, item in enumerate(items):
        if item.result not in results:
            problems.append(Problem(f"items[{index}].result", "unknown_result", "该成果不在本查验单中。"))
        if len(item.reasons.strip()) < 2:
            problems.append(Problem(f"items[{index}].reasons", "reasons", "请写明评分理由。"))
    if problems:
        raise Invalid(problems=problems, code="assessment.sheet_incomplete")


def check_still_asked(framework: Framework, items: Sequence[Item]) -> None:
    """Raise RuleViolation for results that a version in force since the sheet was handed out has no more."""
    if gone := [item.result for item in items if framework.node(item.result) is None]:
        raise RuleViolation(
            f"该年度现行的指标体系已没有成果 {'、'.join(gone)[:200]}，请督察员按现行体系另发查验单。",
            code="assessment.unknown_result",
        )


def check_not_own(own_unit: str, unit_path: str) -> None:
    """Nobody marks the unit they belong to (R37)."""
    if own_unit and unit_path.endswith(f"/{own_unit}/"):
        raise RuleViolation("不能查验或评估自己所在的单位，请由他人办理。", code="assessment.own_unit")
