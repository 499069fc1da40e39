"""Views: cases as the console shows them, in Chinese labels; decimals are strings."""

from datetime import date
from decimal import Decimal

from pydantic import BaseModel

from contracts.findings import Finding, Outcome
from kernel.clock import SHANGHAI
from services.disputes.reconsideration.log import Recorded
from services.disputes.reconsideration.model import CaseRow
from services.disputes.reconsideration.rates import Figure
from services.disputes.reconsideration.register import OneCase, Page, Register
from services.disputes.reconsideration.rules.case import STATES
from services.disputes.reconsideration.rules.deadlines import TITLES, Clocks, Due
from services.disputes.reconsideration.rules.probes import OF_THE_ORGAN, PROBES
from services.disputes.reconsideration.rules.steps import Decided, DeemedAccepted, Received, Suspended

STEP_TITLES = {
    "forwarded": "转来", "not_an_application": "退回", "received": "收到申请", "material_asked": "通知补正",
    "material_supplied": "补正材料", "abandoned": "视为放弃申请", "refused": "不予受理", "accepted": "受理",
    "deemed_accepted": "视为受理", "track_changed": "转为普通程序", "copy_received": "副本送达被申请人",
    "answered": "被申请人答复", "hearing_decided": "确定是否听证", "hearing_held": "举行听证", "suspended": "中止",
    "resumed": "恢复审理", "extended": "延长审理期限", "committee_consulted": "提请委员会咨询",
    "decided": "作出决定", "served": "送达生效", "performed": "履行", "opinion_received": "收到意见书",
    "opinion_answered": "意见书反馈", "sued": "提起诉讼", "deadline_settled": "核定期限",
}  # fmt: skip
_MODES = {1: "数据报送", 2: "事后录入", 3: "在线实时", 4: "外部系统"}
_TRACKS = {"ordinary": "普通程序", "simple": "简易程序"}
_OUTCOMES = {
    Outcome.PASS: "pass",
    Outcome.FAIL: "fail",
    Outcome.NOT_APPLICABLE: "not_applicable",
    Outcome.NOT_COMPUTABLE: "not_computable",
    Outcome.NOT_DUE: "not_due",
}


class UnitView(BaseModel):
    """A unit by code and name."""

    code: str
    name: str


class RowView(BaseModel):
    """A case in a list."""

    id: str
    number: str
    organ: UnitView
    respondent: UnitView
    state: str
    state_title: str
    received_on: str | None
    decided_on: str | None
    outcome: str
    due_on: str | None
    provisional: bool


class ListView(BaseModel):
    """A page of cases."""

    total: int
    rows: list[RowView]


class FieldView(BaseModel):
    """A labelled value."""

    label: str
    value: str


class TimelineView(BaseModel):
    """A recorded step: what, when it happened, who recorded it when, and its digest."""

    id: str
    label: str
    on: str
    kind: str
    actor_unit: str
    recorded_at: str
    digest: str
    corrects: str


class ClockView(BaseModel):
    """A statutory period: until when, how many calendar days are left, and whether it still runs."""

    clock: str
    title: str
    article: str
    from_on: str
    due_on: str
    days_left: int | None
    running: bool
    provisional: bool


class FindingView(BaseModel):
    """What a probe says."""

    probe: str
    title: str
    unit: str
    outcome: str
    score: str | None
    reason: str
    articles: list[str]


class CaseView(BaseModel):
    """One case."""

    id: str
    title: str
    fields: list[FieldView]
    timeline: list[TimelineView]
    clocks: list[ClockView]
    findings: list[FindingView]


class RateView(BaseModel):
    """A rate with both numbers and its formula."""

    id: str
    title: str
    formula: str
    numerator: int
    denominator: int
    rate: str | None


def list_view(page: Page) -> ListView:
    """A page of cases."""
    return ListView(total=page.total, rows=[_row(row, page.names) for row in page.rows])


def rate_view(figure: Figure) -> RateView:
    """A rate."""
    milli = figure.rate_milli
    return RateView(
        id=figure.rate.id,
        title=figure.rate.title,
        formula=figure.rate.formula,
        numerator=figure.numerator,
        denominator=figure.denominator,
        rate=None if milli is None else str(Decimal(milli) / 1000),
    )


