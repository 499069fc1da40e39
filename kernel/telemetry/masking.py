"""
Masking: what must never be read in a log, whoever wrote the line (R52).

By type first: bytes and objects are named, not shown, and a field whose name says secret is starred whole. Then
by form, as a net below: identity numbers with a right check digit, mobile numbers, tokens, passwords in URLs.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

MAX_VALUE_CHARACTERS = 500
MAX_ITEMS = 20
STARS = "***"
SECRET_WORDS = (
    "password",
    "secret",
    "token",
    "authorization",
    "cookie",
    "phone",
    "id_number",
    "private",
    "body",
)

_FORMS = (
    re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),  # user:password in a URL
    re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"),  # a signed token
    re.compile(r"(?i)\bbearer\s+\S+"),
    re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)"),  # a mobile number
    re.compile(r"(?:DETAIL|CONTEXT):.*?(?=\\n|\n|\Z)"),  # where PostgreSQL repeats the row
)
_IDENTITY = re.compile(r"(?<![0-9A-Za-z])[1-9]\d{16}[\dXx](?![0-9A-Za-z])")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
# JSON escapes what is below a space; these steer terminals and readers all the same.
_STEERING = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def shown(name: str, value: Any) -> Any:
    """A field of a log line as it may be written."""
    if any(word in name.lower() for word in SECRET_WORDS):
        return STARS
    return _plain(value)


def masked(text: str) -> str:
    """Text without tokens, passwords, identity and mobile numbers, and without steering characters."""
    for form in _FORMS:
        text = form.sub(STARS, text)
    text = _IDENTITY.sub(lambda found: STARS if _is_identity_number(found[0]) else found[0], text)
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return STARS if masked(str(value)) == STARS else value
    if isinstance(value, (str, date, Decimal)):
        value = str(value)
        text = masked(value[: 2 * MAX_VALUE_CHARACTERS])
        return text if len(text) <= MAX_VALUE_CHARACTERS else text[:MAX_VALUE_CHARACTERS] + "…"
    if isinstance(value, Mapping):
        return {str(key): shown(str(key), entry) for key, entry in list(value.items())[:MAX_ITEMS]}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(entry) for entry in list(value)[:MAX_ITEMS]]
    return f"<{type(value).__name__}>"


def _is_identity_number(text: str) -> bool:
    """Whether the check character is right (GB 11643-1999); counters of 18 digits seldom are."""
    rest = sum(int(digit) * weight for digit, weight in zip(text[:17], _WEIGHTS, strict=True)) % 11
    return "10X98765432"[rest] == text[17].upper()
