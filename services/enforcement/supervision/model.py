"""The table of leads. Persons are not in it: the clue's hash of a person is not even taken over."""

from sqlalchemy import Boolean, Column, Index, String, Table, Text

from kernel.storage.types import Id, Moment, one_of
from services.enforcement.supervision.rules import STATE_WORDS
from services.enforcement.tables import Base

LEADS = Table(
    "leads",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("system", String(50), nullable=False),
    Column("external_id", String(100), nullable=False),
    Column("kind", String(50), nullable=False),
    Column("unit", String(100), nullable=False),
    Column("region_code", String(12), nullable=False),
    Column("title", String(200), nullable=False),
    Column("content", Text, nullable=False),
    Column("pending_hint", Boolean, nullable=False),
    Column("state", String(20), nullable=False),
    Column("note", String(2000), nullable=False),
    Column("handler", String(100), nullable=False),
    Column("occurred_at", Moment),
    Column("due_at", Moment),
    Column("received_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    one_of("leads", "state", *STATE_WORDS),
    comment="leads 监督线索 routed by the gateway; the id is the clue's receipt",
)
Index("ix_leads_state", LEADS.c.state, LEADS.c.received_at)
Index("ix_leads_unit", LEADS.c.unit)