def case_view(one: OneCase, register: Register, today: date) -> CaseView:
    """A case with its timeline, clocks and findings."""
    corrected = {entry.corrects for entry in one.log if entry.corrects}
    return CaseView(
        id=one.row.id,
        title=f"{one.row.number} 行政复议案",
        fields=_fields(one, register),
        timeline=[_entry(entry, is_corrected=entry.id in corrected) for entry in one.log],
        clocks=[_clock(due, one, register.clocks, today) for due in one.kept.values()],
        findings=[_finding(finding, one) for finding in one.findings],
    )


def _row(row: CaseRow, names: dict[str, str]) -> RowView:
    return RowView(
        id=row.id,
        number=row.number,
        organ=_unit(row.organ, names),
        respondent=_unit(row.respondent, names),
        state=row.state,
        state_title=STATES[row.state],
        received_on=_iso(row.received_on),
        decided_on=_iso(row.decided_on),
        outcome=row.outcome,
        due_on=_iso(row.due_on),
        provisional=row.provisional,
    )


def _fields(one: OneCase, register: Register) -> list[FieldView]:
    row, received, decided = one.row, one.case.first(Received), one.case.last(Decided)
    outcome = register.codes.outcomes.get(row.outcome)
    grounds = [register.codes.grounds.get(code, code) for code in decided.grounds] if decided else []
    suspended = one.case.last(Suspended)
    values = [
        ("案号", row.number),
        ("行政复议机关", one.names.get(row.organ, row.organ)),
        ("被申请人", one.names.get(row.respondent, row.respondent)),
        ("申请人", row.applicant if one.shows_applicant else "（仅办理机关可见）"),
        ("状态", STATES[row.state]),
        ("审理程序", _TRACKS[row.track]),
        ("接入模式", _MODES[row.mode]),
        ("被复议行为", received.act if received else ""),
        ("行为日期", _iso(received.act_on) or "" if received else ""),
        ("收到日期", _iso(row.received_on) or ""),
        ("受理日期", (_iso(row.accepted_on) or "") + ("（视为受理）" if row.deemed else "")),
        ("中止原因", register.codes.suspensions.get(suspended.reason, "") if suspended else "无"),
        ("决定日期", _iso(row.decided_on) or ""),
        ("结果", outcome.title if outcome else ""),
        ("理由", "、".join(grounds)),
        ("生效日期", _iso(row.effective_on) or ""),
    ]
    return [FieldView(label=label, value=value or "未登记") for label, value in values]


def _entry(entry: Recorded, *, is_corrected: bool) -> TimelineView:
    label = STEP_TITLES[entry.step.kind]
    if isinstance(entry.step, DeemedAccepted) and entry.step.lapsed:
        label = "审查期限尚未届满，不视为受理"
    if entry.corrects:
        label += "（更正）"
    if is_corrected:
        label += "（已被更正）"
    return TimelineView(
        id=entry.id,
        label=label,
        on=entry.step.on.isoformat(),
        kind=entry.step.kind,
        actor_unit=entry.actor_unit,
        recorded_at=entry.recorded_at.astimezone(SHANGHAI).isoformat(timespec="seconds"),
        digest=entry.digest,
        corrects=entry.corrects,
    )


def _clock(due: Due, one: OneCase, clocks: Clocks, today: date) -> ClockView:
    is_running = any(open_due.clock == due.clock for open_due in one.open_dues)
    if due.clock in TITLES:
        title, article = TITLES[due.clock], "第七十七条"
    else:
        row = clocks.row(due.clock, one.case.track, due.from_on)
        title, article = row.title, row.article
    return ClockView(
        clock=due.clock,
        title=title,
        article=article,
        from_on=due.from_on.isoformat(),
        due_on=due.due_on.isoformat(),
        days_left=(due.due_on - today).days if is_running else None,
        running=is_running,
        provisional=due.provisional,
    )


def _finding(finding: Finding, one: OneCase) -> FindingView:
    scored = finding.outcome in (Outcome.PASS, Outcome.FAIL)
    unit = one.row.organ if finding.probe in OF_THE_ORGAN else one.row.respondent
    return FindingView(
        probe=finding.probe,
        title=PROBES.probes[finding.probe].title,
        unit=one.names.get(unit, unit),
        outcome=_OUTCOMES[finding.outcome],
        score=str(Decimal(finding.score_milli) / 1000) if scored else None,
        reason=finding.reason,
        articles=[f"《{basis.document}》{basis.article}" for basis in finding.basis],
    )


def _unit(code: str, names: dict[str, str]) -> UnitView:
    return UnitView(code=code, name=names.get(code, code))


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
