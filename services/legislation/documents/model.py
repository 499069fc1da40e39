"""
What the law library keeps: document → dated version → article.

Ids are derived from what they name (title, version, article), so importing the same text twice, on two machines or
after a restore, gives the same rows. The text of a version never changes; `status` and `repealed_on` are derived
from all versions and can be computed again at any time (service.py). `indexed_at` empty means that the search index
does not have this version in its present status yet.
"""

from datetime import date, datetime

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.ids import derived_id
from kernel.storage.types import Day, Id, Moment, one_of
from services.legislation.documents.rules.effect import Status
from services.legislation.tables import Base


class LegalDocument(Base):
    """A law, rule or case 法律文件 as a work, whatever its versions."""

    __tablename__ = "documents"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    title_key: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(50), index=True)
    repealed_on: Mapped[date | None] = mapped_column(Day)
    created_at: Mapped[datetime] = mapped_column(Moment)


class DocumentVersion(Base):
    """One dated version 版本; `version` is its day, empty for cases."""

    __tablename__ = "document_versions"
    __table_args__ = (
        UniqueConstraint("document_id", "version"),
        Index("ix_versions_unindexed", "indexed_at"),
        one_of("document_versions", "status", "", *Status),  # empty until computed
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"))
    version: Mapped[str] = mapped_column(String(10))
    version_on: Mapped[date | None] = mapped_column(Day)
    issuing_body: Mapped[str] = mapped_column(String(200))
    number: Mapped[str] = mapped_column(String(200))
    passed_on: Mapped[date | None] = mapped_column(Day)
    promulgated_on: Mapped[date | None] = mapped_column(Day)
    effective_on: Mapped[date | None] = mapped_column(Day)
    effect_assumed: Mapped[bool] = mapped_column(Boolean)
    status: Mapped[str] = mapped_column(String(20), index=True)
    articles: Mapped[int] = mapped_column(Integer)
    notes: Mapped[str] = mapped_column(Text)
    content_sha256: Mapped[str] = mapped_column(String(64))
    imported_at: Mapped[datetime] = mapped_column(Moment)
    indexed_at: Mapped[datetime | None] = mapped_column(Moment)


class StoredArticle(Base):
    """One article 条, or a passage of a text without articles (`number` is zero), of one version."""

    __tablename__ = "articles"
    __table_args__ = (UniqueConstraint("version_id", "key"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    version_id: Mapped[str] = mapped_column(ForeignKey("document_versions.id"))
    place: Mapped[int] = mapped_column(Integer)
    key: Mapped[str] = mapped_column(String(20))
    number: Mapped[int] = mapped_column(Integer)
    label: Mapped[str] = mapped_column(String(100))
    chapter: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)


class Repeal(Base):
    """A title that a version repeals as a whole 废止; the document may not be in the library."""

    __tablename__ = "repeals"

    version_id: Mapped[str] = mapped_column(ForeignKey("document_versions.id"), primary_key=True)
    title_key: Mapped[str] = mapped_column(String(200), primary_key=True, index=True)


class ImportedFile(Base):
    """A file that was taken in, by the digest of its bytes, name and collection: it is not read twice."""

    __tablename__ = "imported_files"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(500))
    version_id: Mapped[str] = mapped_column(ForeignKey("document_versions.id"))
    imported_at: Mapped[datetime] = mapped_column(Moment)


def document_id(title_key: str) -> str:
    """Id of the document with this title key."""
    return derived_id("legislation/document", title_key)


def version_id(document: str, version: str) -> str:
    """Id of a version of a document."""
    return derived_id("legislation/version", document, version)


def article_id(version: str, key: str) -> str:
    """Id of an article of a version (given by its id)."""
    return derived_id("legislation/article", version, key)
