"""Orders under proof: a small county, orders that come due inside the run, and what must be true of them at the end."""

import random
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from contracts.directory.v1.directory_pb2 import Unit, UnitKind, UnitLevel
from contracts.roles import INSPECTOR as INSPECTOR_ROLE
from contracts.roles import REPORTER, REVIEWER
from fazhi.prove.clocks import Timeline
from kernel.access.principal import Principal
from kernel.ids import new_id
from kernel.messages import Item
from services.assessment.rectification.model import ORDER_EVENTS
from services.assessment.rectification.opening import open_orders
from services.assessment.rectification.rules import OPEN, PROPOSED, Opening, replay
from services.assessment.rectification.timeline import facts_of
from services.assessment.tables import UNITS

COUNTY = "/15/1501/150102/"
DEPARTMENTS = 40
PROPOSED_SHARE = 0.1
INSPECTOR = Principal(account="ducha", unit="150102-sf", unit_path=COUNTY, roles=frozenset({INSPECTOR_ROLE}))
CHECKER = Principal(account="shenhe", unit="150102-sf", unit_path=COUNTY, roles=frozenset({REVIEWER}))


@dataclass(slots=True)
class Opened:
    """An order that was opened, with its first due time; `is_touched`: somebody acted on it during the run."""

    id: str
    unit: str
    due_at: datetime
    is_touched: bool = False


def answerer(unit: str) -> Principal:
    """Somebody of a unit who may answer for it."""
    return Principal(
        account=f"tianbao-{unit}", unit=unit, unit_path=f"{COUNTY}{unit}/", roles=frozenset({REPORTER})
    )


def prepare(app: Any) -> None:
    """The units of a county, its city and its province."""
    rows = [
        _unit("15", "", "/15/", UnitKind.UNIT_KIND_GOVERNMENT, UnitLevel.UNIT_LEVEL_PROVINCE),
        _unit("1501", "15", "/15/1501/", UnitKind.UNIT_KIND_GOVERNMENT, UnitLevel.UNIT_LEVEL_CITY),
        _unit("150102", "1501", COUNTY, UnitKind.UNIT_KIND_GOVERNMENT, UnitLevel.UNIT_LEVEL_COUNTY),
    ]
    for number in range(DEPARTMENTS):
        code = _department(number)
        rows.append(
            _unit(
                code,
                "150102",
                f"{COUNTY}{code}/",
                UnitKind.UNIT_KIND_DEPARTMENT,
                UnitLevel.UNIT_LEVEL_COUNTY,
            )
        )
    rows.append(
        _unit(
            "150102-sf",
            "150102",
            f"{COUNTY}150102-sf/",
            UnitKind.UNIT_KIND_DEPARTMENT,
            UnitLevel.UNIT_LEVEL_COUNTY,
        )
    )
    with app.store.work() as work:
        UNITS.apply(work, [Item("gateway", row.code, row.SerializeToString(), row) for row in rows])
        work.commit()


def measure_commits(engine: Engine) -> None:
    """Note by the database's own clock, which does not jump, when each escalation was written."""
    with engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE prove_seen (matter uuid, due_at timestamptz, at timestamptz NOT NULL)")
        )
        connection.execute(
            text(
                "CREATE FUNCTION prove_see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "INSERT INTO prove_seen VALUES (NEW.matter, NEW.due_at, clock_timestamp()); RETURN NEW; END $$"
            )
        )
        connection.execute(
            text(
                "CREATE TRIGGER prove_see AFTER INSERT ON order_events FOR EACH ROW "
                "WHEN (NEW.kind = 'escalated') EXECUTE FUNCTION prove_see()"
            )
        )


def open_some(app: Any, timeline: Timeline, chance: random.Random, count: int, moments: int) -> list[Opened]:
    """Open orders, and some proposals, that come due at moments spread over the run and its jumps."""
    opened: list[Opened] = []
    per = count // moments
    for number in range(moments):
        due_at = timeline.shown_at(chance.uniform(0.02, 0.95) * timeline.seconds)
        if chance.random() < 0.1:  # inside an hour that the clock jumps over
            due_at += timedelta(minutes=chance.randrange(1, 59))
        state = PROPOSED if chance.random() < PROPOSED_SHARE else OPEN
        openings = [
            Opening(
                unit=_department(chance.randrange(DEPARTMENTS)),
                node="",
                matter=f"prove/{new_id()}",
                title=f"督办 {number}-{place}",
                reason="证明",
                proof="说明",
            )
            for place in range(per)
        ]
        with app.store.work() as work:
            made = open_orders(work, openings, INSPECTOR, state=state, due_at=due_at, relapse_days=1)
            work.commit()
        opened.extend(
            Opened(one.order, opening.unit, due_at) for one, opening in zip(made, openings, strict=True)
        )
    return opened


