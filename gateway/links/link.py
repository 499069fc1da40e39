"""
A link 对接约定 as data: what catalog/links/<system>.yaml says of an outside system.

Read once at start; a file that is wrong stops the start and names file and line, because a clue dropped by a
typing error would be noticed by nobody.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from contracts.findings import Basis
from kernel.catalog import CatalogFile, read_folder
from kernel.errors import Problem

KINDS = ("enforcement_complaint", "inaction", "reconsideration", "litigation_result", "dispute")
STATES = ("received", "routed", "accepted", "returned", "answered")
SERVICES = ("enforcement", "disputes")
TYPES = ("text", "int", "time", "date", "region", "unit", "code", "case_number", "person")
TARGETS = (
    "external_id",
    "external_version",
    "unit",
    "region_code",
    "title",
    "content",
    "person_hash",
    "occurred_at",
    "due_at",
    "drop",
)
_REQUIRED_TARGETS = ("external_id", "region_code", "title", "occurred_at")
_ANSWER_FIELDS = ("receipt", "external_id", "state", "note", "subject", "recorded_at")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: the sender's name and its aliases, where it goes, and how it is read."""

    source: str
    aliases: tuple[str, ...]
    target: str
    kind: str
    longest: int
    required: bool
    default: object
    codes: dict[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name under which it may come."""
        return (self.source, *self.aliases)

    @property
    def is_attribute(self) -> bool:
        """Whether it travels as an attribute, as text."""
        return self.target.startswith("attribute:")


@dataclass(frozen=True, slots=True)
class KindRule:
    """A clue is of this kind when each named attribute has one of the values and one of the words occurs."""

    attributes: dict[str, frozenset[str]]
    words: tuple[str, ...]
    kind: str

    def holds(self, text: str, attributes: Mapping[str, str]) -> bool:
        """Whether the rule takes this clue."""
        if any(attributes.get(name) not in values for name, values in self.attributes.items()):
            return False
        return not self.words or any(word in text for word in self.words)


@dataclass(frozen=True)
class Link:
    """The agreement with one outside system."""

    system: str
    title: str
    version: int
    fields: tuple[Field, ...]
    kinds: tuple[KindRule, ...]
    routing: dict[str, str]
    answer_days: int
    answer_in_working_days: bool
    answer_basis: tuple[Basis, ...]
    answer_fields: dict[str, str]
    answer_states: dict[str, str]
    body_bytes: int

    @cached_property
    def names(self) -> frozenset[str]:
        """Every field name that may come."""
        return frozenset(name for field in self.fields for name in field.names)

    def kind_of(self, title: str, content: str, attributes: Mapping[str, str]) -> str:
        """The kind by the first rule that holds; "" when none does."""
        text = f"{title}\n{content}"
        return next((rule.kind for rule in self.kinds if rule.holds(text, attributes)), "")


def load_links(folder: Path) -> dict[str, Link]:
    """The links of a catalog, by system. Raises CatalogInvalid with file and line."""
    links = {}
    for file in read_folder(folder / "links"):
        problems = list(_problems(file.data))
        if problems:
            raise file.located(problems)
        links[file.data["system"]] = _link(file)
    return links


def _link(file: CatalogFile) -> Link:
    data: dict[str, Any] = file.data
    answer = data["answer"]
    basis = answer.get("basis")
    return Link(
        system=data["system"],
        title=data["title"],
        version=data["version"],
        fields=tuple(_field(entry) for entry in data["fields"]),
        kinds=tuple(_kind(entry) for entry in data["kinds"]),
        routing=dict(data["routing"]),
        answer_days=answer["days"],
        answer_in_working_days=answer["unit"] == "working",
        answer_basis=(Basis(basis["document"], str(basis["version"]), basis["article"]),) if basis else (),
        answer_fields=dict(answer["fields"]),
        answer_states=dict(answer["states"]),
        body_bytes=data["limits"]["body_bytes"],
    )


def _field(entry: Mapping[str, Any]) -> Field:
    return Field(
        source=entry["from"],
        aliases=tuple(entry.get("aliases", ())),
        target=entry["to"],
        kind=entry["type"],
        longest=entry.get("max", 200),
        required=entry.get("required", False),
        default=entry.get("default"),
        codes={str(theirs): str(ours) for theirs, ours in entry.get("codes", {}).items()},
    )


def _kind(entry: Mapping[str, Any]) -> KindRule:
    when = dict(entry["when"])
    words = tuple(when.pop("words", ()))
    return KindRule(
        {name: frozenset(map(str, values)) for name, values in when.items()}, words, entry["kind"]
    )


def _problems(data: Any) -> Iterator[Problem]:
    for name in ("system", "title", "version", "fields", "kinds", "routing", "answer", "limits"):
        if name not in data:
            yield Problem("", "catalog.missing_key", f"缺少 {name}")
            return
    yield from _field_problems(data["fields"])
    for index, entry in enumerate(data["kinds"]):
        if entry.get("kind") not in KINDS or not isinstance(entry.get("when"), dict):
            yield Problem(
                f"kinds[{index}]", "catalog.unknown_kind", f"类别应为 {'、'.join(KINDS)} 之一，并写明 when"
            )
    for kind, service in data["routing"].items():
        if kind not in KINDS or service not in SERVICES:
            yield Problem("routing", "catalog.unknown_route", f"{kind} 不能分派到 {service}")
    for kind in KINDS:
        if kind not in data["routing"]:
            yield Problem("routing", "catalog.missing_route", f"没有写明 {kind} 分派到哪里")
    yield from _answer_problems(data["answer"])


def _answer_problems(answer: Mapping[str, Any]) -> Iterator[Problem]:
    if answer.get("unit") not in ("working", "calendar") or not isinstance(answer.get("days"), int):
        yield Problem(
            "answer", "catalog.bad_period", "答复期限应写明 days（整数）和 unit（working 或 calendar）"
        )
    for part, names in (("fields", _ANSWER_FIELDS), ("states", STATES)):
        if missing := [name for name in names if name not in answer.get(part, {})]:
            yield Problem("answer", "catalog.missing_key", f"answer.{part} 缺少 {'、'.join(missing)}")


def _field_problems(entries: list[dict[str, Any]]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        place = f"fields[{index}]"
        target = str(entry.get("to", ""))
        if target not in TARGETS and not target.startswith("attribute:"):
            yield Problem(f"{place}.to", "catalog.unknown_target", f"没有 {target} 这个去处")
        if entry.get("type") not in TYPES:
            yield Problem(f"{place}.type", "catalog.unknown_type", f"类型应为 {'、'.join(TYPES)} 之一")
        if entry.get("type") == "code" and not entry.get("codes"):
            yield Problem(f"{place}.codes", "catalog.missing_codes", "代码类字段应列出代码表")
        for name in (entry.get("from"), *entry.get("aliases", ())):
            if name in seen:
                yield Problem(place, "catalog.repeated_name", f"字段名 {name} 重复")
            seen.add(str(name))
    for target in _REQUIRED_TARGETS:
        if not any(entry.get("to") == target and entry.get("required") for entry in entries):
            yield Problem("fields", "catalog.missing_target", f"必须有一个必填字段对应 {target}")
