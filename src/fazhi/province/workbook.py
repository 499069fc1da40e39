"""
Case files as bytes: CSV as offices save it and XLSX, the same bytes for the same rows.

A workbook is packed again without compression and with one fixed time, so neither the day nor the machine's
zlib shows in it.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime

import xlsxwriter

from fazhi.province.records import Row

_EPOCH = datetime(2026, 1, 1)  # noqa: DTZ001 - a workbook's properties know no zone
_ZIP_TIME = (2026, 1, 1, 0, 0, 0)
Cell = str | int | float


def csv_bytes(headers: Sequence[str], rows: Iterable[Row], encoding: str = "utf-8-sig") -> bytes:
    """RFC 4180 with a byte-order mark, as spreadsheets want it; GBK replaces what it cannot write."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, headers, restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding, errors="replace")


def xlsx_bytes(headers: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """One sheet; text stays text, numbers become numbers only where the caller hands in numbers."""
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, {"in_memory": True})
    book.set_properties({"created": _EPOCH, "author": "", "comments": ""})
    sheet = book.add_worksheet("案件")
    for column, header in enumerate(headers):
        sheet.write_string(0, column, header)
    for line, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(line, column, cell)
            else:
                sheet.write_number(line, column, cell)
    book.close()
    return _repacked(packed.getvalue())


def _repacked(packed: bytes) -> bytes:
    plain = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as source, zipfile.ZipFile(plain, "w") as target:
        for name in sorted(source.namelist()):
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.create_system = 3
            target.writestr(entry, source.read(name), zipfile.ZIP_STORED)
    return plain.getvalue()
