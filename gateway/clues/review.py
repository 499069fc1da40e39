"""
What operators do and see 线索查看与隔离处理: lists, the course of one clue, the quarantine, dead answers.

Inspectors 督察员 and reviewers 审核员 see clues of their part of the tree; the quarantine, whose entries belong to
no unit yet, is for inspectors of the topmost unit only. A release takes the bytes in again as if they came now.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, Select, func, select

from contracts.roles import EXTERNAL_SYSTEM
from gateway.clues.intake import CONSUMER, Intake, Receipt
from gateway.clues.model import Amendment, AnswerRow, ClueRow, ProgressRow
from gateway.partners.service import Sender
from gateway.tables import UNITS
from kernel.access.principal import Principal
from kernel.errors import Conflict, NotAllowed, NotFound
from kernel.ids import is_id
from kernel.storage import quarantine
from kernel.storage.quarantine import Held
from kernel.storage.work import Store

MAX_ROWS = 200


class UnknownReceipt(NotFound):
    """No such clue, or none the caller may know of."""

    code = "clues.unknown_receipt"
    message = "没有这个回执号的线索，请核对回执号。"


@dataclass(frozen=True, slots=True)
class ClueLine:
    """A clue in a list. `unit` is the name of the unit complained of."""

    receipt: str
    system: str
    external_id: str
    kind: str
    title: str
    state: str
    unit: str | None
    received_at: datetime
    due_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class CluePage:
    """A bounded part of the list and how long the whole is."""

    rows: list[ClueLine]
    total: int


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step in the course of a clue."""

    state: str
    note: str
    subject: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class AmendmentLine:
    """What an upheld objection has amended: the kind, the moments before and after, and why."""

    kind: str
    former: datetime | None
    amended: datetime | None
    reason: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ClueCourse:
    """A clue with its course; the content and what was amended only for staff."""

    line: ClueLine
    content: str
    region_code: str
    progress: list[StepLine]
    amendments: list[AmendmentLine]


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """An answer and how its delivery stands."""

    id: str
    system: str
    receipt: str
    state: str
    attempts: int
    last_error: str
    next_at: datetime
    settled_at: datetime | None


class Review:
    """Clues as staff and senders look at them."""

    def __init__(self, store: Store, intake: Intake) -> None:
        self._store = store
        self._intake = intake

    def clues(self, who: Principal, *, state: str, limit: int, offset: int) -> CluePage:
        """Clues within the caller's scope, newest first."""
        inside = ClueRow.unit_path.startswith(who.unit_path or "?", autoescape=True)
        wanted = _lines().where(inside)
        counted = select(func.count()).select_from(ClueRow).where(inside)
        if state:
            wanted, counted = wanted.where(ClueRow.state == state), counted.where(ClueRow.state == state)
        with self._store.reading() as session:
            total = session.execute(counted).scalar_one()
            page = wanted.order_by(ClueRow.received_at.desc(), ClueRow.receipt.desc())
            rows = session.execute(page.limit(min(limit, MAX_ROWS)).offset(offset)).all()
            return CluePage([_line(row) for row in rows], total)

    def course(self, who: Principal, receipt: str) -> ClueCourse:
        """One clue: for staff within scope, or for the system that sent it. Raises UnknownReceipt."""
        steps = (
            select(ProgressRow)
            .where(ProgressRow.receipt == receipt)
            .order_by(ProgressRow.recorded_at, ProgressRow.id)
            .limit(MAX_ROWS)
        )
        names = AmendmentLine.__slots__
        amended = select(Amendment).where(Amendment.receipt == receipt).order_by(Amendment.id)
        with self._store.reading() as session:
            row = (
                session.execute(_lines().where(ClueRow.receipt == receipt)).first()
                if is_id(receipt)
                else None
            )
            if row is None or not _may_see(who, row[0]):
                raise UnknownReceipt()
            progress = [StepLine(s.state, s.note, s.subject, s.recorded_at) for s in session.scalars(steps)]
            amendments = [
                AmendmentLine(**{name: getattr(one, name) for name in names})
                for one in session.scalars(amended.limit(MAX_ROWS))
            ]
            return ClueCourse(_line(row), row[0].content, row[0].region_code, progress, amendments)

    def held(self, who: Principal, *, limit: int) -> list[Held]:
        """What lies in quarantine."""
        self.demand_top(who)
        with self._store.reading() as session:
            return quarantine.entries(session, self._store, limit=min(limit, MAX_ROWS))

    def release(self, who: Principal, entry: str) -> Receipt:
        """Take quarantined bytes in again; raises what taking in raises, and then the entry stays."""
        held = self._entry(who, entry)
        headers: dict[str, str] = orjson.loads(held.headers)
        if held.consumer != CONSUMER:
            raise Conflict("这一条不是线索，请在所属服务中处理。", code="clues.not_a_clue")
        if headers.get("signed") == "no":
            raise NotAllowed("来源未经验证的内容不能放行，只能拒绝。", code="clues.not_authenticated")
        sender = Sender(held.source, headers.get("webhook-id", entry), channel=headers.get("channel", "http"))
        return self._intake.take_held(
            sender, held.raw, lambda work: quarantine.settle(work, who, entry, state="released")
        )

    def refuse(self, who: Principal, entry: str) -> None:
        """Refuse quarantined bytes for good; they stay on record."""
        self._entry(who, entry)
        with self._store.work() as work:
            quarantine.settle(work, who, entry, state="refused")
            work.commit()

    def answers(self, who: Principal, *, state: str, limit: int, offset: int) -> list[AnswerLine]:
        """Answers by state of delivery, the oldest first."""
        self.demand_top(who)
        wanted = (
            select(AnswerRow).where(AnswerRow.state == state).order_by(AnswerRow.created_at, AnswerRow.id)
        )
        with self._store.reading() as session:
            rows = session.scalars(wanted.limit(min(limit, MAX_ROWS)).offset(offset))
            names = AnswerLine.__slots__
            return [AnswerLine(**{name: getattr(row, name) for name in names}) for row in rows]

    def _entry(self, who: Principal, entry: str) -> Row[Any]:
        self.demand_top(who)
        table = self._store.spine.quarantine
        with self._store.reading() as session:
            found = (
                session.execute(select(table).where(table.c.id == entry)).first() if is_id(entry) else None
            )
        if found is None:
            raise NotFound("隔离区中没有这一条，请刷新列表后再试。", code="platform.unknown_quarantine_entry")
        return found

    def demand_top(self, who: Principal) -> None:
        """Raise NotAllowed unless the caller stands at the topmost unit."""
        units = UNITS.table
        with self._store.reading() as session:
            parent = session.execute(select(units.c.parent).where(units.c.path == who.unit_path)).scalar()
        if parent != "":
            raise NotAllowed("隔离区由最上级单位的督察员处理。", code="clues.top_unit_only")


def _lines() -> Select[Any]:
    units = UNITS.table
    return select(ClueRow, units.c.name).outerjoin(units, units.c.code == ClueRow.unit)


def _line(row: Any) -> ClueLine:
    clue, unit_name = row
    return ClueLine(
        receipt=clue.receipt,
        system=clue.system,
        external_id=clue.external_id,
        kind=clue.kind,
        title=clue.title,
        state=clue.state,
        unit=unit_name,
        received_at=clue.received_at,
        due_at=clue.answer_due_at,
        answered_at=clue.answered_at,
    )


def _may_see(who: Principal, clue: ClueRow) -> bool:
    if who.has(EXTERNAL_SYSTEM):
        return clue.system == who.account
    return who.reaches(clue.unit_path)
