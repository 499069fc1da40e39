"""
Reading: bytes of one uploaded file into text, or a refusal that says what to do.

Legal texts arrive from word processors of three decades, so UTF-8, UTF-16 with a mark and GB18030 (which
covers GBK and GB2312) are read. What is no plain text, a DOCX or a PDF renamed to .md above all, is refused:
decoded as GB18030 it would become a page of rare characters that nobody would notice.
"""

import codecs

from kernel.errors import Invalid, TooLarge
from kernel.text import has_controls, visible

MOST_BYTES = 5_000_000
SUFFIXES = (".md", ".txt")

_MAGIC = {
    b"PK\x03\x04": "Word、WPS 或压缩文件",
    b"%PDF": "PDF 文件",
    b"\xd0\xcf\x11\xe0": "旧版 Word、WPS 文件",
    b"{\\rtf": "RTF 文件",
}
_MARKED = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_text(name: str, raw: bytes, *, most_bytes: int = MOST_BYTES) -> tuple[str, str]:
    """Text and the encoding it came in. Raises `Invalid` with a stable code for what cannot be a legal text."""
    if not name.lower().endswith(SUFFIXES):
        raise Invalid(
            "只接受 .md 或 .txt 文本文件，请另存为纯文本后再导入。", code="legislation.wrong_file_type"
        )
    if len(raw) > most_bytes:
        raise TooLarge(
            f"文件超过 {most_bytes // 1000} 千字节，请核对是否为单部法律文件。",
            code="legislation.file_too_large",
        )
    if not raw.strip():
        raise Invalid("文件没有内容，请重新取得文本。", code="legislation.empty_file")
    for magic, title in _MAGIC.items():
        if raw.startswith(magic):
            raise Invalid(
                f"这是{title}，不是纯文本；请另存为纯文本后再导入。", code="legislation.wrong_file_type"
            )
    text, encoding = _decoded(raw)
    if has_controls(text) or "\ufffd" in text:
        raise Invalid("文件不是文本，或已经损坏，请重新取得文本。", code="legislation.not_text")
    return visible(text).replace("\r\n", "\n"), encoding


def _decoded(raw: bytes) -> tuple[str, str]:
    for mark, encoding in _MARKED.items():
        if raw.startswith(mark):
            try:
                return raw.decode(encoding), encoding
            except UnicodeDecodeError as broken:
                raise _unreadable() from broken
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    try:
        text = raw.decode("gb18030")
    except UnicodeDecodeError as broken:
        raise _unreadable() from broken
    if not _looks_chinese(text):
        raise _unreadable()
    return text, "gb18030"


def _looks_chinese(text: str) -> bool:
    """Whether most characters beyond ASCII are of the 6,763 of GB2312: other bytes read as GB18030 are rare ones."""
    beyond = [char for char in text if not char.isascii() and not char.isspace()]
    common = 0
    for char in beyond:
        try:
            char.encode("gb2312")
        except UnicodeEncodeError:
            continue
        common += 1
    return bool(beyond) and common * 10 >= len(beyond) * 9


def _unreadable() -> Invalid:
    return Invalid(
        "无法识别文件编码，请另存为 UTF-8 或 GB18030（GBK）编码的文本后再导入。",
        code="legislation.unknown_encoding",
    )
