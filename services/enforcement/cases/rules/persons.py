"""
Natural persons 自然人 in case files: what is dropped or masked before anything is stored (个人信息保护法 Art. 6).

The platform judges organs, not persons: it needs neither their number nor their full name.
"""

import re
from datetime import date

_ID = re.compile(r"(?<![0-9A-Za-z])([1-9]\d{5})((?:18|19|20)\d{2})(\d{2})(\d{2})\d{3}[0-9Xx](?![0-9A-Za-z])")
_PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_COMPOUND = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "令狐",
    "司徒",
    "司空",
    "夏侯",
)


def is_id_number(text: str) -> bool:
    """Whether this is a well-formed citizen number 公民身份号码 (GB 11643-1999)."""
    match = _ID.fullmatch(text)
    return match is not None and _is_real(match)


def mask_numbers(text: str) -> str:
    """The text with citizen numbers and mobile numbers made unreadable."""
    text = _ID.sub(lambda match: "（身份证号已隐去）" if _is_real(match) else match.group(), text)
    return _PHONE.sub("（手机号已隐去）", text)


def mask_name(name: str) -> str:
    """The surname with 某某, as penalty decisions are published."""
    surname = name[:2] if name.startswith(_COMPOUND) else name[:1]
    return surname + "某某"


def _is_real(match: re.Match[str]) -> bool:
    digits = match.group()
    try:
        date(int(match.group(2)), int(match.group(3)), int(match.group(4)))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=False))
    return _CHECKS[total % 11] == digits[-1].upper()
