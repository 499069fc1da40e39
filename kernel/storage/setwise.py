"""
Set-wise writes: many rows in one statement, the same on both databases.

Rows travel as one JSON parameter: `json_to_recordset` on PostgreSQL, `json_each` on SQLite. So a batch
costs one round trip whatever its size. Binary columns cannot travel this way; tables written here have none.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Literal

import orjson
from sqlalchemy import Row, Table, TextClause, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from kernel.errors import Unacceptable
from kernel.storage.types import time_text

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
    statement = _statement(
        table,
        dialect,
        tuple(rows[0]),
        keys=tuple(keys),
        on_conflict=conflict,
        returning=tuple(returning),
        only_if=only_if,
    )
    result = connection.execute(statement, {"rows": _payload(rows, dialect)})
    return list(result.all()) if returning else []


@lru_cache(maxsize=500)
def _statement(
    table: Table,
    dialect: str,
    columns: tuple[str, ...],
    *,
    keys: tuple[str, ...],
    on_conflict: str | tuple[tuple[str, str], ...],
    returning: tuple[str, ...],
    only_if: str,
) -> TextClause:
    statement = f"INSERT INTO {table.name} AS old ({', '.join(columns)}) {_source(table, columns, dialect)}"
    statement += _conflict_clause(keys, on_conflict, only_if)
    if returning:
        statement += " RETURNING " + ", ".join(returning)
    return text(statement)


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


def _source(table: Table, columns: Sequence[str], dialect: str) -> str:
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        kind = postgresql.dialect()  # type: ignore[no-untyped-call]
        types = ", ".join(f"{name} {table.c[name].type.compile(kind)}" for name in columns)
        picked = ", ".join(f"r.{name}" for name in columns)
        return f"SELECT {picked} FROM json_to_recordset(CAST(:rows AS json)) AS r({types})"
    picked = ", ".join(f"json_extract(value, '$.{name}')" for name in columns)
    return f"SELECT {picked} FROM json_each(:rows) WHERE true"


def _payload(rows: Sequence[Mapping[str, Any]], dialect: str) -> str:
    if dialect == "postgresql":
        payload = orjson.dumps(rows)  # PostgreSQL reads times as orjson writes them
    else:
        payload = orjson.dumps(rows, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)
    if b"\\u0000" in payload and _has_nul(rows):
        raise Unacceptable("文字中含有空字符（NUL），数据库不能保存。", code="platform.bad_character")
    return payload.decode()


def _has_nul(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a text has a NUL: PostgreSQL refuses the whole batch, SQLite cuts the text off in silence."""
    return any(isinstance(value, str) and "\0" in value for row in rows for value in row.values())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot travel in a set-wise write")
