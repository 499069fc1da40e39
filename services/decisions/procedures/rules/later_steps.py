"""Steps from expert argument to the end 专家论证至终结; the first half and the habits are in steps.py."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.decisions.procedures.rules.steps import Closed, Step

Covered = Literal["necessity", "feasibility", "soundness"]


@dataclass(frozen=True, kw_only=True)
class Expert(Closed):
    """参加论证的专家 (Arts. 20, 21), by a code; `pool` is the number in the expert pool 专家库编号."""

    id: str
    pool: str = ""
    outside_because: str = ""  # 库外选聘理由
    conflict: Literal["none", "has"] | None = None  # 与决策事项有无直接利害关系
    differs: bool = False  # 持不同意见


@dataclass(frozen=True, kw_only=True)
class ExpertOpinion(Closed):
    """One written opinion 书面论证意见 (Art. 19) and what became of it (Art. 29)."""

    expert: str
    signed: bool | None = None
    covers: tuple[Covered, ...] = ()
    status: Literal["adopted", "partly", "not_adopted"] | None = None
    because: str = ""


@dataclass(frozen=True, kw_only=True)
class ExpertsArgued(Step):
    """专家论证 (Arts. 19-21)."""

    kind: Literal["experts_argued"]
    experts: tuple[Expert, ...] = ()
    opinions: tuple[ExpertOpinion, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RiskAppraised(Step):
    """风险评估 (Arts. 22-24). `existing` names an earlier appraisal that is used instead."""

    kind: Literal["risk_appraised"]
    assessor: str = ""  # 评估单位或者第三方机构
    sections: tuple[Literal["risk_points", "prevention", "handling", "departments"], ...] = ()
    conclusion: Literal["controllable", "uncontrollable"] | None = None
    existing: str = ""
    draft_version: int = 1


@dataclass(frozen=True, kw_only=True)
class ReviewSubmitted(Step):
    """送请合法性审查 (Art. 26)."""

    kind: Literal["review_submitted"]


@dataclass(frozen=True, kw_only=True)
class ReviewReturned(Step):
    """审查部门退回补充材料 (Art. 26)."""

    kind: Literal["review_returned"]
    because: str


@dataclass(frozen=True, kw_only=True)
class ReviewComplete(Step):
    """送审材料齐备 (Art. 26): the review period runs from here."""

    kind: Literal["review_complete"]


@dataclass(frozen=True, kw_only=True)
class ReviewIssued(Step):
    """
    合法性审查意见 (Arts. 25, 27, 28), signed by the reviewing department and nobody else.

    `legal_risk` is the stated risk of an exploratory reform 探索性改革; `urgent_note` excuses a short review.
    """

    kind: Literal["review_issued"]
    unit: str  # 审查部门
    parts: tuple[Literal["authority", "procedure", "content"], ...] = ()
    conclusion: Literal["lawful", "lawful_amended", "unlawful"] | None = None
    exploratory: bool = False
    legal_risk: str = ""
    urgent_note: str = ""
    advisers: bool | None = None  # 法律顾问、公职律师提出意见
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Response(Closed):
    """承办单位对一条审查意见的处理."""

    remark: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ReviewAnswered(Step):
    """根据审查意见调整 (Art. 28)."""

    kind: Literal["review_answered"]
    responses: tuple[Response, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DiscussionSubmitted(Step):
    """提请集体讨论 (Art. 29); the six kinds of material are its documents, see materials.py."""

    kind: Literal["discussion_submitted"]


@dataclass(frozen=True, kw_only=True)
class View(Closed):
    """一名组成人员的意见 (Art. 30): stored per person, because dissent on record relieves (Art. 38)."""

    member: str
    view: Literal["agree", "disagree", "abstain"] | None = None
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Discussed(Step):
    """集体讨论 (Art. 30). `views` are in the order of speaking; `head` is the code of the organ's head 首长."""

    kind: Literal["discussed"]
    meeting: Literal["executive", "plenary", "other"]
    members: int
    quorum: int
    attended: int
    head: str = ""
    views: tuple[View, ...] = ()
    outcome: Literal["passed", "rejected", "revise"]
    head_view: Literal["agree", "disagree"] | None = None  # 首长的决定
    majority: Literal["agree", "disagree"] | None = None
    departs_because: str = ""  # 首长决定与多数意见不一致的理由


@dataclass(frozen=True, kw_only=True)
class PartyReported(Step):
    """向同级党委请示报告 (Art. 31)."""

    kind: Literal["party_reported"]
    number: str


@dataclass(frozen=True, kw_only=True)
class Decided(Step):
    """作出决定: signed by the head."""

    kind: Literal["decided"]
    number: str = ""


@dataclass(frozen=True, kw_only=True)
class Published(Step):
    """公布 (Art. 32). `withheld_basis` with its approver stands for a lawful secret."""

    kind: Literal["published"]
    channels: tuple[Literal["gazette", "official_site", "newspaper"], ...] = ()
    interpreted: bool | None = None
    withheld_basis: str = ""
    withheld_approver: str = ""


@dataclass(frozen=True, kw_only=True)
class Archived(Step):
    """归档 (Art. 33). `kinds` are the materials in the file; `checked`: their digests were compared."""

    kind: Literal["archived"]
    kinds: tuple[str, ...] = ()
    checked: bool | None = None


@dataclass(frozen=True, kw_only=True)
class ExecutionAssigned(Step):
    """明确执行单位 (Art. 34)."""

    kind: Literal["execution_assigned"]
    unit: str


@dataclass(frozen=True, kw_only=True)
class ExecutionReported(Step):
    """报告执行情况 (Art. 35), and whether the organ finds an evaluation called for (Art. 36)."""

    kind: Literal["execution_reported"]
    effect_percent: int | None = None
    public_opinions: int = 0
    evaluation_needed: bool | None = None


@dataclass(frozen=True, kw_only=True)
class EvaluationPlanned(Step):
    """启动后评估 (Art. 36)."""

    kind: Literal["evaluation_planned"]
    evaluator: str
    third_party: bool = False


@dataclass(frozen=True, kw_only=True)
class Evaluated(Step):
    """决策后评估 (Art. 36)."""

    kind: Literal["evaluated"]
    evaluator: str
    third_party: bool = False
    result: Literal["keep", "adjust", "stop"] | None = None


@dataclass(frozen=True, kw_only=True)
class Suspended(Step):
    """中止执行: the head may do so first where it is urgent (Art. 37)."""

    kind: Literal["suspended"]
    because: str


@dataclass(frozen=True, kw_only=True)
class Changed(Step):
    """调整 (Art. 37); a major change goes through a procedure of its own, named here."""

    kind: Literal["changed"]
    major: bool
    procedure: str = ""
    because: str = ""


@dataclass(frozen=True, kw_only=True)
class Ended(Step):
    """终结: carried out or stopped for good."""

    kind: Literal["ended"]
    because: str = ""
    last_day: date | None = None
