"""
Timelines 办理记录: the append-only facts of matters that have an owner and a due time (orders, objections).

A fact is written in the transaction that changes the matter's row, under the row's lock, with the next number of
that matter; triggers refuse any change. That a due time escalates once is a unique index here, so it holds
whatever a programme does, and however often it is killed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Column, Index, Integer, MetaData, Select, String, Table, Text, select, text
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.errors import TooLarge
from kernel.ids import new_id
from kernel.storage.types import Id, Moment
from services.assessment.rectification.rules import MatterFact

MOST_FILES = 20


def timeline(name: str, metadata: MetaData) -> Table:
    """The table of facts of one kind of matter."""
    table = Table(
        name,
        metadata,
        Column("id", Id, primary_key=True),
        Column("matter", Id, nullable=False),
        Column("seq", Integer, nullable=False),
        Column("kind", String(20), nullable=False),
        Column("actor", String(100), nullable=False),
        Column("actor_unit", String(100), nullable=False),
        Column("recorded_at", Moment, nullable=False),
        Column("due_at", Moment, comment="the due time this fact set, or the one that passed"),
        Column("note", Text, nullable=False),
        Column("detail", Text, nullable=False, comment="JSON, by kind"),
        comment="facts of matters, written once",
    )
    Index(f"uq_{name}_seq", table.c.matter, table.c.seq, unique=True)
    escalated = text("kind = 'escalated'")
    Index(
        f"uq_{name}_escalated",
        table.c.matter,
        table.c.due_at,
        unique=True,
        postgresql_where=escalated,
        sqlite_where=escalated,
    )
    return table


def fact_row(
    matter: str,
    seq: int,
    kind: str,
    who: Principal,
    at: datetime,
    *,
    note: str = "",
    due_at: datetime | None = None,
    detail: Mapping[str, Any] | None = None,
    id: str = "",
) -> dict[str, Any]:
    """One fact as a row."""
    return {
        "id": id or new_id(),
        "matter": matter,
        "seq": seq,
        "kind": kind,
        "actor": who.account,
        "actor_unit": who.unit,
        "recorded_at": at,
        "due_at": due_at,
        "note": note,
        "detail": orjson.dumps(detail or {}, option=orjson.OPT_SORT_KEYS).decode(),
    }


def facts_of(
    session: Session, table: Table, matters: Iterable[str] | Select[Any]
) -> dict[str, list[MatterFact]]:
    """The facts of these matters (ids, or a statement that finds them), each in order; one statement."""
    wanted = matters if isinstance(matters, Select) else list(matters)
    query = select(table).where(table.c.matter.in_(wanted)).order_by(table.c.matter, table.c.seq)
    found: dict[str, list[MatterFact]] = defaultdict(list)
    for row in session.execute(query):
        found[row.matter].append(
            MatterFact(
                row.seq,
                row.kind,
                row.actor,
                row.actor_unit,
                row.recorded_at,
                row.due_at,
                row.note,
                orjson.loads(row.detail),
            )
        )
    return found


def evidence_of(facts: Sequence[MatterFact]) -> list[Mapping[str, Any]]:
    """The files handed in, oldest first."""
    return [fact.detail for fact in facts if fact.kind == "evidence"]


def units_of(facts: Sequence[MatterFact]) -> set[str]:
    """The units that the facts name: those of who acted, and those it went up to."""
    return {fact.actor_unit for fact in facts} | {fact.detail["to"] for fact in facts if "to" in fact.detail}


def demand_room(facts: Sequence[MatterFact]) -> None:
    """Raise TooLarge where a matter has as many files as it may have."""
    if len(evidence_of(facts)) >= MOST_FILES:
        raise TooLarge(f"一件事项最多 {MOST_FILES} 份材料，请合并后上传。", code="assessment.too_many_files")
