"""
Effect: from which day a version applies, which titles it repeals, and what follows for its status.

The day is taken from the text where the text says it ("自2021年7月15日起施行"). An amended text still carries the day on
which its first version came into force; then the version applies from its own date, as amending decisions do
unless they say otherwise, and the source says that this was assumed (行政法规制定程序条例 Art. 29: promulgation and
effect are normally thirty days apart, so the assumption matters and stays visible).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol

from services.legislation.documents.rules.articles import Article, Body
from services.legislation.documents.rules.heading import Heading, find_date
from services.legislation.documents.rules.names import NUMBER, number, title_key

_ON_DAY = re.compile(
    r"自\s*([0-9０-９〇○零一二三四五六七八九十]{1,4}\s*年[\s0-9０-９一二三四五六七八九十]+月[\s0-9０-９一二三四五六七八九十]+日)"
    r"\s*起?(?:施行|生效|实施|执行)"
)
_ON_PROMULGATION = re.compile(
    rf"自?(?:公布|发布|颁布|批准)之日(?:起)?(?:满?(?P<days>{NUMBER})[日天]后)?(?:施行|生效|实施|执行)"
)
_REPEAL = re.compile(
    r"(?P<titles>(?:《[^《》]+(?:〈[^〈〉]*〉[^《》]*)?》(?:(?!《)[^。；]){0,60}?)+)(?:都|均)?(?:同时|即行|相应)(?:予以)?废止"
)
# A first act longer before the version than this belongs to an earlier version of the text.
_PASSING_TO_PROMULGATION = timedelta(days=366)
_TITLE = re.compile(r"《([^《》]+)》(?![^《》。；]{0,6}第[^《》。；]{1,12}[条款章])")


class Status(StrEnum):
    """Status of a version on a day 时效性; the value is the stable code."""

    IN_FORCE = "in_force"  # 现行有效
    NOT_YET = "not_yet"  # 尚未施行
    AMENDED = "amended"  # 已被修改
    REPEALED = "repealed"  # 已废止
    REFERENCE = "reference"  # 参考 (cases)

    @property
    def term(self) -> str:
        """Chinese term shown to people."""
        return _STATUS_TERMS[self]


_STATUS_TERMS = {
    Status.IN_FORCE: "现行有效",
    Status.NOT_YET: "尚未施行",
    Status.AMENDED: "已被修改",
    Status.REPEALED: "已废止",
    Status.REFERENCE: "参考",
}


@dataclass(frozen=True, slots=True)
class Effect:
    """Day from which a version applies; `assumed` when the text does not say it for this version."""

    on: date
    assumed: bool


class Dated(Protocol):
    """What the choice of a version needs to know of it."""

    @property
    def version_on(self) -> date | None: ...

    @property
    def effective_on(self) -> date | None: ...


def read_effect(version_on: date, heading: Heading, body: Body) -> Effect:
    """When the version of that day applies from."""
    if heading.effective_on and heading.effective_on >= version_on:
        return Effect(heading.effective_on, assumed=False)
    amended = bool(heading.acts) and version_on - heading.acts[0].on > _PASSING_TO_PROMULGATION
    for article in reversed(body.articles):
        stated = _ON_DAY.search(article.text)
        day = find_date(stated[1]) if stated else None
        if day is not None:
            return Effect(day, assumed=False) if day >= version_on else Effect(version_on, assumed=True)
        after = _ON_PROMULGATION.search(article.text)
        if after and "行政法规应当" not in article.text:
            days = 0 if amended else number(after["days"] or "0") or 0
            return Effect(version_on + timedelta(days=days), assumed=amended)
    return Effect(version_on, assumed=amended or not heading.effective_on_promulgation)


def repealed_titles(articles: Iterable[Article], *, besides: str) -> tuple[str, ...]:
    """Titles that the text repeals as a whole ("《……》同时废止"); its own earlier self is not among them."""
    found: dict[str, str] = {}
    for article in articles:
        for match in _REPEAL.finditer(article.text):
            for title in _TITLE.findall(match["titles"]):
                found.setdefault(title_key(title), title)
    found.pop(title_key(besides), None)
    return tuple(found.values())


def in_force_on(versions: Iterable[Dated], day: date) -> Dated | None:
    """The version that applies on a day: of those already in effect the one that took effect last."""
    begun = [one for one in versions if one.effective_on is not None and one.effective_on <= day]
    return max(begun, key=lambda one: (one.effective_on or day, one.version_on or day), default=None)


def status_on(version: Dated, versions: Sequence[Dated], day: date, repealed_on: date | None) -> Status:
    """Status of one version among all versions of its document, on a day."""
    if version.version_on is None or version.effective_on is None:
        return Status.REFERENCE
    if version.effective_on > day:
        return Status.NOT_YET
    if in_force_on(versions, day) is not version:
        return Status.AMENDED
    return Status.REPEALED if repealed_on is not None and repealed_on <= day else Status.IN_FORCE
