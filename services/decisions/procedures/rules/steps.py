"""
Steps 程序步骤: everything that can be recorded about one major administrative decision (国令713).

A step is a fact: it is appended, never changed; a mistake is corrected by a new step that names the old one.
The recorded procedure of a decision, and the file in which one is handed in after the fact, are lists of
these. None means "not recorded", which is not the same as no: the check that needs it then says so.
Persons appear by a code of their own unit only. Which step may follow which is in gates.py.
"""

from dataclasses import dataclass
from datetime import date, time
from typing import ClassVar, Literal

Branch = Literal["participation", "hearing", "expert", "risk"]


class Closed:
    """Unknown fields are refused, and nothing is converted silently."""

    __pydantic_config__: ClassVar[dict[str, object]] = {
        "extra": "forbid",
        "strict": True,
        "str_max_length": 4000,
    }


@dataclass(frozen=True, kw_only=True)
class Document(Closed):
    """Material of the file 材料. `kind` is a code of materials.py; `digest` is "sha256:<hex>" of its bytes."""

    kind: str
    name: str = ""
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class Step(Closed):
    """What every step carries. `at` is the time of day in Beijing where the order within a day matters."""

    on: date
    at: time | None = None
    documents: tuple[Document, ...] = ()

    def is_before(self, other: "Step") -> bool | None:
        """Whether this came before the other; None when both fell on one day and a time is missing."""
        if self.on != other.on:
            return self.on < other.on
        if self.at is None or other.at is None:
            return None
        return self.at < other.at

    def has(self, kind: str) -> bool:
        """Whether a material of this kind is attached."""
        return any(document.kind == kind for document in self.documents)


# --- 启动与拟订 Arts. 10-13 ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Proposed(Step):
    """建议 (Art. 10)."""

    kind: Literal["proposed"]
    source: Literal["leader", "department", "lower_government", "deputy", "cppcc", "public"]


@dataclass(frozen=True, kw_only=True)
class Studied(Step):
    """研究论证 (Art. 10). `parts` of the report: see FIVE_PARTS."""

    kind: Literal["studied"]
    parts: tuple[Literal["problem", "basis", "plan", "necessity", "feasibility"], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Undertaker(Closed):
    """承办单位; of several one is the lead 牵头 (Art. 11)."""

    unit: str
    lead: bool = True


@dataclass(frozen=True, kw_only=True)
class Started(Step):
    """决定启动 (Arts. 3, 11), with what is known of the matter from then on."""

    kind: Literal["started"]
    undertakers: tuple[Undertaker, ...]
    reviewer: str  # unit that reviews legality 合法性审查部门
    catalogue_item: str = ""  # 年度目录编号
    added_because: str = ""  # 目录外新增理由
    technical: bool | None = None  # 专业性、技术性较强 (Art. 19)
    risky: bool | None = None  # 可能影响社会稳定、公共安全 (Art. 22)
    market: bool | None = None  # 涉及市场主体 (Art. 29)
    secret_basis: str = ""  # 依法不予公开的依据 (Art. 14)
    party_report: bool | None = None  # 须向同级党委请示报告 (Art. 31)
    related_units: tuple[str, ...] = ()  # 应征求意见的部门和下级政府 (Art. 13)


@dataclass(frozen=True, kw_only=True)
class CitedBasis(Closed):
    """An article the draft rests on 决策依据; `version` is YYYY-MM-DD or empty."""

    document: str
    version: str = ""
    article: str = ""


@dataclass(frozen=True, kw_only=True)
class Drafted(Step):
    """拟订草案 (Art. 12); every later version 草案修改稿 is another such step."""

    kind: Literal["drafted"]
    version: int = 1
    basis: tuple[CitedBasis, ...] = ()
    cost_benefit: Literal["done", "not_needed"] | None = None
    not_needed_because: str = ""
    options: int = 1
    wide_dispute: bool | None = None  # 各方意见分歧较大


@dataclass(frozen=True, kw_only=True)
class Consulted(Step):
    """One related unit was asked 征求部门意见 (Art. 13); `on` is when it was asked."""

    kind: Literal["consulted"]
    unit: str
    replied_on: date | None = None
    overdue: bool = False  # 逾期未复，已注明
    agreed: bool | None = None
    statement: str = ""  # 分歧情况说明


# --- 公众参与 Arts. 14-18 ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class NotApplicable(Step):
    """A parallel branch that does not apply, and why 不适用."""

    kind: Literal["not_applicable"]
    branch: Branch
    because: str


@dataclass(frozen=True, kw_only=True)
class CommentOpened(Step):
    """公开征求意见 (Art. 15). `closes_on` is the last day; `short_because` was published with the notice."""

    kind: Literal["comment_opened"]
    closes_on: date
    channels: tuple[str, ...] = ()  # official_site, newspaper, broadcast, new_media, meeting ...
    with_draft: bool | None = None
    with_explanation: bool | None = None
    with_contact: bool | None = None
    with_closing_date: bool | None = None
    short_because: str = ""


@dataclass(frozen=True, kw_only=True)
class Opinion(Closed):
    """What became of one opinion 意见采纳情况."""

    id: str
    status: Literal["adopted", "partly", "not_adopted"] | None = None
    because: str = ""


@dataclass(frozen=True, kw_only=True)
class OpinionsHandled(Step):
    """意见研究处理 (Art. 18). `received` opinions in all; each is listed with what became of it."""

    kind: Literal["opinions_handled"]
    received: int
    opinions: tuple[Opinion, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Participant(Closed):
    """听证参加人: when the material was delivered, and whether the record was confirmed (Arts. 16, 17)."""

    id: str
    delivered_on: date | None = None
    confirmed: Literal["signed", "refused"] | None = None


@dataclass(frozen=True, kw_only=True)
class HearingHeld(Step):
    """听证会 (Arts. 16, 17), with the days on which rule, list, time and place were published."""

    kind: Literal["hearing_held"]
    rule_published_on: date | None = None
    list_published_on: date | None = None
    place_published_on: date | None = None
    participants: tuple[Participant, ...] = ()
