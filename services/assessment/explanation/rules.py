"""The arithmetic of a node in words: the same integers that made the score, written out."""

from collections.abc import Iterator

from services.assessment.framework.values import Component, Framework
from services.assessment.ranking.rules import points_text, share_text
from services.assessment.scoring.rules import NodeScore

STATUS_WORDS = {
    "scored": "已计分",
    "not_applicable": "不适用：退出分母，不影响得分",
    "not_computable": "无法计算：缺少数据，只降低覆盖率，不影响得分",
    "not_due": "未到期：期限届满后计分",
}


def arithmetic(framework: Framework, node: NodeScore, tree: NodeScore) -> Iterator[str]:
    """Chinese sentences that lead from the node's points to its share of the final score."""
    yield f"本项分值 {points_text(node.points)}；{STATUS_WORDS[node.status]}。"
    amounts = node.amounts
    if node.status != "scored":
        return
    if node.children:
        yield f"下级得分合计 {points_text(amounts.earned)}，下级可计算分值合计 {points_text(amounts.applicable)}。"
    elif node.attainment is not None:
        yield (
            f"达成率 {share_text(node.attainment)} × 可计算分值 {points_text(amounts.applicable)} "
            f"= 得分 {points_text(amounts.earned)}。"
        )
    if node.vetoed:
        yield "下级一票否决，本项记 0 分。"
    score = tree.score
    if score is None:
        return
    if node is tree:
        yield f"总分 = {_total(framework, tree)} = {points_text(score)}（四舍五入至六位小数）。"
    else:
        yield (
            f"对总分的贡献 = {_share(framework, node, tree)} ≈ {points_text(node.contribution)}"
            f"（按最大余数法分摊，各项贡献之和恰为总分 {points_text(score)}）。"
        )
    yield f"覆盖率 {share_text(node.coverage)}：适用且到期的分值中有数据支撑的比例。"


def _total(framework: Framework, tree: NodeScore) -> str:
    """The total of what could be computed, in amounts; of components (综合得分), each is scaled by itself."""
    if not framework.components:
        earned, applicable = points_text(tree.amounts.earned), points_text(tree.amounts.applicable)
        return f"得分合计 {earned} × 100 ÷ 可计算分值合计 {applicable}"
    weighed = " + ".join(
        f"“{part.node.title}”{points_text(part.amounts.earned)} ÷ {points_text(part.amounts.applicable)} "
        f"× 权重 {points_text(component.weight)}"
        for component, part in _measured(framework, tree)
    )
    return f"（{weighed}）× 100 ÷ 已测部分权重合计 {points_text(_weights(framework, tree))}"


def _share(framework: Framework, node: NodeScore, tree: NodeScore) -> str:
    earned = points_text(node.amounts.earned)
    for component, part in _measured(framework, tree):
        if any(one is node for one in _walked(part)):
            return (
                f"{earned} ÷ “{part.node.title}”可计算分值 {points_text(part.amounts.applicable)} "
                f"× 权重 {points_text(component.weight)} × 100 ÷ 已测部分权重合计 "
                f"{points_text(_weights(framework, tree))}"
            )
    return f"{earned} × 100 ÷ {points_text(tree.amounts.applicable)}"


def _measured(framework: Framework, tree: NodeScore) -> list[tuple[Component, NodeScore]]:
    """The components that could be computed; one that a peer group is not asked for is not in its tree."""
    parts = {part.node.code: part for part in tree.children}
    asked = [(component, parts.get(component.code)) for component in framework.components]
    return [(component, part) for component, part in asked if part is not None and part.amounts.applicable]


def _weights(framework: Framework, tree: NodeScore) -> int:
    return sum(component.weight for component, _ in _measured(framework, tree))


def _walked(node: NodeScore) -> Iterator[NodeScore]:
    yield node
    for child in node.children:
        yield from _walked(child)
