"""One case as people read it: fields with their official names, the timeline, what the probes found, its versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.clock import SHANGHAI
from services.enforcement.areas import unit_names
from services.enforcement.cases.looking import subject_of
from services.enforcement.cases.rules.columns import Column, ColumnSet
from services.enforcement.probes import BY_KIND, look
from services.enforcement.probes.facts import CaseFacts
from services.enforcement.tables import FINDINGS

TITLES = {"penalty": "行政处罚", "licence": "行政许可", "inspection": "行政检查"}
_NOT_SHOWN = frozenset({"number", "kind"})


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """A case on one page."""

    id: str
    title: str
    kind: str
    unit: dict[str, str]
    version: int
    fields: list[dict[str, str]]
    timeline: list[dict[str, str]]
    findings: list[dict[str, Any]]
    versions: list[dict[str, Any]]


def case_detail(
    session: Session, row: Any, facts: CaseFacts, history: Sequence[Any], columns: ColumnSet
) -> CaseDetail:
    """Everything a reader with the right to it sees of a case."""
    record = facts.case
    return CaseDetail(
        id=row.id,
        title=f"{TITLES[row.kind]} {row.number}",
        kind=row.kind,
        unit={"code": row.unit, "name": unit_names(session, [row.unit]).get(row.unit, record.body_name)},
        version=row.version,
        fields=[
            {"label": column.header, "value": _words(column, getattr(record, column.field))}
            for column in columns.columns
            if column.type != "date" and column.field not in _NOT_SHOWN and getattr(record, column.field)
        ],
        timeline=_timeline(columns, record),
        findings=_findings(session, row, facts),
        versions=[
            {
                "version": v.version,
                "entered_at": v.entered_at.astimezone(SHANGHAI).isoformat(),
                "reason": v.reason,
            }
            for v in history
        ],
    )


def _timeline(columns: ColumnSet, record: Any) -> list[dict[str, str]]:
    steps: list[tuple[date, str]] = [
        (day, column.header)
        for column in columns.columns
        if column.type == "date" and (day := getattr(record, column.field)) is not None
    ]
    return [{"label": label, "on": day.isoformat()} for day, label in sorted(steps, key=lambda step: step[0])]


def _findings(session: Session, row: Any, facts: CaseFacts) -> list[dict[str, Any]]:
    table = FINDINGS.table
    known = select(table.c.probe, table.c.event_id).where(table.c.subject == subject_of(row.id))
    told: Mapping[str, str] = {row.probe: str(row.event_id) for row in session.execute(known)}
    titles = {probe.name: probe.title for probe in BY_KIND[row.kind]}
    return [
        {
            "probe": finding.probe,
            "title": titles[finding.probe],
            "outcome": finding.outcome.name.lower(),
            "reason": finding.reason,
            "basis": [
                {"document": b.document, "version": b.version, "article": b.article} for b in finding.basis
            ],
            "event": told.get(finding.probe),
        }
        for finding in look(facts)
    ]


def _words(column: Column, value: Any) -> str:
    words: dict[str, str] = {code: word for word, code in column.codes.items()}
    if isinstance(value, tuple):
        return "、".join(words.get(str(item), str(item)) for item in value)
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    return words.get(str(value), str(value))
