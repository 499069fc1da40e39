"""What is kept of frameworks 考核指标体系: the published document, whole, with the digest of its bytes."""

from sqlalchemy import Column, Integer, String, Table, Text

from kernel.storage.types import Moment
from services.assessment.tables import Base

FRAMEWORKS = Table(
    "frameworks",
    Base.metadata,
    Column("id", String(64), primary_key=True),
    Column("version", String(20), primary_key=True),
    Column("title", String(200), nullable=False),
    Column("year", Integer, nullable=False),
    Column("document", Text, nullable=False, comment="the document as canonical JSON"),
    Column("digest", String(64), nullable=False),
    Column("published_at", Moment, nullable=False),
    comment="published frameworks; a published version is never edited",
)
