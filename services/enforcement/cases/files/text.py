"""
Text tables: CSV as Excel, WPS and old systems write it, in whatever encoding they use.

UTF-8, UTF-8 with BOM, UTF-16 with BOM and GB18030 (with it GBK and GB2312) are told apart by decoding, not by
guessing: UTF-8 is strict enough to refuse GBK. What no encoding can read is replaced and said so, so that no
file is refused for its encoding alone.
"""

import codecs
import csv
import io
from collections.abc import Iterator

from kernel.errors import Invalid

_STEP = 64 * 1024
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DELIMITERS = (",", "\t", ";", "，")


def encoding_of(data: bytes) -> tuple[str, bool]:
    """The encoding of a text, and whether it reads without loss."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name, _decodes(data, name)
    for name in ("utf-8", "gb18030"):
        if _decodes(data, name):
            return name, True
    return "gb18030", False


def read_text(data: bytes, encoding: str) -> Iterator[tuple[int, list[object]]]:
    """(row number, cells) of a text table; the number is that of the line a row begins on."""
    with io.TextIOWrapper(io.BytesIO(data), encoding, errors="replace", newline="") as lines:
        delimiter = _delimiter(lines.readline())
        lines.seek(0)
        reader = csv.reader(lines, delimiter=delimiter)
        number = 1
        try:
            for cells in reader:
                yield number, list(cells)
                number = reader.line_num + 1
        except csv.Error as broken:
            raise Invalid(
                f"第 {number} 行引号不配对或单元格过大，请核对后重新导出。", code="enforcement.broken_csv"
            ) from broken


def _decodes(data: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(data), _STEP):
            decoder.decode(data[start : start + _STEP])
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _delimiter(line: str) -> str:
    counts = {mark: line.count(mark) for mark in _DELIMITERS}
    return max(_DELIMITERS, key=lambda mark: counts[mark])
