"""
Materials 材料: what a step must leave in the file, and what a submission must carry (Arts. 26, 29, 33).

Codes of the six kinds (Art. 29) are those of catalog/codes/decisions.yaml; a review opinion may be called by
either of its two names there and in an archive.
"""

from services.decisions.procedures.rules.procedure import Procedure
from services.decisions.procedures.rules.steps import Drafted

REVIEW_OPINION = frozenset({"review_opinion", "legality_review"})
FAIR_COMPETITION = "fair_competition"

TITLES = {
    "proposal": "决策建议", "study_report": "研究论证报告", "start_decision": "启动决定", "draft": "决策草案",
    "explanation": "草案说明", "legal_basis": "依据目录", "survey": "调研材料", "cost_benefit": "成本效益分析",
    "consultation_replies": "征求部门意见材料", "comment_notice": "公开征求意见公告",
    "opinion_summary": "公众意见采纳情况", "public_opinions": "公众意见研究采纳情况", "hearing_record": "听证记录",
    "expert_opinions": "专家论证意见", "risk_report": "风险评估报告", "procedure_statement": "程序履行情况说明",
    "adviser_opinion": "法律顾问、公职律师意见", "review_opinion": "合法性审查意见",
    "fair_competition": "公平竞争审查意见", "other": "其他材料", "meeting_minutes": "集体讨论记录",
    "party_report": "请示报告材料", "publication": "公布材料",
}  # fmt: skip

FOR_REVIEW = ("draft", "legal_basis", "procedure_statement")

# The document each step leaves in the archive (Art. 33).
_ARCHIVED_BY_STEP = (
    ("proposed", "proposal"),
    ("studied", "study_report"),
    ("started", "start_decision"),
    ("drafted", "draft"),
    ("consulted", "consultation_replies"),
    ("comment_opened", "comment_notice"),
    ("opinions_handled", "opinion_summary"),
    ("hearing_held", "hearing_record"),
    ("experts_argued", "expert_opinions"),
    ("risk_appraised", "risk_report"),
    ("review_issued", "review_opinion"),
    ("discussed", "meeting_minutes"),
    ("published", "publication"),
)


def for_discussion(procedure: Procedure) -> tuple[str, ...]:
    """Which of the six kinds of material apply to this decision (Art. 29), with fair competition."""
    kinds = ["draft"]
    if procedure.branch_open("participation"):
        kinds.append("public_opinions")
    if procedure.branch_open("expert"):
        kinds.append("expert_opinions")
    if procedure.branch_open("risk"):
        kinds.append("risk_report")
    kinds.append("review_opinion")
    started = procedure.started
    if started is not None and started.market:
        kinds.append(FAIR_COMPETITION)
    return tuple(kinds)


def for_archive(procedure: Procedure) -> tuple[str, ...]:
    """What a complete file of the steps taken holds (Art. 33)."""
    kinds = [document for step, document in _ARCHIVED_BY_STEP if procedure.has(step)]
    if any(step.has("legal_basis") for step in procedure.all(Drafted)):
        kinds.append("legal_basis")
    if any(step.has("survey") for step in procedure.all(Drafted)):
        kinds.append("survey")
    return tuple(kinds)


def missing(needed: tuple[str, ...], given: frozenset[str]) -> list[str]:
    """The titles of the needed materials that were not given."""
    return [
        TITLES[kind]
        for kind in needed
        if kind not in given and not (kind in REVIEW_OPINION and given & REVIEW_OPINION)
    ]
