"""
Steps 办案步骤: everything that can be recorded about one reconsideration case (行政复议法 2023-09-01).

A step is a fact: appended, never changed, corrected only by a new step that names the old one. None means "not
recorded". No name of a person stands in a step: the log is kept for ever, names can be erased (case row).
"""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal

Track = Literal["ordinary", "simple"]  # 普通程序, 简易程序


class Closed:
    """Unknown fields are refused, and nothing is converted silently."""

    __pydantic_config__: ClassVar[dict[str, object]] = {
        "extra": "forbid",
        "strict": True,
        "str_max_length": 4000,
    }


@dataclass(frozen=True, kw_only=True)
class Step(Closed):
    """What every step carries: the day it happened in Beijing."""

    on: date


@dataclass(frozen=True, kw_only=True)
class CitedBasis(Closed):
    """An article the disputed act rests on; `version` is YYYY-MM-DD or empty."""

    document: str
    version: str = ""
    article: str = ""


@dataclass(frozen=True, kw_only=True)
class Forwarded(Step):
    """转来: another system handed over what looks like an application; no clock runs before a person says so."""

    kind: Literal["forwarded"]
    receipt: str


@dataclass(frozen=True, kw_only=True)
class NotAnApplication(Step):
    """A person found that what was forwarded is no application 不属于复议申请."""

    kind: Literal["not_an_application"]
    because: str


@dataclass(frozen=True, kw_only=True)
class Received(Step):
    """收到申请 (Art. 30): the five working days run from the next day."""

    kind: Literal["received"]
    number: str = ""  # 案号, where a draft gets its own
    source: str = ""
    act_kind: str = ""
    act: str = ""  # number or business object of the act
    act_on: date | None = None
    document_review: bool | None = None  # 附带审查规范性文件
    basis: tuple[CitedBasis, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MaterialAsked(Step):
    """通知补正 (Art. 31), once."""

    kind: Literal["material_asked"]


@dataclass(frozen=True, kw_only=True)
class MaterialSupplied(Step):
    """申请人补正 (Art. 31): the examination begins anew."""

    kind: Literal["material_supplied"]


@dataclass(frozen=True, kw_only=True)
class Abandoned(Step):
    """视为放弃申请 (Art. 31): no material within ten working days."""

    kind: Literal["abandoned"]


@dataclass(frozen=True, kw_only=True)
class Refused(Step):
    """不予受理 (Art. 30)."""

    kind: Literal["refused"]


@dataclass(frozen=True, kw_only=True)
class Accepted(Step):
    """受理 (Art. 30)."""

    kind: Literal["accepted"]
    track: Track = "ordinary"


@dataclass(frozen=True, kw_only=True)
class DeemedAccepted(Step):
    """
    视为受理 (Art. 30): no refusal before the period ran out. Made by a clock, dated the last day.

    `lapsed`: by a corrected day of receipt the period had not run out, so this never came about.
    """

    kind: Literal["deemed_accepted"]
    lapsed: bool = False


@dataclass(frozen=True, kw_only=True)
class TrackChanged(Step):
    """简易程序转普通程序 (Art. 55)."""

    kind: Literal["track_changed"]


@dataclass(frozen=True, kw_only=True)
class CopyReceived(Step):
    """被申请人收到申请书副本 (Arts. 48, 54)."""

    kind: Literal["copy_received"]


@dataclass(frozen=True, kw_only=True)
class Answered(Step):
    """被申请人书面答复并提交证据 (Arts. 48, 54)."""

    kind: Literal["answered"]


@dataclass(frozen=True, kw_only=True)
class HearingDecided(Step):
    """是否应当听证 (Art. 50)."""

    kind: Literal["hearing_decided"]
    required: bool


@dataclass(frozen=True, kw_only=True)
class HearingHeld(Step):
    """听证 (Arts. 50, 51)."""

    kind: Literal["hearing_held"]
    notified_on: date | None = None
    head_attended: bool | None = None  # 被申请人负责人参加


@dataclass(frozen=True, kw_only=True)
class Suspended(Step):
    """中止 (Art. 39); `reason` is a code of the ten."""

    kind: Literal["suspended"]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Resumed(Step):
    """恢复审理 (Art. 39)."""

    kind: Literal["resumed"]


@dataclass(frozen=True, kw_only=True)
class Extended(Step):
    """延长审理期限 (Art. 62): by at most thirty days, approved by the body's head, told in writing."""

    kind: Literal["extended"]
    days: int = 30
    approved: bool | None = None
    told_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class CommitteeConsulted(Step):
    """提请行政复议委员会提出咨询意见 (Art. 52)."""

    kind: Literal["committee_consulted"]


@dataclass(frozen=True, kw_only=True)
class Decided(Step):
    """
    复议决定 (Arts. 63-74). `outcome` RF02..RF13; `also`: RF11 and RF14, which never stand alone.

    `act_changed`: the respondent changed the act itself, which a settled case may hide.
    """

    kind: Literal["decided"]
    outcome: str
    also: tuple[str, ...] = ()
    grounds: tuple[str, ...] = ()
    settled: bool | None = None
    act_changed: bool | None = None
    perform_by: date | None = None
    must_perform: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Served(Step):
    """送达: the decision takes effect (Art. 75)."""

    kind: Literal["served"]


@dataclass(frozen=True, kw_only=True)
class Performed(Step):
    """被申请人履行决定 (Art. 77)."""

    kind: Literal["performed"]


@dataclass(frozen=True, kw_only=True)
class OpinionReceived(Step):
    """被申请人收到行政复议意见书 (Art. 76)."""

    kind: Literal["opinion_received"]


@dataclass(frozen=True, kw_only=True)
class OpinionAnswered(Step):
    """意见书整改情况反馈 (Art. 76)."""

    kind: Literal["opinion_answered"]


@dataclass(frozen=True, kw_only=True)
class Sued(Step):
    """不服复议决定起诉 (行政诉讼法 Art. 45)."""

    kind: Literal["sued"]


@dataclass(frozen=True, kw_only=True)
class DeadlineSettled(Step):
    """期限核定: a person reckons a provisional deadline again, now that the year's calendar is published."""

    kind: Literal["deadline_settled"]
    clock: str
