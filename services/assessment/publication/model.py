"""
What publication keeps: who asked for and who confirmed the closing of a period, and what was published when.

All of it only grows (triggers refuse anything else). A published ranking is a bundle of files in the blob store,
named by a manifest; correcting it is another publication that names the one it replaces.
"""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from kernel.storage.types import BigInt, Id, Moment, one_of
from services.assessment.tables import Base

PERIOD_ACTS = Table(
    "period_acts",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("period", String(7), nullable=False, comment="year, or month"),
    Column("act", String(20), nullable=False),
    Column("answers", Id, ForeignKey("period_acts.id"), comment="the request this one confirms or refuses"),
    Column("account", String(100), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("at_seq", BigInt, nullable=False, comment="events known when it was done"),
    one_of("period_acts", "act", "close_asked", "closed", "reopen_asked", "reopened", "refused"),
    comment="closing and reopening of periods, each by two people",
)
Index("uq_period_acts_answers", PERIOD_ACTS.c.answers, unique=True)
Index("ix_period_acts_period", PERIOD_ACTS.c.period, PERIOD_ACTS.c.at)

PUBLICATION_REQUESTS = Table(
    "publication_requests",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("period", String(4), nullable=False),
    Column("upto", String(7), nullable=False, comment="last month counted"),
    Column("peer_group", String(50), nullable=False),
    Column("account", String(100), nullable=False),
    Column("note", Text, nullable=False),
    Column("asked_at", Moment, nullable=False),
    comment="rankings somebody asked to publish",
)

PUBLICATION_DECISIONS = Table(
    "publication_decisions",
    Base.metadata,
    Column("request", Id, ForeignKey("publication_requests.id"), primary_key=True),
    Column("agreed", Integer, nullable=False),
    Column("account", String(100), nullable=False, comment="another than who asked"),
    Column("reason", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
    comment="what a second person said to a request",
)

PUBLICATIONS = Table(
    "publications",
    Base.metadata,
    Column("id", Id, ForeignKey("publication_requests.id"), primary_key=True),
    Column("framework", String(100), nullable=False),
    Column("at_seq", BigInt, nullable=False, comment="size of the witnessed checkpoint it rests on"),
    Column("published_at", Moment, nullable=False),
    Column("replaces", Id, ForeignKey("publications.id")),
    Column("manifest", Text, nullable=False, comment="the bundle's files and their digests"),
    Column("signed", Text, nullable=False, comment="signed note over the manifest"),
    Column("files", Text, nullable=False, comment="name -> digest in the blob store"),
    comment="published rankings",
)
Index("ix_publications_published", PUBLICATIONS.c.published_at)
