"""
Mapping 字段映射: an outside system's own message, by its link in catalog/links, to what the platform calls a clue.

Pure: (link, parsed JSON, now) in, clue or the list of all faults out. Faults name the sender's field as he wrote
it. Fields nobody agreed on are refused, so that a renamed field is noticed on the first day and not in a year.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from gateway.links import fields
from gateway.links.fields import Fault
from gateway.links.link import Field, Link
from kernel.errors import Invalid, Problem

HashPerson = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedClue:
    """A clue 线索 as read: `kind` is a name of the contract or "" when no rule took it; `unit` as the sender names it."""

    external_id: str
    external_version: int
    kind: str
    unit: str
    region_code: str
    title: str
    content: str
    person_hash: str
    occurred_at: datetime
    due_at: datetime | None
    attributes: dict[str, str]

    def digest(self) -> str:
        """The same for the same content, however the message was written down."""
        said = orjson.dumps(asdict(self), option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
        return hashlib.sha256(b"fazhi/clue/v1\n" + said).hexdigest()


class BadClue(Invalid):
    """A message that is no clue; `problems` name the sender's fields."""

    code = "clues.invalid"
    message = "线索内容不符合约定，请按提示逐项修改后重新发送。"


def read_clue(link: Link, message: object, *, now: datetime, hashed: HashPerson) -> MappedClue:
    """Map a parsed message; raises BadClue with every fault found."""
    if not isinstance(message, dict):
        problem = Problem("", "clues.not_an_object", "正文应为一个 JSON 对象")
        raise BadClue(code="clues.not_an_object", problems=[problem])
    problems = [
        Problem(name[:64], "clues.unknown_field", "约定中没有这个字段，请删去或与平台联系增加")
        for name in message
        if name not in link.names
    ]
    values: dict[str, Any] = {}
    for field in link.fields:
        try:
            found = _read(field, message, now, hashed)
        except Fault as fault:
            problems.append(Problem(field.source, fault.code, f"{field.source}：{fault.message}"))
            continue
        if found is not None:
            values[field.target] = found
    if problems:
        raise BadClue(code=problems[0].code if len(problems) == 1 else None, problems=problems)
    return _clue(link, values)


def _read(field: Field, message: Mapping[str, object], now: datetime, hashed: HashPerson) -> Any:
    given = [name for name in field.names if message.get(name) is not None]
    if len(given) > 1:
        raise Fault("clues.field_twice", f"与 {'、'.join(given[1:])} 是同一字段，只能写一个")
    value = message[given[0]] if given else None
    if value is None or value == "":
        if field.required:
            raise Fault("clues.missing", "不能为空")
        return field.default
    if field.target == "drop":
        fields.text(value, 500)
        return None
    found = _READERS[field.kind](field, value, now, hashed)
    if field.required and found == "":
        raise Fault("clues.missing", "不能为空")
    return found


def _text(field: Field, value: object, _now: datetime, _hashed: HashPerson) -> object:
    return (
        fields.identifier(value, field.longest)
        if field.target == "external_id"
        else fields.text(value, field.longest)
    )


def _integer(field: Field, value: object, _now: datetime, _hashed: HashPerson) -> object:
    number = fields.integer(value)
    return str(number) if field.is_attribute else number


def _moment(field: Field, value: object, now: datetime, _hashed: HashPerson) -> object:
    at = fields.moment(value)
    if field.target == "due_at":
        return fields.due_window(at, now)
    return at.isoformat() if field.is_attribute else fields.in_window(at, now)


def _day(field: Field, value: object, now: datetime, _hashed: HashPerson) -> object:
    on = fields.day(value)
    if field.target == "due_at":
        return fields.day_due(on, now)
    return on.isoformat() if field.is_attribute else fields.day_happened(on, now)


_READERS: dict[str, Callable[[Field, object, datetime, HashPerson], object]] = {
    "text": _text,
    "int": _integer,
    "time": _moment,
    "date": _day,
    "region": lambda _field, value, _now, _hashed: fields.region(value),
    "unit": lambda _field, value, _now, _hashed: fields.unit(value),
    "code": lambda field, value, _now, _hashed: fields.code(value, field.codes),
    "case_number": lambda field, value, _now, _hashed: fields.case_number(value, field.longest),
    "person": lambda _field, value, _now, hashed: fields.person(value, hashed),
}


def _clue(link: Link, values: Mapping[str, Any]) -> MappedClue:
    attributes = {
        name.removeprefix("attribute:"): str(value)
        for name, value in values.items()
        if name.startswith("attribute:")
    }
    read = MappedClue(
        external_id=values["external_id"],
        external_version=values.get("external_version", 1),
        kind="",
        unit=values.get("unit", ""),
        region_code=values["region_code"],
        title=values["title"],
        content=values.get("content", ""),
        person_hash=values.get("person_hash", ""),
        occurred_at=values["occurred_at"],
        due_at=values.get("due_at"),
        attributes=attributes,
    )
    return replace(read, kind=link.kind_of(read.title, read.content, attributes))
