"""
Case facts: one case, what the registers say of its people and powers on the day of the act, the law, and today.

Everything a probe may look at is in this value, so a probe is a pure function and can be asked "as of" any day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from contracts.findings import Basis, Verdict, failed, not_computable, not_due, passed
from services.enforcement.cases.rules.basis import Cited
from services.enforcement.cases.rules.record import CaseRecord
from services.enforcement.law import KnownDocument, Law, Term
from services.enforcement.registry.rules import BodyOnDay, CertificateOnDay, PowerOnList

PENALTY, LICENCE, INSPECTION = "penalty", "licence", "inspection"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """
    What the probes see.

    `body` None: no registered body. `power` None: the item is not on the list. `has_power_list` False: nobody
    registered a list for the body. `documents`: the cited documents that are known, by title; empty and
    `can_look_up` False when the installation has no list of documents at all.
    """

    case: CaseRecord
    law: Law
    today: date
    field: str = ""
    body: BodyOnDay | None = None
    certificates: tuple[CertificateOnDay, ...] = ()
    power: PowerOnList | None = None
    has_power_list: bool = False
    cited: tuple[Cited, ...] = ()
    documents: Mapping[str, KnownDocument]
    can_look_up: bool = True

    @property
    def is_ordinary(self) -> bool:
        """普通程序."""
        return self.case.procedure != "simple"


PENALTY_LAW, LICENCE_LAW = ("行政处罚法", "2021-01-22"), ("行政许可法", "2019-04-23")
SUPERVISION = ("行政执法监督条例", "2025-12-17")
THREE_SYSTEMS = (
    "国务院办公厅关于全面推行行政执法公示制度执法全过程记录制度重大执法决定法制审核制度的指导意见",
    "2018-12-05",
)


def bases(document: tuple[str, str], *articles: str) -> tuple[Basis, ...]:
    """Articles of one dated version of one document."""
    return tuple(Basis(*document, article) for article in articles)


def within_term(facts: CaseFacts, name: str, start: str, done: str, act: str) -> Verdict:
    """
    Whether a step was done by the last day of its period; the shared form of every timing probe.

    Not computable without the starting day, when the source is silent on the step, or when only a provisional last
    day has passed: it proves nobody late. Not due while the period runs. `act` is the step in words.
    """
    began, ended = getattr(facts.case, start), getattr(facts.case, done)
    if began is None:
        return not_computable(f"未提供计算{act}期限的起始日期")
    term = facts.law.term(name, began, facts.field)
    last = facts.law.last_day(term, began)
    note = "（期限跨入放假安排尚未公布的年份，暂按周末推算）" if last.provisional else ""
    if ended is None and not facts.case.says(done):
        return not_computable(f"未提供{act}日期")
    if (ended or facts.today) <= last.due_on:
        return (
            passed(f"{ended}{act}，未超过{term.words}期限（{last.due_on}）{note}")
            if ended is not None
            else not_due(f"{act}期限至{last.due_on}{note}")
        )
    if last.provisional:
        return not_computable(f"{act}期限尚不能确定{note}")
    return failed(
        f"{ended}{act}，超过{term.words}期限（{last.due_on}）"
        if ended is not None
        else f"至期限届满（{last.due_on}）未{act}"
    )


def done_before_decision(facts: CaseFacts, field: str, act: str) -> Verdict:
    """Whether a step that must precede the decision did."""
    day = getattr(facts.case, field)
    if day is None:
        return failed(f"作出决定前未{act}") if facts.case.says(field) else not_computable(f"未提供{act}日期")
    if day > facts.case.decided_on:
        return failed(f"{day}才{act}，晚于决定日期{facts.case.decided_on}")
    return passed(f"{day}{act}")


def running_until(facts: CaseFacts, name: str, start: str, done: str) -> date | None:
    """The last day of a period that still runs with its step undone; None when there is nothing to wait for."""
    began = getattr(facts.case, start)
    if began is None or getattr(facts.case, done) is not None or not facts.case.says(done):
        return None
    term: Term = facts.law.term(name, began, facts.field)
    due = facts.law.last_day(term, began).due_on
    return due if facts.today <= due else None
