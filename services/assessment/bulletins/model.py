"""What is kept of bulletins: which publication each was made from, and the digests of its files; it only grows."""

from sqlalchemy import Column, Index, String, Table

from kernel.storage.types import Id, Moment, one_of
from services.assessment.tables import Base

BULLETINS = Table(
    "bulletins",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("publication", Id, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("title", String(200), nullable=False),
    Column("pdf", String(80), nullable=False, comment="digest of the PDF"),
    Column("docx", String(80), nullable=False, comment="digest of the DOCX"),
    Column("account", String(100), nullable=False),
    Column("made_at", Moment, nullable=False),
    one_of("bulletins", "kind", "monthly", "yearly"),
    comment="bulletins and reports, made from publications",
)
Index("ix_bulletins_publication", BULLETINS.c.publication)
