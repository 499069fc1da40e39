"""
Limits on case files, kept before anything is parsed (R45, R46); those of the package are kernel.files.package's.

200 MB inflated, not the usual 100, so that a year of a large city (100,000 rows) fits as a workbook.
"""

from collections.abc import Iterator

from kernel.errors import TooLarge
from kernel.files.package import PackageLimits
from kernel.files.sheet_scan import MAX_COLUMNS, MAX_ROWS

MAX_FILE_BYTES = 20 * 1024 * 1024
PACKAGE = PackageLimits(inflated_bytes=200 * 1024 * 1024, area="enforcement")


class FileTooLarge(TooLarge):
    """The file passes a limit."""

    code = "enforcement.file_too_large"


def check_size(size: int) -> None:
    """Refuse files above 20 MB."""
    if size > MAX_FILE_BYTES:
        raise FileTooLarge(
            f"文件 {size / 1024 / 1024:.1f} MB，超过 {MAX_FILE_BYTES // 1024 // 1024} MB 的上限，请按月份或单位拆分后上传。"
        )


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
