"""
S7 公布归档与执行评估: DEC-24 to DEC-26 (国令713 Arts. 32-37).

The regulation says 及时 without a number; the numbers are settings of the template.
"""

from datetime import date, timedelta

from contracts.findings import Verdict, failed, not_computable, not_due, passed
from kernel.calendar import Deadline
from services.decisions.conformance.rules.look import PROBES, Look, answered, articles
from services.decisions.procedures.rules import materials
from services.decisions.procedures.rules.later_steps import (
    Archived,
    Changed,
    Decided,
    EvaluationPlanned,
    ExecutionAssigned,
    ExecutionReported,
    Published,
)

CHANNELS = {"gazette": "政府公报", "official_site": "政府网站", "newspaper": "当地报纸"}


def publication_due(look: Look, decided: date) -> Deadline:
    """Last day to publish 公布期限: working days after the decision."""
    return look.calendar.working_days_after(decided, look.number("DEC-24", "publish_within_working_days"))


def archive_due(look: Look, decided: date) -> date:
    """Last day to file 归档期限: calendar days after the decision."""
    return decided + timedelta(days=look.number("DEC-25", "archive_within_days"))


@PROBES.probe("DEC-24", version=2, title="及时公布并解读", basis=articles("第三十二条"))
def published_in_time(look: Look) -> Verdict:
    """In gazette, on the site and in the newspaper within the period; technical matters are explained."""
    decided = look.procedure.first(Decided)
    if decided is None:
        return not_computable("未登记决定的日期")
    published = look.procedure.all(Published)
    withheld = next((step for step in published if step.withheld_basis), None)
    if withheld is not None:
        return passed("依法不予公开") if withheld.withheld_approver else failed("不予公开没有批准人")
    deadline = publication_due(look, decided.on)
    due = deadline.due_on
    first_days: dict[str, date] = {}
    for step in published:
        for channel in step.channels:
            first_days[channel] = min(step.on, first_days.get(channel, step.on))
    open_channels = [title for code, title in CHANNELS.items() if code not in first_days]
    late = [title for code, title in CHANNELS.items() if code in first_days and first_days[code] > due]
    if open_channels and not late and look.today <= due:
        return not_due("公布期限未满")
    problems = [f"没有在{title}公布" for title in open_channels] + [
        f"没有按期在{title}公布" for title in late
    ]
    unknown = []
    if problems and deadline.provisional:  # it proves nobody late
        problems, unknown = [], [f"公布期限（暂定{due}）跨入放假安排尚未公布的年份，待核定"]
    started = look.procedure.started
    if started is not None and started.technical:
        explained = [step.interpreted for step in published if step.interpreted is not None]
        if explained and not any(explained):
            problems.append("专业性、技术性较强而没有解读")
        unknown += [] if explained else ["未登记是否解读"]
        return answered(problems, unknown, "已及时公布并解读")
    return answered(problems, unknown, "已及时公布")


@PROBES.probe("DEC-25", version=1, title="过程记录和材料完整归档", basis=articles("第三十三条"))
def file_is_complete(look: Look) -> Verdict:
    """The file holds a document of every step taken, was checked, and closed within the period."""
    decided = look.procedure.first(Decided)
    if decided is None:
        return not_computable("未登记决定的日期")
    due = archive_due(look, decided.on)
    archived = look.procedure.last(Archived)
    if archived is None:
        return not_due("归档期限未满") if look.today <= due else failed("逾期没有归档")
    problems = []
    first = look.procedure.first(Archived)
    if first is not None and first.on > due:
        problems.append(f"归档超过{look.number('DEC-25', 'archive_within_days')}日")
    lacking = materials.missing(materials.for_archive(look.procedure), frozenset(archived.kinds))
    if lacking:
        problems.append(f"归档目录缺{'、'.join(lacking)}")
    if archived.checked is False:
        problems.append("没有核对材料摘要")
    return answered(problems, ["未登记是否核对材料摘要"] if archived.checked is None else [], "归档完整")


@PROBES.probe(
    "DEC-26",
    version=1,
    title="明确执行单位、报告执行情况；符合情形开展后评估；调整依程序",
    basis=articles("第三十四条", "第三十五条", "第三十六条", "第三十七条"),
)
def carried_out_and_looked_after(look: Look) -> Verdict:
    """An executing unit that reports; an evaluation where called for; no change without its procedure."""
    decided = look.procedure.first(Decided)
    if decided is None:
        return not_computable("未登记决定的日期")
    problems = []
    for changed in look.procedure.all(Changed):
        if changed.major and not changed.procedure:
            problems.append("重大调整没有重新履行决策程序")
        elif not changed.major and not changed.because:
            problems.append("调整没有说明理由")
    if _evaluation_called_for(look) and not _evaluation_begun(look):
        problems.append("符合后评估情形而没有启动后评估")
    filed = look.procedure.has("archived") or look.today > archive_due(look, decided.on)
    if not look.procedure.has("execution_assigned"):
        if not filed and not problems:
            return not_due("尚未明确执行单位")
        return failed("；".join([*problems, "没有明确执行单位"]))
    if problems:
        return failed("；".join(problems))
    return _reported(look)


def _reported(look: Look) -> Verdict:
    if look.procedure.has("execution_reported"):
        return passed("已明确执行单位并报告执行情况")
    assigned = look.procedure.first(ExecutionAssigned)
    within = look.optional("DEC-26", "report_within_days")
    if assigned is not None and within is not None and look.today > assigned.on + timedelta(days=within):
        return failed(f"明确执行单位后{within}日内没有报告执行情况")
    return not_due("尚无执行情况报告")


def _evaluation_called_for(look: Look) -> bool:
    """By the organ's own word, or by the numbers a province set (Art. 36)."""
    effect = look.optional("DEC-26", "effect_percent_least")
    opinions = look.optional("DEC-26", "opinions_most")
    return any(
        report.evaluation_needed
        or (effect is not None and report.effect_percent is not None and report.effect_percent < effect)
        or (opinions is not None and report.public_opinions > opinions)
        for report in look.procedure.all(ExecutionReported)
    )


def _evaluation_begun(look: Look) -> bool:
    return look.procedure.has("evaluated") or bool(look.procedure.all(EvaluationPlanned))
