"""
Reading one field of an outside system's message: each type of catalog/links as a plain function.

A value is taken only in the form agreed; nothing is guessed. Identifiers, codes and numbers are ASCII digits and
letters as written (full-width "５" is not 5, R40); text is NFC, without bidi overrides and zero-width characters
(R41). A fault is (code, what to do), which the mapping joins with the sender's own field name.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from kernel.clock import local_date, start_of_day
from kernel.text import composed, has_foreign_digits, has_undefined, has_unseen, visible

MAX_AGE = timedelta(days=3660)
MAX_AHEAD = timedelta(minutes=5)
FURTHEST_DUE = timedelta(days=3660)
_IDENTIFIER = re.compile(r"[0-9A-Za-z\u3400-\u9fff（）()〔〕\[\]第号字_./:-]+\Z")
_INTEGER = re.compile(r"[0-9]{1,9}\Z")
_REGION = re.compile(r"[0-9]{6}(?:[0-9]{3}){0,2}\Z")
_UNIT = re.compile(r"[0-9A-Za-z._-]{1,64}\Z")
_CASE_NUMBER = re.compile(
    r"（(?:19|20)[0-9]{2}）[\u4e00-\u9fff]{1,2}[0-9]{0,4}[\u4e00-\u9fff]{1,4}[0-9]{1,6}号\Z"
)
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})\Z"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


class Fault(Exception):
    """A value that cannot be taken."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


def text(value: object, longest: int) -> str:
    """Text for people, NFC, at most `longest` characters and four times as many bytes."""
    if not isinstance(value, str):
        raise Fault("clues.not_text", "应为文字")
    plain = visible(value).strip()
    if len(plain) > longest:
        raise Fault("clues.too_long", f"不超过 {longest} 字")
    if has_undefined(plain):
        raise Fault("clues.bad_character", "含有未定义的字符，请删去后重发")
    return plain


def identifier(value: object, longest: int) -> str:
    """A record number: no space, no hidden characters, no full-width digits."""
    if not isinstance(value, str):
        raise Fault("clues.not_text", "编号应为文字")
    if has_unseen(value):
        raise Fault("clues.hidden_character", "编号中含有不可见或改变书写方向的字符")
    _demand_ascii_digits(value)
    plain = composed(value)
    if not 1 <= len(plain) <= longest or not _IDENTIFIER.match(plain):
        raise Fault("clues.bad_identifier", f"编号为 1 至 {longest} 个字母、数字、汉字和 ._-/:()")
    return plain


def case_number(value: object, longest: int) -> str:
    """Case number 案号: （2026）内0102行初12号. Half-width brackets are the same number."""
    if isinstance(value, str):
        value = value.replace("(", "（").replace(")", "）")
    plain = identifier(value, longest)
    if not _CASE_NUMBER.match(plain):
        raise Fault("clues.bad_case_number", "案号应写成（2026）内0102行初12号的形式")
    return plain


def integer(value: object) -> int:
    """A whole number from 0 on, as a number or as ASCII digits."""
    if isinstance(value, bool):
        raise Fault("clues.not_integer", "应为整数")
    if isinstance(value, str):
        _demand_ascii_digits(value)
        if not _INTEGER.match(value):
            raise Fault("clues.not_integer", "应为整数")
        return int(value)
    if not isinstance(value, int) or not 0 <= value < 10**9:
        raise Fault("clues.not_integer", "应为整数")
    return value


def region(value: object) -> str:
    """Division code 行政区划代码: 6, 9 or 12 digits."""
    if not isinstance(value, str):
        raise Fault("clues.not_text", "行政区划代码应为文字，以免前面的零丢失")
    _demand_ascii_digits(value)
    if not _REGION.match(value):
        raise Fault("clues.bad_region", "行政区划代码应为 6、9 或 12 位数字")
    return value


def unit(value: object) -> str:
    """How a unit is named: code of the directory, credit code, or full name."""
    if isinstance(value, str):
        _demand_ascii_digits(value)
        if _UNIT.match(value):
            return value
    plain = text(value, 200)
    if not plain:
        raise Fault("clues.missing", "不能为空")
    return plain


def code(value: object, codes: dict[str, str]) -> str:
    """A code of the sender's list, as our own."""
    if not isinstance(value, str) or value not in codes:
        raise Fault("clues.unknown_code", f"代码不在代码表中，可用：{'、'.join(codes)}")
    return codes[value]


def moment(value: object) -> datetime:
    """RFC 3339 with offset, as UTC (R42)."""
    if isinstance(value, str):
        _demand_ascii_digits(value)
    if not isinstance(value, str) or not _RFC3339.match(value):
        raise Fault("clues.bad_time", "时间应带时区，写成 2026-03-01T08:30:00+08:00 的形式")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Fault("clues.bad_time", "没有这个时间，请核对") from error


def day(value: object) -> date:
    """A day, YYYY-MM-DD."""
    if isinstance(value, str):
        _demand_ascii_digits(value)
    if not isinstance(value, str) or not _DATE.match(value):
        raise Fault("clues.bad_date", "日期应写成 2026-03-01 的形式")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise Fault("clues.bad_date", "没有这一天，请核对日期") from error


def person(value: object, hashed: Callable[[str], str]) -> str:
    """A person's number or name: only its keyed hash goes on."""
    plain = unicodedata.normalize("NFKC", text(value, 200)).upper()
    compact = re.sub(r"[\s-]", "", plain)
    return hashed(compact) if compact else ""


def in_window(at: datetime, now: datetime) -> datetime:
    """A moment something happened: within the last ten years and at most five minutes ahead (R42)."""
    if not now - MAX_AGE <= at <= now + MAX_AHEAD:
        raise Fault("clues.time_out_of_range", "时间应在最近十年之内，且不晚于现在")
    return at


def due_window(at: datetime, now: datetime) -> datetime:
    """A deadline: within ten years of now, either way."""
    if abs(at - now) > FURTHEST_DUE:
        raise Fault("clues.time_out_of_range", "期限超出允许范围")
    return at


def day_due(on: date, now: datetime) -> datetime:
    """A day something is due, as its last second in Asia/Shanghai."""
    try:
        return due_window(start_of_day(on + timedelta(days=1)) - timedelta(seconds=1), now)
    except OverflowError as error:
        raise Fault("clues.time_out_of_range", "期限超出允许范围") from error


def day_happened(on: date, now: datetime) -> datetime:
    """A day something happened, as the moment it began; today is fine."""
    if on > local_date(now):
        raise Fault("clues.time_out_of_range", "日期不得晚于今天")
    try:
        return in_window(start_of_day(on), now)
    except OverflowError as error:
        raise Fault("clues.time_out_of_range", "时间应在最近十年之内，且不晚于现在") from error


def _demand_ascii_digits(value: str) -> None:
    if has_foreign_digits(value):
        raise Fault("clues.not_ascii_digits", "数字请用半角 0-9 书写")
