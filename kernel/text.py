"""
Text 文字: normalised once at the door, so that what looks the same is the same (R41).

Names lose what cannot be seen (bidi marks, zero-width characters); ids that carry such characters are refused,
because an id that looks like another is an attack. Characters outside the basic plane (𠮷, 䶮) are characters
like others: GB 18030-2022 demands them in names of persons and places.
"""

import re
import unicodedata
from contextlib import suppress

from kernel.errors import Invalid

# Zero-width, bidi and other format characters; variation selectors stay, they choose forms of Han characters.
_UNSEEN = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/\-]*\Z")


def composed(text: str) -> str:
    """The text in NFC: the same characters typed on another device are the same text."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def visible(text: str) -> str:
    """The text in NFC without what cannot be seen; nothing else is changed, nothing refused."""
    return text if text.isascii() else unicodedata.normalize("NFC", _UNSEEN.sub("", text))


def one_line(text: str) -> str:
    """A name as it is compared and kept: visible, on one line, without outer or doubled spaces."""
    return composed(" ".join(visible(text).split()))


def has_unseen(text: str) -> bool:
    """Whether the text carries what cannot be seen or turns the direction of writing."""
    return _UNSEEN.search(text) is not None


def has_controls(text: str) -> bool:
    """Whether the text carries NUL, lone surrogates or controls other than tab and line ends."""
    return _CONTROLS.search(text) is not None


def has_foreign_digits(text: str) -> bool:
    """Whether the text carries digits of other scripts or widths, which look like 0-9 and are not (R40)."""
    return not text.isascii() and any(unicodedata.category(c) == "Nd" and not c.isascii() for c in text)


def has_undefined(text: str) -> bool:
    """Whether the text carries code points that are no characters, or private ones that only the sender can read."""
    return not text.isascii() and any(unicodedata.category(c) in ("Cs", "Cn", "Co") for c in text)


def decoded(content: bytes, *, code: str) -> str:
    """A file in UTF-8 (with or without mark) or GB 18030 as visible text; raises Invalid with `code`."""
    for encoding in ("utf-8-sig", "gb18030"):
        with suppress(UnicodeDecodeError):
            return visible(content.decode(encoding))
    raise Invalid("文件编码无法识别，请另存为 UTF-8 后重新上传。", code=code)


def clean_text(text: str, *, max_characters: int, max_bytes: int = 0) -> str:
    """
    Free text in NFC, line ends as LF; refuses control characters and lone surrogates.

    `max_characters` counts code points; `max_bytes` those of UTF-8, four a character unless set.
    """
    if has_controls(text):
        raise Invalid("文字中含有不可用的控制字符。", code="platform.bad_character")
    normal = composed(text.replace("\r\n", "\n"))
    if len(normal) > max_characters or len(normal.encode()) > (max_bytes or 4 * max_characters):
        raise Invalid(f"文字超过 {max_characters} 个字符，请缩短后再提交。", code="platform.text_too_long")
    return normal


def clean_name(text: str, *, max_characters: int = 200) -> str:
    """A name or title on one line; refuses one of which nothing can be seen."""
    name = one_line(clean_text(text, max_characters=max_characters))
    if not name:
        raise Invalid("名称不能为空，请填写后再提交。", code="platform.empty_name")
    return name


def clean_id(text: str, *, max_characters: int = 100) -> str:
    """An id as it is, or Invalid: ASCII letters, digits and . _ / - only, nothing is repaired."""
    if len(text) > max_characters or not _ID.match(text):
        raise Invalid(
            "编号只能由字母、数字和 . _ / - 组成，不得含有不可见字符或全角字符。", code="platform.bad_id"
        )
    return text
