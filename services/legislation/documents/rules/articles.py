"""
Articles: the body of a text into parts, chapters, sections and numbered articles.

An article opens a line with its number. A line that merely begins with a reference to an article ("第三条规定
的……") is told apart by sequence: numbers only rise. Texts without numbered articles (orders, plans, cases)
keep their sections as passages, so that they are found by search and can be read, but never cited as articles.
Everything behind the last article that is marked as an attachment stays one passage, whatever it numbers.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from services.legislation.documents.rules.names import NUMBER, ArticleRef, number, title_key

_DIVISION = re.compile(rf"^第{NUMBER}(?P<kind>分编|编|章|节)(?P<blank>\s*)(?P<name>.*)$")
_ARTICLE = re.compile(
    rf"^第\s*(?P<number>{NUMBER})\s*条(?:之(?P<branch>{NUMBER}))?(?P<blank>\s*)(?P<text>.*)$", re.DOTALL
)
_INLINE = re.compile(rf"。\s+第{NUMBER}条\s")
_REFERENCE = re.compile(r"^[第款项规中所至到和或与及、，的之前后]")
_ATTACHMENT = re.compile(r"^附(?:件|录|表|图)?\s*(?:\d|[一二三四五六七八九十]|[:：]|$)|^附件")
_ITEM = re.compile(rf"^(?:[(（]\s*{NUMBER}\s*[)）]|\d+[.．、)）]|[①-⑳])")
_BARE_DIVISION = ("总则", "附则")
_LONGEST_DIVISION = 30
_NONE_YET = ArticleRef(0)
_ORDER = ("编", "分编", "章", "节")


@dataclass(frozen=True, slots=True)
class Article:
    """
    One numbered article 条, or a passage of a text without articles (then `ref` is None).

    `key` is unique within the version; `paragraphs` are its lines, items (一) included, in order.
    """

    key: str
    label: str
    ref: ArticleRef | None
    chapter: str
    paragraphs: tuple[str, ...]

    @property
    def text(self) -> str:
        """Paragraphs, one a line."""
        return "\n".join(self.paragraphs)

    def paragraph(self, wanted: int) -> str | None:
        """The wanted 款 with its items; items are not counted as paragraphs of their own."""
        found = [[line] for line in self.paragraphs[:1]]
        for line in self.paragraphs[1:]:
            if _ITEM.match(line):
                found[-1].append(line)
            else:
                found.append([line])
        return "\n".join(found[wanted - 1]) if 1 <= wanted <= len(found) else None


@dataclass(frozen=True, slots=True)
class Body:
    """All articles and passages in order, and notes on what looked odd while reading."""

    articles: tuple[Article, ...]
    notes: tuple[str, ...]

    @property
    def numbered(self) -> int:
        """How many numbered articles there are."""
        return sum(article.ref is not None for article in self.articles)


@dataclass(slots=True)
class _Reader:
    title: str
    divisions: dict[str, str] = field(default_factory=dict)
    listed: dict[str, str] = field(default_factory=dict)
    articles: list[Article] = field(default_factory=list)
    passages: list[tuple[str, list[str]]] = field(default_factory=lambda: [("正文", [])])
    attachment: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    in_attachment: bool = False
    last: ArticleRef = _NONE_YET

    def take(self, line: str) -> None:
        name = line.lstrip("#").strip()
        marked = line.startswith("#")
        article = self._opens_article(name)
        if article is not None:
            self._open(article[0], article[1])
        elif self.articles and (self.in_attachment or _ATTACHMENT.match(name)):
            self.in_attachment = True
            self.attachment.append(name)
        elif self._is_division(name, marked=marked):
            self._divide(name)
        elif self.articles:
            paragraphs = self.articles[-1].paragraphs
            self.articles[-1] = replace(self.articles[-1], paragraphs=(*paragraphs, name))
        elif marked:
            self.passages.append((name, []))
        else:
            self.passages[-1][1].append(name)

    def _opens_article(self, line: str) -> tuple[ArticleRef, str] | None:
        match = _ARTICLE.match(line)
        if match is None:
            return None
        ref = ArticleRef(number(match["number"]) or 0, number(match["branch"] or "0") or 0)
        follows = ref in (
            ArticleRef(self.last.number + 1),
            ArticleRef(self.last.number, self.last.branch + 1),
        )
        if self.in_attachment and not (follows and match["blank"]):
            return None
        if not match["blank"] and match["text"] and (not follows or _REFERENCE.match(match["text"])):
            return None
        if ref <= self.last:
            self.notes.append(f"第{match['number']}条出现在{self.last.label}之后，按正文处理")
            return None
        if not follows:
            self.notes.append(f"{self.last.label if self.last.number else '开头'}之后直接是{ref.label}")
        return ref, match["text"].strip()

    def _open(self, ref: ArticleRef, text: str) -> None:
        if self.in_attachment:
            # The next article follows: what looked like an attachment ("附图说明") was part of the one before.
            before = self.articles[-1]
            self.articles[-1] = replace(before, paragraphs=(*before.paragraphs, *self.attachment))
            self.attachment, self.in_attachment = [], False
        self.last = ref
        opened = [self.divisions[kind] for kind in _ORDER if kind in self.divisions]
        for division in opened:
            self.listed.pop(division.partition(" ")[2], None)
        chapter = " ".join(opened)
        self.articles.append(Article(ref.key, ref.label, ref, chapter, (text,) if text else ()))

    def _is_division(self, line: str, *, marked: bool) -> bool:
        name = line.replace(" ", "")
        if name in _BARE_DIVISION or name in self.listed:
            return True
        match = _DIVISION.match(line)
        if match is None:
            return False
        return marked or (
            match["blank"] != "" and len(line) <= _LONGEST_DIVISION and line[-1] not in "。；："
        )

    def _divide(self, line: str) -> None:
        # A table of contents gives each chapter its number, and the text below may repeat only the name.
        line = self.listed.get(line.replace(" ", ""), line)
        match = _DIVISION.match(line)
        kind = match["kind"] if match else "章"
        name = re.sub(r"\s+", "", match["name"]) if match else ""
        opening = line[: match.start("name")].strip() if match else re.sub(r"\s+", "", line)
        if match is None:
            # An unnumbered 附则 stands behind all parts and chapters, in none of them.
            self.divisions.clear()
        for lower in _ORDER[_ORDER.index(kind) :]:
            self.divisions.pop(lower, None)
        self.divisions[kind] = f"{opening} {name}".strip()
        if name:
            self.listed[name] = line

    def body(self) -> Body:
        kept = [(name, lines) for name, lines in self.passages if lines and not self._repeats_title(lines)]
        opening = [
            Article(f"p{at}", "序言" if self.articles else name, None, "", tuple(lines))
            for at, (name, lines) in enumerate(kept, start=1)
        ]
        closing = [Article("a1", "附件", None, "", tuple(self.attachment))] if self.attachment else []
        return Body((*opening, *self.articles, *closing), tuple(self.notes))

    def _repeats_title(self, lines: Sequence[str]) -> bool:
        return bool(self.articles) and title_key("".join(lines)) in title_key(self.title)


def read_body(title: str, lines: Sequence[str]) -> Body:
    """Cut the lines under the heading. A text without any line has no articles and no passages."""
    reader = _Reader(title)
    for line in lines:
        plain = re.sub(r"[\s\u3000\xa0]+", " ", line).strip()
        # Some texts were flowed into one line a chapter; there a blank after a full stop ends a paragraph.
        pieces = re.split(r"(?<=。)\s+", plain) if _INLINE.search(plain) else [plain]
        for piece in pieces:
            if piece:
                reader.take(piece)
    return reader.body()
