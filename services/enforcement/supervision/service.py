"""
What becomes of a lead: registered on arrival, accepted or returned by an inspector, answered with a note.

Every step tells the gateway, which answers the sender; whether the answer came in time is the gateway's score
(GW-ANS-01). A lead without a known unit is seen by whoever has the whole tree, and by inspectors of its region.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from contracts.clues.v1 import clues_pb2 as clues
from contracts.clues.wire import tell_progress
from kernel.access.principal import SYSTEM, Principal
from kernel.clock import from_microseconds
from kernel.errors import Invalid, NotFound, RuleViolation
from kernel.ids import is_id
from kernel.messages import Item
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.enforcement.areas import within
from services.enforcement.supervision.model import LEADS
from services.enforcement.supervision.rules import (
    ACCEPTED,
    ANSWERED,
    DOUBLE_SUPERVISION,
    FOLLOWS,
    RECEIVED,
    RETURNED,
    STATE_WORDS,
    hints_pending,
    says_pending,
)
from services.enforcement.tables import UNITS

MOST_ROWS = 200
STATES = {
    RECEIVED: clues.CLUE_STATE_RECEIVED,
    ACCEPTED: clues.CLUE_STATE_ACCEPTED,
    RETURNED: clues.CLUE_STATE_RETURNED,
    ANSWERED: clues.CLUE_STATE_ANSWERED,
}
KINDS = {clues.CLUE_KIND_ENFORCEMENT_COMPLAINT: "enforcement_complaint", clues.CLUE_KIND_INACTION: "inaction"}


class Supervision:
    """The leads 监督线索 of one installation."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def register(self, work: Work, items: Sequence[Item]) -> None:
        """
        Open a lead for each routed clue, in the transaction of `work`.

        One whose sender says that the matter is in reconsideration or in court is returned at once (Art. 33).
        """
        rows = [_lead_row(work, item.value) for item in items]  # type: ignore[arg-type]
        written = write_rows(
            work.session, LEADS, rows, keys=("id",), on_conflict="nothing", returning=("id",)
        )
        new = {str(row.id) for row in written}
        for row in rows:
            if row["id"] in new:
                _tell(work, row["id"], row["state"], row["note"] or "线索已登记，待研判")
                if row["state"] == RETURNED:
                    work.audit(
                        SYSTEM, "lead.returned", f"leads/{row['id']}", reason_code="in_review_or_court"
                    )

    def accept(self, who: Principal, lead: str, *, checked_not_pending: bool = False) -> dict[str, Any]:
        """
        Take a lead up 受理. Where the words hint at a pending review, the inspector must have checked (Art. 33).

        Raises NotFound, RuleViolation.
        """
        known = self.one(who, lead)
        if known["pending_hint"] and not checked_not_pending:
            raise RuleViolation(
                "线索内容提到行政复议或者诉讼，请先核实不在办理中，再勾选“已核实”受理；在办的应予退回。",
                code="enforcement.maybe_pending",
            )
        return self._move(who, lead, ACCEPTED, "已受理，正在核查")

    def send_back(self, who: Principal, lead: str, note: str) -> dict[str, Any]:
        """Return a lead 退回 with the reason. Raises NotFound, Invalid, RuleViolation."""
        return self._move(who, lead, RETURNED, _demand_note(note))

    def answer(self, who: Principal, lead: str, note: str) -> dict[str, Any]:
        """Answer an accepted lead 办结答复 with what was found. Raises NotFound, Invalid, RuleViolation."""
        return self._move(who, lead, ANSWERED, _demand_note(note))

    def one(self, who: Principal, lead: str) -> dict[str, Any]:
        """One lead in the caller's area. Raises NotFound."""
        with self._store.reading() as session:
            return dict(_found(session, who, lead))

    def page(
        self, who: Principal, *, state: str = "", unit: str = "", offset: int = 0, limit: int = 50
    ) -> tuple[int, list[dict[str, Any]]]:
        """Leads in the caller's area, oldest first: total and one page."""
        conditions = [_area(who)]
        if state:
            conditions.append(LEADS.c.state == state)
        if unit:
            conditions.append(LEADS.c.unit == unit)
        wanted = select(LEADS).where(*conditions).order_by(LEADS.c.received_at, LEADS.c.id)
        with self._store.reading() as session:
            total = session.execute(select(func.count()).select_from(LEADS).where(*conditions)).scalar_one()
            rows = session.execute(wanted.offset(offset).limit(min(limit, MOST_ROWS))).mappings()
            return total, [dict(row) for row in rows]

    def _move(self, who: Principal, lead: str, state: str, note: str) -> dict[str, Any]:
        def move(work: Work) -> dict[str, Any]:
            row = _found(work.session, who, lead, change=True)
            if state not in FOLLOWS[row["state"]]:
                raise RuleViolation(
                    f"线索目前为“{STATE_WORDS[row['state']]}”，不能改为“{STATE_WORDS[state]}”。",
                    code="enforcement.lead_state",
                )
            changes = {"state": state, "note": note, "handler": who.account, "changed_at": work.clock.now()}
            work.session.execute(update(LEADS).where(LEADS.c.id == lead).values(**changes))
            _tell(work, lead, state, note)
            work.audit(who, f"lead.{state}", f"leads/{lead}")
            return {**row, **changes}

        return self._store.transact(move)


