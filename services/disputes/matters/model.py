"""Model: matters handed over by other systems, and what the courts decided about units."""

from datetime import date, datetime
from typing import cast

from sqlalchemy import Index, Integer, String, Table, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.storage.types import Day, Id, Moment, one_of
from services.disputes.tables import Base


class MatterRow(Base):
    """One matter 事项 under its clue receipt; `state` open, returned or answered."""

    __tablename__ = "matters"

    receipt: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))  # reconsideration, litigation_result, dispute
    system: Mapped[str] = mapped_column(String(30))
    external_id: Mapped[str] = mapped_column(String(100))
    unit: Mapped[str] = mapped_column(String(100))
    region_code: Mapped[str] = mapped_column(String(12))
    title: Mapped[str] = mapped_column(String(500))
    content: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(String(200))  # business object opened for it
    received_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    answered_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        Index("ix_matters_unit", "unit"),
        Index("ix_matters_state", "state"),
        one_of("matters", "state", "open", "returned", "answered"),
    )


class CourtOutcomeRow(Base):
    """One judgment 裁判结果 about a unit, by case number and instance."""

    __tablename__ = "court_outcomes"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    receipt: Mapped[str] = mapped_column(String(36))
    case_number: Mapped[str] = mapped_column(String(100))
    instance: Mapped[str] = mapped_column(String(20))
    court: Mapped[str] = mapped_column(String(100))
    unit: Mapped[str] = mapped_column(String(100))  # 被告机关
    review_organ: Mapped[str] = mapped_column(String(100))  # 复议机关 (共同被告)
    outcome: Mapped[str] = mapped_column(String(10))
    lost: Mapped[str] = mapped_column(String(10))  # yes, no, separate
    ground: Mapped[str] = mapped_column(String(30))
    act_number: Mapped[str] = mapped_column(String(128))
    head_attended: Mapped[str] = mapped_column(String(20))  # yes, no, not_required
    performed: Mapped[str] = mapped_column(String(20))
    decided_on: Mapped[date] = mapped_column(Day)
    effective_on: Mapped[date | None] = mapped_column(Day)
    version: Mapped[int] = mapped_column(Integer)

    __table_args__ = (
        UniqueConstraint("case_number", "instance", "unit", name="uq_court_outcomes_case"),
        Index("ix_court_outcomes_unit", "unit", "effective_on"),
    )


MATTERS = cast(Table, MatterRow.__table__)
COURT_OUTCOMES = cast(Table, CourtOutcomeRow.__table__)
