"""
The case record 执法案件: what a body says of one penalty, licence or inspection.

`given` names the fields the source had a column for. An empty cell under a column is a statement ("not done"),
a missing column is silence: probes must be able to tell them apart. A unit that only reports 报送 fills the
双公示 set and leaves the procedure columns of a shared file blank, so for it those blanks are silence too.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any

import orjson

# What a unit in reporting mode speaks of: the 双公示 set, and when it published (国办发〔2018〕118号).
REPORTED_FIELDS = frozenset(
    {
        "cause",
        "facts",
        "basis",
        "penalty_kinds",
        "content",
        "fine_yuan",
        "decided_on",
        "procedure",
        "published_on",
    }
)
Value = str | date | Decimal | tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecord:
    """One case, field by field as catalog/imports/enforcement_cases.yaml names them."""

    kind: str
    number: str
    party_name: str
    party_kind: str
    basis: str
    decided_on: date
    body_name: str
    body_code: str
    party_code: str = ""
    cause: str = ""
    facts: str = ""
    penalty_kinds: tuple[str, ...] = ()
    content: str = ""
    fine_yuan: Decimal | None = None
    procedure: str = ""
    power_item: str = ""
    opened_on: date | None = None
    officer_certificates: tuple[str, ...] = ()
    certificate_shown: str = ""
    notified_on: date | None = None
    hearing_notified_on: date | None = None
    hearing_asked_on: date | None = None
    hearing_held_on: date | None = None
    reviewed_on: date | None = None
    review_result: str = ""
    discussed_on: date | None = None
    served_on: date | None = None
    published_on: date | None = None
    recording: tuple[str, ...] = ()
    recording_required: str = ""
    archived_on: date | None = None
    paid_on_spot_on: date | None = None
    handed_in_on: date | None = None
    mode: str = "entered"
    given: frozenset[str] = frozenset()

    def says(self, field: str) -> bool:
        """Whether the source speaks of this field at all, be it to say "none"."""
        if getattr(self, field):
            return True
        return field in self.given and (self.mode != "reported" or field in REPORTED_FIELDS)

    def stored(self) -> bytes:
        """The canonical JSON of the record; the same content always gives the same bytes."""
        values = {f.name: _plain(getattr(self, f.name)) for f in fields(self)}
        return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)

    @property
    def digest(self) -> str:
        """SHA-256 of `stored()`."""
        return hashlib.sha256(self.stored()).hexdigest()

    @classmethod
    def restored(cls, raw: bytes | str) -> "CaseRecord":
        """The inverse of `stored`."""
        values = orjson.loads(raw)
        return cls(**{name: _typed(name, value) for name, value in values.items() if name in _FIELDS})


_FIELDS = frozenset(f.name for f in fields(CaseRecord))
_DAYS = frozenset(name for name in _FIELDS if name.endswith("_on"))
_LISTS = frozenset({"penalty_kinds", "officer_certificates", "recording"})
DATA_FIELDS = _FIELDS - {"given"}


def number_key(number: str) -> str:
    """
    A document number 文号 as it is compared: width, blanks and kind of brackets do not matter.

    People type 〔2026〕, [2026], （2026） for the same thing; the original is kept for display.
    """
    folded = unicodedata.normalize("NFKC", number).upper()
    return re.sub(r"[\s]", "", re.sub(r"[\[(【〔﹝]", "〔", re.sub(r"[\])】〕﹞]", "〕", folded)))


def from_values(values: Mapping[str, Value], given: frozenset[str]) -> CaseRecord:
    """A record out of parsed cells; absent values take their defaults."""
    filled: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    return CaseRecord(given=given, **filled)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value


def _typed(name: str, value: Any) -> Any:
    if name == "given":
        return frozenset(value)
    if value is None:
        return None
    if name in _DAYS:
        return date.fromisoformat(value)
    if name in _LISTS:
        return tuple(value)
    return Decimal(value) if name == "fine_yuan" else value
