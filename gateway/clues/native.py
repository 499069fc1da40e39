"""Reading a clue that comes in the platform's own form (clues.proto), under the same rules as mapped ones."""

from collections.abc import Mapping
from datetime import datetime

from contracts.clues.v1.clues_pb2 import Clue
from gateway.clues.rules import KIND_NAMES
from gateway.links import fields
from gateway.links.fields import Fault
from gateway.links.mapping import BadClue, HashPerson, MappedClue
from kernel.clock import from_microseconds
from kernel.errors import Invalid, NotAllowed, Problem
from kernel.hosting.edge import check_text

MAX_ATTRIBUTES = 40


class ForeignSystem(NotAllowed):
    """The message names another system than the one that sent it."""

    code = "clues.foreign_system"
    message = "线索所写来源系统与发送方身份不一致。"


def read_native(clue: Clue, system: str, *, now: datetime, hashed: HashPerson) -> MappedClue:
    """Check a clue from `system`; raises ForeignSystem, or BadClue with the first fault."""
    if clue.system != system:
        raise ForeignSystem()
    place = "content"
    try:
        for value in (clue.title, clue.content, *clue.attributes.values(), *clue.attributes):
            check_text(value)
        place = "external_id"
        check_text(clue.external_id)
        external_id = fields.identifier(clue.external_id, 64)
        place = "external_version"
        version = fields.integer(clue.external_version)
        place = "title"
        title = _demanded(fields.text(clue.title, 200))
        place = "content"
        content = fields.text(clue.content, 4000)
        place = "region_code"
        region = fields.region(clue.region_code)
        place = "unit"
        check_text(clue.unit)
        unit = fields.unit(clue.unit) if clue.unit else ""
        place = "occurred_at_us"
        occurred_at = fields.in_window(_moment(clue.occurred_at_us), now)
        place = "due_at_us"
        due_at = fields.due_window(_moment(clue.due_at_us), now) if clue.due_at_us else None
        place = "kind"
        kind = _kind(clue.kind)
        place = "attributes"
        attributes = _attributes(clue.attributes)
    except Fault as fault:
        raise BadClue(code=fault.code, problems=[Problem(place, fault.code, fault.message)]) from fault
    except Invalid as error:
        raise BadClue(
            code=error.stable_code, problems=[Problem(place, error.stable_code, error.text)]
        ) from error
    return MappedClue(
        external_id=external_id,
        external_version=version,
        kind=kind,
        unit=unit,
        region_code=region,
        title=title,
        content=content,
        person_hash=fields.person(clue.person_hash, hashed) if clue.person_hash else "",
        occurred_at=occurred_at,
        due_at=due_at,
        attributes=attributes,
    )


def _kind(number: int) -> str:
    name = KIND_NAMES.get(number, "")
    if not name:
        raise Fault("clues.unknown_code", "线索类别不在代码表中")
    return name


def _attributes(given: Mapping[str, str]) -> dict[str, str]:
    if len(given) > MAX_ATTRIBUTES:
        raise Fault("clues.too_many_attributes", f"附加属性不超过 {MAX_ATTRIBUTES} 项")
    return {fields.text(name, 64): fields.text(value, 200) for name, value in given.items()}


def _moment(value: int) -> datetime:
    try:
        return from_microseconds(value)
    except OverflowError as error:
        raise Fault("clues.bad_time", "时间超出可表示范围") from error


def _demanded(text: str) -> str:
    if not text:
        raise Fault("clues.missing", "不能为空")
    return text
