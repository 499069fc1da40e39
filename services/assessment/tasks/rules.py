"""
Decomposition 任务分解: from the results of a framework to the units that lead and those that share the work.

A framework names fields of work, for one framework serves many places. In an area, which is a government, a field
is the department under it that works in that field. Where nobody leads in that field, the government itself leads;
where nobody shares the work, nobody is named.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.assessment.framework.values import Framework, Node


@dataclass(frozen=True, slots=True)
class TaskItem:
    """What a task 任务 asks in every area: when it is reached (达到标准) and what must be shown (查验材料)."""

    node: str
    title: str
    standard: str
    deliverables: tuple[str, ...]
    lead_field: str
    responsible_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Area:
    """An area 地区: a government, the peer group it is in, and its departments by field of work."""

    code: str
    group: str
    departments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Assigned:
    """One task of one area, and the units that have it 牵头单位、责任单位."""

    area: str
    node: str
    lead: str
    responsible: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StatutoryDate:
    """A yearly date of reporting 法定报告时限; `is_verified`: checked against the text it cites."""

    id: str
    month: int
    day: int
    title: str
    who: str
    document: str
    article: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """When tasks are due unless said otherwise, and how many days before that units are reminded."""

    due_month: int
    due_day: int
    remind_before: tuple[int, ...]
    statutory: tuple[StatutoryDate, ...]


def items_of(framework: Framework) -> list[TaskItem]:
    """The tasks in a framework: its results, with the fields of the nearest node above that names them."""
    found: list[TaskItem] = []

    def visit(node: Node, lead: str, responsible: tuple[str, ...]) -> None:
        if node.lead:
            lead, responsible = node.lead, node.responsible
        if node.method is not None:
            found.append(
                TaskItem(
                    node.code,
                    node.title,
                    node.method.text(),
                    tuple(_evidence(node.evidence)),
                    lead,
                    responsible,
                )
            )
        for child in node.children:
            visit(child, lead, responsible)

    visit(framework.root, "", ())
    return found


def assign(framework: Framework, items: Sequence[TaskItem], areas: Iterable[Area]) -> Iterator[Assigned]:
    """Every task that counts for an area's government, with its units."""
    points = {node.code: node.points for node in framework.results()}
    for area in areas:
        for item in items:
            if area.group not in points[item.node]:
                continue
            lead = area.departments.get(item.lead_field, area.code)
            named = (area.departments.get(name) for name in item.responsible_fields)
            others = dict.fromkeys(unit for unit in named if unit is not None and unit != lead)
            yield Assigned(area.code, item.node, lead, tuple(others))


def reminder_kinds(today: date, settings: TaskSettings) -> list[tuple[str, date, date]]:
    """(kind, first, last due day) of the tasks to remind of today: each kind covers due days of its own."""
    kinds = []
    nearer = 0
    for days in sorted(settings.remind_before):
        kinds.append((f"before-{days}", today + timedelta(days=nearer), today + timedelta(days=days)))
        nearer = days + 1
    kinds.append(("overdue", date.min, today - timedelta(days=1)))
    return kinds


def _evidence(text: str) -> Iterator[str]:
    return (part for raw in text.replace("；", "\n").splitlines() if (part := raw.strip()))
