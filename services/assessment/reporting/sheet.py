"""
The workbook of open results 批量填报表: made with what is known filled in, read back without guessing (R47, R48).

Headers are matched by name. Formulas, merged cells, hidden rows and sheets, and numbers that a spreadsheet has
ruined are refused with row and column; nothing is taken from a workbook that has one fault.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import xlsxwriter

from kernel.errors import TooLarge
from kernel.files.package import PackageLimits
from kernel.files.sheet_scan import Oddities
from kernel.files.workbook import Workbook, open_workbook
from kernel.text import has_controls, visible
from services.assessment.reporting.rules import Content, Value

PACKAGE = PackageLimits(area="assessment")
MOST_ROWS = 2_000
MOST_BYTES = 5 * 1024 * 1024
COLUMNS = ("成果编码", "成果名称", "计分方法", "版本", "分子", "分母", "情况说明")
_DIGITS = re.compile(r"[0-9]{1,13}\Z")
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")
_HEADER_WITHIN = 5


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason why nothing of a workbook is taken; `row` counts as the spreadsheet does, 0 is the whole file."""

    row: int
    column: str
    code: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a workbook: which result, over which version, and what it says."""

    row: int
    result: str
    version: int
    content: Content


@dataclass(frozen=True, slots=True)
class OpenResult:
    """One row of a workbook to be filled in."""

    code: str
    title: str
    method: str
    version: int
    content: Content


def template(rows: Sequence[OpenResult], note: str) -> bytes:
    """A workbook of these results; text stays text, so that no programme reads a formula out of it."""
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(
        packed, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet("填报")
    text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    head = book.add_format({"bold": True, "bg_color": "#EDF3FA", "border": 1})
    for column, (title, width) in enumerate(zip(COLUMNS, (14, 40, 40, 8, 12, 12, 60), strict=True)):
        sheet.set_column(column, column, width, text)
        sheet.write_string(0, column, title, head)
    sheet.freeze_panes(1, 2)
    for line, row in enumerate(rows, start=1):
        value = row.content.value
        cells = (
            row.code,
            row.title,
            row.method,
            str(row.version),
            str(value.numerator) if value else "",
            str(value.denominator) if value else "",
            row.content.statement,
        )
        for column, cell in enumerate(cells):
            sheet.write_string(line, column, harmless(cell), text)
    sheet.set_footer(f"&L{note}")
    book.close()
    return packed.getvalue()


def harmless(cell: str) -> str:
    """Text that a spreadsheet will not run: a leading apostrophe before what begins a formula (R47)."""
    return f"'{cell}" if cell.startswith(_RISKY) else cell


def read(data: bytes) -> tuple[list[Line], list[Fault]]:
    """The lines of a filled-in workbook, and its faults. Raises Invalid, TooLarge when it cannot be opened."""
    if len(data) > MOST_BYTES:
        raise TooLarge("批量填报表超过 5 MB，请核对后上传。", code="assessment.workbook_too_large")
    book = open_workbook(data, PACKAGE)
    if book.oddities.rows > MOST_ROWS:
        raise TooLarge(f"批量填报表超过 {MOST_ROWS} 行，请核对后上传。", code="assessment.too_many_rows")
    faults = list(_odd(book.oddities, book))
    rows = list(book.rows())
    found = _header(rows)
    if found is None:
        faults.append(Fault(1, "", "assessment.no_header", "", f"没有找到表头，应有：{'、'.join(COLUMNS)}。"))
    if found is None or faults:
        return [], faults
    start, header = found
    lines: list[Line] = []
    for number, cells in rows[start:]:
        line = _line(number, {name: _at(cells, place) for name, place in header.items()}, faults)
        if line is not None:
            lines.append(line)
    return lines, faults + list(_repeated(lines))


def _odd(odd: Oddities, book: Workbook) -> Iterator[Fault]:
    if odd.formulas:
        cells = "、".join(filter(None, odd.formulas))
        yield Fault(
            0, "", "assessment.formula", cells, "含有公式，不采用其缓存结果；请“选择性粘贴—数值”后再上传。"
        )
    for row in odd.hidden_rows:
        yield Fault(row, "", "assessment.hidden_row", str(row), "有隐藏的行，请取消隐藏或删除后上传。")
    for cells in odd.merged:
        last = int("".join(c for c in cells.split(":")[-1] if c.isdigit()))
        yield Fault(last, "", "assessment.merged_cells", cells, "有合并的单元格，请取消合并并逐格填写。")
    for name in book.hidden_sheets:
        yield Fault(0, "", "assessment.hidden_sheet", name[:40], "有隐藏的工作表，请取消隐藏或删除后上传。")


def _header(rows: Sequence[tuple[int, list[object]]]) -> tuple[int, dict[str, int]] | None:
    for index, (_, cells) in enumerate(rows[:_HEADER_WITHIN]):
        names = ["".join(str(cell).split()) for cell in cells]
        if "成果编码" in names and "情况说明" in names:
            return index + 1, {name: names.index(name) for name in COLUMNS if name in names}
    return None


def _at(cells: Sequence[object], place: int) -> object:
    return cells[place] if place < len(cells) else ""


def _line(row: int, cells: Mapping[str, object], faults: list[Fault]) -> Line | None:
    code, statement = _text(cells.get("成果编码", "")), _text(cells.get("情况说明", ""))
    numerator = _number(row, "分子", cells.get("分子", ""), faults)
    denominator = _number(row, "分母", cells.get("分母", ""), faults)
    version = _number(row, "版本", cells.get("版本", ""), faults)
    if has_controls(statement):
        faults.append(
            Fault(row, "情况说明", "assessment.bad_character", "", "含有控制字符，请重新录入该单元格。")
        )
    if not code:
        if statement or numerator is not None or denominator is not None:
            faults.append(
                Fault(row, "成果编码", "assessment.code_missing", "", "这一行没有成果编码，请从模板复制。")
            )
        return None
    if (numerator is None) != (denominator is None):
        faults.append(Fault(row, "分母", "assessment.value_half", "", "分子和分母应同时填写。"))
    value = None if numerator is None or denominator is None else Value(numerator, denominator)
    if not statement and value is None:
        return None  # left as it was: nothing is said about this result
    return Line(row, code, version or 0, Content(statement, value))


def _text(cell: object) -> str:
    text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
    text = visible(text).strip()
    return text[1:] if text.startswith("'") and text[1:].startswith(_RISKY) else text


def _number(row: int, column: str, cell: object, faults: list[Fault]) -> int | None:
    if isinstance(cell, bool) or (
        isinstance(cell, int | float) and (cell != int(cell) or abs(cell) >= 10**13)
    ):
        faults.append(
            Fault(row, column, "assessment.bad_number", str(cell)[:40], "应为不带小数的整数，不超过 13 位。")
        )
        return None
    text = _text(cell)
    if not text:
        return None
    if _DIGITS.match(text):
        return int(text)
    message = "应为半角数字写成的整数；变成科学记数法的，请将该列设为“文本”格式后重新录入。"
    faults.append(Fault(row, column, "assessment.bad_number", text[:40], message))
    return None


def _repeated(lines: Sequence[Line]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for line in lines:
        if first.setdefault(line.result, line.row) != line.row:
            message = f"与第 {first[line.result]} 行是同一成果，请删去重复的一行。"
            yield Fault(line.row, "成果编码", "assessment.repeated_row", line.result[:40], message)
