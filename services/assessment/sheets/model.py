"""What sheets keep: who was asked to look at which unit, what was handed in, with which files; all of it only grows."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from kernel.storage.types import BigInt, Day, Id, Moment, one_of
from services.assessment.tables import Base

SHEETS = Table(
    "sheets",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("framework", String(64), nullable=False),
    Column("period", String(4), nullable=False),
    Column("unit", String(100), nullable=False),
    Column("results", Text, nullable=False, comment="codes of the results to be marked"),
    Column("assignee", String(100), nullable=False, comment="account that looks and marks"),
    Column("due_on", Day, nullable=False),
    Column("issued_by", String(100), nullable=False),
    Column("issued_at", Moment, nullable=False),
    one_of("sheets", "kind", "on_site", "third_party"),
    comment="sheets that were handed out",
)
Index("ix_sheets_assignee", SHEETS.c.assignee)
Index("ix_sheets_unit", SHEETS.c.unit, SHEETS.c.period)

SHEET_FILES = Table(
    "sheet_files",
    Base.metadata,
    Column("sheet", Id, ForeignKey("sheets.id"), primary_key=True),
    Column("digest", String(80), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("size", BigInt, nullable=False),
    Column("account", String(100), nullable=False),
    Column("added_at", Moment, nullable=False),
    comment="reports and photographs that belong to a sheet",
)

SHEET_VERSIONS = Table(
    "sheet_versions",
    Base.metadata,
    Column("sheet", Id, ForeignKey("sheets.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("items", Text, nullable=False, comment="result, marks in thousandths, reasons"),
    Column("events", Text, nullable=False, comment="result -> score fact"),
    Column("reason", Text, nullable=False, comment="why an earlier version was corrected"),
    Column("account", String(100), nullable=False),
    Column("handed_in_at", Moment, nullable=False),
    comment="what was handed in; a later version corrects the facts of the earlier",
)
