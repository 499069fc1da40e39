"""
Gates 程序关口: which step may not be recorded yet, and by which article (国令713).

G1..G8 are the regulation's hard gates; the rest is the order that the steps presuppose. A step recorded as it
happens must pass; a procedure handed in after the fact is taken as it was, because what went wrong in it is
exactly what the 26 items are to find.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from services.decisions.procedures.rules import later_steps as later
from services.decisions.procedures.rules import materials
from services.decisions.procedures.rules.procedure import AnyStep, Procedure
from services.decisions.procedures.rules.steps import CommentOpened, Drafted, Started


@dataclass(frozen=True, slots=True)
class Breach:
    """A gate that a step would break: its name, the article, and what must be done first."""

    gate: str
    article: str
    message: str


Rule = Callable[[Procedure, AnyStep], Iterator[Breach]]

# What must be recorded before a step of a kind, beyond the gates: (step, needed, what to do first).
_PRESUPPOSED = (
    ("studied", "proposed", "第十条", "请先登记决策建议。"),
    ("started", "proposed", "第十条", "请先登记决策建议并组织研究论证。"),
    ("consulted", "started", "第十一条", "请先登记启动决定。"),
    ("comment_opened", "drafted", "第十五条", "请先登记决策草案，再公开征求意见。"),
    ("opinions_handled", "drafted", "第十八条", "请先登记决策草案并征求意见。"),
    ("hearing_held", "drafted", "第十六条", "请先登记决策草案，再举行听证会。"),
    ("experts_argued", "drafted", "第十九条", "请先登记决策草案，再组织专家论证。"),
    ("risk_appraised", "drafted", "第二十二条", "请先登记决策草案，再开展风险评估。"),
    ("review_submitted", "drafted", "第二十五条", "请先登记决策草案，再送请合法性审查。"),
    ("review_returned", "review_submitted", "第二十六条", "尚未送请合法性审查。"),
    ("review_complete", "review_submitted", "第二十六条", "尚未送请合法性审查。"),
    ("review_issued", "review_submitted", "第二十六条", "尚未送请合法性审查；征求意见不能代替合法性审查。"),
    ("review_answered", "review_issued", "第二十八条", "尚未出具合法性审查意见。"),
    ("discussed", "discussion_submitted", "第二十九条", "请先登记提请讨论的材料。"),
    ("published", "decided", "第三十二条", "请先登记决策机关的决定。"),
    ("archived", "decided", "第三十三条", "请先登记决策机关的决定。"),
    ("execution_assigned", "decided", "第三十四条", "请先登记决策机关的决定。"),
    ("execution_reported", "execution_assigned", "第三十五条", "请先明确执行单位。"),
    ("evaluation_planned", "decided", "第三十六条", "请先登记决策机关的决定。"),
    ("evaluated", "decided", "第三十六条", "请先登记决策机关的决定。"),
    ("suspended", "decided", "第三十七条", "请先登记决策机关的决定。"),
    ("changed", "decided", "第三十七条", "请先登记决策机关的决定。"),
)
_BRANCHES = (
    ("participation", "comment_opened", "第十四条", "公众参与"),
    ("expert", "experts_argued", "第十九条", "专家论证"),
    ("risk", "risk_appraised", "第二十二条", "风险评估"),
)


def breaches(procedure: Procedure, step: AnyStep) -> list[Breach]:
    """Every gate this step would break, in the order of the regulation; empty when it may be recorded."""
    found = list(_presupposed(procedure, step))
    for kind, rule in _RULES:
        if step.kind == kind:
            found.extend(rule(procedure, step))
    return found


def _presupposed(procedure: Procedure, step: AnyStep) -> Iterator[Breach]:
    if procedure.has("ended"):
        yield Breach("order", "第三十七条", "这项决策已经终结，不能再登记；需要调整的，请启动新的决策程序。")
    for kind, needed, article, message in _PRESUPPOSED:
        if step.kind == kind and not procedure.has(needed):
            yield Breach("order", article, message)


def start_names_one_lead(_: Procedure, step: AnyStep) -> Iterator[Breach]:
    """G1, first half: a start names the undertaking units, one of them leading (Art. 11)."""
    if isinstance(step, Started) and sum(unit.lead for unit in step.undertakers) != 1:
        yield Breach("G1", "第十一条", "请明确承办单位；有两个以上承办单位的，请明确一个牵头单位。")


def g1_no_draft_without_start(procedure: Procedure, _: AnyStep) -> Iterator[Breach]:
    """G1: no drafting without a start decision and a named undertaking unit (Art. 11)."""
    if not procedure.lead:
        yield Breach("G1", "第十一条", "决策机关尚未决定启动并明确承办单位，不能拟订草案；请先登记启动决定。")


def g2_no_review_while_comment_runs(procedure: Procedure, step: AnyStep) -> Iterator[Breach]:
    """G2: no submission to review while open comment is still running (Arts. 15, 26)."""
    running = [opened.closes_on for opened in procedure.all(CommentOpened) if opened.closes_on >= step.on]
    if running:
        yield Breach("G2", "第十五条", f"公开征求意见到{max(running)}才结束，请在结束后再送请合法性审查。")


def branches_are_settled(procedure: Procedure, _: AnyStep) -> Iterator[Breach]:
    """Each parallel branch was gone through, or does not apply for a recorded reason (Arts. 14, 19, 22)."""
    for branch, kind, article, title in _BRANCHES:
        if not procedure.has(kind) and procedure.waived(branch) is None:  # type: ignore[arg-type]
            yield Breach(
                "order", article, f"{title}尚未完成；不适用的，请登记不适用的理由后再送请合法性审查。"
            )


def g3_no_discussion_without_review(procedure: Procedure, step: AnyStep) -> Iterator[Breach]:
    """G3: reviewed and lawful, or an exploratory reform with its legal risk stated (Art. 25)."""
    issued = procedure.last(later.ReviewIssued)
    if issued is None or issued.is_before(step) is False:
        yield Breach(
            "G3", "第二十五条", "未经合法性审查的，不得提交决策机关讨论；请先由审查部门出具审查意见。"
        )
    elif issued.exploratory and not issued.legal_risk:
        yield Breach("G3", "第二十五条", "属于探索性改革的，请由审查部门说明法律风险后再提交讨论。")
    elif not issued.exploratory and issued.conclusion not in ("lawful", "lawful_amended"):
        yield Breach("G3", "第二十五条", "合法性审查认为不合法，不得提交讨论；请调整草案并重新审查。")


def g4_risk_is_controllable(procedure: Procedure, _: AnyStep) -> Iterator[Breach]:
    """G4: with a risk that cannot be controlled no decision, until adjusted and appraised again (Art. 24)."""
    appraised = procedure.last(later.RiskAppraised)
    if appraised is not None and appraised.conclusion == "uncontrollable":
        yield Breach("G4", "第二十四条", "风险评估结论为不可控，请调整草案并重新评估，确认可控后再作决策。")


def g5_all_materials(procedure: Procedure, step: AnyStep) -> Iterator[Breach]:
    """G5: a submission carries every kind of material that applies (Art. 29)."""
    given = frozenset(document.kind for document in step.documents)
    lacking = materials.missing(materials.for_discussion(procedure), given)
    if lacking:
        yield Breach("G5", "第二十九条", f"提请讨论的材料不齐，请补充：{'、'.join(lacking)}。")


def g6_no_decision_without_discussion(procedure: Procedure, step: AnyStep) -> Iterator[Breach]:
    """G6: no decision without a record of collective discussion that passed it (Art. 30)."""
    discussed = procedure.last(later.Discussed)
    if discussed is None or discussed.on > step.on:
        yield Breach("G6", "第三十条", "没有集体讨论记录，不能作出决定；请先登记常务会议或者全体会议的讨论。")
    elif discussed.outcome != "passed":
        yield Breach("G6", "第三十条", "集体讨论没有通过，不能作出决定；请调整后重新提请讨论。")


def g7_party_report_first(procedure: Procedure, step: AnyStep) -> Iterator[Breach]:
    """G7: no issue before the report to the party committee, where required (Art. 31)."""
    started = procedure.started
    if started is None or not started.party_report:
        return
    reported = procedure.first(later.PartyReported)
    if reported is None or reported.on > step.on:
        yield Breach("G7", "第三十一条", "出台前应当向同级党委请示报告，请先登记请示报告。")


def g8_evaluator_is_another(procedure: Procedure, step: AnyStep) -> Iterator[Breach]:
    """G8: a third party that did the main assessment before the decision may not evaluate it (Art. 36)."""
    if not isinstance(step, (later.EvaluationPlanned, later.Evaluated)):
        return
    assessors = {risk.assessor for risk in procedure.all(later.RiskAppraised)}
    if step.third_party and step.evaluator in assessors:
        yield Breach("G8", "第三十六条", "承担决策前主要评估工作的单位不得承担后评估，请另行委托。")


def reviewer_signs(procedure: Procedure, step: AnyStep) -> Iterator[Breach]:
    """The opinion is that of the named reviewing department, not of the undertaking unit (Art. 27)."""
    started = procedure.started
    if isinstance(step, later.ReviewIssued) and started is not None and step.unit != started.reviewer:
        yield Breach("order", "第二十五条", "合法性审查意见应由启动决定中明确的审查部门出具。")


def draft_has_a_new_version(procedure: Procedure, step: AnyStep) -> Iterator[Breach]:
    """Versions of the draft count up, so that an appraisal names the one it saw."""
    if not isinstance(step, Drafted):
        return
    latest = max((draft.version for draft in procedure.all(Drafted)), default=0)
    if step.version != latest + 1:
        yield Breach("order", "第十二条", f"草案应为第{latest + 1}稿，请核对版本号。")


_RULES: tuple[tuple[str, Rule], ...] = (
    ("started", start_names_one_lead),
    ("drafted", g1_no_draft_without_start),
    ("drafted", draft_has_a_new_version),
    ("review_submitted", g2_no_review_while_comment_runs),
    ("review_submitted", branches_are_settled),
    ("review_issued", reviewer_signs),
    ("discussion_submitted", g3_no_discussion_without_review),
    ("discussion_submitted", g5_all_materials),
    ("discussed", g3_no_discussion_without_review),
    ("decided", g4_risk_is_controllable),
    ("decided", g6_no_decision_without_discussion),
    ("published", g7_party_report_first),
    ("evaluation_planned", g8_evaluator_is_another),
    ("evaluated", g8_evaluator_is_another),
)


def not_in_the_future(step: AnyStep, today: date) -> bool:
    """Whether the day of the step has come."""
    return step.on <= today
