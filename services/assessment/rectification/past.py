"""
As of 截至, of matters: orders and objections as they stood at a moment, put together from their facts until then.

The row of a matter repeats what all its facts add up to; what it repeated earlier is what fewer of them did. All
matters asked for take two statements. Nothing can be done in the past: whoever shows it offers no acts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, Table, select
from sqlalchemy.orm import Session

from services.assessment.rectification.rules import CLOSED, MatterFact
from services.assessment.rectification.timeline import facts_of


class Standing(Protocol):
    """What the facts of a matter add up to, as far as every kind of matter has it."""

    @property
    def state(self) -> str:
        """One of the states of its kind, "" before its first fact."""

    @property
    def version(self) -> int:
        """The number of its last fact."""

    @property
    def due_at(self) -> datetime | None:
        """Until when somebody must act."""

    @property
    def outcome(self) -> str:
        """How it ended, "" while it runs."""


@dataclass(frozen=True, slots=True)
class Past:
    """One matter as it stood: its row with what the facts until then say, and these facts."""

    row: Mapping[str, Any]
    facts: Sequence[MatterFact]


def stood(
    session: Session,
    table: Table,
    events: Table,
    conditions: Sequence[ColumnElement[bool]],
    replay: Callable[[Sequence[MatterFact]], Any],
    at: datetime,
) -> list[Past]:
    """The matters of a table that fulfil conditions which never change, as they stood; those not begun are left out."""
    rows = session.execute(select(table).where(*conditions)).mappings().all()
    matters: Select[Any] = select(table.c.id).where(*conditions)
    facts = facts_of(session, events, matters)
    found = []
    for row in rows:
        every = facts.get(row["id"], [])
        until = [fact for fact in every if fact.at <= at]
        if until:
            found.append(Past(_row(dict(row), every, until, replay(until)), until))
    return found


def due_first(one: Past) -> tuple[Any, ...]:
    """The order of lists: what is due first, then what ended last."""
    row = one.row
    if row["due_at"] is not None:
        return (0, row["due_at"].timestamp(), row["id"])
    return (1, -row["closed_at"].timestamp(), row["id"])


def _row(
    row: Mapping[str, Any], every: Sequence[MatterFact], until: Sequence[MatterFact], standing: Standing
) -> dict[str, Any]:
    went_up = [fact for fact in until if fact.kind == "escalated"]
    first_up = next((fact for fact in every if fact.kind == "escalated"), None)
    supervisor = row["supervisor"]
    if went_up:
        supervisor = went_up[-1].detail["to"]
    elif first_up is not None:
        supervisor = first_up.detail["from"]
    is_closed = standing.state == CLOSED
    changed = {
        "state": standing.state,
        "version": standing.version,
        "due_at": standing.due_at,
        "outcome": standing.outcome,
        "supervisor": supervisor,
        "escalated_due": went_up[-1].due_at if went_up else None,
        "closed_at": until[-1].at if is_closed else None,
    }
    for name in ("issuer", "is_late", "drafter"):
        if name in row and hasattr(standing, name):
            changed[name] = getattr(standing, name)
    if "correction" in row and not is_closed:
        changed["correction"] = None
    return {**row, **changed}
