"""
Gates: which step may not follow yet, and by which article (行政复议法 2023-09-01).

A case entered as it runs must pass; cases handed in after the fact are taken as they were.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from services.disputes.reconsideration.rules import steps as s
from services.disputes.reconsideration.rules.case import AnyStep, Case
from services.disputes.reconsideration.rules.deadlines import DECIDE, Clocks, Due

ONLY_WITH_ANOTHER = frozenset({"RF11", "RF14"})
TERMINATED = "RF13"  # withdrawn, or suspended for sixty days: nothing is resumed before it (Art. 41)


@dataclass(frozen=True, slots=True)
class Breach:
    """Why a step may not be recorded, with its article."""

    code: str
    article: str
    message: str


# Step, whether it needs an accepted, undecided case or a decision, and the article.
_NEEDS_OPEN = (s.TrackChanged, s.CopyReceived, s.Answered, s.HearingDecided, s.HearingHeld, s.Suspended, s.Resumed,
               s.Extended, s.CommitteeConsulted, s.Decided)  # fmt: skip
_NEEDS_DECISION = (s.Served, s.Performed, s.OpinionReceived, s.OpinionAnswered, s.Sued)
_NEEDS_EXAMINATION = (s.MaterialAsked, s.MaterialSupplied, s.Refused, s.Accepted)


def breaches(case: Case, step: AnyStep, clocks: Clocks, kept: Mapping[str, Due]) -> list[Breach]:
    """Everything against recording this step; empty when it may be recorded."""
    return [*_order(case, step), *_particular(case, step, clocks, kept)]


def _order(case: Case, step: AnyStep) -> Iterator[Breach]:
    state = case.state
    if isinstance(step, (s.DeemedAccepted, s.Abandoned, s.Forwarded)):
        yield Breach("by_clock", "第三十条", "这一事实由系统按期限自动登记，不能手工填写。")
    elif isinstance(step, s.NotAnApplication) and state != "draft":
        yield Breach(
            "order", "第三十条", "已经登记为复议申请，不能再退回；不符合受理条件的，请在期限内决定不予受理。"
        )
    elif isinstance(step, s.Received) and state != "draft":
        yield Breach("order", "第三十条", "这件申请已经登记收到。")
    elif isinstance(step, _NEEDS_EXAMINATION) and state not in ("received", "awaiting_material"):
        yield Breach("order", "第三十条", _not_examined(case))
    elif isinstance(step, _NEEDS_OPEN) and state not in ("accepted", "suspended"):
        yield Breach("order", "第三十条", "案件尚未受理或者已经办结，不能登记这一步骤。")
    elif isinstance(step, _NEEDS_DECISION) and case.decided is None:
        yield Breach("order", "第七十五条", "尚未作出复议决定，请先登记决定。")
    earliest = case.first(s.Received) or case.first(s.Forwarded)
    if earliest is not None and step.on < earliest.on and not isinstance(step, s.Received):
        yield Breach("before_receipt", "第三十条", f"步骤日期不能早于收到申请的{earliest.on}。")


def _not_examined(case: Case) -> str:
    if case.has(s.DeemedAccepted):
        return "审查期限届满已视为受理，不能再作出受理或者不予受理的决定；不符合受理条件的，依第三十三条驳回申请。"
    return "这件申请不在审查期间，不能登记这一步骤。"


def _particular(case: Case, step: AnyStep, clocks: Clocks, kept: Mapping[str, Due]) -> Iterator[Breach]:
    if isinstance(step, s.MaterialAsked) and case.has(s.MaterialAsked):
        yield Breach("asked_twice", "第三十一条", "补正通知应当一次性告知，不能再次通知补正。")
    elif isinstance(step, s.MaterialSupplied) and not case.awaits_material:
        yield Breach("not_asked", "第三十一条", "没有通知补正，不能登记补正材料。")
    elif isinstance(step, s.Suspended) and case.is_suspended:
        yield Breach("suspended", "第三十九条", "案件已经中止。")
    elif isinstance(step, s.Resumed) and not case.is_suspended:
        yield Breach("not_suspended", "第三十九条", "案件没有中止，无须恢复。")
    elif isinstance(step, s.TrackChanged) and case.track == "ordinary":
        yield Breach("track", "第五十五条", "案件已经适用普通程序。")
    elif isinstance(step, s.Extended):
        yield from _extension(case, step, clocks, kept.get(DECIDE))
    elif isinstance(step, s.Decided):
        yield from _decision(case, step)


def _extension(case: Case, step: s.Extended, clocks: Clocks, due: Due | None) -> Iterator[Breach]:
    most = clocks.longest_extension(case.track, case.accepted_on or step.on)
    if most == 0:
        yield Breach(
            "extension", "第六十二条", "适用简易程序的案件不能延长审理期限；需要延长的，请先转为普通程序。"
        )
    elif case.has(s.Extended) or not 0 < step.days <= most:
        yield Breach("extension", "第六十二条", f"审理期限只能延长一次，最多{most}日。")
    elif not step.approved or step.told_on is None:
        yield Breach("extension", "第六十二条", "延长审理期限须经行政复议机构负责人批准，并书面告知当事人。")
    elif due is not None and step.on > due.due_on:
        yield Breach("extension", "第六十二条", f"审理期限已于{due.due_on}届满，不能再延长。")


def _decision(case: Case, step: s.Decided) -> Iterator[Breach]:
    if case.is_suspended and step.outcome != TERMINATED:
        yield Breach("suspended", "第三十九条", "案件中止期间不能作出决定，请先登记恢复审理。")
    if step.outcome in ONLY_WITH_ANOTHER or step.outcome == "RF01":
        yield Breach(
            "outcome", "第六十三条", "不予受理请登记为不予受理；赔偿和文件处理结果请与主结果一并登记。"
        )


def against_lapse(case: Case, silent: s.DeemedAccepted) -> list[Breach]:
    """Against a correction by which acceptance by silence never came about: the case has gone on upon it."""
    if not silent.lapsed or not any(isinstance(step, _NEEDS_OPEN) for step in case.steps):
        return []
    message = (
        "按更正后的日期，审查期限尚未届满或者尚待核定，不发生视为受理，但本案已按视为受理办理。"
        "请核对日期；确需更正的，待期限届满或核定后再更正。"
    )
    return [Breach("proceeded_as_accepted", "第三十条", message)]


def not_in_the_future(step: AnyStep, today: date) -> bool:
    """Whether the day of the step has come."""
    return step.on <= today
