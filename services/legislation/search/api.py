"""GET /articles/search: who may search articles, and how a page of them looks."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from contracts.roles import EVERYONE_SIGNED_IN
from kernel.access.rules import allow
from kernel.errors import Invalid
from services.legislation.documents.rules import Status
from services.legislation.search.service import ArticleSearch, FoundArticle
from services.legislation.shapes import DocumentName, Line, read_kinds


class ArticleView(BaseModel):
    """One article found; `snippet` is HTML with <em> around the words and all else escaped."""

    document: DocumentName
    kind: str
    version: str
    status: str
    article: str
    chapter: str
    snippet: str


class ArticlePage(BaseModel):
    """A page of articles; `degraded` when the index was away and the database answered."""

    total: int
    degraded: bool
    rows: list[ArticleView]


def router(search: ArticleSearch) -> APIRouter:
    """Routes of article search."""
    router = APIRouter(prefix="/articles", tags=["articles"])

    @router.get("/search")
    @allow(*EVERYONE_SIGNED_IN)
    def search_articles(
        q: Annotated[Line, Query(max_length=500)],
        kind: Annotated[Line, Query(max_length=200)] = "",
        status: Annotated[Line, Query(max_length=200)] = "",
        offset: int = 0,
        limit: int = 20,
    ) -> ArticlePage:
        """Articles that contain every blank-separated phrase; `kind` and `status` may name several with commas."""
        found = search.search(
            q, kinds=read_kinds(kind), statuses=_statuses(status), offset=offset, limit=limit
        )
        return ArticlePage(
            total=found.total, degraded=found.degraded, rows=[_view(row) for row in found.rows]
        )

    return router


def _statuses(text: str) -> list[str]:
    wanted = [part.strip() for part in text.replace("，", ",").split(",") if part.strip()]
    if any(part not in Status.__members__.values() for part in wanted):
        raise Invalid("不认识的时效性，请从列表中选择。", code="legislation.unknown_status")
    return wanted


def _view(row: FoundArticle) -> ArticleView:
    return ArticleView(
        document=DocumentName(id=row.document_id, title=row.title),
        kind=row.kind,
        version=row.version,
        status=row.status,
        article=row.article,
        chapter=row.chapter,
        snippet=row.snippet,
    )