def judge(engine: Engine, timeline: Timeline, opened: list[Opened]) -> dict[str, Any]:
    """What is true of the orders now that it is quiet; every counter but the last four must be none."""
    now = timeline.now()
    with engine.connect() as connection:
        rows = {
            row.id: row for row in connection.execute(text("SELECT *, CAST(id AS text) AS id FROM orders"))
        }
        seen = connection.execute(
            text("SELECT CAST(matter AS text) AS matter, due_at, at FROM prove_seen")
        ).all()
        effects = connection.execute(
            text(
                "SELECT CAST(leaf AS json)->>'subject' AS subject, count(*) FILTER (WHERE corrects IS NULL) AS firsts "
                "FROM event_log WHERE probe = 'ASM-02' GROUP BY 1"
            )
        ).all()
    facts = _facts(engine, list(rows))
    escalated = Counter(
        (order, fact.due_at) for order, log in facts.items() for fact in log if fact.kind == "escalated"
    )
    states = {order: _stands(log) for order, log in facts.items()}
    overdue = [row for row in rows.values() if row.due_at is not None and row.due_at <= now]
    lateness = _lateness(timeline, opened, seen)
    return {
        "orders": len(opened),
        "missing": sum(not escalated[row.id, row.due_at] for row in overdue),
        "doubled": sum(count - 1 for count in escalated.values()),
        "too_early": sum(
            fact.kind == "escalated" and fact.due_at is not None and fact.at < fact.due_at
            for log in facts.values()
            for fact in log
        ),
        "unknown_due": sum(
            due not in {fact.due_at for fact in facts[order] if fact.kind != "escalated"}
            for order, due in escalated
        ),
        "in_no_state": len({one.id for one in opened} - rows.keys())
        + sum(not _is_whole(row, states[row.id]) for row in rows.values()),
        "effects_differ": sum(row.firsts != 1 for row in effects)
        + abs(len(effects) - sum(row.scored_event is not None for row in rows.values())),
        "unmeasured": sum(one.id not in lateness for one in opened if _must(one, rows[one.id], now)),
        "escalated": len(escalated),
        "ended": sum(row.state == "closed" for row in rows.values()),
        "acted_on": sum(one.is_touched for one in opened),
        "latest_seconds": round(max(lateness.values(), default=0.0), 1),
    }


def _must(one: Opened, row: Any, now: datetime) -> bool:
    return not one.is_touched and row.state != "closed" and one.due_at <= now


def _lateness(timeline: Timeline, opened: list[Opened], seen: Any) -> dict[str, float]:
    """Order -> seconds between the first moment at which the clock showed the due time, and the commit."""
    dues = {one.id: one.due_at for one in opened}
    late: dict[str, float] = {}
    for row in seen:
        reached = timeline.first_reached(row.due_at)
        if reached is not None and dues.get(row.matter) == row.due_at:
            elapsed = (row.at - timeline.began_at).total_seconds()
            late[row.matter] = max(late.get(row.matter, 0.0), elapsed - reached)
    return late


def _facts(engine: Engine, orders: list[str]) -> Any:
    with Session(engine) as session:
        return facts_of(session, ORDER_EVENTS, orders)


def _stands(log: Any) -> Any:
    try:
        return replay(log)
    except ValueError:
        return None


def _is_whole(row: Any, standing: Any) -> bool:
    """Whether a row says what its facts add up to, with a due time until it ends and an outcome then."""
    if standing is None or (standing.state, standing.due_at, standing.outcome) != (
        row.state,
        row.due_at,
        row.outcome,
    ):
        return False
    return bool((row.state == "closed") == (row.due_at is None) == bool(row.outcome))


def _department(number: int) -> str:
    return f"150102-d{number}"


def _unit(code: str, parent: str, path: str, kind: UnitKind, level: UnitLevel) -> Unit:
    return Unit(
        code=code,
        name=code,
        kind=kind,
        level=level,
        parent=parent,
        path=path,
        region_code="150102",
        valid_from="2020-01-01",
        version=1,
    )
