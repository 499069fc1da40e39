"""
Rules of the directory: what a unit 单位 must look like before it may be told to the others.

Codes and paths become parts of scopes in tokens, so nothing may stand in them that could widen a scope.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from kernel.errors import Problem

KINDS = range(1, 6)
LEVELS = range(1, 5)
_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}\Z")
_REGION = re.compile(r"[0-9]{6}(?:[0-9]{3}){0,2}\Z")
_CREDIT = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitState:
    """
    One state of a unit 单位.

    `kind` and `level` are the numbers of directory.proto; days are YYYY-MM-DD, "" while open. A unit that was
    merged or dissolved has `valid_to`, and `successor` when another took over its duties.
    """

    code: str
    name: str
    kind: int
    level: int
    parent: str
    region_code: str
    valid_from: str
    credit_code: str = ""
    field: str = ""
    valid_to: str = ""
    successor: str = ""


def problems(unit: UnitState) -> Iterator[Problem]:
    """What is wrong with a state, each with its field."""
    if not _CODE.match(unit.code):
        yield _problem("code", "单位代码只能由字母、数字和 . _ - 组成，不超过 64 个字符")
    if not 1 <= len(unit.name) <= 200:
        yield _problem("name", "单位名称不能为空，且不超过 200 字")
    if unit.kind not in KINDS:
        yield _problem("kind", "单位类别不在代码表中")
    if unit.level not in LEVELS:
        yield _problem("level", "单位层级不在代码表中")
    if not _REGION.match(unit.region_code):
        yield _problem("region_code", "行政区划代码应为 6、9 或 12 位数字")
    if unit.credit_code and not _CREDIT.match(unit.credit_code):
        yield _problem("credit_code", "统一社会信用代码应为 18 位")
    if unit.code in (unit.parent, unit.successor):
        yield _problem("parent", "单位不能是自己的上级或承接单位")
    yield from _time_problems(unit)


def _time_problems(unit: UnitState) -> Iterator[Problem]:
    if not _is_day(unit.valid_from):
        yield _problem("valid_from", "设立日期应为 年-月-日")
    elif unit.valid_to and (not _is_day(unit.valid_to) or unit.valid_to < unit.valid_from):
        yield _problem("valid_to", "撤并日期应为 年-月-日，且不早于设立日期")
    if unit.successor and not unit.valid_to:
        yield _problem("valid_to", "写明承接单位的，应当写明撤并日期")


def path_under(parent_path: str, code: str) -> str:
    """The path of a unit below its superior; "/code/" at the root."""
    return f"{parent_path or '/'}{code}/"


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _problem(field: str, message: str) -> Problem:
    return Problem(field, f"directory.bad_{field}", message)
