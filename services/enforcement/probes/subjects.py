"""Probes on who acted: body, power, officers, certificates, basis (执法主体、权限、人员、依据)."""

from datetime import date

from contracts.findings import ProbeSet, Verdict, failed, not_computable, passed
from services.enforcement.cases.rules.record import CaseRecord
from services.enforcement.probes.facts import PENALTY, PENALTY_LAW, SUPERVISION, CaseFacts, bases
from services.enforcement.registry.rules import CertificateOnDay

PROBES: ProbeSet[CaseFacts] = ProbeSet()
COVERS_ALL_FIELDS = ("", "general")


@PROBES.probe(
    "ENF-SUB-01",
    version=1,
    title="执法主体经确认并公告",
    basis=(
        *bases(SUPERVISION, "第十七条"),
        *bases(PENALTY_LAW, "第十七条", "第十九条", "第二十条", "第三十八条"),
    ),
)
def body_is_qualified(facts: CaseFacts) -> Verdict:
    """The body was confirmed and published on the day of the act, and its entrustment had not run out."""
    if facts.body is None:
        return failed("作出决定的单位不在执法主体名录中")
    return passed("执法主体在名录中且在有效期内") if facts.body.is_confirmed else failed(facts.body.why)


@PROBES.probe(
    "ENF-SUB-02",
    version=1,
    title="执法行为在权责清单之内",
    basis=(*bases(PENALTY_LAW, "第十七条", "第二十条"), *bases(SUPERVISION, "第十二条")),
)
def act_is_on_the_power_list(facts: CaseFacts) -> Verdict:
    """The item stands on the list of the body, or of the principal in whose name it acts."""
    code = facts.case.power_item
    if not code:
        return not_computable("未提供权责清单事项编码")
    if facts.power is not None:
        if facts.power.kind != facts.case.kind:
            return failed("事项在清单内，但行为种类与事项不符")
        return passed("事项在本机关权责清单内")
    return (
        failed("事项不在本机关权责清单内")
        if facts.has_power_list
        else not_computable("本机关尚未登记权责清单")
    )


@PROBES.probe("ENF-OFF-01", version=1, title="执法人员不少于两人", basis=bases(PENALTY_LAW, "第四十二条"))
def at_least_two_officers(facts: CaseFacts) -> Verdict:
    """Two different persons; auxiliary staff never count, and one person's two certificates count once."""
    if not facts.case.officer_certificates:
        return (
            failed("未填写执法人员")
            if facts.case.says("officer_certificates")
            else not_computable("未提供执法人员证号")
        )
    persons = {each.holder or each.number for each in facts.certificates if not each.is_auxiliary}
    least = facts.law.officers_least
    reason = f"执法人员{len(persons)}人"
    return passed(reason) if len(persons) >= least else failed(f"{reason}，少于{least}人（辅助人员不计）")


@PROBES.probe(
    "ENF-OFF-02",
    version=1,
    title="执法证件在执法当日有效",
    basis=bases(PENALTY_LAW, "第四十二条", "第七十六条"),
)
def certificates_are_valid(facts: CaseFacts) -> Verdict:
    """Every certificate was valid on the day of the act and covers the field. The measure counts certificates."""
    if not facts.case.officer_certificates:
        return not_computable("未提供执法人员证号")
    faulty = [why for each in facts.certificates if (why := _fault_of(facts, each))]
    total = len(facts.certificates)
    if faulty:
        return failed(
            f"{total}个证件中{len(faulty)}个不合要求：{'；'.join(sorted(set(faulty)))}",
            total - len(faulty),
            total,
        )
    return passed(f"{total}个证件在{facts.case.decided_on}均有效", total, total)


def _fault_of(facts: CaseFacts, certificate: CertificateOnDay) -> str:
    if not certificate.is_valid:
        return certificate.why
    if certificate.is_auxiliary:
        return "持有人为辅助人员"
    wanted = facts.power.field if facts.power is not None else facts.field
    if certificate.field in COVERS_ALL_FIELDS or wanted in COVERS_ALL_FIELDS or certificate.field == wanted:
        return ""
    return "证件执法领域与案件领域不符"


@PROBES.probe(
    "ENF-OFF-03", version=1, title="主动出示执法证件", basis=bases(PENALTY_LAW, "第五十二条", "第五十五条")
)
def certificate_was_shown(facts: CaseFacts) -> Verdict:
    """亮证 on own motion, as recorded."""
    answer = facts.case.certificate_shown
    if not answer:
        return not_computable("未提供是否亮证")
    return passed("已主动出示执法证件") if answer == "yes" else failed("未主动出示执法证件")


@PROBES.probe(
    "ENF-DOC-01",
    version=2,
    title="所引依据可查且现行有效",
    basis=bases(PENALTY_LAW, "第三十八条", "第五十九条"),
)
def basis_can_be_resolved(facts: CaseFacts) -> Verdict:
    """Every cited article exists in a known document that was not repealed on the day whose law applies."""
    if not facts.cited:
        return failed("所引依据无法识别，应写明文件名称和条款")
    if not facts.can_look_up:
        return not_computable("本系统尚无法律文件目录，无法核对依据")
    faults = []
    for cited in facts.cited:
        known = facts.documents.get(cited.document)
        if known is None:
            faults.append(f"未查到《{cited.document}》")
        elif known.repealed_on is not None and known.repealed_on <= _day_of_the_law(facts.case):
            faults.append(f"《{cited.document}》已于{known.repealed_on}废止")
        elif known.articles and cited.number > known.articles:
            faults.append(f"《{cited.document}》没有{cited.article}")
    total = len(facts.cited)
    if faults:
        return failed("；".join(dict.fromkeys(faults))[:200], total - len(faults), total)
    if not any(cited.article for cited in facts.cited):
        return failed("只写明文件名称，未写明条款", 0, total)
    return passed(f"所引{total}处依据均可查", total, total)


def _day_of_the_law(case: CaseRecord) -> date:
    """A penalty is judged by the law of the day of the violation (行政处罚法 Art. 37), before the case was opened."""
    return case.opened_on if case.kind == PENALTY and case.opened_on is not None else case.decided_on
