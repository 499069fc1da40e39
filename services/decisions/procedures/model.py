"""
Model: the register of procedures and the append-only log of their steps.

What the log says is the record; the columns of `procedures` are read off it, to list and to sort by, and can be
filled again from the log. The log refuses UPDATE and DELETE in the database itself (see the migration).
"""

from datetime import date, datetime
from typing import cast

from sqlalchemy import Index, Integer, String, Table, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.storage.types import Day, Id, Moment, one_of
from services.decisions.procedures.rules.procedure import PHASE_TITLES
from services.decisions.tables import Base


class ProcedureRow(Base):
    """One major administrative decision 重大行政决策."""

    __tablename__ = "procedures"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(100))
    unit: Mapped[str] = mapped_column(String(100))  # 决策机关
    title: Mapped[str] = mapped_column(String(500))
    lead: Mapped[str] = mapped_column(String(100), default="")  # 牵头承办单位
    reviewer: Mapped[str] = mapped_column(String(100), default="")  # 合法性审查部门
    mode: Mapped[int] = mapped_column(Integer)
    phase: Mapped[str] = mapped_column(String(20), default="")
    template_id: Mapped[str] = mapped_column(String(100), default="")
    template_version: Mapped[str] = mapped_column(String(20), default="")
    source_digest: Mapped[str] = mapped_column(String(80), default="")  # of the dossier it came with
    steps: Mapped[int] = mapped_column(Integer, default=0)
    started_on: Mapped[date | None] = mapped_column(Day)
    decided_on: Mapped[date | None] = mapped_column(Day)
    published_on: Mapped[date | None] = mapped_column(Day)
    archived_on: Mapped[date | None] = mapped_column(Day)
    score_milli: Mapped[int | None] = mapped_column(Integer)
    coverage_milli: Mapped[int | None] = mapped_column(Integer)
    band: Mapped[str] = mapped_column(String(20), default="")
    next_look_on: Mapped[date | None] = mapped_column(Day)
    recorded_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("unit", "number", name="uq_procedures_number"),
        one_of("procedures", "phase", *PHASE_TITLES),
        Index("ix_procedures_lead", "lead"),
        Index("ix_procedures_reviewer", "reviewer"),
        Index("ix_procedures_next_look", "next_look_on"),
        Index("ix_procedures_decided", "decided_on"),
    )


class StepRow(Base):
    """One recorded step: who, when, what, and the digest of it."""

    __tablename__ = "steps"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    procedure: Mapped[str] = mapped_column(Id)
    seq: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(30))
    on: Mapped[date] = mapped_column("happened_on", Day)
    body: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(80))
    corrects: Mapped[str] = mapped_column(String(36), default="")
    actor: Mapped[str] = mapped_column(String(100))
    actor_unit: Mapped[str] = mapped_column(String(100), default="")
    recorded_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("procedure", "seq", name="uq_steps_seq"),)


PROCEDURES = cast(Table, ProcedureRow.__table__)
STEPS = cast(Table, StepRow.__table__)
