"""
Column types that mean the same on PostgreSQL and SQLite.

Set-wise statements (setwise.py) hand rows over as JSON, so every type here has one textual form that both
databases read back unchanged: ids in canonical UUID text, times as ISO text in UTC, days as YYYY-MM-DD.
"""

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Date, DateTime, Dialect, Integer, String
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.types import TypeDecorator, TypeEngine

Id = String(36).with_variant(UUID(as_uuid=False), "postgresql")
BigInt = BigInteger().with_variant(Integer(), "sqlite")


def one_of(table: str, column: str, *values: str) -> CheckConstraint:
    """The database's own word that a column holds one of these, whatever a programme writes (R17)."""
    listed = ", ".join(f"'{value}'" for value in sorted(values))
    return CheckConstraint(f"{column} IN ({listed})", name=f"ck_{table}_{column}")


@lru_cache(maxsize=4096)  # the moments of one batch are few: when it was taken, and days
def time_text(at: datetime) -> str:
    """A moment as fixed-width UTC text, sortable as text: 2026-03-01T08:00:00.000000Z."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse_time(text: str) -> datetime:
    """The inverse of `time_text`; any ISO form with an offset is read."""
    return datetime.fromisoformat(text)


class Moment(TypeDecorator[datetime]):
    """An aware UTC moment; naive datetimes are refused, because they mean nothing."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        return time_text(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        moment = parse_time(value) if isinstance(value, str) else value
        return moment.astimezone(UTC)


class Day(TypeDecorator[date]):
    """A calendar day of Asia/Shanghai."""

    impl = Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String(10) if dialect.name == "sqlite" else Date())

    def process_bind_param(self, value: date | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return value.isoformat()

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:  # noqa: ARG002
        return date.fromisoformat(value) if isinstance(value, str) else value
