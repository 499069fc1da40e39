"""Small frameworks for tests of scoring, built without a document."""

from services.assessment.framework.values import Framework, Method, Node
from services.assessment.scoring.rules import ProbeState

GROUP = "counties"
POINT = 1_000_000


def result(code, points, *probes, method=None, veto=0):
    how = method or Method("ratio")
    return Node(code, code, "result", {GROUP: points}, (), how, probes, veto, "enforcement", "平台数据")


def above(code, level, *children):
    return Node(code, code, level, {GROUP: sum(child.points[GROUP] for child in children)}, children)


def framework(*aspects):
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


def tally(passed=0, failed=0, **more):
    return ProbeState(passed, failed, passed * 1000, **more)


def node(tree, code):
    return next(one for one in walked(tree) if one.node.code == code)


def walked(tree):
    yield tree
    for child in tree.children:
        yield from walked(child)
