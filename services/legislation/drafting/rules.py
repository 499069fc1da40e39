"""
Rules for administrative normative documents 行政规范性文件: reviewed, registered and published, filed, not expired.

Only the latest facts of one document are looked at; the days allowed come from catalog/clocks/legislation.yaml,
because the nation sets no number and provinces differ (domain notes: three working days to thirty days for filing,
two to five years of validity). A fact that is missing makes a finding "not computable", never a bad one.

Probes say nothing about weights. Their moments differ: a review is judged on the day of deliberation, filing on the
day it happened or ran out, use after expiry on the day of use.
"""

from dataclasses import dataclass
from datetime import date

from contracts.findings import (
    Basis,
    Finding,
    ProbeSet,
    Verdict,
    failed,
    not_applicable,
    not_computable,
    not_due,
    passed,
)
from kernel.clock import start_of_day

REVIEW_PASSED = ("passed", "passed_with_changes")
REVIEW_RESULTS = {
    "": "未审核",
    "passed": "审核通过",
    "passed_with_changes": "修改后通过",
    "returned": "退回",
    "rejected": "不通过",
}
_REVIEW_OPINION = "国务院办公厅关于全面推行行政规范性文件合法性审核机制的指导意见"
_FILING = Basis("法规规章备案审查条例", "2024-08-30", "第二十五条")
_PUBLISHING = Basis("优化营商环境条例", "2019-10-22", "第六十四条")
_REVIEW = Basis(_REVIEW_OPINION, "2018-12-04", "第二部分")
_VALIDITY = Basis("内蒙古自治区行政规范性文件管理办法", "2023-10-23", "有效期条款")


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFacts:
    """
    What is known of one normative document on the day it is looked at.

    `registration` is the number of the unified register 三统一登记; `file_by` is the last day of the filing period
    and `expires_on` the last day of validity, both reckoned when the document was entered.
    """

    title: str
    registration: str
    reviewed_on: date | None
    review_result: str
    deliberated_on: date | None
    signed_on: date
    published_on: date | None
    filed_on: date | None
    file_by: date | None
    effective_on: date | None
    expires_on: date | None
    repealed_on: date | None
    used_on: date | None
    today: date


PROBES: ProbeSet[DocumentFacts] = ProbeSet()


@PROBES.probe("LEG-REV-01", version=1, title="公布前经合法性审核", basis=(_REVIEW,))
def reviewed_before_deliberation(facts: DocumentFacts) -> Verdict:
    """Legality review 合法性审核 came before deliberation and found the document lawful (应审必审)."""
    decided = facts.deliberated_on or facts.published_on
    if decided is None:
        return not_due("尚未提请审议，也未公布")
    if facts.reviewed_on is None:
        return failed("未经合法性审核即提请审议或者公布")
    if facts.review_result not in REVIEW_PASSED:
        return failed(f"合法性审核结论为{REVIEW_RESULTS.get(facts.review_result, '不明')}")
    if facts.reviewed_on > decided:
        return failed("合法性审核晚于审议或者公布")
    return passed()


@PROBES.probe("LEG-PUB-01", version=1, title="统一登记、编号、公布", basis=(_PUBLISHING,))
def registered_and_published(facts: DocumentFacts) -> Verdict:
    """Registered in one place and published; an unpublished document is no basis for administration."""
    if facts.published_on is None:
        if facts.effective_on is not None and facts.effective_on <= facts.today:
            return failed("已到施行日期仍未公布")
        return not_due("尚未公布")
    return passed() if facts.registration else failed("公布前未统一登记、编号")


@PROBES.probe("LEG-FIL-01", version=1, title="规章和规范性文件按时备案", basis=(_FILING,))
def filed_in_time(facts: DocumentFacts) -> Verdict:
    """Filed 备案 within the period after publication that the province has set."""
    if facts.published_on is None:
        return not_applicable("尚未公布，不产生备案义务")
    if facts.file_by is None:
        return not_computable("没有可用的备案期限")
    if facts.filed_on is not None:
        return (
            passed()
            if facts.filed_on <= facts.file_by
            else failed(f"备案超过期限，应于{facts.file_by}前报送")
        )
    if facts.today <= facts.file_by:
        return not_due(f"备案期限至{facts.file_by}")
    return failed(f"至{facts.file_by}期限届满仍未备案")


@PROBES.probe("LEG-VAL-01", version=1, title="过期文件不再作为依据", basis=(_VALIDITY,))
def not_used_after_its_end(facts: DocumentFacts) -> Verdict:
    """A document past its validity or repealed is cited no more."""
    end = last_day(facts.expires_on, facts.repealed_on)
    if end is None:
        return not_computable("未登记有效期")
    if facts.used_on is not None and facts.used_on > end:
        return failed(f"{end}失效后仍被引用")
    return passed()


def last_day(expires_on: date | None, repealed_on: date | None) -> date | None:
    """The last day on which a document may be used; None while nothing ends it."""
    return min((day for day in (expires_on, repealed_on) if day), default=None)


def look(facts: DocumentFacts) -> list[Finding]:
    """Every probe's finding about one document, each with the day on which it was true."""
    return [probe.look(facts, start_of_day(_day(probe.name, facts))) for probe in PROBES]


def next_look_on(facts: DocumentFacts) -> date | None:
    """The first day after today on which a finding can change by the passing of time alone."""
    days = []
    if facts.published_on is None and facts.effective_on is not None:
        days.append(facts.effective_on)
    if facts.published_on is not None and facts.filed_on is None and facts.file_by is not None:
        days.append(date.fromordinal(facts.file_by.toordinal() + 1))
    return min((day for day in days if day > facts.today), default=None)


def _day(probe: str, facts: DocumentFacts) -> date:
    published = facts.published_on or facts.signed_on
    if probe == "LEG-REV-01":
        return facts.deliberated_on or published
    if probe == "LEG-FIL-01":
        ran_out = facts.file_by if facts.file_by and facts.file_by < facts.today else None
        return facts.filed_on or ran_out or published
    if probe == "LEG-VAL-01":
        end = last_day(facts.expires_on, facts.repealed_on)
        return facts.used_on if end and facts.used_on and facts.used_on > end else published
    return published
