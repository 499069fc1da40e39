"""
Faults of decision procedures, one for each item of the template that a clerk can get wrong.

Each changes the facts of a lawful decision so that exactly this item fails, and says why. Where the item
does not apply to the decision (no hearing, say) the fault first makes it apply.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fazhi.province.days import working_days_after

Facts = dict[str, Any]

_ARCHIVED = (
    "proposal", "study_report", "start_decision", "draft", "legal_basis", "survey", "consultation_replies",
    "comment_notice", "opinion_summary", "review_opinion", "meeting_minutes", "publication",
)  # fmt: skip


def archived(facts: Facts) -> list[str]:
    """The catalogue 归档目录 of a complete file: a document for every step that was taken."""
    steps = (("hearing", "hearing_record"), ("experts", "expert_opinions"), ("risk", "risk_report"))
    return [*_ARCHIVED, *(document for step, document in steps if facts[step])]


@dataclass(frozen=True)
class DecisionFault:
    """A way to break one item; `plant` answers why. It shows only so many days after the meeting."""

    probe: str
    plant: Callable[[Facts], str]
    shows_after_days: int = 0


def _study_after_start(facts: Facts) -> str:
    facts["study"]["date"] = _moved(facts["start"]["date"], 10)
    return "研究论证在决定启动之后"


def _two_leads(facts: Facts) -> str:
    facts["undertaking_units"].append({"unit": facts["related_units"][0]["unit"], "lead": True})
    return "两个牵头单位"


def _no_reply(facts: Facts) -> str:
    facts["related_units"][0]["replied_on"] = None
    return "有关部门未答复且无逾期说明"


def _short_comment(facts: Facts) -> str:
    closed = date.fromisoformat(facts["consultation"]["close"])
    facts["consultation"]["open"] = (closed - timedelta(days=20)).isoformat()
    return "公开征求意见只有20日且未说明理由"


def _secret_list(facts: Facts) -> str:
    hearing = _with_hearing(facts)
    hearing["list_published_on"] = None
    return "听证参加人名单未公布"


def _late_material(facts: Facts) -> str:
    hearing = _with_hearing(facts)
    hearing["participants"][0]["delivered_on"] = _moved(hearing["date"], -4)
    return "听证材料会前4日送达"


def _unsigned_hearing(facts: Facts) -> str:
    _with_hearing(facts)["participants"][-1]["signature"] = ""
    return "听证记录有参加人未签字也未注明"


def _unanswered_opinion(facts: Facts) -> str:
    facts["opinions"][0].update(status="", reason="")
    return "公众意见未说明采纳情况和理由"


def _partial_expert(facts: Facts) -> str:
    _with_experts(facts)
    facts["experts"][0]["conflict"] = "has"
    return "专家与决策事项有直接利害关系"


def _no_argument(facts: Facts) -> str:
    facts.update(technical=True, experts=[], expert_opinions=[])
    _settle(facts)
    return "专业性事项未组织专家论证"


def _no_assessment(facts: Facts) -> str:
    facts.update(risk_flag=True, risk=None)
    _settle(facts)
    return "可能影响社会稳定的事项未开展风险评估"


def _no_handling_plan(facts: Facts) -> str:
    _with_risk(facts)["sections"].remove("handling")
    return "风险评估报告缺处置预案"


def _hasty_review(facts: Facts) -> str:
    review = facts["review"]
    quick = working_days_after(date.fromisoformat(review["issued_on"]), -4).isoformat()
    review.update(complete_on=quick, submitted_on=quick)
    return "合法性审查只有4个工作日且无紧急说明"


def _review_after_meeting(facts: Facts) -> str:
    later = working_days_after(date.fromisoformat(facts["meeting"]["date"]), 2)
    facts["review"]["issued_on"] = later.isoformat()
    return "合法性审查意见在集体讨论之后出具"


def _unanswered_remark(facts: Facts) -> str:
    facts["review"]["remarks"][0]["response"] = ""
    return "审查意见未逐条回应"


def _no_fair_competition(facts: Facts) -> str:
    facts["submission"].update(touches_market=True, fair_competition=None)
    return "涉及市场主体未作公平竞争审查"


def _head_first(facts: Facts) -> str:
    order = facts["meeting"]["order"]
    order.insert(0, order.pop())
    return "行政首长未末位表态"


def _late_publication(facts: Facts) -> str:
    late = working_days_after(date.fromisoformat(facts["decided_on"]), 45)
    for channel in facts["publication"]:
        channel["date"] = late.isoformat()
    facts["interpretation"]["date"] = late.isoformat()
    return "决定后45个工作日才公布"


def _gap_in_archive(facts: Facts) -> str:
    facts["archive"]["catalogue"].remove("meeting_minutes")
    return "归档目录缺集体讨论记录"


def _nobody_executes(facts: Facts) -> str:
    facts["execution"].update(unit="", reports=[])
    return "未明确执行单位"


FAULTS = (
    DecisionFault("DEC-06", _short_comment),
    DecisionFault("DEC-23", _head_first),
    DecisionFault("DEC-19", _hasty_review),
    DecisionFault("DEC-20", _review_after_meeting, 14),
    DecisionFault("DEC-01", _study_after_start),
    DecisionFault("DEC-02", _two_leads),
    DecisionFault("DEC-04", _no_reply),
    DecisionFault("DEC-07", _secret_list),
    DecisionFault("DEC-08", _late_material),
    DecisionFault("DEC-09", _unsigned_hearing),
    DecisionFault("DEC-10", _unanswered_opinion),
    DecisionFault("DEC-11", _no_argument),
    DecisionFault("DEC-12", _partial_expert),
    DecisionFault("DEC-15", _no_assessment),
    DecisionFault("DEC-16", _no_handling_plan),
    DecisionFault("DEC-21", _unanswered_remark),
    DecisionFault("DEC-22", _no_fair_competition),
    DecisionFault("DEC-24", _late_publication, 80),
    DecisionFault("DEC-25", _gap_in_archive),
    DecisionFault("DEC-26", _nobody_executes),
)


def _settle(facts: Facts) -> None:
    """After a step was put in or taken out: the archive follows, and a step once waived is so no longer."""
    facts["archive"]["catalogue"] = archived(facts)
    due = {"hearing": facts["hearing"], "expert": facts["technical"], "risk": facts["risk_flag"]}
    facts["not_applicable"] = [entry for entry in facts["not_applicable"] if not due[entry["branch"]]]


def _moved(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def _with_hearing(facts: Facts) -> dict[str, Any]:
    if facts["hearing"] is None:
        heard = _moved(facts["consultation"]["close"], -3)
        announced = _moved(heard, -14)
        facts["hearing"] = {
            "date": heard,
            "place": "政府二楼会议室",
            "rule_published_on": announced,
            "list_published_on": announced,
            "place_published_on": announced,
            "participants": [
                {"id": f"H{i}", "delivered_on": _moved(heard, -9), "signature": "signed"}
                for i in range(1, 11)
            ],
        }
        _settle(facts)
    hearing: dict[str, Any] = facts["hearing"]
    return hearing


def _with_experts(facts: Facts) -> None:
    if facts["experts"]:
        return
    facts["technical"] = True
    facts["experts"] = [
        {"id": f"E{i:04d}", "pool": "experts", "field": "法学", "stance": stance, "conflict": "none"}
        for i, stance in enumerate(("supporting", "differing", "supporting"), start=1)
    ]
    facts["expert_opinions"] = [
        {
            "expert_index": i,
            "date": facts["consultation"]["close"],
            "signed": True,
            "necessity": "必要",
            "feasibility": "可行",
            "science": "科学",
            "adoption": "adopted",
        }
        for i in range(3)
    ]
    _settle(facts)


def _with_risk(facts: Facts) -> dict[str, Any]:
    if facts["risk"] is None:
        facts["risk_flag"] = True
        facts["risk"] = {
            "assessor": "third-party",
            "level": "low",
            "conclusion": "controllable",
            "assessed_on": facts["consultation"]["close"],
            "sections": ["risk_points", "prevention", "handling", "departments"],
            "digest": "0" * 64,
        }
        _settle(facts)
    risk: dict[str, Any] = facts["risk"]
    return risk
