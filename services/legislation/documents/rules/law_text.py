"""
Law text: one file in, one dated version of one document out - or a refusal with a stable reason.

Expected is the form of the public collection: "# title", dated lines, "<!-- INFO END -->", then chapters and
articles; a text without the marker is divided at its first chapter or article. What is only odd is kept as a note
on the version; what would make citations wrong (no text, no date, unknown kind) is refused.

Cases 案例 (rulings published for guidance) are documents without articles and without dates: their sections can
be searched and read, they are nobody's legal basis, and their status is "reference".
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath

from kernel.errors import Invalid
from services.legislation.documents.rules.articles import Article, Body, read_body
from services.legislation.documents.rules.effect import Effect, read_effect, repealed_titles
from services.legislation.documents.rules.heading import read_heading
from services.legislation.documents.rules.kinds import Kind, guess_kind
from services.legislation.documents.rules.names import NUMBER, short_title, title_key

_MARKER = re.compile(r"<!--\s*INFO END\s*-->")
_FILE_DATE = re.compile(r"[(（](\d{4})-(\d{2})-(\d{2})[)）]$")
_BODY_BEGINS = re.compile(rf"^(?:#+\s*)?第\s*{NUMBER}\s*(?:编|章|条)(?:\s|$)|^##")
_LONGEST_TITLE = 200
_STATE_COUNCIL = re.compile(r"国务院(?:、[^，。]{2,20}?)?(?:令|批准|发布|公布|第|$)|国务院关于修|政务院")
_RULE_NAMED_REGULATION = "规章的名称不得称“条例”（规章制定程序条例第七条），请核对文件种类"
_DEPARTMENTAL_ONLY = "标题下未见国务院批准或公布的记载，请核对文件种类"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What the place a file came from says about it: its kind, and its issuing body where the heading is silent."""

    kind: Kind | None = None
    issuing_body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LawText:
    """
    One dated version of one document, as read from one file.

    `version` is the day that names the version (YYYY-MM-DD, empty for cases); `effect` says from when it applies
    and how sure that is; `content_sha256` is over title, dates and articles, so re-saving a file in another
    encoding or with other line ends is the same content.
    """

    title: str
    kind: Kind
    issuing_body: str
    number: str
    passed_on: date | None
    promulgated_on: date | None
    version_on: date | None
    effect: Effect | None
    articles: tuple[Article, ...]
    repeals: tuple[str, ...]
    notes: tuple[str, ...]
    content_sha256: str

    @property
    def title_key(self) -> str:
        """What all spellings of the title share."""
        return title_key(self.title)

    @property
    def short_title(self) -> str:
        """The title without 中华人民共和国."""
        return short_title(self.title)

    @property
    def version(self) -> str:
        """Name of the version: its day, or nothing for a case."""
        return self.version_on.isoformat() if self.version_on else ""

    @property
    def numbered_articles(self) -> int:
        """How many articles 条 there are; zero for texts that are not divided into articles."""
        return sum(article.ref is not None for article in self.articles)


def parse_law(name: str, text: str, collection: Collection, *, version_on: date | None = None) -> LawText:
    """
    Read one text. `name` is its path in the collection; `version_on` overrides the date in the file name.

    Raises `Invalid` with code legislation.no_title, .bad_date, .date_missing, .kind_unknown or .empty_body.
    """
    title, above, below = _divided(text)
    heading = read_heading(above)
    body = read_body(title, below)
    if not body.articles:
        raise Invalid("只有标题，没有正文，请重新取得全文后再导入。", code="legislation.empty_body")
    kind = collection.kind or guess_kind(heading)
    if kind is None:
        raise Invalid("无法判断文件种类，请在导入时指明（如“行政法规”）。", code="legislation.kind_unknown")
    day = version_on or _day_in_name(name) or max((act.on for act in heading.acts), default=None)
    if kind is not Kind.CASE and day is None:
        raise Invalid(
            "文件名和标题下都没有日期，无法确定版本，请在文件名中注明，如“某某办法(2021-01-22).md”。",
            code="legislation.date_missing",
        )
    return LawText(
        title=title,
        kind=kind,
        issuing_body=heading.issuing_body or collection.issuing_body,
        number=heading.number,
        passed_on=heading.passed_on,
        promulgated_on=heading.promulgated_on,
        version_on=None if kind is Kind.CASE else day,
        effect=None if kind is Kind.CASE or day is None else read_effect(day, heading, body),
        articles=body.articles,
        repeals=repealed_titles(body.articles, besides=title),
        notes=(*body.notes, *_doubts(kind, title, heading.issuing_body, above)),
        content_sha256=_digest(title, above, day, body),
    )


def _divided(text: str) -> tuple[str, list[str], list[str]]:
    """Title, lines of the heading, lines of the body."""
    lines = [line.strip() for line in text.splitlines()]
    start = next((at for at, line in enumerate(lines) if line), 0)
    first_line = lines[start].lstrip("# ") if lines else ""
    title = re.sub(r"[\s\u3000]+", "", first_line)
    if not title or len(title) > _LONGEST_TITLE or _BODY_BEGINS.match(first_line):
        raise Invalid("第一行应是文件标题，请补上标题后再导入。", code="legislation.no_title")
    rest = lines[start + 1 :]
    marker = next((at for at, line in enumerate(rest) if _MARKER.fullmatch(line)), None)
    if marker is not None:
        return title, [line for line in rest[:marker] if line], rest[marker + 1 :]
    first = next((at for at, line in enumerate(rest) if _BODY_BEGINS.match(line)), 0)
    return title, [line for line in rest[:first] if line], rest[first:]


def _day_in_name(name: str) -> date | None:
    match = _FILE_DATE.search(PurePosixPath(name).stem)
    if match is None:
        return None
    try:
        return date(*map(int, match.groups()))
    except ValueError as impossible:
        raise Invalid(
            f"文件名中的日期 {match[0]} 不存在，请改正后再导入。", code="legislation.bad_date"
        ) from impossible


def _doubts(kind: Kind, title: str, body: str, above: Sequence[str]) -> list[str]:
    if kind in (Kind.DEPARTMENT_RULE, Kind.LOCAL_RULE) and title.endswith("条例"):
        return [_RULE_NAMED_REGULATION]
    national = body.startswith(("国务院", "政务院", "中共中央", "中央")) or not body
    approved = any(_STATE_COUNCIL.search(line) for line in above)
    return (
        [_DEPARTMENTAL_ONLY] if kind is Kind.ADMINISTRATIVE_REGULATION and not (national or approved) else []
    )


def _digest(title: str, above: Sequence[str], day: date | None, body: Body) -> str:
    hasher = hashlib.sha256(b"legislation/law-text/v1\n")
    for part in (title, day.isoformat() if day else "", *above):
        hasher.update(part.encode() + b"\n")
    for article in body.articles:
        hasher.update(f"{article.key}\n{article.chapter}\n{article.text}\n".encode())
    return hasher.hexdigest()
