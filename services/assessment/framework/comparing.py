"""
Difference 版本差异 of two versions of a framework, as data and as sentences that people can read.

Nodes are matched by code. Everything that may change what a unit earns is told: nodes that came, went or moved,
points per peer group, weights, methods, probes, vetoes; and who leads, answers and is warned.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from services.assessment.framework.reading import decimal
from services.assessment.framework.values import Framework, Node
from services.assessment.framework.writing import share

ChangeKind = Literal[
    "group_added",
    "group_removed",
    "group_changed",
    "weight",
    "added",
    "removed",
    "moved",
    "title",
    "points",
    "method",
    "probes",
    "veto",
    "warning",
    "lead",
    "responsible",
    "source",
    "basis",
]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference 变更; `group` where it is of one peer group only, `before` and `after` in words."""

    kind: ChangeKind
    code: str
    title: str
    group: str
    before: str
    after: str
    sentence: str


class _Tell(Protocol):
    """Makes a change of the node at hand."""

    def __call__(self, kind: ChangeKind, what: str, before: str, after: str, group: str = "") -> Change: ...


@dataclass(frozen=True, slots=True)
class _Placed:
    node: Node
    parent: str


def compare(old: Framework, new: Framework, fields: Mapping[str, str]) -> list[Change]:
    """What `new` changes about `old`, in the order of the new file; `fields`: titles of fields of work."""
    groups = {group.id: group.title for group in (*old.peer_groups, *new.peer_groups)}
    before, after = _placed(old), _placed(new)
    changes = list(_groups(old, new))
    changes += _weights(old, new)
    for code, placed in after.items():
        if code not in before:
            changes.append(_whole("added", placed.node, groups))
        else:
            changes += _node(before[code], placed, groups, fields)
    changes += (_whole("removed", before[code].node, groups) for code in before if code not in after)
    return changes


def _groups(old: Framework, new: Framework) -> Iterator[Change]:
    before = {group.id: group for group in old.peer_groups}
    after = {group.id: group for group in new.peer_groups}
    for group in new.peer_groups:
        if group.id not in before:
            yield Change(
                "group_added",
                "",
                group.title,
                group.id,
                "",
                group.title,
                f"增加考核对象类别“{group.title}”。",
            )
        elif before[group.id] != group:
            yield Change(
                "group_changed", "", group.title, group.id, "", "", f"考核对象类别“{group.title}”的范围有变。"
            )
    for group in old.peer_groups:
        if group.id not in after:
            yield Change(
                "group_removed",
                "",
                group.title,
                group.id,
                group.title,
                "",
                f"取消考核对象类别“{group.title}”。",
            )


def _weights(old: Framework, new: Framework) -> Iterator[Change]:
    before = {component.code: component for component in old.components}
    for component in new.components:
        former = before.get(component.code)
        if former is None:
            continue
        if former.weight != component.weight:
            was, now = decimal(former.weight), decimal(component.weight)
            sentence = f"“{component.title}”的权重由 {was} 改为 {now}。"
            yield Change("weight", component.code, component.title, "", was, now, sentence)
        if former.source != component.source:
            sentence = f"“{component.title}”的部分来源由 {former.source} 改为 {component.source}。"
            yield Change(
                "source", component.code, component.title, "", former.source, component.source, sentence
            )


def _placed(framework: Framework) -> dict[str, _Placed]:
    found: dict[str, _Placed] = {}

    def visit(node: Node) -> None:
        for child in node.children:
            found[child.code] = _Placed(child, node.code)
            visit(child)

    visit(framework.root)
    return found


def _whole(kind: Literal["added", "removed"], node: Node, groups: Mapping[str, str]) -> Change:
    word = "增加" if kind == "added" else "取消"
    told = _points(node, groups)
    sentence = f"{word}{node.code}“{node.title}”" + (f"（{told}）。" if node.method and told else "。")
    before, after = ("", told) if kind == "added" else (told, "")
    return Change(kind, node.code, node.title, "", before, after, sentence)


def _node(
    old: _Placed, new: _Placed, groups: Mapping[str, str], fields: Mapping[str, str]
) -> Iterator[Change]:
    node, was = new.node, old.node

    def change(kind: ChangeKind, what: str, before: str, after: str, group: str = "") -> Change:
        sentence = f"{node.code}“{node.title}”{what}由“{before or '无'}”改为“{after or '无'}”。"
        return Change(kind, node.code, node.title, group, before, after, sentence)

    if old.parent != new.parent:
        yield change("moved", "的上级", old.parent, new.parent)
    if was.title != node.title:
        yield change("title", "的名称", was.title, node.title)
    if was.method is not None or node.method is not None:
        yield from _earning(was, node, groups, change)
    for kind, what, before, after in (
        ("warning", "的预警线", _share(was.warning_below_milli), _share(node.warning_below_milli)),
        ("lead", "的牵头领域", fields.get(was.lead, was.lead), fields.get(node.lead, node.lead)),
        ("responsible", "的责任领域", _listed(was.responsible, fields), _listed(node.responsible, fields)),
        ("basis", "的依据", _bases(was), _bases(node)),
    ):
        if before != after:
            yield change(kind, what, before, after)  # type: ignore[arg-type]  # literals in a tuple are text


def _earning(was: Node, node: Node, groups: Mapping[str, str], change: _Tell) -> Iterator[Change]:
    """What decides the points of a result."""
    for group in sorted(was.points.keys() | node.points.keys()):
        scores = was.points.get(group), node.points.get(group)
        if scores[0] != scores[1]:
            words = ["不考核" if value is None else f"{decimal(value)} 分" for value in scores]
            yield change("points", f"对{groups[group]}的分值", words[0], words[1], group)
    methods = [_method(one) for one in (was, node)]
    if was.method != node.method:
        yield change("method", "的计分方法", *methods)
    if was.probes != node.probes:
        yield change("probes", "的探针", "、".join(was.probes), "、".join(node.probes))
    if was.veto_below_milli != node.veto_below_milli:
        yield change("veto", "的一票否决线", _share(was.veto_below_milli), _share(node.veto_below_milli))
    sources = [f"{one.service}：{one.evidence}" for one in (was, node)]
    if was.method and node.method and sources[0] != sources[1]:
        yield change("source", "的数据来源和查验材料", *sources)


def _method(node: Node) -> str:
    if node.method is None:
        return ""
    return f"{node.method.text()}{'（按数量计算）' if node.method.measured else ''}"


def _points(node: Node, groups: Mapping[str, str]) -> str:
    return "，".join(
        f"{groups.get(group, group)} {decimal(value)} 分" for group, value in sorted(node.points.items())
    )


def _share(milli: int) -> str:
    return share(milli) if milli else ""


def _listed(codes: tuple[str, ...], fields: Mapping[str, str]) -> str:
    return "、".join(fields.get(code, code) for code in codes)


def _bases(node: Node) -> str:
    return "；".join(f"{basis.document}（{basis.version}）{basis.article}" for basis in node.basis)
