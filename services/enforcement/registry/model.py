"""Tables of the registers; plain tables, because they are written and read by the thousand."""

from sqlalchemy import Column, Index, String, Table

from kernel.storage.types import Day, Moment
from services.enforcement.tables import Base

BODIES = Table(
    "bodies",
    Base.metadata,
    Column("unit", String(100), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("credit_code", String(18), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("principal", String(100), nullable=False),
    Column("field", String(50), nullable=False),
    Column("region_code", String(12), nullable=False),
    Column("confirmed_on", Day),
    Column("valid_from", Day, nullable=False),
    Column("valid_to", Day),
    Column("mode", String(20), nullable=False),
    Column("loaded_at", Moment, nullable=False),
    comment="enforcement bodies 执法主体, one per unit",
)
Index("ix_bodies_credit_code", BODIES.c.credit_code)

OFFICERS = Table(
    "officers",
    Base.metadata,
    Column("code", String(100), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("unit", String(100), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("loaded_at", Moment, nullable=False),
    comment="enforcement officers 执法人员 and auxiliary staff 辅助人员",
)
Index("ix_officers_unit", OFFICERS.c.unit, OFFICERS.c.code)

CERTIFICATES = Table(
    "certificates",
    Base.metadata,
    Column("number", String(64), primary_key=True),
    Column("issuer", String(12), primary_key=True),
    Column("officer", String(100), nullable=False),
    Column("body", String(100), nullable=False),
    Column("field", String(50), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("valid_from", Day, nullable=False),
    Column("valid_to", Day, nullable=False),
    Column("status", String(20), nullable=False),
    Column("status_on", Day),
    Column("loaded_at", Moment, nullable=False),
    comment="enforcement certificates 执法证, the number unique per issuing province",
)
Index("ix_certificates_officer", CERTIFICATES.c.officer)

POWERS = Table(
    "powers",
    Base.metadata,
    Column("unit", String(100), primary_key=True),
    Column("code", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("field", String(50), nullable=False),
    Column("document", String(200), nullable=False),
    Column("article", String(50), nullable=False),
    Column("review", String(20), nullable=False),
    Column("loaded_at", Moment, nullable=False),
    comment="items of power and responsibility lists 权责清单事项, per body",
)
Index("ix_powers_document", POWERS.c.document)
