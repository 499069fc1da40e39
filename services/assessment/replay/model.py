"""What is kept of replays: the question with its framework, how far it is, and the answer unit by unit."""

from sqlalchemy import Column, Index, Integer, String, Table, Text

from kernel.storage.types import BigInt, Id, Moment, one_of
from services.assessment.tables import Base

QUEUED, RUNNING, DONE, FAILED = STATES = ("queued", "running", "done", "failed")

REPLAYS = Table(
    "replays",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("framework", String(100), nullable=False, comment="id@version"),
    Column("document", Text, nullable=False, comment="the framework as canonical JSON"),
    Column("digest", String(64), nullable=False),
    Column("period", String(7), nullable=False),
    Column("upto", String(7), nullable=False),
    Column("at_seq", BigInt, nullable=False),
    Column("state", String(20), nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("summary", Text, nullable=False, comment="JSON, by peer group"),
    Column("asked_by", String(100), nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("moved_at", Moment, nullable=False, comment="when its state or progress last changed"),
    one_of("replays", "state", *STATES),
    Index("ix_replays_state", "state", "asked_at"),
    comment="replays; a job, not a record: it may be made again at any time from the log",
)

REPLAY_ROWS = Table(
    "replay_rows",
    Base.metadata,
    Column("replay", Id, primary_key=True),
    Column("peer_group", String(50), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False, comment="order in the replayed ranking"),
    Column("unit", String(100), nullable=False),
    Column("path", String(500), nullable=False),
    Column("rank_change", Integer, nullable=False, comment="places won; negative lost"),
    Column("row", Text, nullable=False, comment="before, after and why, as JSON"),
    comment="one unit's line of a replay's report",
)
