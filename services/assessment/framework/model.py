"""
What is kept of frameworks 考核指标体系: published documents, drafts, and the two hands behind every change.

All tables are append-only. A draft that was mended is another draft of the same version; a proposal is answered by
one decision of another person; what is in force in a year is read from the decisions.
"""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from kernel.storage.types import Id, Moment, one_of
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

DRAFTS = Table(
    "framework_drafts",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("framework", String(64), nullable=False),
    Column("version", String(20), nullable=False),
    Column("title", String(200), nullable=False),
    Column("year", Integer, nullable=False),
    Column("document", Text, nullable=False, comment="the document as canonical JSON"),
    Column("digest", String(64), nullable=False),
    Column(
        "source",
        String(200),
        nullable=False,
        comment="the file it came in, or the version it was copied from",
    ),
    Column("drafted_by", String(100), nullable=False),
    Column("drafted_at", Moment, nullable=False),
    Index("ix_framework_drafts_version", "framework", "version", "drafted_at"),
    comment="drafts; the newest of a version counts",
)

PUBLISH, IN_FORCE, RETIRE = "publish", "in_force", "retire"

PROPOSALS = Table(
    "framework_proposals",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("act", String(20), nullable=False),
    Column("framework", String(64), nullable=False),
    Column("version", String(20), nullable=False),
    Column("draft", Id, comment="of a publication"),
    Column("year", Integer, nullable=False, comment="of putting in force; 0 otherwise"),
    Column("note", String(500), nullable=False),
    Column("proposed_by", String(100), nullable=False),
    Column("proposed_at", Moment, nullable=False),
    one_of("framework_proposals", "act", PUBLISH, IN_FORCE, RETIRE),
    Index("ix_framework_proposals_version", "framework", "version"),
    comment="what one person asks for and another decides (R37)",
)

DECISIONS = Table(
    "framework_decisions",
    Base.metadata,
    Column("proposal", Id, primary_key=True),
    Column("approved", Boolean, nullable=False),
    Column("note", String(500), nullable=False),
    Column("decided_by", String(100), nullable=False),
    Column("decided_at", Moment, nullable=False),
    comment="one answer to a proposal, by another person than the proposer where it is a yes",
)
