"""Licence decisions 行政许可 (行政许可法 Art. 42) and inspections 行政检查, lawful or with a planted fault."""

from datetime import date

from fazhi.province.case_office import CaseOffice
from fazhi.province.days import working_days_after
from fazhi.province.penalties import archived
from fazhi.province.records import Row, Truth

_RESULTS = ("未发现问题", "未发现问题", "未发现问题", "责令当场改正", "发现问题，责令限期改正")


def licence(office: CaseOffice, decided: date) -> tuple[Row, list[Truth]]:
    """One licence: 20 working days from acceptance; planted ones are beyond the ten days of extension too."""
    draft = office.open("licence", decided)
    office.number(draft, "许")
    office.party(draft, office.stream.pick(("organisation", "sole_trader", "sole_trader", "person")))
    item = office.item(draft, "licence")
    draft.fields["content"] = f"准予{item.title}"
    days = office.stream.early(1, 18)
    if draft.strikes("ENF-TIM-04", 20):
        days = office.stream.early(32, 70)
        draft.plant("ENF-TIM-04", "受理后超过法定期限作出许可决定")
    draft.on("opened_on", working_days_after(decided, -days))
    draft.on("served_on", working_days_after(decided, office.stream.early(0, 4)))
    draft.fields.update(recording=["text"], recording_required="no")
    archived(office, draft)
    office.published(draft, 7, "ENF-PUB-01", 25)
    return office.close(draft)


def inspection(office: CaseOffice, decided: date) -> tuple[Row, list[Truth]]:
    """One inspection with its result on the day."""
    draft = office.open("inspection", decided)
    office.number(draft, "检")
    office.party(draft, office.stream.pick(("organisation", "sole_trader")))
    office.item(draft, "inspection")
    draft.fields["content"] = office.stream.pick(_RESULTS)
    draft.on("opened_on", decided)
    office.people(draft)
    media = ["text", "audio_visual"] if office.stream.chance(400) else ["text"]
    if draft.strikes("ENF-REC-01", 6):
        media = ["audio_visual"]
        draft.plant("ENF-REC-01", "没有文字记录")
    draft.fields.update(recording=media, recording_required="no")
    archived(office, draft)
    office.published(draft, 20, "ENF-PUB-02", 30)
    return office.close(draft)
