"""Model: template versions that some decision is judged by, kept as they were on the day they were pinned."""

from datetime import datetime
from typing import cast

from sqlalchemy import String, Table, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.storage.types import Moment
from services.decisions.tables import Base


class TemplateRow(Base):
    """One pinned version of a template."""

    __tablename__ = "templates"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    version: Mapped[str] = mapped_column(String(20), primary_key=True)
    digest: Mapped[str] = mapped_column(String(80))
    body: Mapped[str] = mapped_column(Text)
    pinned_at: Mapped[datetime] = mapped_column(Moment)


TEMPLATES = cast(Table, TemplateRow.__table__)
