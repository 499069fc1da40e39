"""
Text 文字: normalised once at the door, so that what looks the same is the same (R41).

Names lose what cannot be seen (bidi marks, zero-width characters); ids that carry such characters are refused,
because an id that looks like another is an attack. Characters outside the basic plane (𠮷, 䶮) are characters
like others: GB 18030-2022 demands them in names of persons and places.
"""

import re
import unicodedata

from kernel.errors import Invalid

# Zero-width, bidi and other format characters; variation selectors stay, they choose forms of Han characters.
_UNSEEN = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/\-]*\Z")


def clean_text(text: str, *, max_characters: int, max_bytes: int = 0) -> str:
    """
    Free text in NFC, line ends as LF; refuses control characters and lone surrogates.

    `max_characters` counts code points; `max_bytes` those of UTF-8, four a character unless set.
    """
    if _CONTROLS.search(text):
        raise Invalid("文字中含有不可用的控制字符。", code="platform.bad_character")
    normal = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    if len(normal) > max_characters or len(normal.encode()) > (max_bytes or 4 * max_characters):
        raise Invalid(f"文字超过 {max_characters} 个字符，请缩短后再提交。", code="platform.text_too_long")
    return normal


def clean_name(text: str, *, max_characters: int = 200) -> str:
    """A name or title on one line: NFC, nothing unseen, no outer or doubled spaces."""
    seen = _UNSEEN.sub("", clean_text(text, max_characters=max_characters))
    return unicodedata.normalize("NFC", " ".join(seen.split()))


def clean_id(text: str, *, max_characters: int = 100) -> str:
    """An id as it is, or Invalid: ASCII letters, digits and . _ / - only, nothing is repaired."""
    if len(text) > max_characters or not _ID.match(text):
        raise Invalid(
            "编号只能由字母、数字和 . _ / - 组成，不得含有不可见字符或全角字符。", code="platform.bad_id"
        )
    return text
