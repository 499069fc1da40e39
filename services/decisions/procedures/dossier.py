"""
Dossier 决策卷宗: one whole procedure handed in after the fact, as one JSON document.

Groups and fields are those of the fact list beside the template (建议、研究、启动 … 公布、归档、执行). What a group
does not say stays unknown; a group that is absent did not happen. Fields we have no use for, names of persons
among them, are dropped at this door. dossier_steps.py turns the groups into steps.
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from kernel.text import one_line

_EMPTY_IS_NONE = BeforeValidator(lambda value: None if value == "" else value)
_ALIASES = {
    "deputies": "deputy", "citizens": "public", "organisations": "public",
    "for": "agree", "against": "disagree",
    "not": "not_adopted",
    "handling_plan": "handling", "department_opinions": "departments",
    "direct_interest": "has",
}  # fmt: skip
_AS_SEEN = BeforeValidator(lambda value: one_line(value) if isinstance(value, str) else value)
_OTHER_WORD = BeforeValidator(lambda value: _ALIASES.get(value, value) if isinstance(value, str) else value)

OptionalDay = Annotated[date | None, _EMPTY_IS_NONE]
Text = Annotated[str, Field(max_length=4000)]
Code = Annotated[str, _AS_SEEN, Field(min_length=1, max_length=100)]


class Group(BaseModel):
    """A group of facts; foreign fields are dropped."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Proposal(Group):
    source: Annotated[
        Literal["leader", "department", "lower_government", "deputy", "cppcc", "public"], _OTHER_WORD
    ]
    date: date


class Study(Group):
    date: date
    parts: tuple[Literal["problem", "basis", "plan", "necessity", "feasibility"], ...] = ()
    digest: str = ""


class Start(Group):
    date: date
    document: Text = ""


class Unit(Group):
    unit: Code
    lead: bool = False


class Catalogue(Group):
    id: Text = ""
    added_because: Text = ""


class Draft(Group):
    version: int = Field(ge=1)
    date: date
    digest: str = ""


class File(Group):
    digest: str = ""


class BasisList(Group):
    digest: str = ""
    documents: tuple[str | dict[str, str], ...] = ()


class CostBenefit(Group):
    digest: str = ""
    not_needed_reason: Text = ""


class Related(Group):
    unit: Text
    asked_on: date
    replied_on: OptionalDay = None
    overdue: bool = False
    agrees: bool | None = None
    statement: Text = ""


class Notice(Group):
    draft: bool | None = None
    explanation: bool | None = None
    contact: bool | None = None
    closing_date: bool | None = None


class Consultation(Group):
    open: date
    close: date
    channels: tuple[Text, ...] = ()
    notice: Notice = Notice()
    short_reason: Text = ""


class OpinionEntry(Group):
    id: Text
    status: Annotated[Literal["adopted", "partly", "not_adopted"] | None, _OTHER_WORD, _EMPTY_IS_NONE] = None
    reason: Text = ""


class OpinionSummary(Group):
    digest: str = ""
    published_on: OptionalDay = None


class HearingParticipant(Group):
    id: Text
    delivered_on: OptionalDay = None
    signature: Annotated[Literal["signed", "refused"] | None, _EMPTY_IS_NONE] = None


class Hearing(Group):
    date: date
    rule_published_on: OptionalDay = None
    list_published_on: OptionalDay = None
    place_published_on: OptionalDay = None
    participants: tuple[HearingParticipant, ...] = ()


class ExpertEntry(Group):
    id: Text
    pool: Text = ""
    outside_because: Text = ""
    stance: Text = ""
    conflict: Annotated[Literal["none", "has"] | None, _OTHER_WORD, _EMPTY_IS_NONE] = None


class ExpertAnswer(Group):
    expert_index: int = Field(ge=0)
    date: date
    signed: bool | None = None
    necessity: Text = ""
    feasibility: Text = ""
    science: Text = ""
    adoption: Annotated[Literal["adopted", "partly", "not_adopted"] | None, _OTHER_WORD, _EMPTY_IS_NONE] = (
        None
    )
    adoption_reason: Text = ""


class Risk(Group):
    assessor: Text = ""
    assessed_on: date
    conclusion: Annotated[Literal["controllable", "uncontrollable"] | None, _EMPTY_IS_NONE] = None
    sections: tuple[
        Annotated[Literal["risk_points", "prevention", "handling", "departments"], _OTHER_WORD], ...
    ] = ()
    existing: Text = ""
    draft_version: int = 1
    digest: str = ""


class Returned(Group):
    date: date
    reason: Text = ""


class Remark(Group):
    id: Text
    response: Text = ""


