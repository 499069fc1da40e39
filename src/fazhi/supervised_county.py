"""
Supervision of the demonstration county 督办与申诉演示: a handful of orders and objections, one in every state.

Done through the services' own use cases, at the times of the story, as the people of the county would; the same
county gets the same story. Nothing is done where an order was issued already.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from contracts.findings import Outcome
from contracts.roles import INSPECTOR, REPORTER, REVIEWER, UNIT_HEAD
from kernel.access.principal import Principal
from kernel.clock import FixedClock, local_date
from services.assessment.objections.rules import Answer
from services.assessment.rectification.model import ORDERS
from services.assessment.rectification.rules import Opening
from services.assessment.scoring.model import EVENT_LOG
from services.assessment.tables import UNITS

STORY = "demonstration/inspection"
PROOF = "逐件说明核查和纠正情况，附整改后的文书或者记录"
STORIES: tuple[tuple[str, str], ...] = (
    ("行政处罚案件超期未结", "抽查发现三件案件自立案之日起九十日内未作出处罚决定。"),
    ("处罚决定未按期公示", "五件处罚决定未在七个工作日内公示。"),
    ("全过程音像记录不完整", "两件查封案件缺少现场音像记录。"),
    ("转办线索未按期答复", "十二条转办线索超过答复期限。"),
    ("许可决定超期", "一件许可申请超过二十个工作日未作出决定。"),
    ("重大执法决定未经法制审核", "一件拟吊销许可证的决定未见法制审核意见。"),
)


def demonstrate(app: Any, clock: FixedClock, *, county: str, now: datetime) -> None:
    """
    Open orders and objections for a county (its code) in an assessment that was built over this clock.

    `now` is the moment the demonstration is loaded; the clock is left there.
    """
    clock.set(now)
    people = _people(app, county)
    if people is None or _was_supervised(app):
        return
    _orders(app, clock, people, now)
    clock.set(now)
    _objections(app, people)


def _orders(app: Any, clock: FixedClock, people: Mapping[str, Any], now: datetime) -> None:
    orders, who, nodes = app.supervision.orders, people["who"], people["nodes"]
    units = people["units"]

    def issue(story: int, unit: str, days_ago: int, due_in: int) -> str:
        clock.set(now - timedelta(days=days_ago))
        title, reason = STORIES[story]
        opening = Opening(
            unit=unit, node=nodes[story % len(nodes)], matter=STORY, title=title, reason=reason, proof=PROOF
        )
        due_on = local_date(clock.now()) + timedelta(days=due_in)
        done: str = orders.open(who["inspector"], opening, due_on=due_on, checked_not_pending=True)
        return done

    def answered(order: str, unit: str, days_ago: int) -> None:
        clock.set(now - timedelta(days=days_ago))
        orders.answer(_clerk(unit), order, "已逐件核查纠正，相关文书已归档，并对承办人员作了提醒。")

    first = issue(0, units[0], 50, 20)
    answered(first, units[0], 40)
    clock.set(now - timedelta(days=38))
    orders.check(who["reviewer"], first, is_met=True, note="经核对案卷，三件均已作出处罚决定。")
    orders.close(who["inspector"], first, "rectified", "整改到位，予以办结。")
    issue(0, units[0], 4, 20)  # a relapse of the first
    issue(1, units[1], 30, 15)  # never answered: overdue, and gone up
    answered(issue(2, units[2], 12, 20), units[2], 3)
    court = issue(3, units[3], 20, 15)
    clock.set(now - timedelta(days=15))
    orders.close(who["inspector"], court, "in_review_or_court", "当事人已申请行政复议并被受理。")
    partial = issue(4, units[0], 15, 12)
    answered(partial, units[0], 8)
    clock.set(now - timedelta(days=6))
    orders.check(who["reviewer"], partial, is_met=False, note="缺少许可决定的送达回证。")
    clock.set(now - timedelta(days=2))
    title, reason = STORIES[5]
    orders.open(
        who["reviewer"], Opening(unit=units[1], node=nodes[0], title=title, reason=reason, proof=PROOF)
    )
    clock.set(now)
    app.supervision.escalate()


def _objections(app: Any, people: Mapping[str, Any]) -> None:
    """Failures of the head's own unit, contested; as far as the answer goes in each."""
    objections, who = app.supervision.objections, people["who"]
    events = _failures(app, people["units"][0])
    grounds = (
        "检验、鉴定期间应当从办案期限中扣除，附检验报告。",
        "该案适用简易程序，当场作出决定，不适用本项要求。",
        "决定已按期公示，系统未及时同步。",
        "送达回证日期录入有误，原件为期限内送达。",
    )
    filed = [
        objections.file(who["head"], event, asked="not_applicable" if place == 1 else "pass", grounds=words)
        for place, (event, words) in enumerate(zip(events, grounds, strict=False))
    ]
    for objection in filed[1:]:
        objections.accept(who["inspector"], objection)
    for objection, outcome, reasons in zip(
        filed[2:],
        ("upheld", "rejected"),
        ("经核对公示平台记录，确系期限内公示，请来源单位更正。", "原件载明的送达日期已超过期限。"),
        strict=False,
    ):
        objections.draft(who["inspector"], objection, Answer(outcome, reasons))
        objections.confirm(who["reviewer"], objection)


def _people(app: Any, county: str) -> Mapping[str, Any] | None:
    """Who acts in the county, its departments, and the aspects that orders are about; None: not there."""
    table = UNITS.table
    with app.store.reading() as session:
        path = session.execute(select(table.c.path).where(table.c.code == county)).scalar()
        known = select(table.c.code).where(table.c.parent == county, table.c.valid_to == "")
        codes = set(session.execute(known.order_by(table.c.code)).scalars())
    own, justice = f"{county}-scjg", f"{county}-sf"
    others = sorted(codes - {own, justice})
    if path is None or not {own, justice} <= codes or len(others) < 3:
        return None
    office = {"unit": justice, "unit_path": path}
    return {
        "units": [own, *others[:3]],
        "nodes": [node.code for node in app.frameworks.current().root.children],
        "who": {
            "inspector": Principal(account="ducha.xian", roles=frozenset({INSPECTOR}), **office),
            "reviewer": Principal(account="shenhe.xian", roles=frozenset({REVIEWER}), **office),
            "head": Principal(
                account="fuzeren.xian", unit=own, unit_path=f"{path}{own}/", roles=frozenset({UNIT_HEAD})
            ),
        },
    }


def _clerk(unit: str) -> Principal:
    """Whoever answers for a unit; the orders of a unit are found by its code."""
    return Principal(account="tianbao.xian", unit=unit, unit_path="/", roles=frozenset({REPORTER}))


def _failures(app: Any, unit: str) -> list[str]:
    log = EVENT_LOG
    query = (
        select(log.c.event_id)
        .where(log.c.unit == unit, log.c.outcome == Outcome.FAIL, log.c.corrects.is_(None))
        .where(log.c.source == "enforcement")
        .order_by(log.c.occurred_at.desc(), log.c.event_id)
        .limit(4)
    )
    with app.store.reading() as session:
        return [str(event) for event in session.execute(query).scalars()]


def _was_supervised(app: Any) -> bool:
    with app.store.reading() as session:
        issued = select(ORDERS.c.id).where(ORDERS.c.issuer != "").limit(1)
        return session.execute(issued).first() is not None
