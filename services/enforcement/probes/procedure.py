"""
Probes on how it was decided: simple procedure, notice, hearing, legality review, collective discussion.

What counts as major 重大 follows the hearing class of 行政处罚法 Art. 63: certain kinds always, fines from the
amount that the field fixed. A province that reviews every ordinary penalty says so on its power list.
"""

from contracts.findings import ProbeSet, Verdict, failed, not_applicable, not_computable, passed
from services.enforcement.probes.facts import (
    PENALTY_LAW,
    THREE_SYSTEMS,
    CaseFacts,
    bases,
    done_before_decision,
)

PROBES: ProbeSet[CaseFacts] = ProbeSet()
SIMPLE = not_applicable("适用简易程序")


@PROBES.probe(
    "ENF-PRO-01", version=1, title="简易程序在法定限额和种类内适用", basis=bases(PENALTY_LAW, "第五十一条")
)
def simple_procedure_is_allowed(facts: CaseFacts) -> Verdict:
    """On the spot only warnings and fines up to 200 yuan for citizens, 3,000 for organisations."""
    case = facts.case
    if facts.is_ordinary:
        return not_applicable("未适用简易程序")
    if other := set(case.penalty_kinds) - facts.law.simple_kinds:
        return failed(f"简易程序作出了警告、罚款以外的处罚（{len(other)}种）")
    if "fine" not in case.penalty_kinds:
        return passed("当场给予警告")
    if case.fine_yuan is None:
        return not_computable("未提供罚款金额，无法判断是否超过当场处罚限额")
    limit = facts.law.simple_limit(case.party_kind)
    return passed(f"未超过{limit}元限额") if case.fine_yuan <= limit else failed(f"当场罚款超过{limit}元限额")


@PROBES.probe(
    "ENF-PRO-03",
    version=1,
    title="作出处罚决定前依法告知",
    basis=bases(PENALTY_LAW, "第四十四条", "第六十二条"),
)
def notice_came_before_the_decision(facts: CaseFacts) -> Verdict:
    """Content, facts, reasons, basis and rights were told before the decision; on the spot it is told by mouth."""
    if not facts.is_ordinary:
        return SIMPLE
    return done_before_decision(facts, "notified_on", "告知拟处罚内容和权利")


@PROBES.probe("ENF-PRO-05", version=1, title="达到标准的告知听证权利", basis=bases(PENALTY_LAW, "第六十三条"))
def hearing_was_offered(facts: CaseFacts) -> Verdict:
    """The right to a hearing was told before a decision of the hearing class."""
    if not facts.is_ordinary:
        return SIMPLE
    major = is_major(facts)
    if major is False:
        return not_applicable("未达到听证标准")
    if major is None and facts.case.hearing_notified_on is None:
        return not_computable("未提供罚款、没收的金额，无法判断是否达到听证标准")
    return done_before_decision(facts, "hearing_notified_on", "告知听证权利")


@PROBES.probe(
    "ENF-REV-01",
    version=1,
    title="重大执法决定经法制审核",
    basis=(*bases(PENALTY_LAW, "第五十八条"), *bases(THREE_SYSTEMS, "第四部分")),
)
def legality_review_passed(facts: CaseFacts) -> Verdict:
    """Review passed before the decision where it must be: major, after a hearing, or wherever the list says."""
    case = facts.case
    review = facts.power.review if facts.power is not None else "major"
    if not facts.is_ordinary:
        return SIMPLE
    required: bool | None = True
    if review != "ordinary" and case.hearing_held_on is None:
        required = is_major(facts)
    if required is False:
        return not_applicable("不属于应当法制审核的情形")
    if required is None and case.reviewed_on is None:
        return not_computable("未提供罚款、没收的金额，无法判断是否应当法制审核")
    if case.review_result == "refused":
        return failed("法制审核未通过仍作出决定")
    if case.reviewed_on is not None and not case.review_result:
        return not_computable("未提供法制审核结论")
    return done_before_decision(facts, "reviewed_on", "进行法制审核")


@PROBES.probe(
    "ENF-REV-03", version=1, title="复杂或重大案件经集体讨论", basis=bases(PENALTY_LAW, "第五十七条")
)
def heads_discussed_it(facts: CaseFacts) -> Verdict:
    """The heads of the organ discussed a complex or major penalty before it was decided."""
    if not facts.is_ordinary:
        return SIMPLE
    major = is_major(facts)
    if major is False:
        return not_applicable("不属于应当集体讨论的情形")
    if major is None and facts.case.discussed_on is None:
        return not_computable("未提供罚款、没收的金额，无法判断是否应当集体讨论")
    return done_before_decision(facts, "discussed_on", "经负责人集体讨论")


def is_major(facts: CaseFacts) -> bool | None:
    """Whether the penalty is of the hearing class (Art. 63); None when the amounts to tell it are missing."""
    case, law = facts.case, facts.law
    kinds = set(case.penalty_kinds)
    if kinds & law.always_heard:
        return True
    by_amount = kinds & law.heard_by_amount
    if not by_amount:
        return False
    amount = law.hearing_amount(facts.field, case.party_kind, case.decided_on)
    if amount is None:
        return None
    if "fine" in by_amount and case.fine_yuan is not None and case.fine_yuan >= amount:
        return True
    confiscated = by_amount - {"fine"}
    return None if confiscated or ("fine" in by_amount and case.fine_yuan is None) else False
