"""Small frameworks for tests of scoring, built without a document."""

from collections.abc import Iterator

from services.assessment.framework.values import Framework, Method, Node
from services.assessment.scoring.rules import NodeScore, ProbeState

GROUP = "counties"
POINT = 1_000_000


def result(code: str, points: int, *probes: str, method: Method | None = None, veto: int = 0) -> Node:
    how = method or Method("ratio")
    return Node(code, code, "result", {GROUP: points}, (), how, probes, veto, "enforcement", "平台数据")


def above(code: str, level: str, *children: Node) -> Node:
    return Node(code, code, level, {GROUP: sum(child.points[GROUP] for child in children)}, children)


def framework(*aspects: Node) -> Framework:
    return Framework(
        "f",
        "1",
        "小体系",
        2026,
        True,
        "样例",
        ("aspect", "measure", "result"),
        (),
        above("", "total", *aspects),
    )


def tally(passed: int = 0, failed: int = 0, **more: int) -> ProbeState:
    return ProbeState(passed, failed, passed * 1000, **more)


def node(tree: NodeScore, code: str) -> NodeScore:
    return next(one for one in walked(tree) if one.node.code == code)


def walked(tree: NodeScore) -> Iterator[NodeScore]:
    yield tree
    for child in tree.children:
        yield from walked(child)
