"""The register of normative documents 行政规范性文件登记: what each maker has made, from comment to filing."""

from datetime import date, datetime

from sqlalchemy import Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.storage.types import Day, Id, Moment
from services.legislation.tables import Base


class NormativeDocument(Base):
    """
    One normative document in the register of its (lead) maker.

    `number` is the maker's own document number 发文字号, unique for the maker; `registration` that of the unified
    register, empty when it was never registered. `file_by` and `expires_on` are reckoned once and stored. `used_on` is
    the latest day on which somebody cited it. `mode` is how the facts came (contracts.findings.Mode); `version` counts changes of the entry.
    """

    __tablename__ = "normative_documents"
    __table_args__ = (
        UniqueConstraint("unit", "number"),
        Index("ix_normative_documents_next_look", "next_look_on"),
        Index("ix_normative_documents_title", "title_key"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    unit: Mapped[str] = mapped_column(String(100))
    number: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(200))
    title_key: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    comment_opened_on: Mapped[date | None] = mapped_column(Day)
    comment_closed_on: Mapped[date | None] = mapped_column(Day)
    reviewed_on: Mapped[date | None] = mapped_column(Day)
    review_result: Mapped[str] = mapped_column(String(30))
    deliberated_on: Mapped[date | None] = mapped_column(Day)
    signed_on: Mapped[date] = mapped_column(Day)
    registration: Mapped[str] = mapped_column(String(100))
    published_on: Mapped[date | None] = mapped_column(Day)
    effective_on: Mapped[date | None] = mapped_column(Day)
    filed_on: Mapped[date | None] = mapped_column(Day)
    file_by: Mapped[date | None] = mapped_column(Day)
    expires_on: Mapped[date | None] = mapped_column(Day)
    repealed_on: Mapped[date | None] = mapped_column(Day)
    used_on: Mapped[date | None] = mapped_column(Day)
    next_look_on: Mapped[date | None] = mapped_column(Day)
    mode: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer)
    recorded_at: Mapped[datetime] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment)
