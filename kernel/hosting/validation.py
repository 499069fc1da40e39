"""
Validation: request bodies that take exactly what they declare, and faults told in Chinese (R40).

`Body` is the base of every request model. The codes are pydantic's own names of faults, so they are as stable
as the library's contract; the sentences are ours, and neither repeats what the client sent.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from kernel.errors import Problem

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,60}\Z")

SENTENCES = {
    "missing": "缺少此项，请补充。",
    "extra_forbidden": "不认识这个字段，请核对字段名后删除或更正。",
    "string_type": "此项应为文字。",
    "string_too_short": "此项至少 {min_length} 个字符。",
    "string_too_long": "此项至多 {max_length} 个字符。",
    "string_pattern_mismatch": "此项格式不符合要求。",
    "int_type": "此项应为整数。",
    "int_parsing": "此项应为整数，请用半角数字填写。",
    "int_from_float": "此项应为整数，不带小数。",
    "number_out_of_range": "此项超出允许的范围，请核对。",
    "bool_type": "此项应为是或否（true 或 false）。",
    "bool_parsing": "此项应为是或否（true 或 false）。",
    "float_type": "此项应为数字。",
    "decimal_type": "此项应为数字。",
    "decimal_parsing": "此项应为数字，请用半角数字填写。",
    "finite_number": "此项应为有限的数字。",
    "greater_than": "此项应大于 {gt}。",
    "greater_than_equal": "此项不得小于 {ge}。",
    "less_than": "此项应小于 {lt}。",
    "less_than_equal": "此项不得大于 {le}。",
    "date_type": "此项应为日期，如 2026-03-01。",
    "date_parsing": "此项应为日期，如 2026-03-01。",
    "date_from_datetime_parsing": "此项应为日期，如 2026-03-01。",
    "datetime_type": "此项应为带时区的时间，如 2026-03-01T08:00:00+08:00。",
    "datetime_parsing": "此项应为带时区的时间，如 2026-03-01T08:00:00+08:00。",
    "timezone_aware": "时间必须带时区，如 2026-03-01T08:00:00+08:00。",
    "literal_error": "此项只能取规定的值之一。",
    "enum": "此项只能取规定的值之一。",
    "list_type": "此项应为列表。",
    "dict_type": "此项应为对象。",
    "model_type": "此项应为对象。",
    "model_attributes_type": "此项应为 JSON 对象，请以 application/json 提交。",
    "too_short": "此项至少 {min_length} 条。",
    "too_long": "此项至多 {max_length} 条。",
    "json_invalid": "请求正文不是合法的 JSON。",
}


class Body(BaseModel):
    """A request body: exactly the declared fields, of the declared types, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _written_day(value: object) -> object:
    if isinstance(value, str) and _DAY.match(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    return value


WrittenDay = Annotated[date, BeforeValidator(_written_day)]
"""A day of a Body, written 2026-03-01: JSON has no dates, and of the ways to write one only this is taken."""


def problems_of(faults: Iterable[Mapping[str, Any]]) -> list[Problem]:
    """The library's faults as ours: where, a stable code, and what to do."""
    return [Problem(_place(fault["loc"]), f"platform.{fault['type']}", _sentence(fault)) for fault in faults]


def _sentence(fault: Mapping[str, Any]) -> str:
    told = fault.get("ctx", {}).get("error") if fault["type"] == "value_error" else None
    if isinstance(told, ValueError):
        return str(told)  # raised by a check of ours, whose words are for people
    sentence = SENTENCES.get(fault["type"], "此项不符合要求。")
    return sentence.format_map(_Limits(fault.get("ctx") or {}))


class _Limits(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "规定数量"


def _place(location: Iterable[int | str]) -> str:
    """The dotted path; a name the client made up is shown only when it is a plain one."""
    return ".".join(
        str(part) if isinstance(part, int) or _PLAIN_NAME.match(part) else "?" for part in location
    )
