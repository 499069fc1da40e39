"""S1 决策启动与拟订: DEC-01 to DEC-04 (国令713 Arts. 3, 10-13)."""

from contracts.findings import Verdict, failed, not_computable
from services.decisions.conformance.rules.look import PROBES, Look, answered, articles
from services.decisions.procedures.rules.steps import Consulted, Drafted, Proposed, Studied

FIVE_PARTS = 5
_ARGUED_BY_PROPOSER = ("department", "lower_government")


@PROBES.probe("DEC-01", version=1, title="建议登记并完成研究论证", basis=articles("第十条"))
def proposed_and_studied(look: Look) -> Verdict:
    """Source recorded; a department's own proposal argues all five parts; studied before the start."""
    proposed, studied = look.procedure.first(Proposed), look.procedure.first(Studied)
    started = look.procedure.started
    if proposed is None:
        return failed("未登记决策建议")
    if studied is None:
        return failed("未登记研究论证")
    problems = []
    if proposed.source in _ARGUED_BY_PROPOSER and len(set(studied.parts)) < FIVE_PARTS:
        problems.append("研究论证报告未写全主要问题、理由依据、初步方案、必要性、可行性")
    if started is not None and started.on < studied.on:
        problems.append("研究论证在决定启动之后")
    return answered(problems, [] if started else ["未登记启动决定"], "建议已登记并经研究论证")


@PROBES.probe(
    "DEC-02",
    version=1,
    title="决策机关决定启动，明确承办及牵头单位，列入年度目录",
    basis=articles("第三条", "第十一条"),
)
def started_with_one_lead(look: Look) -> Verdict:
    """A start decision on file, exactly one lead unit, in the year's catalogue or with a reason."""
    started = look.procedure.started
    if started is None:
        return failed("未登记决策机关的启动决定")
    problems = []
    if not started.has("start_decision"):
        problems.append("没有启动决定文件")
    leads = sum(unit.lead for unit in started.undertakers)
    if leads != 1:
        problems.append("未明确牵头承办单位" if leads == 0 else f"有{leads}个牵头单位，应当只有一个")
    listed = bool(started.catalogue_item or started.added_because)
    if look.optional("DEC-02", "catalogue_required") and not listed:
        problems.append("未列入年度目录，也未说明新增理由")
    return answered(problems, [], "已决定启动并明确承办单位")


@PROBES.probe("DEC-03", version=1, title="调研、依据梳理、成本效益分析", basis=articles("第十二条"))
def drafted_on_solid_ground(look: Look) -> Verdict:
    """Survey and basis on file, analysis made or not needed for a reason, options where opinions differ widely."""
    drafts = look.procedure.all(Drafted)
    if not drafts:
        return failed("未登记决策草案")
    problems = []
    if not any(draft.has("survey") for draft in drafts):
        problems.append("没有调研材料")
    if not any(draft.has("legal_basis") for draft in drafts):
        problems.append("没有梳理法律法规和政策依据")
    analysed = any(d.cost_benefit == "done" or (d.cost_benefit and d.not_needed_because) for d in drafts)
    if not analysed:
        problems.append("没有成本效益分析，也未说明不需要的理由")
    wide = [draft.wide_dispute for draft in drafts if draft.wide_dispute is not None]
    least = look.number("DEC-03", "options_when_disputed")
    if any(wide) and max(draft.options for draft in drafts) < least:
        problems.append(f"各方意见分歧较大而方案少于{least}个")
    return answered(problems, [] if wide else ["未登记各方意见是否分歧较大"], "调研、依据、分析齐备")


@PROBES.probe("DEC-04", version=1, title="征求有关部门和下级政府意见，分歧有说明", basis=articles("第十三条"))
def related_units_were_asked(look: Look) -> Verdict:
    """Every related unit replied or is marked overdue; every disagreement has a statement."""
    started = look.procedure.started
    asked = {step.unit: step for step in look.procedure.all(Consulted)}
    units = set(started.related_units if started else ()) | set(asked)
    if not units:
        return not_computable("未登记应当征求意见的部门和下级政府")
    silent = [u for u in units if u not in asked or not (asked[u].replied_on or asked[u].overdue)]
    unexplained = [unit for unit, step in asked.items() if step.agreed is False and not step.statement]
    problems = []
    if silent:
        problems.append(f"{len(silent)}个单位没有答复也未注明逾期")
    if unexplained:
        problems.append(f"{len(unexplained)}个单位的不同意见没有说明")
    return answered(problems, [], f"已征求{len(units)}个单位意见")
