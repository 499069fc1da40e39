"""
Opening 立项: orders for many units at once, each unit, node and matter with one running order at a time.

What would be a second order joins the running one, also where both come at once: the first opens it and the others
join, each with its reason. One that follows soon after an order's end says so (`relapse_of`). The database decides
(uq_orders_running): two who open at the same moment get one order.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from kernel.access.principal import Principal
from kernel.ids import new_id
from kernel.storage.setwise import write_rows
from kernel.storage.work import Work
from services.assessment.rectification.model import ORDER_EVENTS, ORDERS
from services.assessment.rectification.places import supervisors
from services.assessment.rectification.rules import OPEN, Opening, State
from services.assessment.rectification.timeline import fact_row

Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Opened:
    """The order of an opening, and whether it was running already."""

    order: str
    is_joined: bool


def open_orders(
    work: Work,
    openings: Sequence[Opening],
    who: Principal,
    *,
    state: State,
    due_at: datetime,
    relapse_days: int,
) -> list[Opened]:
    """Open or join an order for each of these, in order; the caller commits."""
    wanted: dict[Place, list[Opening]] = {}
    for opening in openings:
        wanted.setdefault(opening.place, []).append(opening)
    running = _running(work, wanted)
    fresh = [several[0] for place, several in wanted.items() if place not in running]
    made = _make(work, fresh, who, state=state, due_at=due_at, relapse_days=relapse_days)
    missed = {opening.place for opening in fresh} - made.keys()
    if missed:  # somebody opened them between our two statements
        running |= _running(work, missed)
    orders = {place: (order, 1) for place, order in made.items()}
    orders |= {place: (str(row.id), row.version) for place, row in running.items()}
    joining = {place: several[1:] if place in made else several for place, several in wanted.items()}
    _join(work, who, [(*orders[place], several) for place, several in joining.items() if several])
    opens = {id(several[0]) for place, several in wanted.items() if place in made}
    return [Opened(orders[opening.place][0], id(opening) not in opens) for opening in openings]


def _running(work: Work, wanted: Collection[Place]) -> dict[Place, Row[Any]]:
    units = {unit for unit, _, _ in wanted}
    query = (
        select(ORDERS)
        .where(ORDERS.c.unit.in_(units), ORDERS.c.state != "closed")
        .order_by(ORDERS.c.id)
        .with_for_update()
    )
    rows = {(row.unit, row.node, row.matter): row for row in work.session.execute(query)}
    return {place: row for place, row in rows.items() if place in wanted}


def _make(
    work: Work,
    openings: Sequence[Opening],
    who: Principal,
    *,
    state: State,
    due_at: datetime,
    relapse_days: int,
) -> dict[Place, str]:
    now = work.clock.now()
    over = supervisors(work.session, [opening.unit for opening in openings])
    earlier = _ended(work, openings, now - timedelta(days=relapse_days))
    issuer = who.account if state == OPEN else ""
    rows = [
        {
            "id": new_id(),
            "unit": opening.unit,
            "node": opening.node,
            "matter": opening.matter,
            "title": opening.title[:200],
            "reason": opening.reason,
            "proof": opening.proof,
            "started_by": who.account,
            "started_unit": who.unit,
            "started_at": now,
            "relapse_of": earlier.get((opening.unit, opening.node)),
            "state": state,
            "version": 1,
            "due_at": due_at,
            "escalated_due": None,
            "supervisor": over[opening.unit],
            "issuer": issuer,
            "is_late": 0,
            "outcome": "",
            "closed_at": None,
            "scored_event": None,
        }
        for opening in openings
    ]
    returning = ("id", "unit", "node", "matter")
    written = write_rows(work.session, ORDERS, rows, on_conflict="nothing", returning=returning)
    made = {(row.unit, row.node, row.matter): str(row.id) for row in written}
    reasons = {opening.place: opening.reason for opening in openings}
    kind = "issued" if state == OPEN else "proposed"
    facts = [
        fact_row(order, 1, kind, who, now, note=reasons[place], due_at=due_at)
        for place, order in made.items()
    ]
    write_rows(work.session, ORDER_EVENTS, facts)
    return made


def _ended(work: Work, openings: Sequence[Opening], since: datetime) -> dict[tuple[str, str], str]:
    """(unit, node) -> the order that ended last, no earlier than `since`."""
    query = (
        select(ORDERS.c.id, ORDERS.c.unit, ORDERS.c.node)
        .where(ORDERS.c.unit.in_({opening.unit for opening in openings}), ORDERS.c.closed_at >= since)
        .where(ORDERS.c.outcome.in_(("rectified", "unrectified")))
        .order_by(ORDERS.c.closed_at)
    )
    return {(row.unit, row.node): row.id for row in work.session.execute(query)}


def _join(work: Work, who: Principal, joining: Sequence[tuple[str, int, Sequence[Opening]]]) -> None:
    """Say in each of these orders, of which so many facts are written, why it is joined."""
    if not joining:
        return
    now = work.clock.now()
    facts = [
        fact_row(order, number, "joined", who, now, note=opening.reason)
        for order, version, several in joining
        for number, opening in enumerate(several, start=version + 1)
    ]
    write_rows(work.session, ORDER_EVENTS, facts)
    statement = update(ORDERS).where(ORDERS.c.id == bindparam("of")).values(version=bindparam("now"))
    work.connection.execute(
        statement, [{"of": order, "now": version + len(several)} for order, version, several in joining]
    )
