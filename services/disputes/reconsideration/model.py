"""
Model: the register of cases, the append-only log of their steps, and the deadlines as they were set.

The log is the record; the columns of `cases` are read off it. Log and deadlines refuse UPDATE and DELETE in the
database itself (see the migration). The applicant's name stands in the case row alone, where it can be erased.
"""

from datetime import date, datetime
from typing import cast, get_args

from sqlalchemy import Boolean, Index, Integer, String, Table, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.storage.types import Day, Id, Moment, one_of
from services.disputes.reconsideration.rules.case import STATES
from services.disputes.reconsideration.rules.steps import Track
from services.disputes.tables import Base


class CaseRow(Base):
    """One reconsideration case 行政复议案件."""

    __tablename__ = "cases"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(100))
    organ: Mapped[str] = mapped_column(String(100))  # 行政复议机关
    respondent: Mapped[str] = mapped_column(String(100))  # 被申请人
    applicant: Mapped[str] = mapped_column(String(500), default="")
    applicant_kind: Mapped[str] = mapped_column(String(50), default="")
    mode: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(20))
    track: Mapped[str] = mapped_column(String(20), default="ordinary")
    steps: Mapped[int] = mapped_column(Integer, default=0)
    received_on: Mapped[date | None] = mapped_column(Day)
    accepted_on: Mapped[date | None] = mapped_column(Day)
    deemed: Mapped[bool] = mapped_column(Boolean, default=False)  # 视为受理
    decided_on: Mapped[date | None] = mapped_column(Day)
    effective_on: Mapped[date | None] = mapped_column(Day)
    outcome: Mapped[str] = mapped_column(String(10), default="")
    grounds: Mapped[str] = mapped_column(String(200), default="")  # codes joined by commas
    settled: Mapped[bool | None] = mapped_column(Boolean)
    act_changed: Mapped[bool | None] = mapped_column(Boolean)
    in_time: Mapped[bool | None] = mapped_column(Boolean)
    due_on: Mapped[date | None] = mapped_column(Day)  # nearest running deadline
    provisional: Mapped[bool] = mapped_column(Boolean, default=False)
    next_look_on: Mapped[date | None] = mapped_column(Day)
    receipt: Mapped[str] = mapped_column(String(36), default="")  # of the clue it came from
    source_digest: Mapped[str] = mapped_column(String(80), default="")
    recorded_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("organ", "number", name="uq_cases_number"),
        one_of("cases", "state", *STATES),
        one_of("cases", "track", *get_args(Track)),
        Index("ix_cases_respondent", "respondent"),
        Index("ix_cases_next_look", "next_look_on"),
        Index("ix_cases_received", "received_on"),
        Index("ix_cases_decided", "decided_on"),
    )


class StepRow(Base):
    """One recorded step: who, when, what, and the digest of it."""

    __tablename__ = "case_steps"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case: Mapped[str] = mapped_column("of_case", Id)
    seq: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(30))
    on: Mapped[date] = mapped_column("happened_on", Day)
    body: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(80))
    corrects: Mapped[str] = mapped_column(String(36), default="")
    actor: Mapped[str] = mapped_column(String(100))
    actor_unit: Mapped[str] = mapped_column(String(100), default="")
    recorded_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("of_case", "seq", name="uq_case_steps_seq"),)


class DeadlineRow(Base):
    """One deadline as a step set it; of one clock the row of the latest step is in force."""

    __tablename__ = "deadlines"

    case: Mapped[str] = mapped_column("of_case", Id, primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    clock: Mapped[str] = mapped_column(String(60), primary_key=True)
    from_on: Mapped[date] = mapped_column(Day)
    due_on: Mapped[date] = mapped_column(Day)
    provisional: Mapped[bool] = mapped_column(Boolean)
    calendar_version: Mapped[str] = mapped_column(String(200))


CASES = cast(Table, CaseRow.__table__)
STEPS = cast(Table, StepRow.__table__)
DEADLINES = cast(Table, DeadlineRow.__table__)