class Review(Group):
    unit: Code
    submitted_on: OptionalDay = None
    materials: tuple[Text, ...] = ()
    returned: tuple[Returned, ...] = ()
    complete_on: OptionalDay = None
    issued_on: OptionalDay = None
    parts: tuple[Literal["authority", "procedure", "content"], ...] = ()
    conclusion: Annotated[Literal["lawful", "lawful_amended", "unlawful"] | None, _EMPTY_IS_NONE] = None
    exploratory: bool = False
    risk_text: Text = ""
    urgency_note: Text = ""
    remarks: tuple[Remark, ...] = ()
    advisers: tuple[dict[str, Any], ...] | None = None


class Submission(Group):
    completed_on: date
    materials: tuple[Text, ...] = ()
    touches_market: bool | None = None
    fair_competition: File | None = None


class Member(Group):
    id: Text


class MemberOpinion(Group):
    member: Text
    opinion: Annotated[Literal["agree", "disagree", "abstain"] | None, _OTHER_WORD, _EMPTY_IS_NONE] = None
    reason: Text = ""


class Meeting(Group):
    type: Literal["executive", "plenary", "other"]
    date: date
    members: tuple[Member, ...] = ()
    present: tuple[Text, ...] = ()
    quorum: int = 0
    order: tuple[Text, ...] = ()
    head: Text = ""
    opinions: tuple[MemberOpinion, ...] = ()
    head_decision: Annotated[Literal["agree", "disagree"] | None, _OTHER_WORD, _EMPTY_IS_NONE] = None
    majority: Annotated[Literal["agree", "disagree"] | None, _OTHER_WORD, _EMPTY_IS_NONE] = None
    departure_reason: Text = ""


class PartyReport(Group):
    required: bool | None = None
    document: Text = ""
    date: OptionalDay = None


class PublicationEntry(Group):
    channel: Literal["gazette", "official_site", "newspaper"]
    date: date


class Secrecy(Group):
    basis: Text
    approver: Text = ""
    date: OptionalDay = None


class Archive(Group):
    date: date
    catalogue: tuple[Text, ...] = ()
    digest: str = ""


class Report(Group):
    date: date


class Execution(Group):
    unit: Text = ""
    since: OptionalDay = None
    reports: tuple[Report, ...] = ()


class Feedback(Group):
    effect_percent: int | None = None
    opinions: int = 0
    evaluation_needed: bool | None = None


class Evaluation(Group):
    date: date
    evaluator: Text
    third_party: bool = False
    result: Annotated[Literal["keep", "adjust", "stop"] | None, _EMPTY_IS_NONE] = None


class Change(Group):
    date: date
    major: bool = True
    procedure: Text = ""
    reason: Text = ""


class NotApplicableEntry(Group):
    branch: Literal["participation", "hearing", "expert", "risk"]
    date: date
    because: Text


class Facts(Group):
    """All groups; see the module."""

    mode: Literal["reported", "entered", "real_time"] = "entered"
    decided_on: OptionalDay = None
    decision_digest: str = ""
    catalogue: Catalogue | None = None
    proposal: Proposal | None = None
    study: Study | None = None
    start: Start | None = None
    undertaking_units: tuple[Unit, ...] = ()
    drafts: tuple[Draft, ...] = ()
    survey: File | None = None
    legal_basis: BasisList | None = None
    cost_benefit: CostBenefit | None = None
    dispute: Literal["wide", "none"] | None = None
    options: int = Field(1, ge=1)
    related_units: tuple[Related, ...] | None = None
    not_applicable: tuple[NotApplicableEntry, ...] = ()
    secret_basis: Text = ""
    consultation: Consultation | None = None
    opinions: tuple[OpinionEntry, ...] | None = None
    opinion_summary: OpinionSummary | None = None
    hearing: Hearing | None = None
    technical: bool | None = None
    experts: tuple[ExpertEntry, ...] = ()
    expert_opinions: tuple[ExpertAnswer, ...] = ()
    risk_flag: bool | None = None
    risk: Risk | None = None
    review: Review | None = None
    submission: Submission | None = None
    meeting: Meeting | None = None
    party_report: PartyReport | None = None
    publication: tuple[PublicationEntry, ...] = ()
    interpretation: Report | None = None
    secrecy: Secrecy | None = None
    archive: Archive | None = None
    execution: Execution | None = None
    feedback: Feedback | None = None
    evaluation: Evaluation | None = None
    change: Change | None = None


class Dossier(Group):
    """One decision of one government with its facts."""

    number: Code
    unit: Code
    title: Annotated[str, _AS_SEEN, Field(min_length=1, max_length=500)]
    facts: Facts
