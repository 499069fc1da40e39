"""Penalty cases 行政处罚 by simple and ordinary procedure (行政处罚法 Arts. 51-67), lawful or with a planted fault."""

from datetime import date, timedelta

from fazhi.province.case_office import CaseDraft, CaseOffice
from fazhi.province.days import is_working_day, on_or_after, on_or_before, working_days_after
from fazhi.province.kinds import PowerKind
from fazhi.province.records import Row, Truth

_SIMPLE_SHARE = {"public_security": 750, "urban": 600, "transport": 450}  # of a thousand penalties
_QUICK_FIELDS = frozenset({"public_security"})  # 治安案件 are closed in thirty days (治安管理处罚法)
_HEAVY = ("revoke_licence", "stop_production", "suspend_licence", "confiscate_income", "restrict")
_HEARING_ALWAYS = frozenset({"revoke_licence", "stop_production", "restrict"})


def penalty(office: CaseOffice, decided: date) -> tuple[Row, list[Truth]]:
    """One penalty decision of that day; on a holiday always the simple procedure in the street."""
    draft = office.open("penalty", decided)
    persons = 850 if office.seat.unit.field == "public_security" else 250
    party = "person" if office.stream.chance(persons) else office.stream.pick(("organisation", "sole_trader"))
    office.party(draft, party)
    simple = office.stream.chance(_SIMPLE_SHARE.get(office.seat.unit.field, 150))
    item = office.item(draft, "penalty")
    draft.fields["cause"] = item.cause
    draft.fields["facts"] = f"经查，当事人{item.cause}，违反《{item.document}》有关规定。"
    if simple or not is_working_day(decided):
        _simple(office, draft, party)
    else:
        _ordinary(office, draft, party, item)
    office.people(draft)
    office.published(draft, 7, "ENF-PUB-01", 30)
    return office.close(draft)


def _simple(office: CaseOffice, draft: CaseDraft, party: str) -> None:
    """On the spot: a warning, or a fine up to 200 yuan for citizens and 3,000 for organisations (Art. 51)."""
    stream = office.stream
    office.number(draft, "当罚")
    draft.fields["procedure"] = "simple"
    if stream.chance(250):
        draft.fields.update(penalty_kinds=["warning"], content="警告", fine_yuan=None)
    else:
        fine = stream.between(5, 30) * 100 if party == "organisation" else stream.between(2, 20) * 10
        if draft.strikes("ENF-PRO-01", 15):
            fine = 8000 if party == "organisation" else 600
            draft.plant("ENF-PRO-01", "超出简易程序罚款限额当场处罚")
        draft.fields.update(penalty_kinds=["fine"], content=f"罚款{fine}元", fine_yuan=fine)
        if fine <= 100 and stream.chance(400):
            _collected_on_the_spot(draft)
    for step in ("opened_on", "notified_on", "served_on"):
        draft.on(step, draft.decided)
    _recorded(office, draft, required=False)


def _collected_on_the_spot(draft: CaseDraft) -> None:
    """当场收缴: handed in within two working days (Art. 71)."""
    draft.on("paid_on_spot_on", draft.decided)
    why = "当场收缴罚款超过2个工作日缴回"
    if not (draft.strikes("ENF-TIM-03", 30) and draft.late("handed_in_on", 2, "ENF-TIM-03", why, most=10)):
        draft.on("handed_in_on", working_days_after(draft.decided, 1))


def _ordinary(office: CaseOffice, draft: CaseDraft, party: str, item: PowerKind) -> None:
    stream = office.stream
    office.number(draft, "罚")
    draft.fields["procedure"] = "ordinary"
    major = item.is_heavy and stream.chance(450)
    kinds = ["fine"]
    if major and stream.chance(300):
        kinds.append(stream.pick(_HEAVY))
    fine = _fine(office, party, major=major)
    draft.fields.update(
        penalty_kinds=kinds, content=f"罚款{fine}元" + "等" * (len(kinds) - 1), fine_yuan=fine
    )
    _steps(office, draft, major=major)
    _served(office, draft)
    _recorded(office, draft, required=major and (not _HEARING_ALWAYS.isdisjoint(kinds) or stream.chance(400)))


def _fine(office: CaseOffice, party: str, *, major: bool) -> int:
    """Either well below or well above any threshold of a hearing that provinces have fixed."""
    if party == "organisation":
        return office.stream.between(20, 60) * 10_000 if major else office.stream.between(5, 30) * 100
    return office.stream.between(6, 15) * 10_000 if major else office.stream.between(3, 10) * 100


