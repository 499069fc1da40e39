"""
The columns of an enforcement case file, as `catalog/imports/enforcement_cases.yaml` names them.

A draft is kept by field name and turned into a row by Chinese header, because rows are what units hand in:
text only, lists joined by 、, dates as YYYY-MM-DD.
"""

from datetime import date
from functools import lru_cache

import yaml

from fazhi.province.divisions import CATALOG
from fazhi.province.records import Row

Value = str | int | date | list[str] | None

# What a unit that only reports 报送 still hands in: the 双公示 set, and when it published.
_REPORTED = frozenset({
    "kind", "number", "party_name", "party_kind", "party_code", "cause", "facts", "basis", "penalty_kinds",
    "content", "fine_yuan", "decided_on", "body_name", "body_code", "procedure", "published_on", "mode",
})  # fmt: skip


@lru_cache(maxsize=1)
def headers() -> dict[str, str]:
    """Header of each field, in file order."""
    return {field: header for field, header, _ in _columns()}


@lru_cache(maxsize=1)
def _columns() -> tuple[tuple[str, str, dict[str, str]], ...]:
    text = (CATALOG / "imports" / "enforcement_cases.yaml").read_text(encoding="utf-8")
    columns = yaml.safe_load(text)["columns"]
    return tuple(
        (c["field"], c["header"], {code: word for word, code in c.get("codes", {}).items()}) for c in columns
    )


@lru_cache(maxsize=1)
def _reported_columns() -> tuple[tuple[str, str, dict[str, str]], ...]:
    return tuple(column for column in _columns() if column[0] in _REPORTED)


def row_of(draft: dict[str, Value]) -> Row:
    """The row as it stands in the file; a unit in reporting mode has no procedure columns at all."""
    columns = _reported_columns() if draft.get("mode") == "reported" else _columns()
    return {header: _text(draft.get(field), words) for field, header, words in columns}


def _text(value: Value, words: dict[str, str]) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "、".join([words.get(item, item) for item in value])
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        return f"{value}.00"
    return words.get(value, value)


def case_key(row: Row) -> str:
    """Natural key of a case: the body's credit code and the document number."""
    return f"{row['决定机关统一社会信用代码']}|{row['决定书文号']}"


def reported_headers() -> list[str]:
    """The columns of a file from a unit that only reports."""
    return [header for _, header, _ in _reported_columns()]
