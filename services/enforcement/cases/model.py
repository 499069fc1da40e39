"""
Tables of cases. What a body said of a case is kept for ever: versions are appended, never changed.

`cases` holds what lists filter by and points to the current version; `look_on` is the day on which the probes
look at it (again), empty when nothing can change by itself.
"""

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text, text

from kernel.storage.types import Day, Id, Moment, one_of
from services.enforcement.cases.report import CHECKED, CORRECTION, FORGOTTEN, IMPORTED, NEW, REFUSED
from services.enforcement.tables import Base

CASES = Table(
    "cases",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("unit", String(100), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("number_key", String(128), nullable=False),
    Column("number", String(128), nullable=False),
    Column("decided_on", Day, nullable=False),
    Column("mode", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("looked_version", Integer, nullable=False, server_default="0"),
    Column("look_on", Day),
    Column("entered_at", Moment, nullable=False),
    comment="enforcement cases 执法案件",
)
Index("uq_cases_number", CASES.c.unit, CASES.c.kind, CASES.c.number_key, unique=True)
Index("ix_cases_decided", CASES.c.unit, CASES.c.decided_on, CASES.c.id)
_waiting = text("look_on IS NOT NULL")
Index("ix_cases_look", CASES.c.look_on, CASES.c.id, postgresql_where=_waiting, sqlite_where=_waiting)

VERSIONS = Table(
    "case_versions",
    Base.metadata,
    Column("case_id", Id, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("record", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("file", String(64), nullable=False),
    Column("entered_by", String(100), nullable=False),
    Column("reason", String(500), nullable=False, server_default=""),
    Column("entered_at", Moment, nullable=False),
    comment="what was said of a case, version by version; append-only",
)

FILES = Table(
    "case_files",
    Base.metadata,
    Column("digest", String(64), primary_key=True),
    Column("unit", String(100), primary_key=True),
    Column("purpose", String(20), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("state", String(20), nullable=False),
    Column("report", Text, nullable=False),
    Column("reason", String(500), nullable=False, server_default=""),
    Column("checked_by", String(100), nullable=False),
    Column("checked_at", Moment, nullable=False),
    Column("imported_by", String(100)),
    Column("imported_at", Moment),
    one_of("case_files", "state", CHECKED, REFUSED, IMPORTED, FORGOTTEN),
    one_of("case_files", "purpose", NEW, CORRECTION),
    comment="case files 案件文件: checked, refused or imported, with the report",
)

PARTS = Table(
    "case_file_parts",
    Base.metadata,
    Column("digest", String(64), primary_key=True),
    Column("unit", String(100), primary_key=True),
    Column("purpose", String(20), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    comment="read rows of a checked file, without personal numbers, until it is confirmed or forgotten",
)
