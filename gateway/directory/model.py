"""Versions of units 单位沿革: every state a unit ever had, who recorded it and why. Rows are never changed."""

from sqlalchemy import Column, Integer, String, Table

from gateway.tables import Base
from kernel.storage.types import BigInt, Moment

UNIT_VERSIONS = Table(
    "unit_versions",
    Base.metadata,
    Column("code", String(100), primary_key=True),
    Column("version", BigInt, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("kind", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    Column("parent", String(100), nullable=False),
    Column("path", String(500), nullable=False),
    Column("region_code", String(12), nullable=False),
    Column("credit_code", String(18), nullable=False),
    Column("field", String(50), nullable=False),
    Column("valid_from", String(10), nullable=False),
    Column("valid_to", String(10), nullable=False),
    Column("successor", String(100), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("recorded_by", String(100), nullable=False),
    Column("reason", String(500), nullable=False),
    comment="every state a unit ever had",
)
