"""
What is kept of yearly tasks 年度任务: plans, what each task asks, who has it, what was said and who was reminded.

Everything is append-only. A task that is given to others, or gets another day, is the next revision of the same
(plan, area, node); the highest revision counts. An area 地区 is the government whose departments share the work.
"""

from sqlalchemy import Column, Index, Integer, String, Table, Text

from kernel.storage.types import Day, Id, Moment, one_of
from services.assessment.tables import Base

PLANS = Table(
    "task_plans",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("framework", String(64), nullable=False),
    Column("version", String(20), nullable=False),
    Column("year", Integer, nullable=False),
    Column("scope", String(500), nullable=False, comment="path of the unit tree under which it holds"),
    Column("title", String(200), nullable=False),
    Column("note", String(2000), nullable=False),
    Column("published_by", String(100), nullable=False),
    Column("published_at", Moment, nullable=False),
    comment="yearly tasks published for a part of the unit tree",
)

ITEMS = Table(
    "task_items",
    Base.metadata,
    Column("plan", Id, primary_key=True),
    Column("node", String(64), primary_key=True),
    Column("title", String(500), nullable=False),
    Column("standard", Text, nullable=False, comment="when it counts as reached"),
    Column("deliverables", Text, nullable=False, comment="what has to be shown, as a JSON list of texts"),
    Column("lead_field", String(50), nullable=False),
    Column("responsible_fields", Text, nullable=False, comment="JSON list of fields"),
    comment="what each task of a plan asks, the same in every area",
)

TASKS = Table(
    "tasks",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("plan", Id, nullable=False),
    Column("node", String(64), nullable=False),
    Column("area", String(100), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("lead", String(100), nullable=False),
    Column("due_on", Day, nullable=False),
    Column("reason", String(500), nullable=False, comment="of a revision"),
    Column("assigned_by", String(100), nullable=False),
    Column("assigned_at", Moment, nullable=False),
    Index("uq_tasks_revision", "plan", "area", "node", "revision", unique=True),
    Index("ix_tasks_due", "due_on"),
    comment="a task in an area; the highest revision counts",
)

LEAD, RESPONSIBLE = "lead", "responsible"

DUTIES = Table(
    "task_duties",
    Base.metadata,
    Column("task", Id, primary_key=True),
    Column("unit", String(100), primary_key=True),
    Column("role", String(20), nullable=False),
    one_of("task_duties", "role", LEAD, RESPONSIBLE),
    Index("ix_task_duties_unit", "unit"),
    comment="the units that have a task",
)

PROGRESS, DONE, REOPENED = "progress", "done", "reopened"

NOTES = Table(
    "task_notes",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("plan", Id, nullable=False),
    Column("area", String(100), nullable=False),
    Column("node", String(64), nullable=False),
    Column("unit", String(100), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("text", Text, nullable=False),
    Column("noted_by", String(100), nullable=False),
    Column("noted_at", Moment, nullable=False),
    one_of("task_notes", "kind", PROGRESS, DONE, REOPENED),
    Index("ix_task_notes_task", "plan", "area", "node", "noted_at"),
    comment="progress of tasks, as the units tell it",
)

REMINDERS = Table(
    "task_reminders",
    Base.metadata,
    Column("task", Id, primary_key=True),
    Column("unit", String(100), primary_key=True),
    Column("kind", String(20), primary_key=True, comment="before-<days> or overdue"),
    Column("due_on", Day, nullable=False),
    Column("reminded_at", Moment, nullable=False),
    Index("ix_task_reminders_unit", "unit", "reminded_at"),
    comment="reminders; each exists once for a task and a unit",
)
