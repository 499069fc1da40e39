"""
Reading the tree of a framework 考核指标体系: nodes, their points, methods and duties.

Nested (`nodes` with `children`) or flat (`rows` with `parent`, as a workbook has it) make the same tree. The depth
is bounded by `levels`, so a document that contains itself ends. rules.py reads what stands around the tree.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from services.assessment.framework.reading import Reading, decimal, micro
from services.assessment.framework.values import Method, MethodKind, Node, PeerGroup

MOST_IN_A_TITLE = 200
MARKS = 1000


class Row(dict[str, Any]):
    """A flat row with its children put below it; problems are told at its own place in the file."""

    place: str


@dataclass
class TreeReading(Reading):
    """Reads nodes; `known_probes` and `known_fields` None leave those unchecked."""

    known_probes: Collection[str] | None = None
    known_fields: Collection[str] | None = None
    levels: tuple[str, ...] = ()
    groups: tuple[PeerGroup, ...] = ()
    codes: dict[str, str] = field(default_factory=dict)
    probe_places: dict[tuple[str, str], str] = field(default_factory=dict)

    def node(self, raw: object, path: str, depth: int) -> Node:
        """One node and all below it; the depth is bounded by `levels`, so a circular document ends."""
        path = raw.place if isinstance(raw, Row) else path
        data = self.mapping(raw, path)
        code = self.code(data, path)
        self.claim(code, path)
        title = self.text(data, "title", path, most=MOST_IN_A_TITLE)
        if depth == len(self.levels) - 1:
            return self._leaf(data, path, code, title)
        for only_leaf in ("method", "probes", "veto_below"):
            if only_leaf in data:
                self.note(f"{path}.{only_leaf}", "not_a_result", f"“{only_leaf}”只能写在最末一级。")
        rows = self.list_of(data, "children", path)
        children = tuple(self.node(row, f"{path}.children[{i}]", depth + 1) for i, row in enumerate(rows))
        points = summed(children)
        for group, declared in self._points(data, path).items() if "points" in data else ():
            if declared != points.get(group, 0):
                self.note(
                    f"{path}.points.{group}",
                    "points_do_not_add_up",
                    f"写明 {decimal(declared)} 分，下级合计 {decimal(points.get(group, 0))} 分，请核对。",
                )
        return Node(
            code,
            title,
            self.levels[depth],
            points,
            children,
            basis=self.bases(data, path),
            **self.duties(data, path),
        )

    def claim(self, code: str, path: str) -> None:
        """A code is used once."""
        if code in self.codes:
            self.note(
                f"{path}.code",
                "duplicate_code",
                f"编码 {code} 已在 {self.codes[code]} 使用，请改用其他编码。",
            )
        self.codes.setdefault(code, path)

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
            **self.duties(data, path),
        )

    def duties(self, data: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Who leads, who answers for it, and where the warning line is."""
        lead = self.text(data, "lead", path, required=False)
        responsible = tuple(str(name) for name in self.list_of(data, "responsible", path, required=False))
        self._check_field(lead, f"{path}.lead")
        for index, name in enumerate(responsible):
            self._check_field(name, f"{path}.responsible[{index}]")
            if name == lead or name in responsible[:index]:
                self.note(f"{path}.responsible[{index}]", "field_twice", f"领域 {name} 重复，请删去一个。")
        return {
            "warning_below_milli": self.milli(data, "warning_below", path, default=0),
            "lead": lead,
            "responsible": responsible,
        }

    def _check_field(self, name: str, path: str) -> None:
        if name and self.known_fields is not None and name not in self.known_fields:
            self.note(path, "unknown_field", f"没有领域 {name}，请在 catalog/codes/fields.yaml 中核对。")

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
        if self.is_new and (method.floor_milli, method.target_milli) != (0, MARKS):
            self._check_line(method, f"{path}.method", has_probes=bool(data.get("probes")))
        if (kind == "survey") != bool(method.responses_at_least):
            self.note(
                f"{path}.method.responses_at_least",
                "responses",
                "测评均值法须写有效样本下限 responses_at_least，其他方法不写。",
            )
        return method

    def _check_line(self, method: Method, path: str, *, has_probes: bool) -> None:
        if method.kind != "ratio":
            self.note(f"{path}.floor", "line_of_ratio", "floor、target 只用于比率法。")
        elif not has_probes and not method.measured:
            # what a unit reports becomes a mark by these lines; a mark must not be held against them again
            words = "自报成果的比率法设 floor、target 的，须写 measured: true，按核定的分子分母计分。"
            self.note(f"{path}.measured", "not_measured", words)

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

    def nested(self, data: Mapping[str, Any]) -> list[Row]:
        """Flat rows as a tree; rows that reach no root hang in a circle or on a missing parent."""
        rows = [self.mapping(row, f"rows[{i}]") for i, row in enumerate(self.list_of(data, "rows", ""))]
        below: dict[str, list[int]] = {}
        for index, row in enumerate(rows):
            below.setdefault(str(row.get("parent") or ""), []).append(index)
        reached: set[int] = set()

        def grown(index: int, depth: int) -> Row:
            reached.add(index)
            row = Row({key: value for key, value in rows[index].items() if key != "parent"})
            row.place = f"rows[{index}]"
            under = below.get(str(row.get("code")), [])
            if under and depth <= len(self.levels) + 1:  # components stand above the levels
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


def summed(children: Sequence[Node]) -> dict[str, int]:
    """Points per peer group of nodes together."""
    points: dict[str, int] = {}
    for child in children:
        for group, value in child.points.items():
            points[group] = points.get(group, 0) + value
    return points
