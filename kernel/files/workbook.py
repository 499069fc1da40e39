"""
Workbooks: XLSX through python-calamine, after the package has been checked and its sheets have been scanned.

The order matters: the package's directory is checked, every entry is inflated and counted once, every sheet is
scanned (sheet_scan.py), and only then the parser sees the file. Error codes begin with the `area` of the limits.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import python_calamine as calamine

from kernel.errors import Invalid
from kernel.files.package import Package, PackageLimits
from kernel.files.sheet_scan import Oddities, scan


@dataclass(slots=True)
class Workbook:
    """A checked workbook: one visible sheet, what is odd about it, and which sheets are hidden."""

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


def open_workbook(data: bytes, limits: PackageLimits) -> Workbook:
    """Check, scan and open a workbook with one sheet that is filled. Raises Invalid, TooLarge."""
    sheets = open_sheets(data, limits)
    filled = {name: found for name, found in sheets.items() if found.sheet.height}
    if len(filled) > 1:
        raise Invalid(
            f"有多个工作表有内容（{'、'.join(filled)}），请只保留一个后上传。",
            code=f"{limits.area}.many_sheets",
        )
    return next(iter((filled or sheets).values()))


def open_sheets(data: bytes, limits: PackageLimits) -> dict[str, Workbook]:
    """Check, scan and open a workbook: every visible sheet by name, at least one. Raises Invalid, TooLarge."""
    with Package(data, limits) as package:
        sheets = _sheets(package)
        visible = [(name, part) for name, part, hidden in sheets if not hidden and "chartsheets/" not in part]
        if not visible:
            raise Invalid("工作簿没有可见的工作表。", code=f"{limits.area}.no_sheet")
        found = {part: scan(package, part) for _, part, _ in sheets}
        for name in package.names:
            if name not in found:
                package.inflate(name, _forget)
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        opened = {name: book.get_sheet_by_name(name) for name, _ in visible}
    except (calamine.CalamineError, ValueError, OSError) as broken:
        raise Invalid(
            "文件无法按 .xlsx 读取，请用 Excel 或 WPS 重新保存后上传。", code=f"{limits.area}.broken_file"
        ) from broken
    hidden_sheets = [name for name, _, hidden in sheets if hidden]
    return {name: Workbook(opened[name], found[part], hidden_sheets) for name, part in visible}


def _sheets(package: Package) -> list[tuple[str, str, bool]]:
    """(name, part, hidden) of every worksheet, in order."""
    try:
        book = _xml(package, "xl/workbook.xml")
        relations = _xml(package, "xl/_rels/workbook.xml.rels")
    except (KeyError, ET.ParseError) as broken:
        raise package.unsafe("文件不是 .xlsx 工作簿，请核对文件类型。", "wrong_file_type") from broken
    targets = {r.get("Id", ""): r.get("Target", "") for r in relations}
    sheets = []
    for sheet in book.iterfind(".//{*}sheet"):
        relation = next((value for name, value in sheet.attrib.items() if name.endswith("}id")), "")
        part = targets.get(relation, "")
        part = part.lstrip("/") if part.startswith("/") else f"xl/{part}"
        sheets.append((sheet.get("name", ""), part, sheet.get("state", "visible") != "visible"))
    entries = set(package.names)
    if len({name for name, _, _ in sheets}) < len(sheets) or any(
        part not in entries for _, part, _ in sheets
    ):
        raise package.unsafe("工作簿的目录有误，请用 Excel 或 WPS 重新保存后上传。", "broken_file")
    return sheets


def _xml(package: Package, part: str) -> ET.Element:
    raw = package.inflated(part)
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise package.unsafe("文件含有文档类型定义，未予读取，请用 Excel 重新保存后上传。")
    return ET.fromstring(raw)  # noqa: S314 - entities cannot be declared without the DTD refused above


def _forget(_piece: bytes) -> None:
    """Counted, not kept."""
