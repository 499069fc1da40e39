"""S6 集体讨论决定: DEC-22 and DEC-23 (国令713 Arts. 29-31)."""

from contracts.findings import Verdict, failed
from services.decisions.conformance.rules.look import PROBES, Look, answered, articles
from services.decisions.procedures.rules import materials
from services.decisions.procedures.rules.later_steps import (
    Discussed,
    DiscussionSubmitted,
    PartyReported,
    Published,
)


@PROBES.probe(
    "DEC-22", version=1, title="六类材料齐备，涉市场主体含公平竞争审查", basis=articles("第二十九条")
)
def submission_was_complete(look: Look) -> Verdict:
    """Every kind of material that applies, before the meeting."""
    submitted, meeting = look.procedure.last(DiscussionSubmitted), look.procedure.last(Discussed)
    if submitted is None:
        return failed("没有登记提请讨论的材料")
    given = frozenset(document.kind for document in submitted.documents)
    problems = []
    if lacking := materials.missing(materials.for_discussion(look.procedure), given):
        problems.append(f"缺{'、'.join(lacking)}")
    if meeting is not None and submitted.on > meeting.on:
        problems.append("材料在会议之后才齐备")
    started = look.procedure.started
    known = started is not None and started.market is not None
    return answered(problems, [] if known else ["未登记是否涉及市场主体"], "提请讨论材料齐备")


@PROBES.probe(
    "DEC-23",
    version=1,
    title="常务会议或者全体会议讨论，首长末位表态，不同意见如实记录，出台前请示报告",
    basis=articles("第三十条", "第三十一条"),
)
def discussed_as_the_law_says(look: Look) -> Verdict:
    """Veto: right meeting, quorum, head last, every view on record, departure explained, party report first."""
    meeting = look.procedure.last(Discussed)
    if meeting is None:
        return failed("没有集体讨论记录")
    problems: list[str] = []
    unknown: list[str] = []
    if meeting.meeting == "other":
        problems.append("没有经常务会议或者全体会议讨论")
    if meeting.attended < (meeting.quorum or meeting.members // 2 + 1):
        problems.append("出席人数不足")
    _speaking(meeting, problems, unknown)
    _departure(meeting, problems)
    _party_report(look, problems, unknown)
    return answered(problems, unknown, "集体讨论合规")


def _speaking(meeting: Discussed, problems: list[str], unknown: list[str]) -> None:
    if not meeting.head or not meeting.views:
        unknown.append("未登记发言顺序和行政首长")
        return
    if meeting.views[-1].member != meeting.head:
        problems.append("行政首长没有末位表态")
    recorded = sum(1 for view in meeting.views if view.view is not None)
    if recorded < meeting.attended:
        problems.append(f"{meeting.attended - recorded}名出席人员的意见没有记录")


def _departure(meeting: Discussed, problems: list[str]) -> None:
    """The head who departs from the majority explains at the meeting (Art. 30)."""
    views = [view.view for view in meeting.views]
    majority = meeting.majority or _majority(views.count("agree"), views.count("disagree"))
    head: str | None = meeting.head_view or next(
        (v.view for v in meeting.views if v.member == meeting.head), None
    )
    if majority and head in ("agree", "disagree") and head != majority and not meeting.departs_because:
        problems.append("决定与多数意见不一致而没有说明理由")


def _majority(agree: int, disagree: int) -> str | None:
    if agree == disagree:
        return None
    return "agree" if agree > disagree else "disagree"


def _party_report(look: Look, problems: list[str], unknown: list[str]) -> None:
    started = look.procedure.started
    if started is None or started.party_report is None:
        unknown.append("未登记是否须向同级党委请示报告")
    elif started.party_report:
        reported, published = look.procedure.first(PartyReported), look.procedure.first(Published)
        if reported is None or not reported.number:
            problems.append("没有向同级党委请示报告")
        elif published is not None and reported.on > published.on:
            problems.append("公布之后才请示报告")
