"""
Names: one law has many spellings, and every spelling must lead to it.

"《中华人民共和国行政处罚法》", "行政处罚法" and "行政处罚法(2021年修订)" are one title; "第六十条之一", "第60条之1" and
"60-1" are one article. Titles are compared by key, articles by number and branch. Only spelling is decided
here, not which version is meant (versions.py).
"""

import re
import unicodedata
from dataclasses import dataclass

from kernel.text import visible

_DIGIT = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
_UNIT = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = "零〇○一二三四五六七八九十百千两"
# Some printed texts have a dash where the numeral one should stand: "第三十－条".
_DASHES = "－—–"

NUMBER = rf"[{_NUMERAL}{_DASHES}0-9０-９]+"

_MARKS = str.maketrans("", "", "《》〈〉<>「」“”\"'")
_EDITION = re.compile(r"\((?:[^()]*\d{4}[^()]*|修订|修正|修改|现行有效|已废止)\)$")
_ARTICLE = re.compile(
    rf"第?\s*(?P<number>{NUMBER})\s*条?(?:\s*(?:之|-)\s*(?P<branch>{NUMBER}))?"
    rf"(?:\s*第\s*(?P<paragraph>{NUMBER})\s*款)?(?:\s*第\s*\(?(?P<item>{NUMBER})\)?\s*项)?\s*\Z"
)
_LAST_ARTICLE = 9999


@dataclass(frozen=True, slots=True, order=True)
class ArticleRef:
    """Article as cited: 条 and 之N, perhaps 款 and 项; zero means that the citation does not go so deep."""

    number: int
    branch: int = 0
    paragraph: int = 0
    item: int = 0

    @property
    def key(self) -> str:
        """Stable key of the article without paragraph and item: "60", "60-1"."""
        return f"{self.number}-{self.branch}" if self.branch else str(self.number)

    @property
    def label(self) -> str:
        """Official spelling: "第六十条之一"."""
        label = f"第{numeral(self.number)}条"
        return f"{label}之{numeral(self.branch)}" if self.branch else label


def title_key(title: str) -> str:
    """What two spellings of one title have in common; never shown to anybody."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", visible(title))).translate(_MARKS)
    plain = _EDITION.sub("", plain)
    return plain.replace("中华人民共和国", "") or plain


def short_title(title: str) -> str:
    """The title as lawyers say it: 《中华人民共和国行政处罚法》 becomes 行政处罚法."""
    plain = title.strip().removeprefix("《").removesuffix("》") if title.count("《") == 1 else title.strip()
    return plain.removeprefix("中华人民共和国") or plain


def parse_article(text: str) -> ArticleRef | None:
    """Read an article as people cite it; None when it is not one."""
    match = _ARTICLE.match(unicodedata.normalize("NFKC", text).strip())
    if match is None:
        return None
    parts = [number(match[name]) if match[name] else 0 for name in ("number", "branch", "paragraph", "item")]
    if None in parts or not 1 <= (parts[0] or 0) <= _LAST_ARTICLE:
        return None
    return ArticleRef(*(part or 0 for part in parts))


def number(text: str) -> int | None:
    """Read a whole number in Chinese numerals or digits of either width; None when it is neither."""
    plain = unicodedata.normalize("NFKC", text)
    for dash in _DASHES + "-":
        plain = plain.replace(dash, "一")
    if plain.isascii() and plain.isdigit():
        return int(plain) if len(plain) <= 9 else None
    if not plain or any(char not in _DIGIT and char not in _UNIT for char in plain):
        return None
    if not any(char in _UNIT for char in plain):
        return int("".join(str(_DIGIT[char]) for char in plain)) if len(plain) <= 9 else None
    total = pending = 0
    for char in plain:
        if char in _DIGIT:
            pending = _DIGIT[char]
        else:
            total += (pending or 1) * _UNIT[char]
            pending = 0
    return total + pending


def numeral(value: int) -> str:
    """Write 1..9999 as articles are numbered: 110 is 一百一十, 16 is 十六, 308 is 三百零八."""
    digits = "零一二三四五六七八九"
    written = ""
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // unit % 10
        if digit:
            written += digits[digit] + name
        elif written and not written.endswith("零"):
            written += "零"
    written = written.rstrip("零")
    return written.removeprefix("一") if written.startswith("一十") else written