def _steps(office: CaseOffice, draft: CaseDraft, *, major: bool) -> None:
    """Opening, notice, hearing, legality review, discussion, decision: from the decision backwards."""
    stream, decided = office.stream, draft.decided
    quick = office.seat.unit.field in _QUICK_FIELDS
    heard = major and not quick and stream.chance(150)
    notified = working_days_after(decided, -stream.between(24, 28) if heard else -stream.between(7, 11))
    low, high = (50, 76) if heard else (18, 24) if quick else (30, 76)
    days = stream.early(low, high)
    if draft.strikes("ENF-TIM-01", 15):
        days = stream.early(100, 230)
        draft.plant("ENF-TIM-01", "立案之日起超过九十日作出处罚决定")
    begun = decided - timedelta(days=days)
    opened = on_or_after(begun) if quick else on_or_before(begun)
    draft.on("opened_on", min(opened, working_days_after(notified, -1)))
    _notice(draft, notified)
    if major:
        _hearing(office, draft, notified, heard=heard)
    _review(office, draft, major=major)
    if major:
        draft.on("discussed_on", working_days_after(decided, -1))
        if draft.strikes("ENF-REV-03", 15):
            draft.on("discussed_on", None)
            draft.plant("ENF-REV-03", "重大处罚未经负责人集体讨论")


def _notice(draft: CaseDraft, notified: date) -> None:
    draft.on("notified_on", notified)
    if draft.strikes("ENF-PRO-03", 6):
        draft.on("notified_on", None)
        draft.plant("ENF-PRO-03", "处罚决定前未告知内容、事实、理由、依据和权利")


def _hearing(office: CaseOffice, draft: CaseDraft, notified: date, *, heard: bool) -> None:
    """听证: the right is told with the notice; asked within 5 working days, held after 7 more (Art. 64)."""
    if draft.strikes("ENF-PRO-05", 20):
        draft.plant("ENF-PRO-05", "达到听证标准未告知听证权利")
        return
    draft.on("hearing_notified_on", notified)
    if heard:
        asked = working_days_after(notified, office.stream.between(1, 4))
        draft.on("hearing_asked_on", asked)
        draft.on("hearing_held_on", working_days_after(asked, office.stream.between(9, 12)))


def _review(office: CaseOffice, draft: CaseDraft, *, major: bool) -> None:
    """法制审核: before every ordinary decision here; a fault is planted only where the law itself asks for it."""
    result = "passed" if office.stream.chance(850) else "passed_amended"
    draft.on("reviewed_on", working_days_after(draft.decided, -office.stream.between(2, 4)))
    draft.fields["review_result"] = result
    if not (major and draft.strikes("ENF-REV-01", 25)):
        return
    fault = office.stream.below(3)
    if fault == 0:
        draft.on("reviewed_on", None)
        draft.fields["review_result"] = None
        draft.plant("ENF-REV-01", "重大处罚未经法制审核")
    elif fault == 1:
        draft.fields["review_result"] = "refused"
        draft.plant("ENF-REV-01", "法制审核不通过仍作出决定")
    elif working_days_after(draft.decided, 3) < office.frame.until:
        draft.on("reviewed_on", working_days_after(draft.decided, 3))
        draft.plant("ENF-REV-01", "先作出决定后补法制审核")


def _served(office: CaseOffice, draft: CaseDraft) -> None:
    why = "超过7个工作日送达"
    if not (draft.strikes("ENF-TIM-02", 15) and draft.late("served_on", 7, "ENF-TIM-02", why, most=6)):
        draft.on("served_on", working_days_after(draft.decided, office.stream.early(0, 6)))


def _recorded(office: CaseOffice, draft: CaseDraft, *, required: bool) -> None:
    """全过程记录 and archive 归档 (Art. 47); well inside thirty days, or months later."""
    stream = office.stream
    media = ["text"]
    if required or stream.chance(300):
        media.append("audio_visual")
    draft.fields["recording_required"] = "yes" if required else "no"
    if required and draft.strikes("ENF-REC-02", 40):
        media.remove("audio_visual")
        draft.plant("ENF-REC-02", "应当音像记录而没有")
    elif draft.strikes("ENF-REC-01", 5):
        media.remove("text")
        draft.plant("ENF-REC-01", "没有文字记录")
    draft.fields["recording"] = media
    archived(office, draft)


def archived(office: CaseOffice, draft: CaseDraft) -> None:
    """归档 after service, even a late one; the setting is thirty days, planted ones are past sixty working days."""
    if draft.strikes("ENF-REC-03", 25) and draft.late("archived_on", 60, "ENF-REC-03", "未在规定期限内归档"):
        return
    day = on_or_before(draft.decided + timedelta(days=office.stream.early(6, 24)))
    served = draft.fields.get("served_on")
    draft.on("archived_on", max(day, draft.decided, served if isinstance(served, date) else day))
