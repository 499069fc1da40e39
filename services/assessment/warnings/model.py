"""What is kept of warnings 预警: each with what it saw, written once; what was below its line; how far was looked."""

from sqlalchemy import Column, Index, Integer, String, Table, Text

from kernel.storage.types import BigInt, Id, Moment, one_of
from services.assessment.tables import Base
from services.assessment.warnings.rules import KINDS

WARNINGS = Table(
    "warnings",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("unit", String(100), nullable=False),
    Column("node", String(64), nullable=False),
    Column("framework", String(100), nullable=False, comment="id@version"),
    Column("year", String(4), nullable=False),
    Column("at_seq", BigInt, nullable=False, comment="up to which event of the log it saw"),
    Column("title", String(200), nullable=False),
    Column("seen", Text, nullable=False, comment="JSON: the numbers, or the events, that warned"),
    Column("raised_at", Moment, nullable=False),
    Column("order_id", Id, comment="the order it opened or joined"),
    one_of("warnings", "kind", *KINDS),
    comment="early warnings 预警, written once",
)
Index("ix_warnings_unit", WARNINGS.c.unit, WARNINGS.c.raised_at)
Index("ix_warnings_raised", WARNINGS.c.raised_at)

WATCHED = Table(
    "watched",
    Base.metadata,
    Column("framework", String(100), primary_key=True),
    Column("year", String(4), primary_key=True),
    Column("unit", String(100), primary_key=True),
    Column("node", String(70), primary_key=True, comment="a node; with '!' at the end, its veto"),
    Column("is_below", Integer, nullable=False),
    Column("at_seq", BigInt, nullable=False),
    comment="on which side of its line a node was seen last: only a crossing warns",
)

LOOKED = Table(
    "looked",
    Base.metadata,
    Column("what", String(130), primary_key=True),
    Column("upto", BigInt, nullable=False),
    comment="up to which event, or month, warnings were looked for",
)