def _found(session: Session, who: Principal, lead: str, *, change: bool = False) -> RowMapping:
    """The lead in the caller's area. Raises NotFound."""
    wanted = select(LEADS).where(LEADS.c.id == lead, _area(who))
    if change:
        wanted = wanted.with_for_update()
    row = session.execute(wanted).mappings().one_or_none() if is_id(lead) else None
    if row is None:
        raise NotFound("未找到该线索，或不在您的管辖范围内。", code="enforcement.unknown_lead")
    return row


def _area(who: Principal) -> ColumnElement[bool]:
    """The caller's units; a lead that names no known unit is found by region."""
    units = UNITS.table
    known = units.alias("known")
    unplaced = ~exists().where(known.c.code == LEADS.c.unit)
    of_region = LEADS.c.region_code.in_(
        select(units.c.region_code).where(
            units.c.region_code != "", units.c.path.startswith(who.unit_path, autoescape=True)
        )
    )
    return or_(
        within(who, LEADS.c.unit), and_(unplaced, of_region if who.unit_path else within(who, LEADS.c.unit))
    )


def _lead_row(work: Work, routed: clues.ClueRouted) -> dict[str, Any]:
    clue = routed.clue
    pending = says_pending(clue.attributes)
    return {
        "id": routed.receipt,
        "system": clue.system,
        "external_id": clue.external_id,
        "kind": KINDS.get(clue.kind, "other"),
        "unit": clue.unit,
        "region_code": clue.region_code,
        "title": clue.title[:200],
        "content": clue.content,
        "pending_hint": hints_pending(clue.title + clue.content),
        "state": RETURNED if pending else RECEIVED,
        "note": DOUBLE_SUPERVISION if pending else "",
        "handler": SYSTEM.account if pending else "",
        "occurred_at": from_microseconds(clue.occurred_at_us) if clue.occurred_at_us else None,
        "due_at": from_microseconds(clue.due_at_us) if clue.due_at_us else None,
        "received_at": work.clock.now(),
        "changed_at": work.clock.now(),
    }


def _tell(work: Work, lead: str, state: str, note: str) -> None:
    tell_progress(work, lead, STATES[state], note, f"enforcement/leads/{lead}")


def _demand_note(note: str) -> str:
    text = note.strip()
    if not text:
        raise Invalid("请写明理由或者处理结果，对方会看到这段话。", code="enforcement.note_missing")
    return text[:2000]
