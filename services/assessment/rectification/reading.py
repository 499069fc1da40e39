"""Reading orders: lists, one order with its facts, and what the caller may do with it next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from contracts.roles import INSPECTOR, REPORTER, REVIEWER, UNIT_HEAD
from kernel.access.principal import Principal
from kernel.errors import NotFound
from kernel.ids import is_id
from kernel.storage.work import Store
from services.assessment.ranking.known import end_of
from services.assessment.reach import within
from services.assessment.rectification.model import ORDER_EVENTS, ORDERS
from services.assessment.rectification.past import Past, due_first, stood
from services.assessment.rectification.places import is_own_matter, names_of
from services.assessment.rectification.rules import (
    ACTS,
    OUTCOMES,
    MatterFact,
    may_end,
    replay,
)
from services.assessment.rectification.timeline import facts_of, units_of
from services.assessment.scoring.model import EVENT_LOG

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
        at: datetime | None = None,
    ) -> tuple[int, list[dict[str, Any]], dict[str, str]]:
        """
        Orders in the caller's area, what is due first before what is ended: total, one page, names of units.

        `at`: as they stood at that moment (as of 截至).
        """
        if at is not None:
            return self._page_then(
                who, at, state, unit, overdue=overdue, mine=mine, offset=offset, limit=limit
            )
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

    def _page_then(
        self,
        who: Principal,
        at: datetime,
        state: str,
        unit: str,
        *,
        overdue: bool,
        mine: bool,
        offset: int,
        limit: int,
    ) -> tuple[int, list[dict[str, Any]], dict[str, str]]:
        conditions = [visible(who), ORDERS.c.started_at <= at]
        if unit:
            conditions.append(ORDERS.c.unit == unit)
        with self._store.reading() as session:
            past = [one.row for one in sorted(_stood(session, who, conditions, at), key=due_first)]
            rows = [
                row
                for row in past
                if (not state or row["state"] == state)
                and (not overdue or (row["due_at"] is not None and row["due_at"] <= at))
                and (not mine or who.account in (row["started_by"], row["issuer"]))
            ]
            shown = rows[offset : offset + min(limit, MOST_ROWS)]
            names = names_of(session, [row[key] for row in shown for key in ("unit", "supervisor")])
        return len(rows), [dict(row) for row in shown], names

    def one_then(self, who: Principal, order: str, at: datetime) -> OneOrder:
        """One order in the caller's area as it stood at a moment, with nothing to do. Raises NotFound."""
        with self._store.reading() as session:
            found(session, who, order)
            past = _stood(session, who, [ORDERS.c.id == order], at)
            if not past:
                raise NotFound("当时还没有这件督办，请选择更晚的日期。", code="assessment.unknown_order")
            row = {**past[0].row, "scored_event": _scored(session, past[0].row, at)}
            facts = past[0].facts
            units = {row["unit"], row["supervisor"], row["started_unit"]} | units_of(facts)
            later = select(ORDERS.c.id).where(
                ORDERS.c.relapse_of == order, ORDERS.c.started_at <= at, visible(who)
            )
            return OneOrder(
                row=row,
                names=names_of(session, units),
                facts=facts,
                is_overdue=row["due_at"] is not None and row["due_at"] <= at,
                can=(),
                outcomes=(),
                relapses=tuple(session.execute(later).scalars()),
            )

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

    def end_of(self, day: date | None) -> datetime | None:
        """The moment as of which a past day is shown; None for now. Raises Invalid."""
        return end_of(self._store.clock, day)

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


def _scored(session: Session, row: Mapping[str, Any], at: datetime) -> str | None:
    """The event that counted an order at a moment: the last of those told until then."""
    log = EVENT_LOG.c
    told = select(log.event_id).where(
        log.unit == row["unit"],
        log.probe == "ASM-02",
        log.received_at <= at,
        log.leaf.contains(f"assessment/orders/{row['id']}"),
    )
    found: str | None = session.execute(told.order_by(log.seq.desc()).limit(1)).scalar_one_or_none()
    return found


def _stood(
    session: Session, who: Principal, conditions: list[ColumnElement[bool]], at: datetime
) -> list[Past]:
    """Orders as they stood; to those who do not supervise a proposal was not known."""
    past = stood(session, ORDERS, ORDER_EVENTS, conditions, replay, at)
    return past if who.has(INSPECTOR, REVIEWER) else [one for one in past if one.row["issuer"]]


def visible(who: Principal) -> ColumnElement[bool]:
    """Orders of the caller's area; proposals only for those who supervise."""
    area = within(who, ORDERS.c.unit)
    return area if who.has(INSPECTOR, REVIEWER) else area & (ORDERS.c.issuer != "")
