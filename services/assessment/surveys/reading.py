"""Files of answers: CSV or XLSX as rows of text with their numbers; what cannot be read safely is refused."""

import csv
import io

from kernel.errors import Invalid, TooLarge
from kernel.files.intake import Kept
from kernel.files.package import PackageLimits
from kernel.files.workbook import open_workbook
from kernel.text import decoded

MOST_ROWS = 200_000
PACKAGE = PackageLimits(area="assessment")


def rows_of(content: bytes, kept: Kept) -> list[tuple[int, list[str]]]:
    """(row number, cells as text), the header first. Raises Invalid, TooLarge."""
    if kept.name.lower().endswith(".xlsx"):
        rows = _workbook(content)
    elif kept.name.lower().endswith(".csv"):
        rows = list(enumerate(csv.reader(io.StringIO(decoded(content, code="assessment.encoding"))), start=1))
    else:
        raise Invalid("答卷文件应为 .xlsx 或 .csv。", code="assessment.wrong_file_type")
    if len(rows) > MOST_ROWS:
        raise TooLarge(f"答卷超过 {MOST_ROWS} 份，请分成几个文件导入。", code="assessment.too_many_rows")
    return rows


def _workbook(content: bytes) -> list[tuple[int, list[str]]]:
    book = open_workbook(content, PACKAGE)
    odd = book.oddities
    for found, words in ((odd.formulas, "公式"), (odd.merged, "合并单元格"), (odd.hidden_rows, "隐藏行")):
        if found:
            raise Invalid(f"工作表中有{words}，请改为普通单元格后上传。", code="assessment.workbook_odd")
    if book.hidden_sheets:
        raise Invalid("工作簿中有隐藏的工作表，请删除后上传。", code="assessment.workbook_odd")
    return [(number, [_text(cell) for cell in cells]) for number, cells in book.rows()]


def _text(cell: object) -> str:
    """A cell as it reads; a number that Excel made of a code loses nothing below 15 digits."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
