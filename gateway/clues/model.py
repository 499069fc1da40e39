"""
What is kept of a clue 线索: the clue, its original bytes (sealed), the messages that carried it, its progress, and
the answers on their way back to the sender.

One record of an outside system is one clue for ever: unique by (system, external_id); the message ids are kept
beside, so that an id used for another record is noticed (R8).
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.clues.rules import AMENDMENTS, RANK
from gateway.tables import Base
from kernel.storage.types import Id, Moment, one_of

_WAITING = text("answered_at IS NULL")
_PENDING = text("state = 'pending'")


class ClueRow(Base):
    """
    A clue 线索. `kind` and `state` are names of the contract; `unit_path` decides who may see it; `due_at` is the
    sender's own deadline, `answer_due_at` the one we are measured by; `overdue_noted_at` when the scored event of
    its lateness was told. `excluded_at`: since when it does not count, by an amendment 更正.
    """

    __tablename__ = "clues"

    receipt: Mapped[str] = mapped_column(Id, primary_key=True)
    system: Mapped[str] = mapped_column(String(50))
    external_id: Mapped[str] = mapped_column(String(64))
    external_version: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(30))
    state: Mapped[str] = mapped_column(String(20))
    unit: Mapped[str] = mapped_column(String(100))
    unit_path: Mapped[str] = mapped_column(String(500))
    region_code: Mapped[str] = mapped_column(String(12))
    title: Mapped[str] = mapped_column(String(200))
    content: Mapped[str] = mapped_column(Text)
    person_hash: Mapped[str] = mapped_column(String(64))
    attributes: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(20))
    routed_to: Mapped[str] = mapped_column(String(30))
    occurred_at: Mapped[datetime] = mapped_column(Moment)
    received_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    answer_due_at: Mapped[datetime] = mapped_column(Moment)
    progressed_at: Mapped[datetime] = mapped_column(Moment)
    answered_at: Mapped[datetime | None] = mapped_column(Moment)
    overdue_noted_at: Mapped[datetime | None] = mapped_column(Moment)
    excluded_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("system", "external_id", name="uq_clues_external"),
        one_of("clues", "state", *RANK),
        Index("ix_clues_received_at", "received_at"),
        Index("ix_clues_unit_path", "unit_path"),
        Index("ix_clues_waiting", "answer_due_at", postgresql_where=_WAITING, sqlite_where=_WAITING),
    )


class ClueMessage(Base):
    """A signed message that carried a clue: the first, or a repeat."""

    __tablename__ = "clue_messages"

    system: Mapped[str] = mapped_column(String(50), primary_key=True)
    message_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    receipt: Mapped[str] = mapped_column(Id)
    received_at: Mapped[datetime] = mapped_column(Moment)


class ClueOriginal(Base):
    """The bytes of the first message, sealed because they name persons; `raw_digest` is their SHA-256."""

    __tablename__ = "clue_originals"

    receipt: Mapped[str] = mapped_column(Id, ForeignKey("clues.receipt"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    raw_digest: Mapped[str] = mapped_column(String(64))


class ProgressRow(Base):
    """One step in the life of a clue, as told by whoever deals with it."""

    __tablename__ = "clue_progress"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    receipt: Mapped[str] = mapped_column(Id, ForeignKey("clues.receipt"))
    state: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(String(200))
    recorded_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (Index("ix_clue_progress_receipt", "receipt"), one_of("clue_progress", "state", *RANK))


class Amendment(Base):
    """
    A correction 线索更正 of what is measured about a clue, asked by an upheld objection. `kind`: due 答复期限, answered
    答复日期, excluded 不计; `former` and `amended` are the moments before and after; never changed, never deleted.
    """

    __tablename__ = "clue_amendments"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    receipt: Mapped[str] = mapped_column(Id, ForeignKey("clues.receipt"))
    asked: Mapped[str] = mapped_column(Id, ForeignKey("corrections_asked.id"))
    kind: Mapped[str] = mapped_column(String(20))
    former: Mapped[datetime | None] = mapped_column(Moment)
    amended: Mapped[datetime | None] = mapped_column(Moment)
    reason: Mapped[str] = mapped_column(String(500))
    recorded_at: Mapped[datetime] = mapped_column(Moment)
    recorded_by: Mapped[str] = mapped_column(String(100))

    __table_args__ = (
        Index("ix_clue_amendments_receipt", "receipt"),
        one_of("clue_amendments", "kind", *AMENDMENTS),
    )


class AnswerRow(Base):
    """An answer 回复 to the sender: the same id at every attempt. `state`: pending, delivered, dead."""

    __tablename__ = "answers"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    system: Mapped[str] = mapped_column(String(50))
    receipt: Mapped[str] = mapped_column(Id, ForeignKey("clues.receipt"))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(20))
    attempts: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(Moment)
    next_at: Mapped[datetime] = mapped_column(Moment)
    settled_at: Mapped[datetime | None] = mapped_column(Moment)
    last_error: Mapped[str] = mapped_column(String(200))

    __table_args__ = (
        Index("ix_answers_pending", "next_at", postgresql_where=_PENDING, sqlite_where=_PENDING),
        Index("ix_answers_receipt", "receipt"),
        one_of("answers", "state", "pending", "delivered", "dead"),
    )
