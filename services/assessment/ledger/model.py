"""
What the ledger keeps beside the event log; all of it only grows (triggers refuse anything else).

A tile is kept as the pieces in which it grew, so that a checkpoint every few seconds adds its own hashes and copies
nothing. Cosignatures come later than the checkpoint they are under, and therefore stand beside it.
"""

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text

from kernel.storage.types import BigInt, Moment, one_of
from services.assessment.tables import Base

LEDGER_TILES = Table(
    "ledger_tiles",
    Base.metadata,
    Column("tree", String(10), primary_key=True),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("tile", BigInt, primary_key=True, autoincrement=False),
    Column("start", Integer, primary_key=True, autoincrement=False),
    Column("hashes", Text, nullable=False, comment="base64 of one or more hashes of 32 bytes"),
    one_of("ledger_tiles", "tree", "sha256", "sm3"),
    comment="hash tiles of both trees, in the pieces in which they grew",
)

CHECKPOINTS = Table(
    "checkpoints",
    Base.metadata,
    Column("size", BigInt, primary_key=True, autoincrement=False, comment="one root for one size, for ever"),
    Column("note", Text, nullable=False, comment="signed note, exactly as signed"),
    Column("sealed_at", Moment, nullable=False),
    comment="what the log said it was, under its signature",
)

COSIGNATURES = Table(
    "cosignatures",
    Base.metadata,
    Column("size", BigInt, ForeignKey("checkpoints.size"), primary_key=True, autoincrement=False),
    Column("witness", String(200), primary_key=True),
    Column("line", Text, nullable=False, comment="signature line of the note"),
    Column("witnessed_at", Moment, nullable=False, comment="by the witness's clock"),
    Column("received_at", Moment, nullable=False, comment="by ours"),
    comment="which witness saw which checkpoint",
)

LEDGER_ALARMS = Table(
    "ledger_alarms",
    Base.metadata,
    Column("origin", String(200), primary_key=True),
    Column("witness", String(200), primary_key=True, comment="empty where we found it ourselves"),
    Column("kind", String(20), primary_key=True),
    Column("size", BigInt, primary_key=True, autoincrement=False),
    Column("detail", Text, nullable=False),
    Column("raised_at", Moment, nullable=False),
    one_of("ledger_alarms", "kind", "ahead", "damaged", "forked", "went_back"),
    comment="what must never be: it stays until the log begins anew under another origin",
)

LEDGER_VERIFICATIONS = Table(
    "ledger_verifications",
    Base.metadata,
    Column("verified_at", Moment, primary_key=True),
    Column("size", BigInt, nullable=False),
    Column("faults", BigInt, nullable=False),
    Column("first_fault", Text, nullable=False),
    comment="what verifications found, for the metrics and the page; whoever doubts it verifies again",
)
