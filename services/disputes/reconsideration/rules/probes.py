"""
Probes of reconsideration: what a case says of the reviewing organ, and of the organ whose act it reviews.

DIS-ACC, DIS-TIM and DIS-HEA count for the reviewing organ; DIS-COR, DIS-ANS and DIS-PER for the respondent. A
corrected act counts once, for the organ that made it, in the period in which the decision took effect; mediation
and termination are shown beside the rate, not in it. Nothing is due while its period runs, or stands still.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from contracts.findings import (
    Basis,
    ProbeSet,
    Verdict,
    failed,
    graded,
    not_applicable,
    not_computable,
    not_due,
    passed,
)
from services.disputes.reconsideration.rules import steps as s
from services.disputes.reconsideration.rules.case import Case
from services.disputes.reconsideration.rules.deadlines import (
    ACCEPTANCE,
    ANSWER,
    DECIDE,
    OPINION,
    PERFORM,
    Due,
)

LAW = ("行政复议法", "2023-09-01")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One outcome code 复议结果: whether it counts as a corrected act (yes, no, separate, with_parent)."""

    code: str
    title: str
    article: str
    corrected: str
    against_document: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A case with its kept deadlines and the code list, as of a day."""

    case: Case
    kept: Mapping[str, Due]
    outcomes: Mapping[str, Outcome]
    today: date

    def is_over(self, clock: str) -> bool:
        """Whether a kept deadline has passed; a provisional one never has by itself."""
        due = self.kept.get(clock)
        return due is not None and not due.provisional and self.today > due.due_on


PROBES: ProbeSet[Seen] = ProbeSet()
NOT_ON_MERITS = "RF02"  # 驳回申请 (Art. 33): accepted, but the conditions were not met
UNSETTLED = "期限跨入尚未公布节假日的年度，待核定"
OF_THE_ORGAN = frozenset({"DIS-ACC-01", "DIS-TIM-01", "DIS-HEA-01"})


def _articles(*names: str) -> tuple[Basis, ...]:
    return tuple(Basis(*LAW, name) for name in names)


@PROBES.probe(
    "DIS-ACC-01", version=1, title="复议申请五个工作日内审查", basis=_articles("第三十条", "第三十一条")
)
def examined_in_time(seen: Seen) -> Verdict:
    """Accepted, refused or asked for material in five working days; silence fails."""
    case, due = seen.case, seen.kept.get(ACCEPTANCE)
    if due is None:
        return not_computable("未登记收到申请的日期")
    if case.has(s.DeemedAccepted):
        return failed("五个工作日内未作处理，视为受理")
    handled = [step.on for step in case.steps if isinstance(step, (s.Accepted, s.Refused))]
    if handled:
        return _in_time(min(handled), due, "按期审查", "收到申请五个工作日后才作出受理决定")
    if case.has(s.Abandoned):
        return passed("按期通知补正，申请人放弃")
    if case.awaits_material or not seen.is_over(ACCEPTANCE):
        return not_due("等待申请人补正" if case.awaits_material else "审查期限未满")
    return failed("逾期没有审查")


@PROBES.probe("DIS-TIM-01", version=1, title="复议案件在法定期限内审结", basis=_articles("第六十二条"))
def decided_in_time(seen: Seen) -> Verdict:
    """Sixty days, thirty in the simple procedure, with extension and suspension as recorded."""
    case, due = seen.case, seen.kept.get(DECIDE)
    if case.accepted_on is None or due is None:
        return _never_accepted(case)
    if case.decided is not None:
        late = (case.decided.on - due.due_on).days
        return _in_time(case.decided.on, due, "在法定期限内审结", f"超过法定期限{late}日作出复议决定")
    if case.is_suspended:
        return not_due("案件中止")
    return failed("超过法定期限尚未作出复议决定") if seen.is_over(DECIDE) else not_due("审理期限未满")


@PROBES.probe(
    "DIS-HEA-01", version=2, title="应当听证的复议案件举行听证", basis=_articles("第五十条", "第五十一条")
)
def heard_where_required(seen: Seen) -> Verdict:
    """Major, difficult and complex cases are heard before the decision."""
    case = seen.case
    if case.accepted_on is None:
        return _never_accepted(case)
    if case.has(s.HearingHeld):
        return passed("已举行听证")
    said = case.last(s.HearingDecided)
    if said is not None and not said.required:
        return not_applicable("不属于应当听证的案件")
    if case.decided is None:
        return not_due("尚未作出决定")
    if (ended := _ended_without_judgement(seen, case.decided)) is not None:
        return not_applicable(f"{ended.title}，未经实体审理")
    return failed("重大疑难复杂案件应当听证而未听证") if said else not_computable("未登记是否应当听证")


@PROBES.probe(
    "DIS-COR-01",
    version=1,
    title="行政行为经复议未被纠正",
    basis=_articles("第六十三条", "第六十四条", "第六十五条", "第六十六条", "第六十七条", "第七十一条"),
)
def act_stood(seen: Seen) -> Verdict:
    """Whether the act stood; once, when the decision took effect."""
    case = seen.case
    if case.decided is None:
        return _never_accepted(case) if case.accepted_on is None else not_due("尚未作出决定")
    outcome = seen.outcomes.get(case.decided.outcome)
    if outcome is None:
        return not_computable("复议结果代码不在代码表中")
    if _ended_without_judgement(seen, case.decided) is not None:
        return not_applicable(f"{outcome.title}，未对行政行为作出评价，单独统计")
    if case.effective_on is None:
        return not_due("决定尚未送达生效")
    if outcome.corrected == "yes" and not outcome.against_document:
        return failed(f"行政行为被纠正：{outcome.title}{_made_in(case)}")
    return passed(f"行政行为未被纠正：{outcome.title}")


def _ended_without_judgement(seen: Seen, decided: s.Decided) -> Outcome | None:
    """The outcome that said nothing of the act: dismissed, mediated, withdrawn or terminated."""
    outcome = seen.outcomes.get(decided.outcome)
    if outcome is not None and (outcome.corrected == "separate" or outcome.code == NOT_ON_MERITS):
        return outcome
    return None


def _made_in(case: Case) -> str:
    """The period of the act, shown beside the period in which it counts."""
    received = case.first(s.Received)
    made = received.act_on if received else None
    return f"（行为作出于{made.year}年{made.month}月）" if made else ""


@PROBES.probe(
    "DIS-ANS-01",
    version=2,
    title="被申请人按期答复举证",
    basis=_articles("第四十八条", "第五十四条", "第七十条"),
)
def respondent_answered(seen: Seen) -> Verdict:
    """In ten working days from the copy, five in the simple procedure."""
    case, due = seen.case, seen.kept.get(ANSWER)
    if case.accepted_on is None:
        return _never_accepted(case)
    if due is None:
        return not_computable("未登记副本送达日期") if case.decided else not_due("尚未送达副本")
    answered = case.first(s.Answered)
    if answered is not None:
        late = (answered.on - due.due_on).days
        return _in_time(answered.on, due, "按期答复", f"被申请人逾期{late}日答复")
    if case.decided is not None and case.decided.on <= due.due_on:
        ended = _ended_without_judgement(seen, case.decided)
        return (
            not_applicable("答复期限未满案件即已办结")
            if ended
            else not_computable("案件已办结，未登记答复日期")
        )
    if seen.is_over(ANSWER):
        return failed("被申请人没有在期限内提出书面答复、提交证据")
    return not_computable("案件已办结，未登记答复日期") if case.decided else not_due("答复期限未满")


@PROBES.probe("DIS-PER-01", version=2, title="复议决定按期履行", basis=_articles("第七十六条", "第七十七条"))
def decision_performed(seen: Seen) -> Verdict:
    """Decision performed and opinion letter answered in time; each duty counts alike."""
    case = seen.case
    decided = case.decided
    if decided is None:
        return _never_accepted(case) if case.accepted_on is None else not_due("尚未作出决定")
    duties = [
        _kept_in_time(seen, PERFORM, case.first(s.Performed)),
        _kept_in_time(seen, OPINION, case.first(s.OpinionAnswered)),
    ]
    asked = [kept for kept in duties if kept != "none"]
    if not asked:
        if decided.must_perform and PERFORM not in seen.kept:
            return not_computable("决定有履行内容，未登记履行期限")
        return not_applicable("决定没有须在期限内履行的内容")
    good, bad = asked.count("kept"), asked.count("broken")
    if bad == 0 and "unsettled" in asked:
        return not_computable(UNSETTLED)
    if bad == 0 and good < len(asked):
        return not_due("履行期限未满")
    verdict = graded(1000 * good // len(asked), "按期履行" if bad == 0 else "逾期未履行复议决定、意见书")
    return Verdict(verdict.outcome, verdict.score_milli, verdict.reason, good, len(asked))


def _never_accepted(case: Case) -> Verdict:
    """No acceptance: for good, or not yet."""
    return not_applicable("没有受理") if case.is_closed else not_due("尚未受理")


def _in_time(done_on: date, due: Due, well: str, late: str) -> Verdict:
    """An act against its deadline; a provisional deadline proves nobody late."""
    if done_on <= due.due_on:
        return passed(well)
    if due.provisional:
        return not_computable(UNSETTLED)
    return failed(late)


def _kept_in_time(seen: Seen, clock: str, done: s.Step | None) -> str:
    """One duty: none, running, kept, broken, or unsettled: done after a last day that is provisional."""
    due = seen.kept.get(clock)
    if due is None:
        return "none"
    if done is None:
        return "broken" if seen.is_over(clock) else "running"
    if done.on <= due.due_on:
        return "kept"
    return "unsettled" if due.provisional else "broken"


def day_of(probe: str, seen: Seen) -> date:
    """The day a finding belongs to: of the act it is about, else the last day that was allowed for it."""
    case = seen.case
    acts: dict[str, tuple[type[s.Step], ...]] = {
        "DIS-ACC-01": (s.Accepted, s.Refused, s.DeemedAccepted),
        "DIS-TIM-01": (s.Decided,),
        "DIS-HEA-01": (s.Decided,),
        "DIS-COR-01": (s.Served, s.Decided),
        "DIS-ANS-01": (s.Answered,),
        "DIS-PER-01": (s.Performed, s.OpinionAnswered),
    }
    clocks: dict[str, tuple[str, ...]] = {
        "DIS-ACC-01": (ACCEPTANCE,),
        "DIS-TIM-01": (DECIDE,),
        "DIS-ANS-01": (ANSWER,),
        "DIS-PER-01": (PERFORM, OPINION),
    }
    for kind in acts[probe]:
        step = case.first(kind)
        if step is not None:
            return step.on
    for clock in clocks.get(probe, ()):
        due = seen.kept.get(clock)
        if due is not None and due.due_on <= seen.today:
            return due.due_on
    return max((step.on for step in case.steps), default=seen.today)
