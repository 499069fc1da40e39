"""
S3 专家论证 and S4 风险评估: DEC-11 to DEC-17 (国令713 Arts. 19-24, 29).

Where the argument or the appraisal itself is missing, that is one fault (DEC-11, DEC-15); its quality then
cannot be judged, rather than failing three times over.
"""

from contracts.findings import Verdict, failed, not_applicable, not_computable, passed
from services.decisions.conformance.rules.look import PROBES, Look, answered, articles, risky, technical
from services.decisions.procedures.rules.later_steps import (
    Decided,
    ExpertsArgued,
    ReviewSubmitted,
    RiskAppraised,
)

NO_ARGUMENT = "没有专家论证，无从评价"
NO_APPRAISAL = "没有风险评估，无从评价"
THREE_ANSWERS = 3


@PROBES.probe("DEC-11", version=1, title="专业性、技术性强的事项应论证尽论证", basis=articles("第十九条"))
def experts_were_heard(look: Look) -> Verdict:
    """A technical matter was argued by experts before it went to review."""
    if (instead := technical(look)) is not None:
        return instead
    argued, submitted = look.procedure.first(ExpertsArgued), look.procedure.first(ReviewSubmitted)
    if argued is None:
        return failed("专业性、技术性较强的事项没有组织专家论证")
    if submitted is not None and argued.on > submitted.on:
        return failed("送请合法性审查之后才组织专家论证")
    return passed("已组织专家论证")


@PROBES.probe(
    "DEC-12",
    version=1,
    title="专家来源合规、无直接利害关系、含不同意见专家",
    basis=articles("第二十条", "第二十一条"),
)
def experts_were_fit(look: Look) -> Verdict:
    """From the pool or for a reason, without interest, enough of them, a differing view among them."""
    if (instead := technical(look)) is not None:
        return instead
    experts = {expert.id: expert for step in look.procedure.all(ExpertsArgued) for expert in step.experts}
    if not experts:
        return not_computable(NO_ARGUMENT)
    problems = []
    if strangers := sum(1 for e in experts.values() if not e.pool and not e.outside_because):
        problems.append(f"{strangers}名专家不在专家库且未说明理由")
    if interested := sum(1 for e in experts.values() if e.conflict == "has"):
        problems.append(f"{interested}名专家与决策事项有直接利害关系")
    if len(experts) < (least := look.number("DEC-12", "experts_least")):
        problems.append(f"专家少于{least}名")
    if look.optional("DEC-12", "differing_view_required") and not any(e.differs for e in experts.values()):
        problems.append("没有持不同意见的专家")
    silent = sum(1 for expert in experts.values() if expert.conflict is None)
    return answered(problems, [f"{silent}名专家没有利害关系声明"] if silent else [], "专家选聘合规")


@PROBES.probe(
    "DEC-13", version=1, title="书面论证意见签名盖章，覆盖必要性、可行性、科学性", basis=articles("第十九条")
)
def expert_opinions_were_signed(look: Look) -> Verdict:
    """Each written opinion is signed and answers all three questions."""
    if (instead := technical(look)) is not None:
        return instead
    opinions = [opinion for step in look.procedure.all(ExpertsArgued) for opinion in step.opinions]
    if not opinions:
        return (
            failed("没有书面论证意见")
            if look.procedure.has("experts_argued")
            else not_computable(NO_ARGUMENT)
        )
    problems = []
    if unsigned := sum(1 for opinion in opinions if opinion.signed is False):
        problems.append(f"{unsigned}份论证意见没有签名盖章")
    if partial := sum(1 for opinion in opinions if len(set(opinion.covers)) < THREE_ANSWERS):
        problems.append(f"{partial}份论证意见未覆盖必要性、可行性、科学性")
    silent = sum(1 for opinion in opinions if opinion.signed is None)
    return answered(problems, [f"{silent}份论证意见未登记是否签名"] if silent else [], "论证意见完整")


@PROBES.probe("DEC-14", version=1, title="论证意见研究采纳情况", basis=articles("第二十九条"))
def expert_opinions_were_answered(look: Look) -> Verdict:
    """What became of each expert opinion is on record."""
    if (instead := technical(look)) is not None:
        return instead
    opinions = [opinion for step in look.procedure.all(ExpertsArgued) for opinion in step.opinions]
    if not opinions:
        return not_computable(NO_ARGUMENT)
    silent = sum(1 for opinion in opinions if opinion.status is None)
    return answered([f"{silent}份论证意见没有采纳情况"] if silent else [], [], "论证意见均有采纳情况")


@PROBES.probe("DEC-15", version=1, title="可能影响社会稳定、公共安全的应评尽评", basis=articles("第二十二条"))
def risk_was_appraised(look: Look) -> Verdict:
    """Appraised before the decision, or an earlier appraisal is used."""
    if (instead := risky(look)) is not None:
        return instead
    appraised, decided = look.procedure.first(RiskAppraised), look.procedure.first(Decided)
    if appraised is None:
        return failed("可能影响社会稳定、公共安全的事项没有开展风险评估")
    if decided is not None and appraised.on > decided.on:
        return failed("作出决定之后才开展风险评估")
    return passed("引用已有评估" if appraised.existing else "已开展风险评估")


@PROBES.probe(
    "DEC-16",
    version=1,
    title="报告要素齐备：风险点、防范措施、处置预案、部门意见",
    basis=articles("第二十三条"),
)
def risk_report_was_complete(look: Look) -> Verdict:
    """All sections of the report are there."""
    if (instead := risky(look)) is not None:
        return instead
    appraised = look.procedure.last(RiskAppraised)
    if appraised is None:
        return not_computable(NO_APPRAISAL)
    if appraised.existing and not appraised.sections:
        return not_applicable("引用已有评估，不作重复评估")
    lacking = look.number("DEC-16", "sections") - len(set(appraised.sections))
    return answered([f"风险评估报告缺{lacking}项要素"] if lacking > 0 else [], [], "报告要素齐备")


@PROBES.probe("DEC-17", version=1, title="风险可控方可决策；不可控经调整", basis=articles("第二十四条"))
def decided_only_when_controllable(look: Look) -> Verdict:
    """The appraisal before the decision says controllable; after an uncontrollable one, of a later draft."""
    if (instead := risky(look)) is not None:
        return instead
    decided = look.procedure.first(Decided)
    seen = [r for r in look.procedure.all(RiskAppraised) if decided is None or r.on <= decided.on]
    if not seen:
        return not_computable(NO_APPRAISAL)
    last = max(seen, key=lambda appraised: (appraised.on, appraised.draft_version))
    if last.conclusion is None:
        return not_computable("未登记风险评估结论")
    if last.conclusion == "uncontrollable":
        return failed("风险不可控仍作出决策")
    refused = [r.draft_version for r in seen if r.conclusion == "uncontrollable"]
    if refused and last.draft_version <= max(refused):
        return failed("风险不可控之后没有调整草案就重新评估为可控")
    return passed("风险可控")
