"""
Composite score 综合得分: system data, opinion survey and on-site check put together by fixed shares.

The shares are data (catalog/frameworks/composite-*.yaml) and sum to 100. A component that was not measured
is left out and the rest scaled to 100: it lowers coverage, never the score, as in rules.py.
Amounts are integers: micro-points and millionths.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from kernel.errors import Invalid
from services.assessment.framework.reading import Reading, micro
from services.assessment.framework.values import FULL_MARKS

_SOURCES = ("framework", "survey", "on_site")


class CompositionInvalid(Invalid):
    """The document is no composition; `problems` name each place."""

    code: ClassVar[str] = "assessment.composition_invalid"
    message: ClassVar[str] = "综合得分构成文件有误，未予采用，请按提示逐项修改后重新提交。"


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a composite score; `framework` names the framework whose total it is, if any."""

    id: str
    title: str
    weight: int
    source: str
    framework: str


@dataclass(frozen=True, slots=True)
class Composition:
    """Parts that together make 100."""

    id: str
    version: str
    title: str
    notice: str
    components: tuple[Component, ...]


class Measured(NamedTuple):
    """What one component came to: a score out of 100 (None: nothing computed) and its coverage."""

    score: int | None
    coverage: int


def parse_composition(document: object) -> Composition:
    """The composition a document describes. Errors: `CompositionInvalid` with every fault found."""
    reader = Reading()
    data = reader.mapping(document, "")
    components = []
    for index, raw in enumerate(reader.list_of(data, "components", "")):
        path = f"components[{index}]"
        row = reader.mapping(raw, path)
        weight = micro(row.get("weight"))
        if not weight:
            reader.note(f"{path}.weight", "weight", '权重应为带引号的正数，例如 "50"。')
        if row.get("source") not in _SOURCES:
            reader.note(f"{path}.source", "source", f"source 应为 {'、'.join(_SOURCES)} 之一。")
        components.append(
            Component(
                reader.code(row, path),
                reader.text(row, "title", path),
                weight or 0,
                str(row.get("source")),
                reader.text(row, "framework", path, required=row.get("source") == "framework"),
            )
        )
    if len({component.id for component in components}) != len(components):
        reader.note("components", "duplicate_code", "各部分的 id 不能重复。")
    if sum(component.weight for component in components) != FULL_MARKS:
        reader.note("components", "total_not_100", "各部分权重合计应为 100。")
    composition = Composition(
        reader.code(data, ""),
        reader.text(data, "version", ""),
        reader.text(data, "title", ""),
        reader.text(data, "notice", "", required=data.get("sample") is True),
        tuple(components),
    )
    if reader.problems:
        raise CompositionInvalid(problems=reader.problems)
    return composition


def compose(composition: Composition, measured: Mapping[str, Measured]) -> Measured:
    """The composite of the components measured, by id; those that are missing count as not computed."""
    earned = weight = covered = 0
    for component in composition.components:
        found = measured.get(component.id)
        if found is not None and found.score is not None:
            earned += component.weight * found.score
            weight += component.weight
            covered += component.weight * found.coverage
    return Measured(
        score=(2 * earned + weight) // (2 * weight) if weight else None,
        coverage=covered // FULL_MARKS,
    )
