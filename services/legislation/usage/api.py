"""Usage over HTTP: how much one document is used, and which are used most."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from contracts.roles import EVERYONE_SIGNED_IN
from kernel.access.rules import allow
from services.legislation.shapes import DocumentName, Line
from services.legislation.usage.rules import ACTIVE_ORGANS, Share
from services.legislation.usage.service import Usage


class ShareView(BaseModel):
    """A share; `value` is a decimal with three places, null when there is no denominator."""

    numerator: int
    denominator: int
    value: str | None


class ArticleUsage(BaseModel):
    """Citations of one article in the period."""

    article: str
    citations: int


class DocumentUsageView(BaseModel):
    """Usage of one document in a period; `u2_denominator` names what U2 is compared with."""

    document: DocumentName
    version: str
    since: str
    until: str
    citations: int
    u2: ShareView
    u2_denominator: str
    u3: ShareView
    articles: list[ArticleUsage]


class UsageRowView(BaseModel):
    """One of the most cited documents."""

    document: DocumentName
    kind: str
    citations: int
    organs: int


class UsagePage(BaseModel):
    """The most cited documents of a period."""

    rows: list[UsageRowView]


def router(usage: Usage) -> APIRouter:
    """Routes of usage."""
    router = APIRouter(prefix="/usage", tags=["usage"])

    @router.get("/documents")
    @allow(*EVERYONE_SIGNED_IN)
    def most_cited(
        since: Annotated[Line, Query(max_length=7)],
        until: Annotated[Line, Query(max_length=7)],
        offset: int = 0,
        limit: int = 50,
    ) -> UsagePage:
        """Documents by citations in the months since..until (YYYY-MM, both included)."""
        rows = usage.most_cited(since, until, offset=offset, limit=limit)
        return UsagePage(
            rows=[
                UsageRowView(
                    document=DocumentName(id=row.document_id, title=row.title),
                    kind=row.kind,
                    citations=row.citations,
                    organs=row.organs,
                )
                for row in rows
            ]
        )

    @router.get("/documents/{document}")
    @allow(*EVERYONE_SIGNED_IN)
    def of_document(
        document: Line,
        since: Annotated[Line, Query(max_length=7)],
        until: Annotated[Line, Query(max_length=7)],
    ) -> DocumentUsageView:
        """Usage of one document (id or title) in the months since..until."""
        found = usage.of_document(document, since, until)
        return DocumentUsageView(
            document=DocumentName(id=found.document.id, title=found.document.title),
            version=found.version.version if found.version else "",
            since=since,
            until=until,
            citations=found.citations,
            u2=_share(found.u2),
            u2_denominator=ACTIVE_ORGANS,
            u3=_share(found.u3),
            articles=[ArticleUsage(article=label, citations=count) for label, count in found.articles],
        )

    return router


def _share(share: Share) -> ShareView:
    milli = share.milli
    value = None if milli is None else f"{milli // 1000}.{milli % 1000:03d}"
    return ShareView(numerator=share.numerator, denominator=share.denominator, value=value)
