"""
Probes on periods: decision, service, handing in, publication, archive; and when a case must be looked at again.

Two, three, five and seven days of 行政处罚法 are working days (Art. 85), ninety are not; all of 行政许可法 are
(Art. 82). Which is which stands in catalog/clocks.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from contracts.findings import ProbeSet, Verdict, not_applicable, not_computable
from services.enforcement.probes.facts import (
    INSPECTION,
    LICENCE_LAW,
    PENALTY,
    PENALTY_LAW,
    THREE_SYSTEMS,
    CaseFacts,
    bases,
    running_until,
    within_term,
)

PROBES: ProbeSet[CaseFacts] = ProbeSet()


@PROBES.probe("ENF-TIM-01", version=1, title="九十日内作出处罚决定", basis=bases(PENALTY_LAW, "第六十条"))
def decided_in_ninety_days(facts: CaseFacts) -> Verdict:
    """Ninety calendar days from opening, unless another law fixes the period of the field."""
    if not facts.is_ordinary:
        return not_applicable("适用简易程序")
    return within_term(facts, "penalty.decide", "opened_on", "decided_on", "作出处罚决定")


@PROBES.probe(
    "ENF-TIM-02", version=2, title="七个工作日内送达", basis=bases(PENALTY_LAW, "第六十一条", "第八十五条")
)
def served_in_seven_days(facts: CaseFacts) -> Verdict:
    """Seven working days from the decision; on the spot it is handed over at once."""
    if not facts.is_ordinary:
        return not_applicable("适用简易程序，当场交付")
    return within_term(facts, "penalty.serve", "decided_on", "served_on", "送达")


@PROBES.probe(
    "ENF-TIM-03",
    version=2,
    title="当场收缴的罚款两个工作日内缴回",
    basis=bases(PENALTY_LAW, "第七十一条", "第八十五条"),
)
def handed_in_after_two_days(facts: CaseFacts) -> Verdict:
    """What was collected on the spot reaches the organ within two working days."""
    if facts.case.paid_on_spot_on is None:
        if facts.case.says("paid_on_spot_on"):
            return not_applicable("未当场收缴罚款")
        return not_computable("未提供是否当场收缴")
    return within_term(facts, "penalty.hand_in", "paid_on_spot_on", "handed_in_on", "缴至行政机关")


@PROBES.probe(
    "ENF-TIM-04",
    version=2,
    title="二十个工作日内作出许可决定",
    basis=bases(LICENCE_LAW, "第四十二条", "第八十二条"),
)
def licence_decided_in_twenty_days(facts: CaseFacts) -> Verdict:
    """Twenty working days from acceptance; the ten days of extension need an approval the file cannot show."""
    return within_term(facts, "licence.decide", "opened_on", "decided_on", "作出许可决定")


@PROBES.probe(
    "ENF-PUB-01", version=2, title="许可和处罚决定七个工作日内公示", basis=bases(THREE_SYSTEMS, "第二部分")
)
def published_in_seven_days(facts: CaseFacts) -> Verdict:
    """Licences and penalties are published within seven working days."""
    return within_term(facts, "publicity.licence_penalty", "decided_on", "published_on", "公示")


@PROBES.probe(
    "ENF-PUB-02", version=2, title="其他执法决定二十个工作日内公示", basis=bases(THREE_SYSTEMS, "第二部分")
)
def published_in_twenty_days(facts: CaseFacts) -> Verdict:
    """Other results, here those of inspections, are published within twenty working days."""
    return within_term(facts, "publicity.other", "decided_on", "published_on", "公示")


@PROBES.probe(
    "ENF-REC-03",
    version=1,
    title="结案后按期归档",
    basis=(*bases(PENALTY_LAW, "第四十七条"), *bases(THREE_SYSTEMS, "第三部分")),
)
def archived_in_time(facts: CaseFacts) -> Verdict:
    """The file is archived within the local setting, counted from the last step that is known."""
    return within_term(facts, "archive.case_file", closing_step(facts), "archived_on", "归档")


def closing_step(facts: CaseFacts) -> str:
    """The field with the latest of decision, service and payment: the case closes with it."""
    steps = [
        name for name in ("decided_on", "served_on", "handed_in_on") if getattr(facts.case, name) is not None
    ]
    return max(steps, key=lambda name: (getattr(facts.case, name), name))


def next_look(facts: CaseFacts) -> date | None:
    """The day after the first period ends that still runs; None when nothing about the case can change by itself."""
    running = [due for due in _running(facts) if due is not None]
    return min(running) + timedelta(days=1) if running else None


def _running(facts: CaseFacts) -> Iterator[date | None]:
    kind = facts.case.kind
    if kind == PENALTY:
        if facts.is_ordinary:
            yield running_until(facts, "penalty.serve", "decided_on", "served_on")
        yield running_until(facts, "penalty.hand_in", "paid_on_spot_on", "handed_in_on")
    publicity = "publicity.other" if kind == INSPECTION else "publicity.licence_penalty"
    yield running_until(facts, publicity, "decided_on", "published_on")
    yield running_until(facts, "archive.case_file", closing_step(facts), "archived_on")
