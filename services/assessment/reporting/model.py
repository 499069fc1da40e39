"""
What is kept of self-reports 指标填报: versions (what was said) and events (what became of it), never changed.

`reports` is the head of each: its newest version, its state, the version last submitted. It can be made anew from
the two append-only tables and is there for lists. A report is scored once; the database itself refuses a second.
"""

from sqlalchemy import Column, Index, Integer, String, Table, Text, text

from kernel.storage.types import BigInt, Day, Id, Moment, one_of
from services.assessment.reporting.rules import ACTS, STATES
from services.assessment.tables import Base

REPORTS = Table(
    "reports",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("framework", String(64), nullable=False),
    Column("result", String(64), nullable=False),
    Column("unit", String(100), nullable=False),
    Column("period", String(7), nullable=False),
    Column("peer_group", String(50), nullable=False),
    Column("state", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("submitted_version", Integer, nullable=False, comment="0: never submitted"),
    Column("round", Integer, nullable=False, comment="how often it was submitted"),
    Column("score_milli", Integer),
    Column("due_on", Day, nullable=False),
    Column("submitted_at", Moment),
    Column("changed_at", Moment, nullable=False),
    one_of("reports", "state", *STATES),
    comment="self-reports 指标填报, the head of each",
)
Index(
    "uq_reports_result", REPORTS.c.framework, REPORTS.c.unit, REPORTS.c.period, REPORTS.c.result, unique=True
)
Index("ix_reports_state", REPORTS.c.state, REPORTS.c.submitted_at)

REPORT_VERSIONS = Table(
    "report_versions",
    Base.metadata,
    Column("report", Id, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("numerator", BigInt),
    Column("denominator", BigInt),
    Column("statement", Text, nullable=False),
    Column("evidence", Text, nullable=False, comment="[{kind, reference, name, media_type}, ...]"),
    Column("digest", String(64), nullable=False),
    Column("written_by", String(100), nullable=False),
    Column("written_at", Moment, nullable=False),
    comment="what a report said, version by version; append-only",
)

REPORT_EVENTS = Table(
    "report_events",
    Base.metadata,
    Column("report", Id, primary_key=True),
    Column("number", Integer, primary_key=True, comment="from 1, without gaps"),
    Column("act", String(20), nullable=False),
    Column("round", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("at", Moment, nullable=False),
    Column("reasons", String(2000), nullable=False),
    Column("score_milli", Integer),
    Column("fact", String(36), nullable=False, comment="the event of the log that a score became"),
    one_of("report_events", "act", *ACTS),
    comment="what became of a report; append-only",
)
_scored = text("act = 'scored'")
Index(
    "uq_report_events_scored",
    REPORT_EVENTS.c.report,
    unique=True,
    postgresql_where=_scored,
    sqlite_where=_scored,
)

REPORT_FILES = Table(
    "report_files",
    Base.metadata,
    Column("unit", String(100), primary_key=True),
    Column("digest", String(71), primary_key=True),
    Column("year", String(4), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("size", BigInt, nullable=False),
    Column("uploaded_by", String(100), nullable=False),
    Column("uploaded_at", Moment, nullable=False),
    comment="files a unit handed in as evidence, checked; append-only",
)

REPORT_WORKBOOKS = Table(
    "report_workbooks",
    Base.metadata,
    Column("digest", String(64), primary_key=True),
    Column("unit", String(100), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("period", String(7), nullable=False),
    Column("state", String(20), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("faults", Text, nullable=False),
    Column("drafts", Text, nullable=False, comment="what a confirmation will write"),
    Column("checked_by", String(100), nullable=False),
    Column("checked_at", Moment, nullable=False),
    Column("imported_at", Moment),
    one_of("report_workbooks", "state", "checked", "refused", "imported"),
    comment="workbooks 批量填报 handed in: checked, refused or imported",
)
