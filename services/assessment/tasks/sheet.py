"""
The table of decomposition 任务分解表 as a workbook, out and in.

Only units, day and reason are read back; the other columns are there to be read by people. Formulas, merged cells,
hidden rows and sheets and codes that came as numbers are refused with their cells.
"""

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from kernel.errors import Invalid, Problem
from kernel.files.package import PackageLimits
from kernel.files.workbook import Workbook, open_workbook
from services.assessment.tasks.assigning import Assignment
from services.assessment.tasks.looking import TaskLine

LIMITS = PackageLimits(area="assessment")
SHEET = "任务分解"
PAST = "截至"  # in the name of the sheet of a past day, which is for looking at
MOST_ROWS = 2_000
NODE, LEAD, RESPONSIBLE, DUE, REASON = "任务编码", "牵头单位代码", "责任单位代码", "完成时限", "调整理由"
HEADERS = (
    NODE,
    "任务",
    "达到标准",
    "查验材料",
    LEAD,
    "牵头单位",
    RESPONSIBLE,
    "责任单位",
    DUE,
    "状态",
    REASON,
)
READ = (NODE, LEAD, RESPONSIBLE, DUE, REASON)
_SPLIT = re.compile(r"[；;，,、\s]+")


class TableHasFaults(Invalid):
    """A table of decomposition was read and refused; `problems` name cells."""

    code = "assessment.table_has_faults"
    message = "任务分解表有误，未作任何修改；请按提示逐格修改后重新上传。"


def table_workbook(lines: Iterable[TaskLine], note: str, as_of: date | None) -> bytes:
    """The table as a workbook, today's or a day's; every cell is text. `note`: who exported it and when, in the footer."""
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
        text, bold = (
            book.add_format({"num_format": "@", "text_wrap": True, "bold": on}) for on in (False, True)
        )
        day = f"{PAST} {as_of}" if as_of else ""
        sheet = book.add_worksheet(f"{SHEET} {day}".strip())
        sheet.set_footer(f"&L{f'{note}  {day}'.strip().replace('&', '&&')}")
        sheet.freeze_panes(1, 2)
        for column, header in enumerate(HEADERS):
            sheet.write_string(0, column, header, bold)
        sheet.set_column(0, len(HEADERS) - 1, 18, text)
        for number, line in enumerate(lines, 1):
            for column, cell in enumerate(_cells(line)):
                sheet.write_string(number, column, cell, text)
    return packed.getvalue()


def _cells(line: TaskLine) -> Sequence[str]:
    return (
        line.node,
        line.title,
        line.standard,
        "；".join(line.deliverables),
        line.lead[0],
        line.lead[1],
        "；".join(code for code, _ in line.responsible),
        "；".join(name for _, name in line.responsible),
        line.due_on.isoformat(),
        "已办结" if line.done else "逾期" if line.overdue else "办理中",
        "",
    )


def read_table(content: bytes) -> list[Assignment]:
    """The assignments in a workbook. Raises TableHasFaults, Invalid, TooLarge."""
    book = open_workbook(content, LIMITS)
    if PAST in book.sheet.name:
        message = "这是过去某日的任务分解表，只供查看；请下载现在的表格，修改后上传。"
        raise TableHasFaults(problems=[Problem(book.sheet.name, "past_table", message)])
    problems = _oddities(book)
    rows = list(book.rows())
    header = [str(cell).strip() for cell in rows[0][1]] if rows else []
    columns = {word: header.index(word) for word in READ if word in header}
    missing = [word for word in READ[:4] if word not in columns]
    if missing:
        raise TableHasFaults(
            problems=[
                Problem("第1行", "missing_column", f"缺少列“{word}”，请用导出的表格修改。")
                for word in missing
            ]
        )
    found: list[Assignment] = []
    for line, cells in rows[1 : MOST_ROWS + 2]:
        if any(str(cell).strip() for cell in cells):
            found.extend(_assignment(line, cells, columns, problems))
    if len(rows) > MOST_ROWS + 1:
        problems.append(Problem(f"第{MOST_ROWS + 2}行", "too_many_rows", f"最多 {MOST_ROWS} 行，请拆分。"))
    nodes = [one.node for one in found]
    problems += [
        Problem(one.place, "task_twice", f"任务 {one.node} 在表中出现多次，请只保留一行。")
        for number, one in enumerate(found)
        if one.node in nodes[:number]
    ]
    if problems:
        raise TableHasFaults(problems=problems)
    return found


def _oddities(book: Workbook) -> list[Problem]:
    odd = book.oddities
    return [
        *(Problem(cell, "formula", "此格是公式，请改为文字后上传。") for cell in odd.formulas),
        *(Problem(area, "merged", "请取消合并单元格，逐格填写。") for area in odd.merged),
        *(Problem(f"第{row}行", "hidden_row", "此行被隐藏，请取消隐藏或删除。") for row in odd.hidden_rows),
        *(Problem(name, "hidden_sheet", "此工作表被隐藏，请取消隐藏或删除。") for name in book.hidden_sheets),
    ]


def _assignment(
    line: int, cells: Sequence[object], columns: Mapping[str, int], problems: list[Problem]
) -> Iterable[Assignment]:
    before = len(problems)

    def text(word: str) -> str:
        column = columns.get(word, -1)
        cell = cells[column] if 0 <= column < len(cells) else ""
        if isinstance(cell, str):
            return cell.strip()
        message = "此格不是文本，表格软件可能已改动原值，请设为文本格式后重新填写。"
        problems.append(Problem(f"{xl_col_to_name(column)}{line}", "not_text", message))
        return ""

    node, lead = text(NODE), text(LEAD)
    responsible = tuple(part for part in _SPLIT.split(text(RESPONSIBLE)) if part)
    due_on = _day(cells, columns[DUE], line, problems)
    reason = text(REASON) if REASON in columns else ""
    for word, value in ((NODE, node), (LEAD, lead)):
        if not value and len(problems) == before:
            problems.append(
                Problem(f"{xl_col_to_name(columns[word])}{line}", "empty_cell", f"请填写“{word}”。")
            )
    if due_on is not None and len(problems) == before:
        yield Assignment(node, lead, responsible, due_on, reason[:500], f"第{line}行")


def _day(cells: Sequence[object], column: int, line: int, problems: list[Problem]) -> date | None:
    cell = cells[column] if column < len(cells) else ""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    try:
        return date.fromisoformat(str(cell).strip())
    except ValueError:
        problems.append(
            Problem(f"{xl_col_to_name(column)}{line}", "not_a_day", "请按 2026-11-30 的形式填写日期。")
        )
        return None
