"""Answering 答复: tell the sender of a matter what became of it, and mark the matter."""

from sqlalchemy import update

from contracts.clues.v1.clues_pb2 import ClueState
from contracts.clues.wire import tell_progress
from kernel.storage.reach import beyond
from kernel.storage.work import Work
from services.disputes.matters.model import MATTERS


def answer(work: Work, receipt: str, note: str, subject: str) -> None:
    """The matter is dealt with 已办结答复."""
    _settle(work, receipt, "answered", note, subject)
    tell_progress(work, receipt, ClueState.CLUE_STATE_ANSWERED, note, subject)


def give_back(work: Work, receipt: str, note: str, subject: str = "") -> None:
    """The matter is not ours, or cannot be dealt with as it came 退回."""
    _settle(work, receipt, "returned", note, subject)
    tell_progress(work, receipt, ClueState.CLUE_STATE_RETURNED, note, subject)


def _settle(work: Work, receipt: str, state: str, note: str, subject: str) -> None:
    settled = update(MATTERS).where(MATTERS.c.receipt == receipt)
    with beyond("the sender is answered by the reviewing organ, whoever the matter is about", work.session):
        work.session.execute(
            settled.values(state=state, note=note, subject=subject, answered_at=work.clock.now())
        )
