"""S5 合法性审查: DEC-18 to DEC-21 (国令713 Arts. 25-28). The review period is counted in working days 工作日."""

from contracts.findings import Verdict, failed, graded, not_computable, passed
from services.decisions.conformance.rules.look import PROBES, Look, answered, articles
from services.decisions.procedures.rules import materials
from services.decisions.procedures.rules.later_steps import (
    Decided,
    Discussed,
    ReviewAnswered,
    ReviewComplete,
    ReviewIssued,
    ReviewReturned,
    ReviewSubmitted,
)
from services.decisions.procedures.rules.procedure import Procedure

THREE_PARTS = 3
LAWFUL = ("lawful", "lawful_amended")


@PROBES.probe("DEC-18", version=1, title="送审材料齐备：草案、依据、程序说明", basis=articles("第二十六条"))
def review_material_was_complete(look: Look) -> Verdict:
    """Three kinds of material with the submission that was accepted."""
    submitted = look.procedure.all(ReviewSubmitted)
    if not submitted:
        return failed("没有送请合法性审查")
    complete = look.procedure.first(ReviewComplete)
    given = frozenset(
        document.kind
        for step in (*submitted, *([complete] if complete else []))
        for document in step.documents
    )
    lacking = materials.missing(materials.FOR_REVIEW, given)
    returns = len(look.procedure.all(ReviewReturned))
    well = "送审材料齐备" + (f"，退回{returns}次" if returns else "")
    return answered([f"送审材料缺{'、'.join(lacking)}"] if lacking else [], [], well)


@PROBES.probe("DEC-19", version=2, title="审查时间不少于7个工作日", basis=articles("第二十六条"))
def review_had_its_time(look: Look) -> Verdict:
    """Seven working days from complete material to the opinion the organ met with; half for a noted urgency."""
    issued = _opinion_for_the_meeting(look.procedure)
    if issued is None:
        return not_computable("没有出具合法性审查意见")
    every = look.procedure.all(ReviewComplete)
    before = Procedure(tuple(step for step in every if step.on <= issued.on))
    complete = before.last(ReviewComplete) or look.procedure.last(ReviewComplete)
    if complete is None:
        return not_computable("未登记送审材料齐备的日期")
    days = look.calendar.working_days_between(complete.on, issued.on)
    if days >= look.number("DEC-19", "working_days_least"):
        return passed(f"审查{days}个工作日")
    if issued.urgent_note:
        return graded(look.number("DEC-19", "urgent_score"), f"审查{days}个工作日，注明了紧急情况")
    return failed(f"审查只有{max(days, 0)}个工作日，且未注明紧急情况")


@PROBES.probe(
    "DEC-20",
    version=2,
    title="讨论前出具合法性审查意见，三项内容完整，结论合法",
    basis=articles("第二十五条", "第二十七条"),
)
def reviewed_before_discussion(look: Look) -> Verdict:
    """Veto: the opinion in force when the organ met covers authority, procedure and content, and is lawful."""
    issued = look.procedure.all(ReviewIssued)
    meeting = look.procedure.last(Discussed) or look.procedure.last(Decided)
    if not issued:
        return failed("没有出具合法性审查意见")
    if meeting is None:
        return not_computable("未登记集体讨论的日期")
    before = [opinion for opinion in issued if opinion.is_before(meeting)]
    same_day = [opinion for opinion in issued if opinion.is_before(meeting) is None]
    if not before and not same_day:
        return failed("合法性审查意见在集体讨论之后出具")
    in_force = Procedure(tuple(before)).last(ReviewIssued)
    possible = [_read(opinion) for opinion in (in_force, *same_day) if opinion is not None]
    if same_day and (in_force is None or len({verdict.outcome for verdict in possible}) > 1):
        return not_computable("审查意见与集体讨论在同一日，未登记时刻")
    return possible[0]


def _read(opinion: ReviewIssued) -> Verdict:
    """Whether one opinion lets the organ discuss the draft."""
    problems = []
    if len(set(opinion.parts)) < THREE_PARTS:
        problems.append("审查意见未覆盖权限、程序、内容三项")
    if opinion.exploratory:
        if not opinion.legal_risk:
            problems.append("探索性改革没有说明法律风险")
    elif opinion.conclusion is None:
        return answered(problems, ["未登记审查结论"])
    elif opinion.conclusion not in LAWFUL:
        problems.append("合法性审查认为不合法仍提交讨论")
    return answered(problems, [], "讨论前已经合法性审查")


@PROBES.probe(
    "DEC-21",
    version=1,
    title="组织法律顾问、公职律师提出意见；承办单位据以调整",
    basis=articles("第二十八条"),
)
def advisers_and_remarks(look: Look) -> Verdict:
    """Legal advisers spoke, and every remark of the review has an answer."""
    issued = look.procedure.all(ReviewIssued)
    if not issued:
        return not_computable("没有出具合法性审查意见")
    remarks = {remark for opinion in issued for remark in opinion.remarks}
    replied = {
        response.remark
        for step in look.procedure.all(ReviewAnswered)
        for response in step.responses
        if response.text
    }
    heard = [opinion.advisers for opinion in issued if opinion.advisers is not None]
    problems = []
    if heard and not any(heard):
        problems.append("没有组织法律顾问、公职律师提出意见")
    if open_remarks := len(remarks - replied):
        problems.append(f"{open_remarks}条审查意见没有回应")
    return answered(problems, [] if heard else ["未登记法律顾问、公职律师意见"], "审查意见均已回应")


def _opinion_for_the_meeting(procedure: Procedure) -> ReviewIssued | None:
    """Of several reviews the one whose opinion lay before the organ: the last by the day it met, else the first."""
    meeting = procedure.last(Discussed) or procedure.last(Decided)
    issued = procedure.all(ReviewIssued)
    by_then = Procedure(tuple(one for one in issued if meeting is None or one.on <= meeting.on))
    return by_then.last(ReviewIssued) or procedure.first(ReviewIssued)
