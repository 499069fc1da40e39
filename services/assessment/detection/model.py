"""What is kept of detection: drafts, and what a person decided about each; both only grow."""

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text

from kernel.storage.types import Id, Moment, one_of
from services.assessment.tables import Base

DETECTION_DRAFTS = Table(
    "detection_drafts",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("unit", String(100), nullable=False),
    Column("year", String(4), nullable=False),
    Column("fingerprint", String(64), nullable=False, comment="what was seen; the same is not drafted twice"),
    Column("seen", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("drafted_at", Moment, nullable=False),
    one_of("detection_drafts", "kind", "gap", "bunching", "backdating", "copied", "reopened"),
    comment="signs that figures were made for the score; drafts for a person",
)
Index(
    "uq_detection_drafts_seen",
    DETECTION_DRAFTS.c.unit,
    DETECTION_DRAFTS.c.year,
    DETECTION_DRAFTS.c.kind,
    DETECTION_DRAFTS.c.fingerprint,
    unique=True,
)

DETECTION_DECISIONS = Table(
    "detection_decisions",
    Base.metadata,
    Column("draft", Id, ForeignKey("detection_drafts.id"), primary_key=True),
    Column("decision", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("account", String(100), nullable=False),
    Column("decided_at", Moment, nullable=False),
    one_of("detection_decisions", "decision", "confirmed", "dismissed"),
    comment="what a person made of a draft",
)
