"""
Framework 考核指标体系 of a year: a tree of results with points, and the methods that turn findings into points.

Points belong to (year, peer group), not to a result alone: one tree carries a score table per group, and
each group's table sums to exactly 100. A framework is data (catalog/frameworks/); once published it is
never edited. rules.py reads and checks the document; what a unit earns is scoring/rules.py.

All numbers are integers: points in micro-points (1 point = 1,000,000), shares in thousandths.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from contracts.findings import Basis

MICRO = 1_000_000
FULL_MARKS = 100 * MICRO

MethodKind = Literal["ratio", "deduct", "add", "checklist", "reviewed", "survey"]
ComponentSource = Literal["framework", "survey", "on_site", "third_party"]
COMPONENT = "component"


@dataclass(frozen=True, slots=True)
class PeerGroup:
    """
    Units that may be compared with one another (考核对象类别), chosen by kind and level in the directory.

    `events`: "own" counts the unit's own findings; "subtree" also those of the units under it, for a
    government answers for its departments (法治政府建设与责任落实督察工作规定, 2019).
    """

    id: str
    title: str
    kinds: frozenset[str]
    levels: frozenset[str]
    events: Literal["own", "subtree"] = "own"

    def admits(self, kind: str, level: str) -> bool:
        """Whether a unit of this kind and level belongs here."""
        return kind in self.kinds and level in self.levels


@dataclass(frozen=True, slots=True)
class Method:
    """
    How findings become a share of the points (计分方法); rates in thousandths.

    - ratio 比率法: marks over counted findings; nothing at `floor` or below, all at `target` or above.
    - deduct 扣分法: full at first, every whole failure costs `step`.
    - add 加分法: nothing at first, every whole pass brings `step`, up to full.
    - checklist 清单法: each bound probe is one item of equal weight.
    - reviewed 评审法: the mean of the marks that reviewers gave.
    - survey 测评均值法: the mean of the marks people gave (numerator over denominator, a full mark being a
      thousand); with fewer than `responses_at_least` people asked it is not computable, not zero.

    `measured`: ratio of the measured quantities (numerator over denominator) instead of the marks.
    """

    kind: MethodKind
    floor_milli: int = 0
    target_milli: int = 1000
    step_milli: int = 0
    measured: bool = False
    responses_at_least: int = 0

    def text(self) -> str:
        """The method in one Chinese sentence, for the explanation beside a number."""
        if self.kind == "ratio":
            return (
                f"比率法：符合率达到 {_percent(self.target_milli)} 得满分，"
                f"不高于 {_percent(self.floor_milli)} 不得分，其间按比例计分。"
            )
        if self.kind == "deduct":
            return f"扣分法：每出现一次不符合扣该项分值的 {_percent(self.step_milli)}，扣完为止。"
        if self.kind == "add":
            return f"加分法：每完成一次得该项分值的 {_percent(self.step_milli)}，加满为止。"
        if self.kind == "checklist":
            return "清单法：各检查项权重相同，按各项符合率的平均值计分。"
        if self.kind == "survey":
            return (
                f"测评均值法：按受访者评分的平均值计分，有效样本不足 {self.responses_at_least} 份的不予计分。"
            )
        return "评审法：按评审得分的平均值计分。"


@dataclass(frozen=True, slots=True)
class Node:
    """
    One node of the tree: aspect 方面, measure 措施 or result 成果 (the leaf, which alone is scored).

    `points` per peer group in micro-points; a group that is missing is not asked for this. `probes` empty:
    the platform has no data of its own, the result is collected (self-report 自报, survey 测评, on-site check
    现场查验, third party 第三方评估) and is not computable until then. `veto_below_milli`: an attainment below
    it brings the parent to 0 (一票否决); 0 is no veto. `warning_below_milli`: an attainment below it warns
    (预警线), on any node; 0 is no line. `lead` 牵头 and `responsible` 责任 name fields of work (`field` of the
    directory), for one framework serves many places.
    """

    code: str
    title: str
    level: str
    points: Mapping[str, int]
    children: tuple["Node", ...] = ()
    method: Method | None = None
    probes: tuple[str, ...] = ()
    veto_below_milli: int = 0
    service: str = ""
    evidence: str = ""
    basis: tuple[Basis, ...] = ()
    warning_below_milli: int = 0
    lead: str = ""
    responsible: tuple[str, ...] = ()

    def walk(self) -> Iterator["Node"]:
        """The node and all below it, parents first, in the order of the file."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Component:
    """
    One part of a composite score 综合得分 (such as 50 system, 30 survey, 20 on-site); its node stands above the
    aspects, its own points sum to 100, and `weight` in micro-points says what it is worth in the total. `origin`:
    the framework "id@version" its nodes were taken over from.
    """

    code: str
    title: str
    weight: int
    source: ComponentSource
    origin: str = ""


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Framework:
    """
    A whole framework; compared by identity, since a published one is never edited.

    With `components`, the children of the root are their nodes, in the same order, and each is scaled to its
    weight by itself, so that what does not apply in one part never adds weight to another.
    """

    id: str
    version: str
    title: str
    year: int
    sample: bool
    notice: str
    levels: tuple[str, ...]
    peer_groups: tuple[PeerGroup, ...]
    root: Node
    basis: tuple[Basis, ...] = ()
    components: tuple[Component, ...] = ()
    _by_code: dict[str, Node] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._by_code.update((node.code, node) for node in self.root.walk())

    def node(self, code: str) -> Node | None:
        """The node of that code; "" is the total."""
        return self._by_code.get(code)

    def results(self) -> list[Node]:
        """The leaves, in the order of the file."""
        return [node for node in self.root.walk() if node.method is not None]

    def count(self, level: str) -> int:
        """How many nodes the level has."""
        return sum(node.level == level for node in self.root.walk())

    def collected_as(self, node: Node) -> str:
        """The probe under which facts of a result are logged that no service's probe finds: "<framework>/<code>"."""
        return f"{self.id}/{node.code}"

    def probes(self) -> frozenset[str]:
        """Every probe bound anywhere in the tree."""
        return frozenset(probe for node in self.root.walk() for probe in node.probes)

    def peer_group_of(self, kind: str, level: str) -> PeerGroup | None:
        """The group of a unit of that kind and level; units of no group are not assessed."""
        return next((group for group in self.peer_groups if group.admits(kind, level)), None)


def _percent(milli: int) -> str:
    whole, tenth = divmod(milli, 10)
    return f"{whole}.{tenth}%" if tenth else f"{whole}%"
