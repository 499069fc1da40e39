"""
Amending what is measured about a clue 线索更正: how the gateway answers an upheld objection (contracts/corrections).

An amendment needs a notice that waits, so its substance has passed the four eyes of the objection, and an inspector
above the unit records what was found: another deadline, another day of answering, or that the clue does not count. It
is a fact of its own, beside what it replaces; the finding is told anew in the same transaction, and that closes the
notice.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.clues import rules
from gateway.clues.model import Amendment, ClueRow
from gateway.clues.originals import subject_of
from gateway.clues.progress import findings_about
from gateway.clues.review import UnknownReceipt
from gateway.tables import CORRECTIONS, FINDINGS, UNITS
from kernel.access.principal import Principal
from kernel.clock import local_date, start_of_day
from kernel.errors import Conflict, Invalid, NotAllowed, Problem, RuleViolation
from kernel.ids import is_id, new_id
from kernel.storage.work import Store, Work
from kernel.text import clean_text

REASON_CHARACTERS = 500
LONGEST_DUE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Change:
    """What is amended: the kind (`rules.AMENDMENTS`), the day where the kind has one, and why."""

    kind: str
    on: date | None
    reason: str


class Amendments:
    """Records amendments."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def amend(self, who: Principal, receipt: str, change: Change) -> str:
        """
        Amend a clue within the caller's scope; returns the id of the amendment.

        Raises UnknownReceipt, NotAllowed for people of the unit itself (R37), Invalid, Conflict when nothing was asked,
        RuleViolation when the finding would stay as it is.
        """
        return self._store.transact(lambda work: _amend(work, who, receipt, change))


def _amend(work: Work, who: Principal, receipt: str, change: Change) -> str:
    clue = work.session.get(ClueRow, receipt, with_for_update=True) if is_id(receipt) else None
    if clue is None or not who.reaches(clue.unit_path):
        raise UnknownReceipt()
    if _is_own(work.session, who, clue.unit):
        raise NotAllowed("不得更正本单位的线索，请由其他单位的督察员办理。", code="clues.own_matter")
    asked, now = CORRECTIONS.table.c, work.clock.now()
    waiting = asked.subject == subject_of(receipt), asked.corrected_at.is_(None)
    notice = work.session.scalar(select(asked.id).where(*waiting).order_by(asked.due_at))
    if notice is None:
        raise Conflict("没有待办的更正通知；线索只按成立的申诉更正。", code="clues.not_asked")
    reason = clean_text(change.reason.strip(), max_characters=REASON_CHARACTERS)
    if len(reason) < 2:
        raise Invalid(problems=[Problem("reason", "clues.reason_missing", "请写明更正的依据。")])
    former, amended = _applied(clue, change, now)
    made = Amendment(
        id=new_id(),
        receipt=receipt,
        asked=str(notice),
        kind=change.kind,
        former=former,
        amended=amended,
        reason=reason,
        recorded_at=now,
        recorded_by=who.account,
    )
    work.session.add(made)
    work.session.flush()
    if not FINDINGS.record(work, findings_about(work, [clue])):
        raise RuleViolation("更正后的认定与原来相同，请核对更正的内容。", code="clues.nothing_amended")
    work.audit(who, "clue.amended", f"clues/{receipt}")
    return made.id


def _applied(clue: ClueRow, change: Change, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Write the change into what is known of the clue; the moments before and after."""
    if change.kind == rules.EXCLUDED:
        former, clue.excluded_at = clue.excluded_at, now
        return former, now
    if change.on is None:
        raise _refused("请写明更正后的日期。")
    if change.on < local_date(clue.received_at):
        raise _refused("日期不得早于收到线索的日期。")
    if change.kind == rules.DUE and change.on > local_date(clue.received_at) + LONGEST_DUE:
        raise _refused("答复期限不得晚于收到线索之日起一年。")
    if change.kind == rules.DUE:
        due, clue.answer_due_at = clue.answer_due_at, rules.end_of(change.on)
        if clue.answer_due_at > now:  # it may become late again, and is then told again
            clue.overdue_noted_at = None
        return due, clue.answer_due_at
    if clue.state != "answered":
        raise Conflict("线索尚未答复，请先由承办单位答复，再更正答复日期。", code="clues.not_answered")
    if change.on > local_date(now):
        raise _refused("答复日期不得晚于今天。")
    # only the day is known, so its beginning counts: a doubt about the hour is not the unit's burden
    answered, clue.answered_at = clue.answered_at, max(start_of_day(change.on), clue.received_at)
    return answered, clue.answered_at


def _refused(message: str) -> Invalid:
    return Invalid(problems=[Problem("on", "clues.bad_day", message)])


def _is_own(session: Session, who: Principal, unit: str) -> bool:
    """Whether somebody belongs to this unit or to one under it; roles held for another unit change nothing."""
    units = UNITS.table.c
    home = session.scalar(select(units.path).where(units.code == who.own_unit)) or ""
    return bool(unit) and (who.own_unit == unit or f"/{unit}/" in home)
