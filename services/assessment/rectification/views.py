"""How orders are rendered: the list, and one order as the page and the subject page of an event read it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from kernel.clock import SHANGHAI
from services.assessment.rectification.reading import OneOrder
from services.assessment.rectification.rules import ACT_WORDS, OUTCOME_WORDS, STATE_WORDS, MatterFact


class UnitName(BaseModel):
    """A unit by code and name."""

    code: str
    name: str


class OrderRow(BaseModel):
    """An order 督办 in a list."""

    id: str
    title: str
    unit: UnitName
    supervisor: UnitName
    node: str
    state: str
    due_at: datetime | None
    is_overdue: bool
    is_escalated: bool
    relapse_of: str | None
    outcome: str
    started_at: datetime
    closed_at: datetime | None


class OrderPage(BaseModel):
    """One page of orders."""

    total: int
    rows: list[OrderRow]


class FactView(BaseModel):
    """One fact of a matter; `to` is whom it went up to."""

    kind: str
    title: str
    at: datetime
    actor: str
    actor_unit: UnitName
    due_at: datetime | None
    note: str
    detail: dict[str, Any]
    to: UnitName | None


class FileView(BaseModel):
    """A file handed in as proof."""

    digest: str
    media_type: str
    name: str
    size: int
    place: str


class OrderView(OrderRow):
    """One order with everything known of it; `can` and `outcomes` are what the caller may do next."""

    reason: str
    proof: str
    matter: str
    issuer: str
    is_late: bool
    scored_event: str | None
    relapses: list[str]
    facts: list[FactView]
    files: list[FileView]
    can: list[str]
    outcomes: list[str]
    fields: list[dict[str, str]]
    timeline: list[dict[str, str | None]]


def order_row(row: Mapping[str, Any], names: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """What a list shows of an order."""
    due_at = row["due_at"]
    return {
        "id": row["id"],
        "title": row["title"],
        "unit": unit_name(row["unit"], names),
        "supervisor": unit_name(row["supervisor"], names),
        "node": row["node"],
        "state": row["state"],
        "due_at": due_at,
        "is_overdue": due_at is not None and due_at <= now,
        "is_escalated": due_at is not None and row["escalated_due"] == due_at,
        "relapse_of": row["relapse_of"],
        "outcome": row["outcome"],
        "started_at": row["started_at"],
        "closed_at": row["closed_at"],
    }


def order_view(one: OneOrder, now: datetime) -> OrderView:
    """Everything a page shows of an order."""
    row = one.row
    state = OUTCOME_WORDS.get(row["outcome"], STATE_WORDS[row["state"]])
    fields = [
        {"label": "被督办单位", "value": one.names.get(row["unit"], row["unit"])},
        {"label": "状态", "value": state},
        {"label": "督办事由", "value": row["reason"]},
        {"label": "应当提交", "value": row["proof"]},
    ]
    return OrderView(
        **order_row(row, one.names, now),
        reason=row["reason"],
        proof=row["proof"],
        matter=row["matter"],
        issuer=row["issuer"],
        is_late=bool(row["is_late"]),
        scored_event=row["scored_event"],
        relapses=list(one.relapses),
        facts=fact_views(one.facts, one.names, ACT_WORDS),
        files=file_views(one.facts, f"/api/assessment/v1/orders/{row['id']}/files"),
        can=list(one.can),
        outcomes=list(one.outcomes),
        fields=fields,
        timeline=[
            {"label": ACT_WORDS[fact.kind], "on": fact.at.astimezone(SHANGHAI).isoformat()}
            for fact in one.facts
        ],
    )


def fact_views(
    facts: Sequence[MatterFact], names: Mapping[str, str], words: Mapping[str, str]
) -> list[FactView]:
    """The facts of a matter, oldest first."""
    return [
        FactView(
            kind=fact.kind,
            title=words[fact.kind],
            at=fact.at,
            actor=fact.actor,
            actor_unit=unit_name(fact.actor_unit, names),
            due_at=fact.due_at,
            note=fact.note,
            detail=dict(fact.detail),
            to=unit_name(fact.detail["to"], names) if "to" in fact.detail else None,
        )
        for fact in facts
    ]


def file_views(facts: Sequence[MatterFact], place: str) -> list[FileView]:
    """The files handed in, with where their bytes are."""
    return [
        FileView(**fact.detail, place=f"{place}/{fact.detail['digest']}")
        for fact in facts
        if fact.kind == "evidence"
    ]


def unit_name(code: str, names: Mapping[str, str]) -> UnitName:
    """A unit as the API names it; its code where the directory knows no name."""
    return UnitName(code=code, name=names.get(code, code))
