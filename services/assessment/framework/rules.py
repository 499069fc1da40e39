"""
Reading a framework 考核指标体系: `parse` turns the document of a year into a `Framework`, or says why not.

A published framework is never edited, so reading is strict: counts, sums per peer group, weights, codes, probes,
groups, fields, methods and units of number are all checked. Faults are gathered and raised together, each with
its path ("nodes[3].children[0].points"), so that a clerk mends a file in one pass.

Documents of the catalogue name peer groups and other frameworks; a published one carries both in full and is read
without anything beside it (writing.py). The values are in values.py, the tree is read by tree.py.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, get_args

from kernel.errors import Invalid
from services.assessment.framework.reading import decimal, micro
from services.assessment.framework.tree import MOST_IN_A_TITLE, Row, TreeReading, summed
from services.assessment.framework.values import (
    COMPONENT,
    FULL_MARKS,
    MICRO,
    Component,
    ComponentSource,
    Framework,
    Method,
    Node,
    PeerGroup,
)

__all__ = [
    "FULL_MARKS",
    "MICRO",
    "Framework",
    "FrameworkInvalid",
    "Method",
    "Node",
    "PeerGroup",
    "micro",
    "parse",
    "parse_peer_groups",
]

_KINDS = frozenset({"government", "department", "township", "authorised", "dispatched"})
_LEVEL = re.compile(r"[^\s；;，,、=]{1,40}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}")
_UNIT_LEVELS = frozenset({"province", "city", "county", "township"})


class FrameworkInvalid(Invalid):
    """The document is no framework that could be published; `problems` name each place."""

    code: ClassVar[str] = "assessment.framework_invalid"
    message: ClassVar[str] = "指标体系文件有误，未予采用，请按提示逐项修改后重新提交。"


def parse(
    document: object,
    *,
    peer_groups: Sequence[PeerGroup] | None = None,
    probes: Collection[str] | None = None,
    fields: Collection[str] | None = None,
    frameworks: Mapping[str, Mapping[str, Any]] | None = None,
) -> Framework:
    """
    The framework a document describes.

    What the document may name: `peer_groups`, `probes`, `fields` of work (None: not checked, as for a published
    document, which was checked when it was published and has its groups in full), and `frameworks` "id@version"
    as documents. Errors: `FrameworkInvalid` with every fault found.
    """
    reader = _Reader(
        is_new=peer_groups is not None,
        known_groups=peer_groups,
        known_probes=probes,
        known_fields=fields,
        frameworks=frameworks or {},
    )
    framework = reader.framework(document)
    if framework is None or reader.problems:
        raise FrameworkInvalid(problems=reader.problems)
    return framework


def parse_peer_groups(document: object) -> tuple[PeerGroup, ...]:
    """The groups of catalog/frameworks/peer_groups.yaml. Errors: `FrameworkInvalid`."""
    reader = _Reader()
    data = reader.mapping(document, "")
    groups = tuple(
        reader.peer_group(row, f"peer_groups[{index}]")
        for index, row in enumerate(reader.list_of(data, "peer_groups", ""))
    )
    reader.check_overlap(groups)
    if reader.problems:
        raise FrameworkInvalid(problems=reader.problems)
    return groups


@dataclass
class _Reader(TreeReading):
    """Reads the whole document."""

    known_groups: Sequence[PeerGroup] | None = None
    frameworks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def framework(self, document: object) -> Framework | None:
        data = self.mapping(document, "")
        if not data:
            return None
        self.levels = tuple(str(level) for level in self.list_of(data, "levels", ""))
        if self.is_new and not all(map(_LEVEL.fullmatch, self.levels)):
            self.note("levels", "levels", "层级名称不能含有空格、标点和等号，不超过 40 个字符。")
        if len(self.levels) < 2 or len(set(self.levels)) != len(self.levels):
            self.note("levels", "levels", "请列出至少两个不重复的层级，例如 [aspect, measure, result]。")
            return None
        self.groups = tuple(self._chosen_groups(data))
        sample = data.get("sample") is True
        notice = self.text(data, "notice", "", required=sample)
        components: tuple[Component, ...] = ()
        tree = self.nested(data) if "rows" in data else None
        if "components" in data or (tree and "weight" in tree[0]):
            components, children = self._components(data, tree)
            points = dict.fromkeys((group for child in children for group in child.points), FULL_MARKS)
        else:
            nodes = self.list_of(data, "nodes", "") if tree is None else tree
            children = tuple(self.node(row, f"nodes[{i}]", 0) for i, row in enumerate(nodes))
            points = summed(children)
        root = Node("", self.text(data, "title", "", most=MOST_IN_A_TITLE), "total", points, children)
        framework = Framework(
            id=self.code(data, ""),
            version=self._version(data),
            title=root.title,
            year=self._year(data),
            sample=sample,
            notice=notice,
            levels=self.levels,
            peer_groups=self.groups,
            root=root,
            basis=self.bases(data, ""),
            components=components,
        )
        self._check_totals(framework)
        self._check_counts(framework, data)
        return framework

    def _components(
        self, data: Mapping[str, Any], rows: Sequence[Row] | None
    ) -> tuple[tuple[Component, ...], tuple[Node, ...]]:
        """Components and the nodes that stand for them; each has a tree of its own whose points sum to 100."""
        found = [
            self._component(raw, f"components[{index}]")
            for index, raw in enumerate(self.list_of(data, "components", "") if rows is None else rows)
        ]
        if sum(component.weight for component, _ in found) != FULL_MARKS:
            self.note("components", "weights_not_100", "各部分权重合计应为 100。")
        return tuple(component for component, _ in found), tuple(node for _, node in found)

    def _component(self, raw: object, path: str) -> tuple[Component, Node]:
        path = raw.place if isinstance(raw, Row) else path
        row = self.mapping(raw, path)
        code, title = self.code(row, path), self.text(row, "title", path, most=MOST_IN_A_TITLE)
        self.claim(code, path)
        weight = micro(row.get("weight"))
        if not weight:
            self.note(f"{path}.weight", "weight", '权重应为带引号的正数，例如 "50"。')
        source: ComponentSource = row.get("source", "")
        if source not in get_args(ComponentSource):
            self.note(
                f"{path}.source", "source", f"source 应为 {'、'.join(get_args(ComponentSource))} 之一。"
            )
        origin = self.text(row, "framework", path, required=False)
        start = 0 if source == "framework" else len(self.levels) - 2
        if "nodes" in row or "children" in row or not origin:
            key = "children" if isinstance(raw, Row) else "nodes"
            below = self.list_of(row, key, path)
        else:
            key, below = "framework", self._taken_over(origin, f"{path}.framework")
        children = tuple(self.node(child, f"{path}.{key}[{i}]", start) for i, child in enumerate(below))
        points = summed(children)
        for group, total in points.items():
            if total != FULL_MARKS:
                self.note(
                    f"{path}.{key}", "total_not_100", f"{group} 的分值合计 {decimal(total)} 分，应为 100 分。"
                )
        component = Component(code, title, weight or 0, source, origin)
        return component, Node(code, title, COMPONENT, points, children, **self.duties(row, path))

    def _taken_over(self, origin: str, path: str) -> list[Any]:
        """The nodes of another framework, without the points of groups that this one does not have."""
        document = self.frameworks.get(origin)
        if document is None or "nodes" not in document:
            self.note(path, "unknown_framework", f"没有指标体系 {origin}（写法：编号@版本），请核对。")
            return []
        if tuple(document.get("levels", ())) != self.levels:
            self.note(path, "levels", f"{origin} 的层级与本体系不同，不能引用。")
            return []
        groups = {group.id for group in self.groups}
        return [taken for node in document["nodes"] if (taken := _only(node, groups)) is not None]

    def _check_totals(self, framework: Framework) -> None:
        for group in framework.peer_groups:
            total = framework.root.points.get(group.id, 0)
            if total != FULL_MARKS:
                self.note(
                    "nodes", "total_not_100", f"{group.title}的分值合计 {decimal(total)} 分，应为 100 分。"
                )

    def _check_counts(self, framework: Framework, data: Mapping[str, Any]) -> None:
        for level, declared in self.mapping(data.get("counts", {}), "counts").items():
            found = framework.count(str(level))
            if found != declared:
                self.note(
                    f"counts.{level}", "count_mismatch", f"写明 {declared} 项，实有 {found} 项，请核对。"
                )

    def _chosen_groups(self, data: Mapping[str, Any]) -> Iterator[PeerGroup]:
        known = {group.id: group for group in self.known_groups or ()}
        names: list[str] = []
        for index, raw in enumerate(self.list_of(data, "peer_groups", "")):
            path = f"peer_groups[{index}]"
            told = self.peer_group(raw, path) if isinstance(raw, dict) else None
            name = told.id if told else str(raw)
            if name in names:
                self.note(path, "peer_group_twice", f"考核对象类别 {name} 重复，请删去一个。")
            elif told is not None and self.known_groups is None:
                yield told
            elif name not in known:
                self.note(path, "unknown_peer_group", f"没有考核对象类别 {name}，请核对。")
            elif told is not None and told != known[name]:
                self.note(
                    path, "peer_group_differs", f"考核对象类别 {name} 与本平台的定义不同，请改为只写编号。"
                )
            else:
                yield known[name]
            names.append(name)

    def peer_group(self, raw: object, path: str) -> PeerGroup:
        data = self.mapping(raw, path)
        kinds = frozenset(str(kind) for kind in self.list_of(data, "kinds", path))
        levels = frozenset(str(level) for level in self.list_of(data, "levels", path))
        if not kinds <= _KINDS or not levels <= _UNIT_LEVELS:
            self.note(
                path, "unit_kind", f"kinds 应取自 {sorted(_KINDS)}，levels 应取自 {sorted(_UNIT_LEVELS)}。"
            )
        events = data.get("events", "own")
        if events not in ("own", "subtree"):
            self.note(f"{path}.events", "events", "events 应为 own（本单位）或 subtree（含下属单位）。")
            events = "own"
        return PeerGroup(self.code(data, path), self.text(data, "title", path), kinds, levels, events)

    def check_overlap(self, groups: Sequence[PeerGroup]) -> None:
        """A unit belongs to one group at most."""
        taken: set[tuple[str, str]] = set()
        for index, group in enumerate(groups):
            pairs = {(kind, level) for kind in group.kinds for level in group.levels}
            if pairs & taken:
                self.note(
                    f"peer_groups[{index}]", "peer_group_overlap", "与前面的类别重叠，一个单位只能归入一类。"
                )
            taken |= pairs

    def _version(self, data: Mapping[str, Any]) -> str:
        version = self.text(data, "version", "")
        if self.is_new and version and _VERSION.fullmatch(version) is None:
            self.note("version", "version", "版本号应为字母、数字、点和连字符，不超过 20 个字符。")
        return version

    def _year(self, data: Mapping[str, Any]) -> int:
        year = data.get("year")
        if isinstance(year, int) and 2000 <= year <= 2100:
            return year
        self.note("year", "year", "请填写四位考核年度。")
        return 0


def _only(raw: Any, groups: Collection[str]) -> Any:
    """A node of a document with the points of these groups alone; None where nothing is left of it."""
    if not isinstance(raw, dict):
        return raw
    node = dict(raw)
    if "points" in node:
        node["points"] = {group: value for group, value in node["points"].items() if group in groups}
    if "children" in node:
        below = (_only(child, groups) for child in node["children"])
        node["children"] = [child for child in below if child is not None]
        return node if node["children"] else None
    return node if node.get("points") else None
