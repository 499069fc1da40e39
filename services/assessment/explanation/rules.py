"""The arithmetic of a node in words: the same integers that made the score, written out."""

from collections.abc import Iterator

from services.assessment.ranking.rules import points_text, share_text
from services.assessment.scoring.rules import NodeScore

STATUS_WORDS = {
    "scored": "已计分",
    "not_applicable": "不适用：退出分母，不影响得分",
    "not_computable": "无法计算：缺少数据，只降低覆盖率，不影响得分",
    "not_due": "未到期：期限届满后计分",
}


def arithmetic(node: NodeScore, tree: NodeScore) -> Iterator[str]:
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
    total = tree.amounts
    score = tree.score
    if score is None:
        return
    if node is tree:
        yield (
            f"总分 = 得分合计 {points_text(total.earned)} × 100 ÷ 可计算分值合计 "
            f"{points_text(total.applicable)} = {points_text(score)}（四舍五入至六位小数）。"
        )
    else:
        yield (
            f"对总分的贡献 = {points_text(amounts.earned)} × 100 ÷ {points_text(total.applicable)} "
            f"≈ {points_text(node.contribution)}（按最大余数法分摊，各项贡献之和恰为总分 {points_text(score)}）。"
        )
    yield f"覆盖率 {share_text(node.coverage)}：适用且到期的分值中有数据支撑的比例。"
