"""
What is kept of reviews 指标审核: the roster, who holds the role, who was asked, and what they answered.

Answers are append-only, one for each place of a round: the database itself refuses a second. An assignment is never
taken back; who is asked instead is a new turn of the same place, and the old row says when it was replaced. Of holders
the newest version is kept for work, and every version, append-only, for the past (past.py).
"""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, text

from kernel.storage.types import BigInt, Day, Id, Moment, one_of
from services.assessment.tables import Base

REVIEWERS = Table(
    "reviewers",
    Base.metadata,
    Column("account", String(100), primary_key=True),
    Column("unit", String(100), nullable=False),
    Column("area", String(500), nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("changed_by", String(100), nullable=False),
    Column("changed_at", Moment, nullable=False),
    comment="roster of reviewers 评审员名册; every change is in the audit log",
)

HOLDERS = Table(
    "holders",
    Base.metadata,
    Column("account", String(100), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("unit", String(100), nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("version", BigInt, nullable=False),
    Column("occurred_at", Moment, nullable=False),
    Column("recorded_at", Moment, nullable=False),
    comment="local copy of who holds a role 任职授权; rebuilt from the gateway's facts",
)

HOLDER_ROLES = Table(
    "holder_roles",
    Base.metadata,
    Column("account", String(100), primary_key=True),
    Column("role", String(30), primary_key=True),
    Column("unit", String(100), primary_key=True),
    Column("unit_path", String(500), nullable=False),
    Column("from_on", Day, nullable=False),
    Column("until_on", Day),
    comment="roles of the newest version heard of each holder",
)

HOLDER_VERSIONS = Table(
    "holder_versions",
    Base.metadata,
    Column("account", String(100), primary_key=True),
    Column("version", BigInt, primary_key=True, autoincrement=False),
    Column("name", String(100), nullable=False),
    Column("unit", String(100), nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("occurred_at", Moment, nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("heard_at", Moment, nullable=False, comment="since when this version counts here"),
    comment="every version of a holder that was the newest when it was heard; append-only",
)

HOLDER_ROLE_VERSIONS = Table(
    "holder_role_versions",
    Base.metadata,
    Column("account", String(100), primary_key=True),
    Column("version", BigInt, primary_key=True, autoincrement=False),
    Column("role", String(30), primary_key=True),
    Column("unit", String(100), primary_key=True),
    Column("unit_path", String(500), nullable=False),
    Column("from_on", Day, nullable=False),
    Column("until_on", Day),
    comment="roles of every version of a holder; append-only",
)

REVIEW_ASSIGNMENTS = Table(
    "review_assignments",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("report", Id, nullable=False),
    Column("unit", String(100), nullable=False, comment="who reported; for row level security"),
    Column("round", Integer, nullable=False),
    Column("place", Integer, nullable=False, comment="1 first, 2 second, 3 arbitration"),
    Column("turn", Integer, nullable=False),
    Column("reviewer", String(100), nullable=False, comment="empty: any inspector of the area"),
    Column("assigned_by", String(100), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("due_on", Day, nullable=False),
    Column("is_provisional", Boolean, nullable=False),
    Column("assigned_at", Moment, nullable=False),
    Column("opened_at", Moment),
    Column("done_at", Moment),
    Column("replaced_at", Moment),
    one_of("review_assignments", "place", "1", "2", "3"),
    comment="who was asked to review which round of which report",
)
Index(
    "uq_review_assignments_turn",
    REVIEW_ASSIGNMENTS.c.report,
    REVIEW_ASSIGNMENTS.c.round,
    REVIEW_ASSIGNMENTS.c.place,
    REVIEW_ASSIGNMENTS.c.turn,
    unique=True,
)
_open = text("done_at IS NULL AND replaced_at IS NULL")
Index(
    "ix_review_assignments_open",
    REVIEW_ASSIGNMENTS.c.reviewer,
    REVIEW_ASSIGNMENTS.c.due_on,
    postgresql_where=_open,
    sqlite_where=_open,
)
Index("ix_review_assignments_reviewer", REVIEW_ASSIGNMENTS.c.reviewer, REVIEW_ASSIGNMENTS.c.done_at)

REVIEW_MARKS = Table(
    "review_marks",
    Base.metadata,
    Column("report", Id, primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("assignment", Id, nullable=False),
    Column("reviewer", String(100), nullable=False),
    Column("decision", String(10), nullable=False),
    Column("score_milli", Integer),
    Column("numerator", BigInt),
    Column("denominator", BigInt),
    Column("reasons", String(2000), nullable=False),
    Column("marked_at", Moment, nullable=False),
    one_of("review_marks", "decision", "score", "return"),
    comment="what reviewers answered; append-only, one a place and round",
)
