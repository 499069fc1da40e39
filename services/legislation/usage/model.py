"""
What is kept of usage: every citation as told, and counts that answer questions without reading them all.

A citation is a fact of somebody else's and is never changed; only what it resolves to is found out later when the
document was not yet in the library. NOTHING stands where no version or article was found, because parts of a
primary key cannot be empty.
"""

from datetime import date, datetime

from sqlalchemy import Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.storage.types import Day, Id, Moment, one_of
from services.legislation.tables import Base

NOTHING = "00000000-0000-0000-0000-000000000000"

UNKNOWN = "unknown"  # no such document in the library (yet)
DOCUMENT = "document"  # the document is known; the version or article is not
ARTICLE = "article"  # resolved to one article of one version


class StoredCitation(Base):
    """One citation 引用 as told by another service, and what it resolved to."""

    __tablename__ = "citations"
    __table_args__ = (
        Index(
            "ix_citations_unknown",
            "title_key",
            postgresql_where=text("state = 'unknown'"),
            sqlite_where=text("state = 'unknown'"),
        ),
        Index("ix_citations_title", "title_key", "unit", "cited_on"),
        one_of("citations", "state", UNKNOWN, DOCUMENT, ARTICLE),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    source: Mapped[str] = mapped_column(String(50))
    subject: Mapped[str] = mapped_column(String(200))
    unit: Mapped[str] = mapped_column(String(100))
    document: Mapped[str] = mapped_column(String(300))
    version: Mapped[str] = mapped_column(String(50))
    article: Mapped[str] = mapped_column(String(100))
    title_key: Mapped[str] = mapped_column(String(300))
    cited_on: Mapped[date] = mapped_column(Day)
    state: Mapped[str] = mapped_column(String(20))
    document_id: Mapped[str] = mapped_column(Id)
    version_id: Mapped[str] = mapped_column(Id)
    article_key: Mapped[str] = mapped_column(String(20))
    received_at: Mapped[datetime] = mapped_column(Moment)


class UsageCount(Base):
    """Citations of one article by one unit in one month."""

    __tablename__ = "usage_counts"
    __table_args__ = (Index("ix_usage_counts_month", "month", "unit"),)

    document_id: Mapped[str] = mapped_column(Id, primary_key=True)
    version_id: Mapped[str] = mapped_column(Id, primary_key=True)
    article_key: Mapped[str] = mapped_column(String(20), primary_key=True)
    unit: Mapped[str] = mapped_column(String(100), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    citations: Mapped[int] = mapped_column(Integer)
