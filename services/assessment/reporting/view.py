"""How a report is rendered: what is asked, what was said, what became of it, and what the caller may do."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from contracts.findings.statement import score_text
from services.assessment.framework.values import Node
from services.assessment.ranking.rules import points_text
from services.assessment.reporting.rules import (
    NOT_STARTED,
    STATE_WORDS,
    WRITABLE,
    Content,
    EvidenceItem,
    Limits,
    missing,
    needs_value,
    suggested_milli,
)
from services.assessment.reporting.service import Asked, ReportDetail


class AskedRow(BaseModel):
    """One result a unit is asked for."""

    id: str
    result: str
    title: str
    aspect: str
    points: str
    needs_value: bool
    state: str
    state_text: str
    version: int
    round: int
    score: str | None
    due_on: date
    overdue: bool
    changed_at: datetime | None


class AskedView(BaseModel):
    """Everything a unit is asked for in a period."""

    period: str
    unit: dict[str, str]
    framework: dict[str, str]
    counts: dict[str, int]
    overdue: int
    aspects: list[dict[str, str]]
    rows: list[AskedRow]


class ReportRow(BaseModel):
    """One submitted report in an inspector's list."""

    id: str
    result: str
    title: str
    unit: str
    unit_name: str
    period: str
    state: str
    round: int
    score_milli: int | None
    due_on: date
    submitted_at: datetime | None


class ReportPage(BaseModel):
    """One page of submitted reports."""

    total: int
    rows: list[ReportRow]


class ResultView(BaseModel):
    """The result a report is about, as the framework has it."""

    code: str
    title: str
    method: str
    needs_value: bool
    standard: str
    basis: list[dict[str, str]]


class EvidenceView(BaseModel):
    """One piece of evidence."""

    kind: str
    reference: str
    name: str
    media_type: str


class ContentView(BaseModel):
    """What a version says."""

    statement: str
    numerator: int | None
    denominator: int | None
    suggested: str | None
    evidence: list[EvidenceView]


class VersionView(BaseModel):
    """One version in the history."""

    version: int
    digest: str
    written_by: str
    written_at: datetime


class ReportEvent(BaseModel):
    """One thing that became of a report."""

    number: int
    act: str
    round: int
    version: int
    actor: str
    at: datetime
    reasons: str
    score_milli: int | None
    fact: str


class ReportView(BaseModel):
    """One report."""

    id: str
    period: str
    unit: dict[str, str]
    result: ResultView
    state: str
    state_text: str
    version: int
    shown_version: int
    round: int
    score: str | None
    due_on: date
    overdue: bool
    is_own: bool
    writable: bool
    content: ContentView
    lacking: list[str]
    versions: list[VersionView]
    events: list[ReportEvent]
    statement_characters: int
    evidence_items: int


def asked_row(row: Asked, today: date) -> AskedRow:
    """One row of what is asked."""
    method = row.result.method
    assert method is not None
    return AskedRow(
        id=row.id,
        result=row.result.code,
        title=row.result.title,
        aspect=row.aspect.code,
        points=points_text(row.points),
        needs_value=needs_value(method),
        state=row.state,
        state_text=STATE_WORDS[row.state],
        version=row.version,
        round=row.round,
        score=None if row.score_milli is None else score_text(row.score_milli),
        due_on=row.due_on,
        overdue=row.due_on < today and row.state in (*WRITABLE, NOT_STARTED),
        changed_at=row.changed_at,
    )


def report_view(detail: ReportDetail, limits: Limits) -> ReportView:
    """One report as its caller may see it."""
    head, method = detail.head, detail.result.method
    assert method is not None
    writable = detail.is_own and not detail.is_past and head["state"] in WRITABLE
    score = head["score_milli"]
    return ReportView(
        id=head["id"],
        period=head["period"],
        unit={"code": head["unit"], "name": detail.unit_name},
        result=result_view(detail.result),
        state=head["state"],
        state_text=STATE_WORDS[head["state"]],
        version=head["version"] if detail.is_own else head["submitted_version"],
        shown_version=detail.version,
        round=head["round"],
        score=None if score is None else score_text(score),
        due_on=head["due_on"],
        overdue=head["due_on"] < detail.today and head["state"] in WRITABLE,
        is_own=detail.is_own,
        writable=writable,
        content=content_view(detail.content, detail.result),
        lacking=[problem.message for problem in missing(detail.content, method)] if writable else [],
        versions=[VersionView(**row) for row in detail.versions],
        events=[
            ReportEvent(**{name: row[name] for name in ReportEvent.model_fields}) for row in detail.events
        ],
        statement_characters=limits.statement_characters,
        evidence_items=limits.evidence_items,
    )


def result_view(node: Node) -> ResultView:
    """A result with its method and standard in words."""
    assert node.method is not None
    return ResultView(
        code=node.code,
        title=node.title,
        method=node.method.text(),
        needs_value=needs_value(node.method),
        standard=node.evidence,
        basis=[{"document": b.document, "version": b.version, "article": b.article} for b in node.basis],
    )


def content_view(content: Content, node: Node) -> ContentView:
    """What a version says, with the score its numbers suggest."""
    assert node.method is not None
    suggested = suggested_milli(node.method, content.value)
    return ContentView(
        statement=content.statement,
        numerator=content.value.numerator if content.value else None,
        denominator=content.value.denominator if content.value else None,
        suggested=None if suggested is None else score_text(suggested),
        evidence=[_evidence(item) for item in content.evidence],
    )


def _evidence(item: EvidenceItem) -> Any:
    return EvidenceView(kind=item.kind, reference=item.reference, name=item.name, media_type=item.media_type)
