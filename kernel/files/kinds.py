"""
Kinds of files that are let in 允许的文件类型: told by extension and by first bytes, which must agree (R45).

What is not in this list is refused; the real parse comes after (reading.py).
"""

from dataclasses import dataclass
from pathlib import PurePath

from kernel.errors import Invalid

ZIP = b"PK\x03\x04"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"


class WrongFileType(Invalid):
    """The file is of a kind that is not let in, or not of the kind its name says."""

    code = "files.wrong_file_type"
    message = "只接受 PDF、OFD、DOCX、XLSX、JPG、PNG、CSV 和 TXT 文件，请另存为其中一种后上传。"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its name, its media type, and the bytes such files begin with (none for text)."""

    name: str
    media_type: str
    magic: bytes = b""


KINDS = {
    kind.name: kind
    for kind in (
        Kind("pdf", "application/pdf", b"%PDF-"),
        Kind("ofd", "application/ofd", ZIP),
        Kind("docx", f"{_OFFICE}.wordprocessingml.document", ZIP),
        Kind("xlsx", f"{_OFFICE}.spreadsheetml.sheet", ZIP),
        Kind("jpg", "image/jpeg", b"\xff\xd8\xff"),
        Kind("png", "image/png", b"\x89PNG\r\n\x1a\n"),
        Kind("csv", "text/csv"),
        Kind("txt", "text/plain"),
    )
}
_ALSO = {"jpeg": "jpg"}


def kind_of(name: str, head: bytes) -> Kind:
    """The kind of a file by its name and first bytes. Raises WrongFileType when they do not agree."""
    extension = PurePath(name).suffix.lower().removeprefix(".")
    kind = KINDS.get(_ALSO.get(extension, extension))
    if kind is None:
        raise WrongFileType()
    if kind.magic and head.startswith(kind.magic):
        return kind
    if head.startswith(_OLD_OFFICE):
        raise WrongFileType("这是旧版 Office 文件或加密的文件，请另存为未加密的 .docx、.xlsx 或 PDF 后上传。")
    if kind.magic or any(other.magic and head.startswith(other.magic) for other in KINDS.values()):
        raise WrongFileType(f"文件内容与扩展名 .{extension} 不符，请核对后重新上传。")
    return kind
