"""
Scan of a sheet's raw XML while it is inflated, before any parser sees it.

Two purposes. What a reader of the sheet would not see: formulas (their cached values are not believed), merged
cells, hidden rows (R48). And what would hurt: a parser lays a sheet out as a full rectangle, so two cells at
opposite corners cost gigabytes; cells without coordinates could be pushed anywhere. Rows and columns are
therefore bounded here, at the speed of regular expressions over bytes.
"""

import re
from dataclasses import dataclass, field

from kernel.errors import TooLarge
from kernel.files.package import Package

MAX_ROWS = 100_000
MAX_COLUMNS = 64

_MOST_NAMED = 20
_MOST_BUFFERED = 1024 * 1024
_HEADROOM = 19  # title and header rows above the data
_R = rb"\br\s*=\s*[\"']"
_ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_PLACED = re.compile(rb"<(?:\w+:)?c\s[^>]*?" + _R + rb"[A-Z]{1,3}[1-9]\d{0,6}[\"']")
_FAR_DOWN = re.compile(
    _R + rb"[A-Z]{0,3}(?:\d{7,}|[2-9]\d{5}|1[1-9]\d{4}|10[1-9]\d{3}|100[1-9]\d{2}|1000[2-9]\d)[\"']"
)
_FAR_RIGHT = re.compile(_R + rb"(?:[A-Z]{3}|[C-Z][A-Z]|B[M-Z])\d+[\"']")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_FORMULA_AT = re.compile(
    rb"<(?:\w+:)?c\s[^>]*?" + _R + rb"([A-Z]{1,3}\d{1,7})[\"'][^>]*>\s*<(?:\w+:)?f[\s/>]"
)
_HIDDEN_ROW = re.compile(
    rb"<(?:\w+:)?row\s(?=[^>]*\bhidden\s*=\s*[\"'](?:1|true))[^>]*?" + _R + rb"(\d{1,7})"
)
_MERGED = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^>]*?\bref\s*=\s*[\"']([A-Z]{1,3}\d{1,7}(?::[A-Z]{1,3}\d{1,7})?)[\"']"
)


@dataclass(slots=True)
class Oddities:
    """What the scan of one sheet found, by cell or row; the first twenty of each."""

    formulas: list[str] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    rows: int = 0


def scan(package: Package, part: str) -> Oddities:
    """Inflate and scan one sheet. Raises Invalid, TooLarge."""
    found = Oddities()
    waiting = b""

    def look(piece: bytes) -> None:
        nonlocal waiting
        waiting += piece
        whole = _whole_rows(waiting)
        _take(package, found, waiting[:whole])
        waiting = waiting[whole:]

    package.inflate(part, look)
    _take(package, found, waiting)
    return found


def _whole_rows(text: bytes) -> int:
    """Where the last row begins that may not be complete; a row that never ends is cut between two cells."""
    end = text.rfind(b"row>") + 4
    if end > 4:
        return end
    return text.rfind(b"c>") + 2 if len(text) > _MOST_BUFFERED else 0


def _take(package: Package, found: Oddities, text: bytes) -> None:
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise package.unsafe("文件含有文档类型定义，未予读取，请用 Excel 重新保存后上传。")
    found.rows += sum(1 for _ in _ROW.finditer(text))
    if found.rows > MAX_ROWS + _HEADROOM or _FAR_DOWN.search(text):
        message = f"超过 {MAX_ROWS} 行（可能是只有格式的空行），请删除多余的行或拆分后上传。"
        raise TooLarge(message, code=f"{package.area}.too_many_rows")
    if _FAR_RIGHT.search(text):
        message = f"第 {MAX_COLUMNS} 列之后还有单元格（可能只有格式），请删除多余的列后上传。"
        raise TooLarge(message, code=f"{package.area}.too_many_columns")
    if len(_CELL.findall(text)) != len(_PLACED.findall(text)):
        raise package.unsafe("工作表中有单元格缺少坐标，请用 Excel 或 WPS 重新保存后上传。")
    _note(found, text)


def _note(found: Oddities, text: bytes) -> None:
    if _FORMULA.search(text):
        places = _first(_FORMULA_AT, text, found.formulas) or ([] if found.formulas else [""])
        found.formulas.extend(places)
    found.merged.extend(_first(_MERGED, text, found.merged))
    found.hidden_rows.extend(int(row) for row in _first(_HIDDEN_ROW, text, found.hidden_rows))


def _first(pattern: re.Pattern[bytes], text: bytes, known: list[str] | list[int]) -> list[str]:
    matches = pattern.finditer(text)
    room = _MOST_NAMED - len(known)
    return [match.group(1).decode() for _, match in zip(range(room), matches, strict=False)]
