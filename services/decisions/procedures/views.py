"""Views: procedures as the console shows them, in Chinese labels; decimals are strings."""

from decimal import Decimal

from pydantic import BaseModel

from contracts.findings import Outcome, Verdict
from kernel.clock import SHANGHAI
from services.decisions.conformance.rules.items import items
from services.decisions.conformance.rules.scoring import Item
from services.decisions.procedures.log import Recorded
from services.decisions.procedures.model import ProcedureRow
from services.decisions.procedures.register import OneProcedure, Page
from services.decisions.procedures.rules.procedure import PHASE_TITLES

STEP_TITLES = {
    "proposed": "登记建议", "studied": "研究论证", "started": "决定启动", "drafted": "拟订草案",
    "consulted": "征求部门意见", "not_applicable": "登记不适用", "comment_opened": "公开征求意见",
    "opinions_handled": "处理公众意见", "hearing_held": "举行听证", "experts_argued": "专家论证",
    "risk_appraised": "风险评估", "review_submitted": "送请合法性审查", "review_returned": "审查退回",
    "review_complete": "送审材料齐备", "review_issued": "出具审查意见", "review_answered": "回应审查意见",
    "discussion_submitted": "提请讨论", "discussed": "集体讨论", "party_reported": "请示报告",
    "decided": "作出决定", "published": "公布", "archived": "归档", "execution_assigned": "明确执行单位",
    "execution_reported": "报告执行情况", "evaluation_planned": "启动后评估", "evaluated": "后评估",
    "suspended": "中止执行", "changed": "调整", "ended": "终结",
}  # fmt: skip
_MODES = {1: "数据报送", 2: "事后录入", 3: "在线实时", 4: "外部系统"}
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
    """A decision in a list."""

    id: str
    number: str
    title: str
    unit: UnitView
    lead: UnitView | None
    phase: str
    phase_title: str
    decided_on: str | None
    score: str | None
    coverage: str | None
    band: str


class ListView(BaseModel):
    """A page of decisions."""

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


class ItemView(BaseModel):
    """One of the 26 items."""

    id: str
    title: str
    point: str
    indicator: str
    points: str
    outcome: str
    score: str | None
    earned: str | None
    veto: bool
    reason: str
    articles: list[str]


class ResultView(BaseModel):
    """The sum of the items."""

    counts: bool
    score: str | None
    coverage: str
    band: str | None
    vetoed: list[str]
    template: str
    sample: bool


class DecisionView(BaseModel):
    """One decision."""

    id: str
    title: str
    fields: list[FieldView]
    timeline: list[TimelineView]
    items: list[ItemView]
    result: ResultView


def list_view(page: Page) -> ListView:
    """A page of decisions."""
    return ListView(total=page.total, rows=[_row(row, page.names) for row in page.rows])


def decision_view(one: OneProcedure) -> DecisionView:
    """A decision with its timeline and items."""
    corrected = {entry.corrects for entry in one.log if entry.corrects}
    verdicts = one.judgement.verdicts
    return DecisionView(
        id=one.row.id,
        title=one.row.title,
        fields=_fields(one),
        timeline=[_entry(entry, is_corrected=entry.id in corrected) for entry in one.log],
        items=[_item(item, verdicts[item.id]) for item in one.judgement.template.items],
        result=_result(one),
    )


def milli_text(milli: int) -> str:
    """Thousandths as a decimal string: 87500 is "87.5"."""
    return f"{(Decimal(milli) / 1000).normalize():f}"


def _row(row: ProcedureRow, names: dict[str, str]) -> RowView:
    return RowView(
        id=row.id,
        number=row.number,
        title=row.title,
        unit=_unit(row.unit, names),
        lead=_unit(row.lead, names) if row.lead else None,
        phase=row.phase,
        phase_title=PHASE_TITLES[row.phase],
        decided_on=row.decided_on.isoformat() if row.decided_on else None,
        score=None if row.score_milli is None else milli_text(row.score_milli),
        coverage=None if row.coverage_milli is None else milli_text(row.coverage_milli),
        band=row.band,
    )


def _unit(code: str, names: dict[str, str]) -> UnitView:
    return UnitView(code=code, name=names.get(code, code))


def _fields(one: OneProcedure) -> list[FieldView]:
    row, started = one.row, one.procedure.started
    values = [
        ("决策编号", row.number),
        ("决策机关", one.names.get(row.unit, row.unit)),
        ("牵头承办单位", one.names.get(row.lead, row.lead)),
        ("合法性审查部门", one.names.get(row.reviewer, row.reviewer)),
        ("当前阶段", PHASE_TITLES[row.phase]),
        ("接入模式", _MODES[row.mode]),
        ("年度目录", started.catalogue_item or started.added_because if started else ""),
        ("专业性、技术性较强", _said(flag=started.technical if started else None)),
        ("可能影响社会稳定", _said(flag=started.risky if started else None)),
        ("涉及市场主体", _said(flag=started.market if started else None)),
        ("启动日期", _day(row.started_on)),
        ("决定日期", _day(row.decided_on)),
        ("公布日期", _day(row.published_on)),
        ("归档日期", _day(row.archived_on)),
    ]
    return [FieldView(label=label, value=value or "未登记") for label, value in values]


def _said(*, flag: bool | None) -> str:
    return "" if flag is None else "是" if flag else "否"


def _day(day: object) -> str:
    return str(day) if day else ""


def _entry(entry: Recorded, *, is_corrected: bool) -> TimelineView:
    label = STEP_TITLES[entry.step.kind]
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


def _item(item: Item, verdict: Verdict) -> ItemView:
    scored = verdict.outcome in (Outcome.PASS, Outcome.FAIL)
    basis = items().probes[item.id].basis
    return ItemView(
        id=item.id,
        title=item.title,
        point=item.point,
        indicator=item.indicator,
        points=milli_text(item.points_milli),
        outcome=_OUTCOMES[verdict.outcome],
        score=milli_text(verdict.score_milli) if scored else None,
        earned=milli_text(item.points_milli * verdict.score_milli // 1000) if scored else None,
        veto=item.veto,
        reason=verdict.reason,
        articles=[f"《{entry.document}》{entry.article}" for entry in basis],
    )


def _result(one: OneProcedure) -> ResultView:
    result, template = one.judgement.result, one.judgement.template
    return ResultView(
        counts=one.is_judged,
        score=None if result.score_milli is None else milli_text(result.score_milli),
        coverage=milli_text(result.coverage_milli),
        band=result.band.title if result.band else None,
        vetoed=list(result.vetoed),
        template=f"{template.title} 第{template.version}版",
        sample=template.sample,
    )
