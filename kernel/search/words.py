"""
Words: the one meaning of "contains this phrase" that every search index shares.

Chinese is written without spaces, so a text is cut into units: one ideograph, one run of digits or one run
of other letters. An index holds single units and pairs of neighbouring units; a phrase is found where its
pairs stand one after the other, which is exact for any phrase, two-character words included, and needs no
dictionary. Punctuation is a unit of its own (a phrase does not reach across a comma); blanks are nothing.
Both indexes receive units that were cut here, so they cannot disagree: a bigram analyser inside a server
cuts "依照第60条" so that "第60条" is not found, because it forgets the single character at the end of a run.

Used by embedded.py and opensearch.py; the words shown between <em> marks are found here too.
"""

import html
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from kernel.text import visible

# Part of the name of every index: one that was cut by other rules is left alone, and a new one is built beside it.
VERSION = 1
LONGEST_UNIT = 64
PUNCTUATION = "¦"
PAIR = "_"

_IDEOGRAPH = r"〇々\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U000323af"
# An ideograph, digits, other letters, or what stands between words (the only one that does not begin with a letter).
_UNIT = re.compile(
    rf"[{_IDEOGRAPH}]|\d{{1,{LONGEST_UNIT}}}|[^\W\d_{_IDEOGRAPH}]{{1,{LONGEST_UNIT}}}|(?:[^\w\s]|_)+"
)
# Full-width forms stand for their ASCII neighbours; a drawn circle is how many old texts print zero.
_FOLD = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0x25CB: "〇"}


class Unit(NamedTuple):
    """One unit of a text: its folded form and where it stands."""

    word: str
    start: int
    end: int


def clean(text: str) -> str:
    """The text as it is kept: composed (NFC), without invisible characters and halves of surrogate pairs."""
    return visible(text.encode("utf-8", "replace").decode("utf-8"))


def units(text: str) -> Iterator[Unit]:
    """Cut a clean text. Folding keeps every character in its place, so positions are those of the text."""
    for match in _UNIT.finditer(_fold(text)):
        yield Unit(_word(match[0]), match.start(), match.end())


def cut(text: str) -> list[str]:
    """The words of the units of a clean text, without their places: what an index needs, twice as fast."""
    return [_word(found) for found in _UNIT.findall(_fold(text))]


def singles(words: Sequence[str]) -> str:
    """What the index of single units receives: every unit once, separated by blanks."""
    return " ".join(dict.fromkeys(words))


def pairs(words: Sequence[str]) -> str:
    """What the index of pairs receives: each unit with its right neighbour, in order."""
    return " ".join(first + PAIR + second for first, second in pairwise(words))


def phrases(query: str) -> list[tuple[str, ...]]:
    """What a person typed, as phrases that must all be present: blanks separate them."""
    found = []
    for part in clean(query).split():
        words = cut(part)
        while words and words[0] == PUNCTUATION:
            words.pop(0)
        while words and words[-1] == PUNCTUATION:
            words.pop()
        if words:
            found.append(tuple(words))
    return list(dict.fromkeys(found))


def places(text: str, wanted: Sequence[tuple[str, ...]]) -> list[tuple[int, int]]:
    """Where the phrases stand in a clean text, from left to right, overlaps joined."""
    standing = list(units(text))
    words = [unit.word for unit in standing]
    spans = []
    for phrase in wanted:
        width = len(phrase)
        for at, word in enumerate(words):
            if word == phrase[0] and tuple(words[at : at + width]) == phrase:
                spans.append((standing[at].start, standing[at + width - 1].end))
    return _joined(spans)


def snippet(text: str, wanted: Sequence[tuple[str, ...]], *, width: int = 120) -> str:
    """About `width` characters around the first place found, as safe HTML with the places in <em>."""
    spans = places(text, wanted)
    first = spans[0][0] if spans else 0
    start = max(0, first - width // 4)
    stop = min(len(text), start + width)
    pieces = ["…"] if start else []
    at = start
    for left, right in spans:
        if right > stop:
            break
        pieces += [html.escape(text[at:left]), "<em>", html.escape(text[left:right]), "</em>"]
        at = right
    pieces.append(html.escape(text[at:stop]))
    if stop < len(text):
        pieces.append("…")
    return "".join(pieces)


def _word(found: str) -> str:
    return found if found[0].isalnum() else PUNCTUATION


def _fold(text: str) -> str:
    folded = text.translate(_FOLD)
    lowered = folded.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in folded)


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for left, right in sorted(spans):
        if joined and left < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(right, joined[-1][1]))
        else:
            joined.append((left, right))
    return joined
