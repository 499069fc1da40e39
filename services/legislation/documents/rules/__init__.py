"""
Rules of the law library: how a legal text is read, named, dated and compared. Plain Python, no framework.

reading.py bytes to text; heading.py who and when; articles.py the body; effect.py from when, repeals, status;
kinds.py what sort of text; names.py titles and article numbers; law_text.py puts them together.
"""

from services.legislation.documents.rules.articles import Article
from services.legislation.documents.rules.effect import Effect, Status, in_force_on, status_on
from services.legislation.documents.rules.kinds import Kind, read_kind
from services.legislation.documents.rules.law_text import Collection, LawText, parse_law
from services.legislation.documents.rules.names import ArticleRef, parse_article, short_title, title_key
from services.legislation.documents.rules.reading import MOST_BYTES, SUFFIXES, read_text

__all__ = [
    "MOST_BYTES",
    "SUFFIXES",
    "Article",
    "ArticleRef",
    "Collection",
    "Effect",
    "Kind",
    "LawText",
    "Status",
    "in_force_on",
    "parse_article",
    "parse_law",
    "read_kind",
    "read_text",
    "short_title",
    "status_on",
    "title_key",
]
