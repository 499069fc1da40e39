"""
ZIP packages (OOXML, OFD) within limits, kept before anything is parsed (R46).

Sizes a ZIP declares are summed before inflating, and counted again while inflating, because declared sizes lie.
Packages with macros, external links, embedded objects, other archives, links or a password are refused.
"""

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import TracebackType

from kernel.errors import Invalid

_STEP = 256 * 1024
_RATIO_FROM_BYTES = 5 * 1024 * 1024
_FORBIDDEN = re.compile(
    r"vbaProject|externalLinks/|embeddings/|activeX/|"
    r"\.(?:zip|rar|7z|gz|bz2|xz|tar|jar|xls|xlsx|xlsm|xlsb|doc|docx|docm|ofd|exe|dll|js|vbs|bat|cmd|ps1|lnk)$",
    re.IGNORECASE,
)
_ARCHIVES = (b"PK\x03\x04", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\x00")
# All that Python's reader is known to raise over damaged packages.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip
_PROGRAMS = (b"MZ", b"\x7fELF", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True, slots=True)
class PackageLimits:
    """How much a package may hold; `area` begins the codes of its errors ("files.zip_bomb")."""

    inflated_bytes: int = 100 * 1024 * 1024
    ratio: int = 100
    entries: int = 1_000
    area: str = "files"


class Package:
    """A ZIP with its directory checked. Raises Invalid when it is damaged or carries what it must not."""

    def __init__(self, data: bytes, limits: PackageLimits) -> None:
        self._limits = limits
        self._packed = len(data)
        self._sizes: dict[str, int] = {}
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN as broken:
            raise self._broken("文件已损坏，无法打开，请重新导出后上传。") from broken
        self._check_directory()

    def __enter__(self) -> "Package":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    @property
    def area(self) -> str:
        """Where the codes of this package's errors begin."""
        return self._limits.area

    @property
    def names(self) -> list[str]:
        """The entries that are files, in order."""
        return [entry.filename for entry in self._zip.infolist() if not entry.is_dir()]

    def inflate(self, name: str, seen: Callable[[bytes], object]) -> int:
        """Inflate one entry piece by piece, counting; returns its true size. Raises when a limit passes."""
        size = 0
        try:
            with self._zip.open(name) as entry:
                while piece := entry.read(_STEP):
                    if not size:
                        self._check_head(piece)
                    size += len(piece)
                    self._sizes[name] = size
                    self._check_inflated(sum(self._sizes.values()))
                    seen(piece)
        except _BROKEN as broken:
            raise self._broken("文件已损坏，无法读取，请重新导出后上传。") from broken
        return size

    def inflated(self, name: str) -> bytes:
        """One whole entry, within the limits. Raises KeyError when there is none of this name."""
        pieces: list[bytes] = []
        self.inflate(name, pieces.append)
        return b"".join(pieces)

    def unsafe(self, message: str, code: str = "unsafe_file") -> Invalid:
        """The error of a package that carries what it must not."""
        return Invalid(message, code=f"{self._limits.area}.{code}")

    def _broken(self, message: str) -> Invalid:
        return self.unsafe(message, "broken_file")

    def _check_directory(self) -> None:
        entries = self._zip.infolist()
        if len(entries) > self._limits.entries:
            raise self.unsafe(f"压缩包内有 {len(entries)} 个文件，超过 {self._limits.entries} 个的上限。")
        if len({entry.filename for entry in entries}) < len(entries):
            raise self.unsafe("压缩包内有重名的文件，请重新保存后上传。")
        for entry in entries:
            name = entry.filename
            if name.startswith("/") or ".." in PurePosixPath(name).parts or "\\" in name or ":" in name:
                raise self.unsafe("压缩包内含有不安全的路径，请用 Office 或 WPS 重新保存后上传。")
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise self.unsafe("压缩包内含有链接，请用 Office 或 WPS 重新保存后上传。")
            if _FORBIDDEN.search(name):
                raise self.unsafe("文件含有宏、外部链接、嵌入对象或其他压缩包，请去除后重新保存再上传。")
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise self.unsafe("压缩方式不常见，请用 Office 或 WPS 重新保存后上传。")
            if entry.flag_bits & 1:
                raise self.unsafe("文件设有密码，请取消密码后上传。", "protected_file")
        self._check_inflated(sum(entry.file_size for entry in entries))

    def _check_head(self, head: bytes) -> None:
        if head.startswith(_ARCHIVES) or head.startswith(_PROGRAMS):
            raise self.unsafe("文件内夹带其他压缩包或程序，请去除后重新保存再上传。")

    def _check_inflated(self, size: int) -> None:
        limits = self._limits
        if size > limits.inflated_bytes or (size > _RATIO_FROM_BYTES and size > limits.ratio * self._packed):
            raise self.unsafe("文件解压后过大，疑似压缩炸弹，未予读取；请拆分或重新导出后上传。", "zip_bomb")
