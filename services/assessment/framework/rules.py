"""
Reading a framework 考核指标体系: `parse` turns the document of a year into a `Framework`, or says why not.

A published framework is never edited, so reading is strict: counts, sums per peer group, codes, probes,
groups, methods and units of number are all checked. Faults are gathered and raised together, each with
its path ("nodes[3].children[0].points"), so that a clerk mends a file in one pass.

A document carries its tree either nested (`nodes` with `children`) or flat (`rows` with `parent`, as a
workbook has it). The values themselves are in values.py, reading them piece by piece in reading.py.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, get_args

from kernel.errors import Invalid
from services.assessment.framework.reading import Reading, micro
from services.assessment.framework.values import (
    COMPONENT,
    FULL_MARKS,
    MICRO,
    Component,
    ComponentSource,
    Framework,
    Method,
    MethodKind,
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
_UNIT_LEVELS = frozenset({"province", "city", "county", "township"})


class FrameworkInvalid(Invalid):
    """The document is no framework that could be published; `problems` name each place."""

    code: ClassVar[str] = "assessment.framework_invalid"
    message: ClassVar[str] = "指标体系文件有误，未予采用，请按提示逐项修改后重新提交。"


def parse(
    document: object,
    *,
    peer_groups: Sequence[PeerGroup] = (),
    probes: Collection[str] | None = None,
) -> Framework:
    """
    The framework a document describes.

    `peer_groups`: the groups the document may name. `probes`: all that exist; None leaves them unchecked.
    Errors: `FrameworkInvalid` with every fault found.
    """
    reader = _Reader(known_groups={group.id: group for group in peer_groups}, known_probes=probes)
    framework = reader.framework(document)
    if framework is None or reader.problems:
        raise FrameworkInvalid(problems=reader.problems)
    return framework


def parse_peer_groups(document: object) -> tuple[PeerGroup, ...]:
    """The groups of catalog/frameworks/peer_groups.yaml. Errors: `FrameworkInvalid`."""
    reader = _Reader()
    data = reader.mapping(document, "")
    groups = [
        reader.peer_group(row, f"peer_groups[{index}]")
        for index, row in enumerate(reader.list_of(data, "peer_groups", ""))
    ]
    taken: set[tuple[str, str]] = set()
    for index, group in enumerate(groups):
        pairs = {(kind, level) for kind in group.kinds for level in group.levels}
        if pairs & taken:
            reader.note(
                f"peer_groups[{index}]", "peer_group_overlap", "与前面的类别重叠，一个单位只能归入一类。"
            )
        taken |= pairs
    if reader.problems:
        raise FrameworkInvalid(problems=reader.problems)
    return tuple(groups)


class _Row(dict[str, Any]):
    """A flat row with its children put below it; problems are told at its own place in the file."""

    place: str


@dataclass
class _Reader(Reading):
    """Reads the parts of a framework."""

    known_groups: Mapping[str, PeerGroup] = field(default_factory=dict)
    known_probes: Collection[str] | None = None
    levels: tuple[str, ...] = ()
    groups: tuple[PeerGroup, ...] = ()
    codes: dict[str, str] = field(default_factory=dict)
    probe_places: dict[tuple[str, str], str] = field(default_factory=dict)

    def framework(self, document: object) -> Framework | None:
        data = self.mapping(document, "")
        if not data:
            return None
        self.levels = tuple(str(level) for level in self.list_of(data, "levels", ""))
        if len(self.levels) < 2 or len(set(self.levels)) != len(self.levels):
            self.note("levels", "levels", "请列出至少两个不重复的层级，例如 [aspect, measure, result]。")
            return None
        self.groups = tuple(self._chosen_groups(data))
        sample = data.get("sample") is True
        notice = self.text(data, "notice", "", required=sample)
        components: tuple[Component, ...] = ()
        if "components" in data:
            components, children = self._components(data)
            points = dict.fromkeys((group for child in children for group in child.points), FULL_MARKS)
        else:
            nodes = self._nest(data) if "rows" in data else self.list_of(data, "nodes", "")
            children = tuple(self.node(row, f"nodes[{i}]", 0) for i, row in enumerate(nodes))
            points = _summed(children)
        root = Node("", self.text(data, "title", ""), "total", points, children)
        framework = Framework(
            id=self.code(data, ""),
            version=self.text(data, "version", ""),
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

    def node(self, raw: object, path: str, depth: int) -> Node:
        """One node and all below it; the depth is bounded by `levels`, so a circular document ends."""
        path = raw.place if isinstance(raw, _Row) else path
        data = self.mapping(raw, path)
        code = self.code(data, path)
        if code in self.codes:
            self.note(
                f"{path}.code",
                "duplicate_code",
                f"编码 {code} 已在 {self.codes[code]} 使用，请改用其他编码。",
            )
        self.codes.setdefault(code, path)
        title = self.text(data, "title", path)
        if depth == len(self.levels) - 1:
            return self._leaf(data, path, code, title)
        for only_leaf in ("method", "probes", "veto_below"):
            if only_leaf in data:
                self.note(f"{path}.{only_leaf}", "not_a_result", f"“{only_leaf}”只能写在最末一级。")
        rows = self.list_of(data, "children", path)
        children = tuple(self.node(row, f"{path}.children[{i}]", depth + 1) for i, row in enumerate(rows))
        points = _summed(children)
        for group, declared in self._points(data, path).items() if "points" in data else ():
            if declared != points.get(group, 0):
                self.note(
                    f"{path}.points.{group}",
                    "points_do_not_add_up",
                    f"写明 {_decimal(declared)} 分，下级合计 {_decimal(points.get(group, 0))} 分，请核对。",
                )
        return Node(
            code,
            title,
            self.levels[depth],
            points,
            children,
            basis=self.bases(data, path),
            **self._duties(data, path),
        )

    def _leaf(self, data: Mapping[str, Any], path: str, code: str, title: str) -> Node:
        if data.get("children"):
            self.note(
                f"{path}.children", "too_deep", f"层级超过 {len(self.levels)} 级，或上下级互相包含，请核对。"
            )
        points = self._points(data, path)
        if not points:
            self.note(f"{path}.points", "no_points", "请至少给一个考核对象类别赋分。")
        probes = tuple(str(probe) for probe in self.list_of(data, "probes", path, required=False))
        for index, probe in enumerate(probes):
            self._check_probe(probe, points, f"{path}.probes[{index}]")
        veto = self.milli(data, "veto_below", path, default=0)
        if veto and not probes:
            self.note(f"{path}.veto_below", "veto_without_probe", "一票否决项必须绑定平台数据探针。")
        return Node(
            code,
            title,
            self.levels[-1],
            points,
            method=self._method(data, path),
            probes=probes,
            veto_below_milli=veto,
            service=self.text(data, "service", path),
            evidence=self.text(data, "evidence", path),
            basis=self.bases(data, path),
            **self._duties(data, path),
        )

    def _duties(self, data: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Who leads, who answers for it, and where the warning line is."""
        responsible = self.list_of(data, "responsible", path, required=False)
        return {
            "warning_below_milli": self.milli(data, "warning_below", path, default=0),
            "lead": self.text(data, "lead", path, required=False),
            "responsible": tuple(str(field) for field in responsible),
        }

    def _components(self, data: Mapping[str, Any]) -> tuple[tuple[Component, ...], tuple[Node, ...]]:
        """Components and the nodes that stand for them; each has a tree of its own whose points sum to 100."""
        components, nodes = [], []
        for index, raw in enumerate(self.list_of(data, "components", "")):
            path = f"components[{index}]"
            row = self.mapping(raw, path)
            code, title = self.code(row, path), self.text(row, "title", path)
            if code in self.codes:
                self.note(
                    f"{path}.code",
                    "duplicate_code",
                    f"编码 {code} 已在 {self.codes[code]} 使用，请改用其他编码。",
                )
            self.codes.setdefault(code, path)
            weight = micro(row.get("weight"))
            if not weight:
                self.note(f"{path}.weight", "weight", '权重应为带引号的正数，例如 "50"。')
            source: ComponentSource = row.get("source", "")
            if source not in get_args(ComponentSource):
                self.note(
                    f"{path}.source", "source", f"source 应为 {'、'.join(get_args(ComponentSource))} 之一。"
                )
            start = 0 if source == "framework" else len(self.levels) - 2
            below = self.list_of(row, "nodes", path)
            children = tuple(self.node(child, f"{path}.nodes[{i}]", start) for i, child in enumerate(below))
            points = _summed(children)
            for group, total in points.items():
                if total != FULL_MARKS:
                    self.note(
                        f"{path}.nodes",
                        "total_not_100",
                        f"{group} 的分值合计 {_decimal(total)} 分，应为 100 分。",
                    )
            components.append(Component(code, title, weight or 0, source))
            nodes.append(Node(code, title, COMPONENT, points, children, **self._duties(row, path)))
        if sum(component.weight for component in components) != FULL_MARKS:
            self.note("components", "weights_not_100", "各部分权重合计应为 100。")
        return tuple(components), tuple(nodes)

    def _method(self, data: Mapping[str, Any], path: str) -> Method:
        raw = self.mapping(data.get("method"), f"{path}.method")
        kind: MethodKind | None = raw.get("kind")
        if kind is None or kind not in get_args(MethodKind):
            self.note(
                f"{path}.method.kind",
                "unknown_method",
                f"计分方法应为 {'、'.join(get_args(MethodKind))} 之一。",
            )
            return Method("reviewed")
        method = Method(
            kind,
            floor_milli=self.milli(raw, "floor", f"{path}.method", default=0),
            target_milli=self.milli(raw, "target", f"{path}.method", default=1000),
            step_milli=self.milli(raw, "step", f"{path}.method", default=0),
            measured=raw.get("measured") is True,
            responses_at_least=self.whole(raw, "responses_at_least", f"{path}.method"),
        )
        if method.floor_milli >= method.target_milli:
            self.note(f"{path}.method.target", "target_not_above_floor", "target 必须大于 floor。")
        if (kind in ("deduct", "add")) != bool(method.step_milli):
            self.note(f"{path}.method.step", "step", "扣分法、加分法须写每次比例 step，其他方法不写。")
        if method.measured and kind != "ratio":
            self.note(f"{path}.method.measured", "measured", "measured 只用于比率法。")
        if (kind == "survey") != bool(method.responses_at_least):
            self.note(
                f"{path}.method.responses_at_least",
                "responses",
                "测评均值法须写有效样本下限 responses_at_least，其他方法不写。",
            )
        return method

    def _points(self, data: Mapping[str, Any], path: str) -> dict[str, int]:
        known = {group.id for group in self.groups}
        points: dict[str, int] = {}
        for group, raw in self.mapping(data.get("points", {}), f"{path}.points").items():
            value = micro(raw)
            if group not in known:
                self.note(
                    f"{path}.points.{group}", "unknown_peer_group", f"没有考核对象类别 {group}，请核对。"
                )
            elif not value:
                self.note(
                    f"{path}.points.{group}", "points", '分值应为带引号的正数，最多六位小数，例如 "1.5"。'
                )
            else:
                points[group] = value
        return points

    def _check_probe(self, probe: str, points: Collection[str], path: str) -> None:
        if self.known_probes is not None and probe not in self.known_probes:
            self.note(path, "unknown_probe", f"没有探针 {probe}，请在 catalog/codes/probes.yaml 中核对。")
        for group in points:
            first = self.probe_places.setdefault((group, probe), path)
            if first != path:
                self.note(
                    path,
                    "probe_bound_twice",
                    f"探针 {probe} 已在 {first} 对同一类对象计分，同一事实不重复计分。",
                )

    def _check_totals(self, framework: Framework) -> None:
        for group in framework.peer_groups:
            total = framework.root.points.get(group.id, 0)
            if total != FULL_MARKS:
                self.note(
                    "nodes", "total_not_100", f"{group.title}的分值合计 {_decimal(total)} 分，应为 100 分。"
                )

    def _check_counts(self, framework: Framework, data: Mapping[str, Any]) -> None:
        for level, declared in self.mapping(data.get("counts", {}), "counts").items():
            found = framework.count(str(level))
            if found != declared:
                self.note(
                    f"counts.{level}", "count_mismatch", f"写明 {declared} 项，实有 {found} 项，请核对。"
                )

    def _chosen_groups(self, data: Mapping[str, Any]) -> Iterator[PeerGroup]:
        names = self.list_of(data, "peer_groups", "")
        for index, name in enumerate(names):
            if name in names[:index]:
                self.note(
                    f"peer_groups[{index}]", "peer_group_twice", f"考核对象类别 {name} 重复，请删去一个。"
                )
            elif isinstance(name, str) and name in self.known_groups:
                yield self.known_groups[name]
            else:
                self.note(f"peer_groups[{index}]", "unknown_peer_group", f"没有考核对象类别 {name}，请核对。")

    def _nest(self, data: Mapping[str, Any]) -> list[_Row]:
        """Flat rows as a tree; rows that reach no root hang in a circle or on a missing parent."""
        rows = [self.mapping(row, f"rows[{i}]") for i, row in enumerate(self.list_of(data, "rows", ""))]
        below: dict[str, list[int]] = {}
        for index, row in enumerate(rows):
            below.setdefault(str(row.get("parent") or ""), []).append(index)
        reached: set[int] = set()

        def grown(index: int, depth: int) -> _Row:
            reached.add(index)
            row = _Row({key: value for key, value in rows[index].items() if key != "parent"})
            row.place = f"rows[{index}]"
            under = below.get(str(row.get("code")), [])
            if under and depth <= len(self.levels):
                row["children"] = [grown(child, depth + 1) for child in under]
            return row

        tree = [grown(index, 1) for index in below.get("", [])]
        codes = {str(row.get("code")) for row in rows}
        for index, row in enumerate(rows):
            if index not in reached:
                missing = str(row.get("parent")) not in codes
                why = "上级编码不存在" if missing else "上下级互相包含，到不了第一级"
                self.note(
                    f"rows[{index}].parent", "no_parent" if missing else "cycle", f"{why}，请核对 parent。"
                )
        return tree

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

    def _year(self, data: Mapping[str, Any]) -> int:
        year = data.get("year")
        if isinstance(year, int) and 2000 <= year <= 2100:
            return year
        self.note("year", "year", "请填写四位考核年度。")
        return 0


def _summed(children: Sequence[Node]) -> dict[str, int]:
    points: dict[str, int] = {}
    for child in children:
        for group, value in child.points.items():
            points[group] = points.get(group, 0) + value
    return points


def _decimal(value: int) -> str:
    whole, part = divmod(value, MICRO)
    return f"{whole}.{part:06}".rstrip("0").rstrip(".")
