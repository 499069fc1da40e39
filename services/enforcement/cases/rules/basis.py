"""
Cited bases 依据: 《行政处罚法》第五十七条 into document and article, the way people write them.

Several articles may follow one title (第三十四条、第三十六条, 第三十四、三十六条), paragraphs and items are kept out:
the article is what can be looked up. The long form 中华人民共和国 of a title is the same law.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_TITLE = re.compile(r"《((?:[^《》]|《[^《》]*》){2,150})》([^《]*)")
_NUMBER = r"(?:[零〇一二三四五六七八九十百千两]+|\d+)"
_ARTICLES = re.compile(
    rf"第\s*({_NUMBER}(?:\s*[、,，和及至]\s*第?\s*{_NUMBER})*)\s*条(?:之([一二三四五六七八九十]))?"
)
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_INNER_MARKS = str.maketrans("《》<>", "〈〉〈〉")
_VERSION = re.compile(r"[（(][^（）()]{0,30}(?:修订|修正|修改|年|版)[^（）()]{0,20}[）)]$")


@dataclass(frozen=True, slots=True)
class Cited:
    """One cited article; `article` empty when only the document is named."""

    document: str
    article: str
    number: int = 0


def parse_bases(text: str) -> tuple[Cited, ...]:
    """Every cited article in order, without repeats; empty when nothing can be recognised."""
    return tuple(dict.fromkeys(_found(text)))


def title_of(document: str) -> str:
    """A title as it is compared: width, blanks and the kind of its inner marks do not matter."""
    title = re.sub(r"\s", "", unicodedata.normalize("NFKC", document)).translate(_INNER_MARKS)
    return _VERSION.sub("", title).removeprefix("中华人民共和国").replace("〈中华人民共和国", "〈")


def _found(text: str) -> Iterator[Cited]:
    for title, rest in _TITLE.findall(text):
        articles = _ARTICLES.findall(rest)
        for numbers, branch in articles:
            *others, last = re.findall(_NUMBER, numbers)
            for number in others:
                yield Cited(title_of(title), f"第{number}条", article_number(number))
            label = f"第{last}条" + (f"之{branch}" if branch else "")
            yield Cited(title_of(title), label, article_number(last))
        if not articles:
            yield Cited(title_of(title), "")


def article_number(text: str) -> int:
    """一百零七 or 107 as a number; 0 when it is none."""
    if text.isdecimal():
        return int(text)
    total, current = 0, 0
    for character in text:
        if character in _UNITS:
            total += (current or 1) * _UNITS[character]
            current = 0
        elif character in _DIGITS:
            current = _DIGITS[character]
        else:
            return 0
    return total + current
