"""A file of any accepted kind as one table: told by extension and by its first bytes, which must agree (R45)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

from kernel.errors import Invalid
from kernel.files.sheet_scan import Oddities
from kernel.files.workbook import open_workbook
from services.enforcement.cases.files.limits import PACKAGE, check_size, limited
from services.enforcement.cases.files.text import encoding_of, read_text

_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
TEXT = (".csv", ".txt")


class WrongFileType(Invalid):
    """The file is of a kind that cannot carry cases."""

    code = "enforcement.wrong_file_type"
    message = "只接受 .csv 和 .xlsx 文件，请另存为其中一种后上传。"


@dataclass(slots=True)
class Table:
    """Rows with their numbers, and what the reporter should know about the file."""

    rows: Iterator[tuple[int, list[object]]]
    oddities: Oddities = field(default_factory=Oddities)
    hidden_sheets: list[str] = field(default_factory=list)
    encoding: str = ""
    is_lossless: bool = True


def open_table(data: bytes, name: str) -> Table:
    """The table in a file's bytes. Raises Invalid, TooLarge."""
    check_size(len(data))
    if not data.strip(b"\x00 \r\n\t\xef\xbb\xbf"):
        raise Invalid("文件是空的，请核对后上传。", code="enforcement.empty_file")
    extension = PurePath(name).suffix.lower()
    if extension == ".xls" or data.startswith(_OLD_EXCEL):
        raise WrongFileType("这是旧版 .xls 文件或加密的工作簿，请在 Excel 中另存为未加密的 .xlsx 后上传。")
    if data.startswith(_ZIP):
        if extension != ".xlsx":
            raise WrongFileType("文件内容与扩展名不符，请用 Excel 另存为 .xlsx 后上传。")
        book = open_workbook(data, PACKAGE)
        return Table(limited(book.rows()), book.oddities, book.hidden_sheets)
    if extension not in TEXT:
        raise WrongFileType()
    if b"\x00" in data and not data.startswith(_UTF16):
        raise WrongFileType("文件不是文本表格（含有二进制内容），请重新导出为 .csv 或 .xlsx。")
    encoding, lossless = encoding_of(data)
    return Table(limited(read_text(data, encoding)), encoding=encoding, is_lossless=lossless)
