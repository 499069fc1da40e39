"""
One cell into one value, by the type of its column. Nothing is guessed: what cannot be read is said so.

Excel keeps fifteen digits: an 18-digit code that was a number once is lost, and "1.50102E+17" or trailing zeros
are what is left of it. Such cells are refused with what to do (R48).
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from kernel.text import has_controls, visible
from services.enforcement.cases.rules.columns import Column
from services.enforcement.cases.rules.record import Value

EXACT_DIGITS = 10**15
_CREDIT_CODES = frozenset({"body_code", "party_code"})  # GB 32100: capitals; width and blanks mean nothing
_NUMBERS = _CREDIT_CODES | {"officer_certificates", "power_item"}
_SCIENTIFIC = re.compile(r"[+-]?\d(?:\.\d+)?[Ee]\+?\d{1,3}")
_DAY = re.compile(
    r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))(?:[ T]\d{1,2}:\d{2}.*)?"
)
_LIST_MARKS = re.compile(r"[、;；,，|\n]+")
_MOST_YUAN = Decimal(10) ** 12
_RETYPE = "请将该列设为“文本”格式后重新录入完整号码"


class BadCell(Exception):
    """A cell that cannot be read: stable code and what to do."""

    def __init__(self, code: str, message: str) -> None:
        self.code = f"enforcement.{code}"
        self.message = message
        super().__init__(code)


def clean(cell: object) -> object:
    """Text in NFC without invisible marks and outer blanks; anything else unchanged (R41)."""
    return visible(cell).strip() if isinstance(cell, str) else cell


def read_cell(column: Column, cell: object) -> Value:
    """The value of a cleaned, filled cell. Raises BadCell."""
    return _READERS[column.type](column, cell)


def _text(column: Column, cell: object) -> str:
    text = _plain_text(cell)
    if column.field in _NUMBERS:
        text = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
        text = text.upper() if column.field in _CREDIT_CODES else text
    if len(text) > column.longest:
        raise BadCell("too_long", f"超过 {column.longest} 字（实有 {len(text)} 字），请精简。")
    if has_controls(text):
        raise BadCell("bad_character", "含有不可见的控制字符，请重新录入该单元格。")
    return text


def _plain_text(cell: object) -> str:
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, (int, float)):
        if abs(cell) >= EXACT_DIGITS:
            raise BadCell("number_ruined", f"号码以数值保存，Excel 只保留 15 位，后几位已丢失。{_RETYPE}。")
        return str(int(cell)) if float(cell).is_integer() else str(Decimal(repr(cell)))
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    text = str(cell)
    if _SCIENTIFIC.fullmatch(text):
        raise BadCell("number_ruined", f"“{text[:30]}”是被 Excel 改写成科学记数法的号码。{_RETYPE}。")
    return text


def _code(column: Column, cell: object) -> str:
    text = _plain_text(cell)
    if text in column.codes:
        return column.codes[text]
    if text in column.codes.values():
        return text
    for suffix in ("程序", "类", "行政"):
        if (short := text.removesuffix(suffix).removeprefix("行政")) in column.codes:
            return column.codes[short]
    raise BadCell("unknown_code", f"“{text[:30]}”不在可选值中，请填：{'、'.join(column.codes)}。")


def _list(column: Column, cell: object) -> tuple[str, ...]:
    parts = [part.strip() for part in _LIST_MARKS.split(_plain_text(cell)) if part.strip()]
    texts = [_text(column, part) for part in parts]
    values = [_code(column, text) if column.codes else text for text in texts]
    return tuple(dict.fromkeys(values))


def _date(_column: Column, cell: object) -> date:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, (int, float)) and not _looks_like_day(cell):
        raise BadCell("bad_date", "单元格是数字而不是日期，请将格式设为“日期”或写成 2026-03-01。")
    text = str(int(cell)) if isinstance(cell, (int, float)) else str(cell)
    match = _DAY.fullmatch(text)
    if match is None:
        raise BadCell("bad_date", f"“{text[:30]}”不是日期，请写成 2026-03-01。")
    year, *rest = (int(part) for part in match.groups() if part is not None)
    try:
        return date(year, *rest)
    except ValueError as wrong:
        raise BadCell("impossible_date", f"“{text[:30]}”这一天不存在，请核对。") from wrong


def _looks_like_day(number: float) -> bool:
    return 19_000_101 <= number <= 20_991_231 and float(number).is_integer()


def _money(_column: Column, cell: object) -> Decimal:
    text = str(cell).replace(",", "").replace("，", "").removesuffix("元").strip()
    try:
        amount = Decimal(unicodedata.normalize("NFKC", text))
    except InvalidOperation as wrong:
        raise BadCell("bad_amount", f"“{text[:30]}”不是金额，请以元为单位填写数字。") from wrong
    if not amount.is_finite() or not 0 <= amount <= _MOST_YUAN:
        raise BadCell("bad_amount", "金额不能为负数，也不能超过一万亿元，请核对。")
    return amount.quantize(Decimal("0.01"))


def _int(column: Column, cell: object) -> str:
    text = _text(column, cell)
    if not (text.isascii() and text.isdigit()):
        raise BadCell("bad_number", f"“{text[:30]}”不是整数，请核对。")
    return text


_READERS: dict[str, Callable[[Column, object], Value]] = {
    "text": _text,
    "code": _code,
    "date": _date,
    "money": _money,
    "int": _int,
    "list": _list,
}
