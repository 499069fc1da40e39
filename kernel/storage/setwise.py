"""
Set-wise writes: many rows in one statement, the same on both databases.

On PostgreSQL rows travel as one JSON parameter (`json_to_recordset`), so a batch costs one round trip whatever its
size. On SQLite, where a round trip costs nothing, they are bound row by row in statements of up to 32 rows: a third
of the work of taking JSON apart, and still few moments in which another thread could take over the interpreter.
Binary columns cannot travel this way; tables written here have none.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import orjson
from sqlalchemy import Row, Table, TextClause, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from kernel.errors import Unacceptable
from kernel.storage.types import time_text

ROWS_A_STATEMENT = 32  # more is not faster, and every prepared statement is kept by its connection
OnConflict = Literal["error", "nothing"] | Mapping[str, Literal["add", "replace"]]


def write_rows(
    target: Session | Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    keys: Sequence[str] = (),
    on_conflict: OnConflict = "error",
    returning: Sequence[str] = (),
    only_if: str = "",
) -> list[Row[Any]]:
    """
    Insert rows; where a row with the same `keys` exists, do nothing or merge it.

    `on_conflict={"total": "add", "name": "replace"}` adds to or replaces those columns; `only_if` is an SQL
    condition on `old` and `excluded` names under which the merge happens. Returns the `returning` columns of
    rows written. Rows of one call must not repeat a key when merging. All rows carry the same columns.
    """
    if not rows:
        return []
    connection = target.connection() if isinstance(target, Session) else target
    dialect = connection.dialect.name
    conflict = on_conflict if isinstance(on_conflict, str) else tuple(on_conflict.items())
    shape = _Shape(table, tuple(rows[0]), tuple(keys), conflict, tuple(returning), only_if)
    if dialect == "postgresql":
        result = connection.execute(_from_json(shape), {"rows": _payload(rows)})
        return list(result.all()) if returning else []
    written: list[Row[Any]] = []
    for part in _parts(rows):
        values = tuple(_bound(row.get(name)) for row in part for name in shape.columns)
        result = connection.exec_driver_sql(_from_values(shape, len(part)), values)
        if returning:
            written.extend(result.all())
    return written


class _Shape(NamedTuple):
    """What makes two calls the same statement."""

    table: Table
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    on_conflict: str | tuple[tuple[str, str], ...]
    returning: tuple[str, ...]
    only_if: str

    def around(self, source: str) -> str:
        statement = f"INSERT INTO {self.table.name} AS old ({', '.join(self.columns)}) {source}"
        statement += _conflict_clause(self.keys, self.on_conflict, self.only_if)
        return statement + (" RETURNING " + ", ".join(self.returning) if self.returning else "")


@lru_cache(maxsize=500)
def _from_json(shape: _Shape) -> TextClause:
    from sqlalchemy.dialects import postgresql

    kind = postgresql.dialect()  # type: ignore[no-untyped-call]
    types = ", ".join(f"{name} {shape.table.c[name].type.compile(kind)}" for name in shape.columns)
    picked = ", ".join(f"r.{name}" for name in shape.columns)
    return text(shape.around(f"SELECT {picked} FROM json_to_recordset(CAST(:rows AS json)) AS r({types})"))


@lru_cache(maxsize=2000)
def _from_values(shape: _Shape, rows: int) -> str:
    one = f"({', '.join('?' * len(shape.columns))})"
    return shape.around("VALUES " + ", ".join([one] * rows))


def _parts(rows: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    """The rows in parts whose sizes are powers of two, so that few different statements are ever prepared."""
    start, size = 0, ROWS_A_STATEMENT
    while left := len(rows) - start:
        while size > left:
            size //= 2
        yield rows[start : start + size]
        start += size


def _conflict_clause(
    keys: Sequence[str], on_conflict: str | tuple[tuple[str, str], ...], only_if: str
) -> str:
    if on_conflict == "error":
        return ""
    target = f" ON CONFLICT ({', '.join(keys)})" if keys else " ON CONFLICT"
    if isinstance(on_conflict, str):
        return f"{target} DO NOTHING"
    changes = ", ".join(
        f"{column} = old.{column} + excluded.{column}" if how == "add" else f"{column} = excluded.{column}"
        for column, how in on_conflict
    )
    return f"{target} DO UPDATE SET {changes}" + (f" WHERE {only_if}" if only_if else "")


def _payload(rows: Sequence[Mapping[str, Any]]) -> str:
    payload = orjson.dumps(rows)  # PostgreSQL reads times as orjson writes them
    if b"\\u0000" in payload and _has_nul(rows):
        raise _bad_character()
    return payload.decode()


def _has_nul(rows: Sequence[Mapping[str, Any]]) -> bool:
    return any(isinstance(value, str) and "\0" in value for row in rows for value in row.values())


def _bound(value: Any) -> Any:
    """A value as SQLite keeps it; what is neither text, number nor time is kept as its JSON."""
    kind = type(value)
    if kind is str:
        if "\0" in value:
            raise _bad_character()
        return value
    if kind is int or value is None:
        return value
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, date):
        return value.isoformat()
    plain = orjson.loads(orjson.dumps(value))
    return orjson.dumps(plain).decode() if isinstance(plain, list | dict) else plain


def _bad_character() -> Unacceptable:
    """A text has a NUL: PostgreSQL refuses the whole batch, SQLite cuts the text off when it is read."""
    return Unacceptable("文字中含有空字符（NUL），数据库不能保存。", code="platform.bad_character")
