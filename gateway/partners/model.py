"""Partners 外部系统 and their keys. A key is valid between two moments and may be revoked; several may overlap."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.tables import Base
from kernel.storage.types import Id, Moment


class Partner(Base):
    """
    An outside system 外部系统, named as its link in catalog/links.

    Answers go to `answer_url`, whose address must be public or inside `answer_networks`; or to its virtual host
    on the bus when `answer_url` is empty. `failures` and `rest_until` are its circuit breaker.
    """

    __tablename__ = "partners"

    system: Mapped[str] = mapped_column(String(50), primary_key=True)
    title: Mapped[str] = mapped_column(String(100))
    bus_user: Mapped[str] = mapped_column(String(100))
    answer_url: Mapped[str] = mapped_column(String(500), default="")
    answer_networks: Mapped[str] = mapped_column(String(500), default="")
    failures: Mapped[int] = mapped_column(Integer, default=0)
    rest_until: Mapped[datetime | None] = mapped_column(Moment)


class PartnerKey(Base):
    """A signing secret of a partner, sealed (gateway/partners/vault.py)."""

    __tablename__ = "partner_keys"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    system: Mapped[str] = mapped_column(String(50), ForeignKey("partners.system"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    not_before: Mapped[datetime] = mapped_column(Moment)
    not_after: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
    created_by: Mapped[str] = mapped_column(String(100))

    __table_args__ = (Index("ix_partner_keys_system", "system"),)
