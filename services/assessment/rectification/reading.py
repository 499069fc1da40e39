"""Reading orders: lists, one order with its facts, and what the caller may do with it next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from contracts.roles import INSPECTOR, REPORTER, REVIEWER, UNIT_HEAD
from kernel.access.principal import Principal
from kernel.errors import NotFound
from kernel.ids import is_id
from kernel.storage.work import Store
from services.assessment.reach import within
from services.assessment.rectification.model import ORDER_EVENTS, ORDERS
from services.assessment.rectification.places import is_own_matter, names_of
from services.assessment.rectification.rules import (
    ACTS,
    OUTCOMES,
    MatterFact,
    may_end,
    replay,
)
from services.assessment.rectification.timeline import facts_of, units_of

MOST_ROWS = 200
WHO_MAY = {
    "issued": (INSPECTOR,),
    "evidence": (REPORTER, UNIT_HEAD),
    "answered": (REPORTER, UNIT_HEAD),
    "checked": (INSPECTOR, REVIEWER),
    "returned": (INSPECTOR,),
    "extended": (INSPECTOR,),
    "closed": (INSPECTOR,),
}
BY_UNIT = frozenset({"evidence", "answered"})


@dataclass(frozen=True, slots=True)
class OneOrder:
    """An order with everything known of it, and what the caller may do."""

    row: Mapping[str, Any]
    names: Mapping[str, str]
    facts: Sequence[MatterFact]
    is_overdue: bool
    can: tuple[str, ...]
    outcomes: tuple[str, ...]
    relapses: tuple[str, ...]


class OrderReading:
    """Questions about orders."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def page(
        self,
        who: Principal,
        *,
        state: str = "",
        unit: str = "",
        overdue: bool = False,
        mine: bool = False,
        offset: int = 0,
        limit: int = 50,
    ) -> tuple[int, list[dict[str, Any]], dict[str, str]]:
        """Orders in the caller's area, what is due first before what is ended: total, one page, names of units."""
        conditions = [visible(who)]
        if state:
            conditions.append(ORDERS.c.state == state)
        if unit:
            conditions.append(ORDERS.c.unit == unit)
        if overdue:
            conditions.append(ORDERS.c.due_at <= self._store.clock.now())
        if mine:
            conditions.append(or_(ORDERS.c.started_by == who.account, ORDERS.c.issuer == who.account))
        order = (ORDERS.c.due_at.is_(None), ORDERS.c.due_at, ORDERS.c.closed_at.desc(), ORDERS.c.id)
        wanted = select(ORDERS).where(*conditions).order_by(*order)
        with self._store.reading() as session:
            total = session.execute(select(func.count()).select_from(ORDERS).where(*conditions)).scalar_one()
            rows = session.execute(wanted.offset(offset).limit(min(limit, MOST_ROWS))).mappings().all()
            names = names_of(session, [row[key] for row in rows for key in ("unit", "supervisor")])
        return total, [dict(row) for row in rows], names

    def one(self, who: Principal, order: str) -> OneOrder:
        """One order in the caller's area. Raises NotFound."""
        with self._store.reading() as session:
            row = found(session, who, order)
            facts = facts_of(session, ORDER_EVENTS, [order])[order]
            units = {row["unit"], row["supervisor"], row["started_unit"]} | units_of(facts)
            later = select(ORDERS.c.id).where(ORDERS.c.relapse_of == order, visible(who))
            is_own = is_own_matter(session, who, row["unit"])
            now = self._store.clock.now()
            is_overdue = row["due_at"] is not None and row["due_at"] <= now
            progress = replay(facts)
            can = tuple(
                kind
                for kind, roles in WHO_MAY.items()
                if who.has(*roles)
                and progress.state in ACTS[kind][0]
                and (who.unit == row["unit"] if kind in BY_UNIT else not is_own)
                and not (kind == "checked" and who.account == progress.issuer)
                and not (kind == "extended" and progress.extensions)
            )
            return OneOrder(
                row=row,
                names=names_of(session, units),
                facts=facts,
                is_overdue=is_overdue,
                can=can,
                outcomes=tuple(o for o in OUTCOMES if may_end(progress, o, is_overdue=is_overdue)),
                relapses=tuple(session.execute(later).scalars()),
            )

    def now(self) -> datetime:
        """The moment against which due times are shown."""
        return self._store.clock.now()

    def waiting(self) -> tuple[int, int]:
        """How many orders run, and how many of them are past their due time."""
        overdue = func.count().filter(ORDERS.c.due_at <= self._store.clock.now())
        query = select(func.count(), overdue).where(ORDERS.c.state != "closed")
        with self._store.reading() as session:
            running, late = session.execute(query).one()
            return running, late


def found(session: Session, who: Principal, order: str, *, change: bool = False) -> dict[str, Any]:
    """The order as far as the caller may know of it. Raises NotFound."""
    wanted = select(ORDERS).where(ORDERS.c.id == order, visible(who))
    if change:
        wanted = wanted.with_for_update()
    row = session.execute(wanted).mappings().one_or_none() if is_id(order) else None
    if row is None:
        raise NotFound("未找到该督办，或不在您的管辖范围内。", code="assessment.unknown_order")
    return dict(row)


def visible(who: Principal) -> ColumnElement[bool]:
    """Orders of the caller's area; proposals only for those who supervise."""
    area = within(who, ORDERS.c.unit)
    return area if who.has(INSPECTOR, REVIEWER) else area & (ORDERS.c.issuer != "")
