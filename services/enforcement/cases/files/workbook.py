"""
Workbooks: XLSX through python-calamine, after the package has been checked and its sheets have been scanned.

Formulas are refused, their cached values are not believed; merged cells and hidden rows are faults, because a
reader sees something else than what is stored (R48). The scan reads the raw XML while it is inflated and
counted, so a sheet is never parsed before its true size is known.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

import python_calamine as calamine

from kernel.errors import Invalid
from services.enforcement.cases.files.limits import (
    MAX_ROWS,
    FileTooLarge,
    UnsafeFile,
    inflate,
    inflated,
    open_package,
)

_OVERLAP = 1024
_MOST_NAMED = 20
_FORMULA = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3}\d{1,7})"[^>]*>\s*<(?:\w+:)?f[\s/>]')
_ANY_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row\b(?=[^>]*\bhidden="(?:1|true)")[^>]*?\br="(\d{1,7})"')
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*?\bref="([A-Z]{1,3}\d{1,7}(?::[A-Z]{1,3}\d{1,7})?)"')


@dataclass(slots=True)
class Oddities:
    """What the scan of one sheet found, by cell or row."""

    formulas: list[str] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Workbook:
    """A checked workbook: its one visible sheet, what is odd about it, and which sheets are hidden."""

    sheet: "calamine.CalamineSheet"
    oddities: Oddities
    hidden_sheets: list[str]

    def rows(self) -> Iterator[tuple[int, list[object]]]:
        """(row number as Excel shows it, cells); merged and hidden are told apart by `oddities`."""
        first = (self.sheet.start or (0, 0))[0]
        left = (self.sheet.start or (0, 0))[1]
        empty: list[object] = [""] * left
        for index, cells in enumerate(self.sheet.iter_rows()):
            yield first + index + 1, [*empty, *cells]


def open_workbook(data: bytes) -> Workbook:
    """Check, scan and open a workbook. Raises Invalid, TooLarge."""
    with open_package(data) as package:
        sheets = _sheets(package, len(data))
        visible = [(name, part) for name, part, hidden in sheets if not hidden]
        if not visible:
            raise Invalid("工作簿没有可见的工作表。", code="enforcement.no_sheet")
        found = {part: _scan(package, part, len(data)) for _, part, _ in sheets}
        for entry in package.infolist():
            if entry.filename not in found and not entry.is_dir():
                inflate(package, entry.filename, len(data), _forget)
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        filled = [(name, part) for name, part in visible if book.get_sheet_by_name(name).height]
        if len(filled) > 1:
            names = "、".join(name for name, _ in filled)
            raise Invalid(f"有多个工作表有内容（{names}），请只保留一个后上传。", code="enforcement.many_sheets")
        name, part = filled[0] if filled else visible[0]
        sheet = book.get_sheet_by_name(name)
    except (calamine.CalamineError, ValueError, OSError) as broken:
        raise Invalid("文件无法按 .xlsx 读取，请用 Excel 或 WPS 重新保存后上传。", code="enforcement.broken_file") from broken
    if sheet.height > MAX_ROWS + 10:
        raise FileTooLarge(f"超过 {MAX_ROWS} 行，请按月份或单位拆分后上传。", code="enforcement.too_many_rows")
    return Workbook(sheet, found[part], [name for name, _, hidden in sheets if hidden])


def _sheets(package: zipfile.ZipFile, packed: int) -> list[tuple[str, str, bool]]:
    """(name, part, hidden) of every worksheet, in order."""
    try:
        book = _xml(inflated(package, "xl/workbook.xml", packed))
        relations = _xml(inflated(package, "xl/_rels/workbook.xml.rels", packed))
    except (KeyError, ET.ParseError) as broken:
        raise Invalid("文件不是 .xlsx 工作簿，请核对文件类型。", code="enforcement.wrong_file_type") from broken
    targets = {r.get("Id", ""): r.get("Target", "") for r in relations}
    sheets = []
    for sheet in book.iterfind(".//{*}sheet"):
        relation = next((value for name, value in sheet.attrib.items() if name.endswith("}id")), "")
        part = targets.get(relation, "")
        part = part.lstrip("/") if part.startswith("/") else f"xl/{part}"
        if "worksheets/" in part and part in package.namelist():
            sheets.append((sheet.get("name", ""), part, sheet.get("state", "visible") != "visible"))
    return sheets


def _xml(raw: bytes) -> ET.Element:
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise UnsafeFile("文件含有文档类型定义，未予读取，请用 Excel 重新保存后上传。")
    return ET.fromstring(raw)  # noqa: S314 - entities cannot be declared without the DTD refused above


def _scan(package: zipfile.ZipFile, part: str, packed: int) -> Oddities:
    found = Oddities()
    window = b""

    def look(piece: bytes) -> None:
        nonlocal window
        seen = len(window)
        window += piece
        if b"<!DOCTYPE" in window or b"<!ENTITY" in window:
            raise UnsafeFile("文件含有文档类型定义，未予读取，请用 Excel 重新保存后上传。")
        _collect(_FORMULA, window, seen, found.formulas)
        if not found.formulas and _ANY_FORMULA.search(window):
            found.formulas.append("")
        _collect(_MERGED, window, seen, found.merged)
        rows: list[str] = []
        _collect(_HIDDEN_ROW, window, seen, rows)
        found.hidden_rows.extend(int(row) for row in rows)
        window = window[-_OVERLAP:]

    inflate(package, part, packed, look)
    return found


def _collect(pattern: re.Pattern[bytes], window: bytes, seen: int, into: list[str]) -> None:
    """Matches that end in the new piece; those wholly inside the overlap were taken before."""
    for match in pattern.finditer(window):
        if match.end() > seen and len(into) < _MOST_NAMED:
            into.append(match.group(1).decode())


def _forget(_piece: bytes) -> None:
    """Counted, not kept."""
