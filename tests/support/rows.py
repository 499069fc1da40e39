"""Rows that satisfy a table's types, for tests that are about something else."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Boolean, Integer, Table

from kernel.ids import new_id
from kernel.storage.types import Day, Id, Moment


def row_of(table: Table, **given: Any) -> dict[str, Any]:
    """A row with these values and, in every other column that must have one, something of its type."""
    needed = (column for column in table.columns if not column.nullable and column.name not in given)
    return {column.name: _some(column.type) for column in needed} | given


def _some(kind: Any) -> Any:
    if kind is Id:
        return new_id()
    if isinstance(kind, Moment):
        return datetime(2026, 3, 5, tzinfo=UTC)
    if isinstance(kind, Day):
        return date(2026, 3, 5)
    if isinstance(kind, Boolean):
        return False
    return 1 if isinstance(kind, Integer) else "1"
