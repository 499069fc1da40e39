"""
What is kept of rectification 督办整改: facts, and one row an order that repeats where it stands.

The database itself says that an order which is not closed has a due time, that a closed one has an outcome, and
that a unit has one running order for the same node and matter.
"""

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Table, Text, text

from kernel.storage.types import Id, Moment, one_of
from services.assessment.rectification.rules import STATES
from services.assessment.rectification.timeline import timeline
from services.assessment.tables import Base

ORDER_EVENTS = timeline("order_events", Base.metadata)

ORDERS = Table(
    "orders",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("unit", String(100), nullable=False, comment="who must put it right"),
    Column("node", String(64), nullable=False, comment="node of the framework, '' the total"),
    Column(
        "matter", String(200), nullable=False, comment="the business object, '' where it is the node itself"
    ),
    Column("title", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("proof", Text, nullable=False, comment="what the unit must hand in"),
    Column("started_by", String(100), nullable=False),
    Column("started_unit", String(100), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("relapse_of", Id),
    Column("state", String(20), nullable=False),
    Column("version", Integer, nullable=False, comment="number of the last fact"),
    Column("due_at", Moment),
    Column("escalated_due", Moment, comment="the due time that was escalated last"),
    Column("supervisor", String(100), nullable=False, comment="government whose inspectors answer for it"),
    Column("issuer", String(100), nullable=False),
    Column("is_late", Integer, nullable=False),
    Column("outcome", String(30), nullable=False),
    Column("closed_at", Moment),
    Column("scored_event", Id, comment="the standing ASM-02 event"),
    one_of("orders", "state", *STATES),
    CheckConstraint("(state = 'closed') = (due_at IS NULL)", name="ck_orders_due"),
    CheckConstraint("(state = 'closed') = (outcome <> '')", name="ck_orders_outcome"),
    comment="rectification orders 督办事项, what their facts add up to",
)
_running = text("state <> 'closed'")
Index(
    "uq_orders_running",
    ORDERS.c.unit,
    ORDERS.c.node,
    ORDERS.c.matter,
    unique=True,
    postgresql_where=_running,
    sqlite_where=_running,
)
Index("ix_orders_due", ORDERS.c.due_at, postgresql_where=_running, sqlite_where=_running)
Index("ix_orders_unit", ORDERS.c.unit, ORDERS.c.node, ORDERS.c.closed_at)
