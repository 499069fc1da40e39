"""
What people can do with orders 督办: propose, issue, answer with proof, check, return, extend, close.

Every act is one fact and the row that repeats it, in one transaction under the row's lock. Who is not of the area
learns nothing of an order; a proposal is seen only by those who supervise. Reading is reading.py, the clock
escalation.py.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, BinaryIO

from sqlalchemy import update

from contracts.findings import Evidence
from contracts.roles import INSPECTOR
from kernel.access.principal import Principal
from kernel.errors import Conflict, Invalid, NotFound, RuleViolation
from kernel.files.intake import Kept, checked
from kernel.storage.blobs import Blobs
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.assessment.rectification import effect
from services.assessment.rectification.dues import Dues, end_of
from services.assessment.rectification.escalation import Register, escalate
from services.assessment.rectification.model import ORDER_EVENTS, ORDERS
from services.assessment.rectification.opening import open_orders
from services.assessment.rectification.places import reached_path, refuse_own
from services.assessment.rectification.reading import found
from services.assessment.rectification.rules import (
    ACT_WORDS,
    ACTS,
    CLOSED,
    DUE_CLOCKS,
    OPEN,
    OUTCOME_WORDS,
    PROPOSED,
    SUPPLEMENT_CLOCK,
    Handled,
    MatterFact,
    Opening,
    OrderProgress,
    after,
    may_end,
    replay,
)
from services.assessment.rectification.timeline import demand_room, evidence_of, fact_row, facts_of

REGISTER = Register(ORDERS, ORDER_EVENTS)


class Orders:
    """The orders of one installation."""

    def __init__(self, store: Store, dues: Dues, blobs: Blobs, *, relapse_days: int) -> None:
        self._store = store
        self._dues = dues
        self._blobs = blobs
        self._relapse_days = relapse_days

    def open(
        self,
        who: Principal,
        opening: Opening,
        *,
        due_on: date | None = None,
        checked_not_pending: bool = False,
    ) -> str:
        """
        Issue an order (an inspector), or propose one (a reviewer); returns its id.

        Raises NotFound, OwnMatter, Conflict when one is running, RuleViolation when nobody made sure that the
        matter is not in reconsideration or in court (Art. 33).
        """
        state = OPEN if who.has(INSPECTOR) else PROPOSED
        if state == OPEN:
            demand_not_pending(checked_not_pending=checked_not_pending)

        def act(work: Work) -> str:
            reached_path(work.session, who, opening.unit)
            refuse_own(work.session, who, opening.unit)
            (opened,) = open_orders(
                work,
                [opening],
                who,
                state=state,
                due_at=self._due(work, DUE_CLOCKS[state], due_on if state == OPEN else None),
                relapse_days=self._relapse_days,
            )
            if opened.is_joined:
                raise Conflict(
                    "该单位的同一事项已在督办中，请在原督办中处理。", code="assessment.order_running"
                )
            work.audit(who, f"order.{'issued' if state == OPEN else 'proposed'}", f"orders/{opened.order}")
            return opened.order

        return self._store.transact(act)

    def issue(
        self, who: Principal, order: str, *, due_on: date | None = None, checked_not_pending: bool = False
    ) -> None:
        """Put a proposed order to the unit 签发. Raises NotFound, OwnMatter, RuleViolation."""
        demand_not_pending(checked_not_pending=checked_not_pending)
        self._act(who, order, "issued", clock=DUE_CLOCKS[OPEN], due_on=due_on)

    def hand_in(self, who: Principal, order: str, stream: BinaryIO, name: str) -> Kept:
        """Take a file as proof, before the answer. Raises NotFound, Invalid, TooLarge, RuleViolation."""
        with self._store.reading() as session:
            row = found(session, who, order)
            refuse_stranger(who, row)
            demand_act("evidence", row["state"])
            demand_room(facts_of(session, ORDER_EVENTS, [order])[order])
        kept = checked(stream, name, self._blobs)
        detail = {"digest": kept.digest, "media_type": kept.media_type, "name": kept.name, "size": kept.size}
        self._act(who, order, "evidence", detail=detail, by_unit=True)
        return kept

    def file(self, who: Principal, order: str, digest: str) -> tuple[bytes, Mapping[str, Any]]:
        """The bytes of a piece of proof, and what is known of it. Raises NotFound."""
        with self._store.reading() as session:
            found(session, who, order)
            facts = facts_of(session, ORDER_EVENTS, [order])[order]
        held = next((one for one in evidence_of(facts) if one["digest"] == digest), None)
        if held is None:
            raise NotFound("督办中没有这份材料，请核对。", code="assessment.unknown_file")
        return self._blobs.get(digest), held

    def answer(self, who: Principal, order: str, statement: str) -> None:
        """The unit reports what it did 报告整改情况. Raises NotFound, Invalid, RuleViolation."""
        self._act(who, order, "answered", note=said(statement), by_unit=True)

    def check(self, who: Principal, order: str, *, is_met: bool, note: str) -> None:
        """Check an answer 复查; not by whoever issued the order. Raises NotFound, Invalid, RuleViolation."""
        self._act(who, order, "checked", note=said(note), detail={"is_met": is_met})

    def send_back(self, who: Principal, order: str, note: str, *, due_on: date | None = None) -> None:
        """Return an answer 退回补充整改 with the reason and a new due day. Raises NotFound, Invalid, RuleViolation."""
        self._act(who, order, "returned", note=said(note), clock=SUPPLEMENT_CLOCK, due_on=due_on)

    def extend(self, who: Principal, order: str, note: str, due_on: date) -> None:
        """Extend the due time 延长期限 once, with the reason. Raises NotFound, Invalid, RuleViolation."""
        self._act(who, order, "extended", note=said(note), due_on=due_on)

    def close(self, who: Principal, order: str, outcome: str, note: str) -> None:
        """End an order with an outcome 办结; it counts at once. Raises NotFound, Invalid, RuleViolation."""
        if outcome not in OUTCOME_WORDS:
            raise Invalid("请选择办结结论。", code="assessment.unknown_outcome")
        self._act(who, order, "closed", note=said(note), detail={"outcome": outcome})

    def escalate(self) -> int:
        """Send everything past its due time to the next level up; returns how many went."""
        escalated = 0
        while True:
            with self._store.work() as work:
                overdue, went = _send_up(work)
                if overdue:
                    work.commit()
            escalated += went
            if not overdue:
                return escalated

    def _act(
        self,
        who: Principal,
        order: str,
        kind: str,
        *,
        note: str = "",
        clock: str = "",
        due_on: date | None = None,
        detail: Mapping[str, Any] | None = None,
        by_unit: bool = False,
    ) -> None:
        def act(work: Work) -> None:
            row = found(work.session, who, order, change=True)
            if _send_up(work, order)[1]:
                row = found(work.session, who, order, change=True)
            facts = facts_of(work.session, ORDER_EVENTS, [order])[order]
            progress = replay(facts)
            demand_act(kind, progress.state)
            if by_unit:
                refuse_stranger(who, row)
            else:
                refuse_own(work.session, who, row["unit"])
            now = work.clock.now()
            due_at = self._new_due(work, kind, progress, clock, due_on)
            fact = MatterFact(
                progress.version + 1, kind, who.account, who.unit, now, due_at, note, detail or {}
            )
            refuse_unfit(progress, fact)
            progress = after(progress, fact)
            values = fact_row(order, fact.seq, kind, who, now, note=note, due_at=due_at, detail=fact.detail)
            write_rows(work.session, ORDER_EVENTS, [values])
            work.session.execute(update(ORDERS).where(ORDERS.c.id == order).values(**columns(progress, now)))
            if progress.state == CLOSED:
                self._end(work, row, progress, [*facts, fact])
            work.audit(who, f"order.{kind}", f"orders/{order}", object_version=str(fact.seq))

        self._store.transact(act)

    def _end(
        self, work: Work, row: Mapping[str, Any], progress: OrderProgress, facts: list[MatterFact]
    ) -> None:
        """An ended order counts; what was never put to the unit says nothing of it."""
        if row["state"] == PROPOSED and not row["scored_event"]:
            return
        proof = tuple(
            Evidence(
                one["digest"],
                one["media_type"],
                one["name"],
                f"/api/assessment/v1/orders/{row['id']}/files/{one['digest']}",
            )
            for one in evidence_of(facts)
        )
        is_late = progress.is_late and not effect.is_struck_out(work.session, row["scored_event"])
        effect.score(work, [(row, Handled(progress.outcome, is_late), proof)])

    def _new_due(
        self, work: Work, kind: str, progress: OrderProgress, clock: str, due_on: date | None
    ) -> datetime | None:
        state = ACTS[kind][1]
        if kind == "extended":
            assert due_on is not None
            assert progress.due_at is not None
            if progress.extensions:
                raise RuleViolation("期限只能延长一次，请办结或者退回。", code="assessment.extended_already")
            last = self._dues.longest_extension(DUE_CLOCKS[OPEN], progress.due_at)
            if not progress.due_at < end_of(due_on) <= end_of(last):
                raise Invalid(f"延长后的期限应晚于原期限，且不晚于 {last}。", code="assessment.bad_due_day")
            return self._due(work, "", due_on)
        if clock or (state in DUE_CLOCKS and state):
            return self._due(work, clock or DUE_CLOCKS[state], due_on)
        return None

    def _due(self, work: Work, clock: str, due_on: date | None) -> datetime:
        if due_on is None:
            return self._dues.due(clock, work.clock.now())
        due_at = end_of(due_on)
        if due_at <= work.clock.now():
            raise Invalid("期限不能早于今天，请重新填写。", code="assessment.bad_due_day")
        return due_at


def _send_up(work: Work, order: str = "") -> tuple[int, int]:
    """Escalate a batch of what is overdue, or one order; it counts at once. How many were overdue, how many went."""
    overdue, rows = escalate(work, REGISTER, order)
    late = [row._asdict() for row in rows if row.state == OPEN]
    if late:
        ids = [row["id"] for row in late]
        work.session.execute(update(ORDERS).where(ORDERS.c.id.in_(ids)).values(is_late=1))
        effect.score(work, [(row, Handled("", is_late=True), ()) for row in late])
    return overdue, len(rows)


def columns(progress: OrderProgress, now: datetime) -> dict[str, Any]:
    """What the row of an order repeats of its facts."""
    return {
        "state": progress.state,
        "version": progress.version,
        "due_at": progress.due_at,
        "issuer": progress.issuer,
        "is_late": int(progress.is_late),
        "outcome": progress.outcome,
        "closed_at": now if progress.state == CLOSED else None,
    }


def demand_act(kind: str, state: str) -> None:
    """Raise RuleViolation unless the act may follow in this state."""
    if state not in ACTS[kind][0]:
        raise RuleViolation(
            f"督办目前的状态不能“{ACT_WORDS[kind]}”，请刷新后查看。", code="assessment.order_state"
        )


def refuse_unfit(progress: OrderProgress, fact: MatterFact) -> None:
    """Raise RuleViolation where an act is not this person's, or an ending not yet possible."""
    if fact.kind == "checked" and fact.actor == progress.issuer:
        raise RuleViolation("复查应由签发人以外的人员进行。", code="assessment.checked_by_issuer")
    if fact.kind == "closed":
        is_overdue = progress.due_at is not None and progress.due_at <= fact.at
        outcome = str(fact.detail["outcome"])
        if not may_end(progress, outcome, is_overdue=is_overdue):
            raise RuleViolation(
                f"目前不能以“{OUTCOME_WORDS[outcome]}”办结：整改到位须经复查认定，整改不到位须经复查或者逾期。",
                code="assessment.outcome_too_early",
            )


def refuse_stranger(who: Principal, row: Mapping[str, Any]) -> None:
    """Raise RuleViolation for a person who is not of the unit that must answer."""
    if who.unit != row["unit"]:
        raise RuleViolation("只有被督办单位可以报告整改情况。", code="assessment.not_the_unit")


def demand_not_pending(*, checked_not_pending: bool) -> None:
    """Raise RuleViolation unless it was made sure that nobody else is judging the matter (Art. 33)."""
    if not checked_not_pending:
        raise RuleViolation(
            "请先核实该事项不在行政复议或者诉讼中，再勾选“已核实”；在办的不得重复监督。",
            code="assessment.maybe_pending",
        )


def said(text: str) -> str:
    """A reason or statement, which must not be empty."""
    words = text.strip()
    if not words:
        raise Invalid("请写明理由或者情况。", code="assessment.note_missing")
    return words
