"""
Limits on files, kept before anything is parsed (R45, R46).

Sizes a ZIP declares are summed before inflating, and counted again while inflating, because declared sizes lie.
200 MB inflated, not the usual 100, so that a year of a large city (100,000 rows) fits as a workbook.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from kernel.errors import Invalid, TooLarge

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_INFLATED_BYTES = 200 * 1024 * 1024
MAX_RATIO = 100
RATIO_FROM_BYTES = 5 * 1024 * 1024
MAX_ENTRIES = 1_000
MAX_ROWS = 100_000
MAX_COLUMNS = 64
_STEP = 256 * 1024
_FORBIDDEN = re.compile(
    r"vbaProject|externalLinks/|embeddings/|activeX/|\.(?:zip|xlsx|xlsm|docx|exe|dll|js)$", re.IGNORECASE
)


class FileTooLarge(TooLarge):
    """The file passes a limit."""

    code = "enforcement.file_too_large"


class UnsafeFile(Invalid):
    """The file carries what a list of cases has no use for."""

    code = "enforcement.unsafe_file"


def check_size(size: int) -> None:
    """Refuse files above 20 MB."""
    if size > MAX_FILE_BYTES:
        raise FileTooLarge(
            f"文件 {size / 1024 / 1024:.1f} MB，超过 {MAX_FILE_BYTES // 1024 // 1024} MB 的上限，请按月份或单位拆分后上传。"
        )


def open_package(data: bytes) -> zipfile.ZipFile:
    """The ZIP of a workbook with its directory checked. Raises Invalid."""
    try:
        package = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as broken:
        raise Invalid("文件已损坏，无法打开，请重新导出后上传。", code="enforcement.broken_file") from broken
    entries = package.infolist()
    if len(entries) > MAX_ENTRIES:
        raise UnsafeFile(f"压缩包内有 {len(entries)} 个文件，超过 {MAX_ENTRIES} 个的上限。")
    for entry in entries:
        name = entry.filename
        if name.startswith("/") or ".." in PurePosixPath(name).parts or "\\" in name or ":" in name:
            raise UnsafeFile("压缩包内含有不安全的路径，请用 Excel 重新保存后上传。")
        if _FORBIDDEN.search(name):
            raise UnsafeFile("文件含有宏、外部链接或嵌入对象，请另存为不含宏的 .xlsx 后上传。")
        if entry.flag_bits & 1:
            raise UnsafeFile("文件设有密码，请取消密码后上传。", code="enforcement.protected_file")
    _check_inflated(sum(entry.file_size for entry in entries), len(data))
    return package


def inflate(package: zipfile.ZipFile, name: str, packed: int, seen: Callable[[bytes], None]) -> int:
    """Inflate one entry piece by piece, counting; returns its true size. Raises when a limit passes."""
    size = 0
    try:
        with package.open(name) as entry:
            while piece := entry.read(_STEP):
                size += len(piece)
                _check_inflated(size, packed)
                seen(piece)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as broken:
        raise Invalid("文件已损坏，无法读取，请重新导出后上传。", code="enforcement.broken_file") from broken
    except Exception as broken:
        if type(broken).__module__ == "zlib":
            raise Invalid(
                "文件已损坏，无法读取，请重新导出后上传。", code="enforcement.broken_file"
            ) from broken
        raise
    return size


def inflated(package: zipfile.ZipFile, name: str, packed: int) -> bytes:
    """One whole entry, within the limits."""
    pieces: list[bytes] = []
    inflate(package, name, packed, pieces.append)
    return b"".join(pieces)


def limited(rows: Iterator[tuple[int, list[object]]]) -> Iterator[tuple[int, list[object]]]:
    """The rows, until there are too many of them or one is too wide."""
    for count, (number, cells) in enumerate(rows):
        if count > MAX_ROWS:
            raise FileTooLarge(
                f"超过 {MAX_ROWS} 行，请按月份或单位拆分后上传。", code="enforcement.too_many_rows"
            )
        if len(cells) > MAX_COLUMNS:
            raise FileTooLarge(
                f"第 {number} 行超过 {MAX_COLUMNS} 列，请核对文件。", code="enforcement.too_many_columns"
            )
        yield number, cells


def _check_inflated(size: int, packed: int) -> None:
    if size > MAX_INFLATED_BYTES or (size > RATIO_FROM_BYTES and size > MAX_RATIO * packed):
        raise UnsafeFile(
            "文件解压后过大，疑似压缩炸弹，未予读取；请拆分或重新导出后上传。", code="enforcement.zip_bomb"
        )
