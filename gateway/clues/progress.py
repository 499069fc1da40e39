"""
What becomes of clues 线索进展: heard from the dealing services, kept, answered back, scored.

Progress may arrive late or out of order; a state only moves forwards, but every step is kept and every step is
answered. A batch costs a handful of statements whatever its size.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import orjson
from sqlalchemy import select, text, update

from contracts.clues.v1.clues_pb2 import ClueProgressed
from contracts.findings import Mode
from contracts.findings.register import Found
from gateway.clues import rules
from gateway.clues.answers import queue_answers
from gateway.clues.model import ClueRow, ProgressRow
from gateway.clues.originals import evidence, subject_of
from gateway.clues.rules import PROBES, AnswerFacts
from gateway.links.link import Link
from gateway.tables import FINDINGS
from kernel.clock import from_microseconds
from kernel.errors import Unacceptable
from kernel.messages import Item
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work

OVERDUE_AT_ONCE = 500


class UnknownClue(Unacceptable):
    """Progress about a clue we never gave out."""

    code = "clues.unknown_receipt"
    message = "没有这个回执号的线索。"


class Progress:
    """Takes progress over, and looks after deadlines."""

    def __init__(self, store: Store, links: Mapping[str, Link]) -> None:
        self._store = store
        self._links = links

    def apply(self, work: Work, items: Sequence[Item]) -> None:
        """Take over progress, in the transaction of the inbox. Raises UnknownClue, UnknownState."""
        steps = sorted((_step(item) for item in items), key=lambda step: (step["recorded_at"], step["id"]))
        clues = _clues(work, {step["receipt"] for step in steps})
        for step in steps:
            if step["receipt"] not in clues:
                raise UnknownClue()
        table = ProgressRow.metadata.tables["clue_progress"]
        write_rows(work.session, table, steps, keys=("id",), on_conflict="nothing")
        queue_answers(
            work,
            self._links,
            [(step, clues[step["receipt"]].system, clues[step["receipt"]].external_id) for step in steps],
        )
        changed = []
        for step in steps:
            clue = clues[step["receipt"]]
            if rules.follows(clue.state, step["state"]):
                clue.state, clue.progressed_at = step["state"], step["recorded_at"]
                if step["state"] in rules.FINAL:
                    clue.answered_at = step["recorded_at"]
                    changed.append(clue)
        work.session.flush()
        FINDINGS.record(work, findings_about(work, changed))

    def note_overdue(self) -> int:
        """Tell the scored event of every clue whose answer is late and was not told yet; returns how many."""
        now = self._store.clock.now()
        late = (
            select(ClueRow)
            .where(
                ClueRow.answered_at.is_(None),
                ClueRow.answer_due_at < rules.whole_second(now),
                ClueRow.overdue_noted_at.is_(None),
            )
            .order_by(ClueRow.answer_due_at)
            .limit(OVERDUE_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        with self._store.work() as work:
            clues = work.session.scalars(late).all()
            FINDINGS.record(work, findings_about(work, clues))
            work.session.execute(
                update(ClueRow)
                .where(ClueRow.receipt.in_([clue.receipt for clue in clues]))
                .values(overdue_noted_at=now)
            )
            work.commit()
        return len(clues)


def findings_about(work: Work, clues: Sequence[ClueRow]) -> Iterator[Found]:
    """The findings about clues, with their originals as evidence; none where no unit is known to be answerable."""
    concerned = [clue for clue in clues if clue.unit]
    named = evidence(work.session, [clue.receipt for clue in concerned])
    for clue in concerned:
        facts = AnswerFacts(
            state=clue.state,
            due_at=clue.answer_due_at,
            answered_at=clue.answered_at,
            now=work.clock.now(),
            is_excluded=clue.excluded_at is not None,
        )
        (finding,) = PROBES.look(facts, clue.answered_at or clue.answer_due_at)
        finding = replace(finding, evidence=named.get(clue.receipt, ()))
        yield Found(subject_of(clue.receipt), clue.unit, Mode.EXTERNAL, finding)


def _step(item: Item) -> dict[str, Any]:
    told = cast(ClueProgressed, item.value)
    state = rules.STATE_NAMES.get(told.state)
    if state is None:
        raise Unacceptable(f"不认识的线索状态 {told.state}。", code="clues.unknown_state")
    try:
        recorded_at = from_microseconds(told.recorded_at_us)
    except OverflowError as error:
        raise Unacceptable("进展时间超出可表示范围。", code="clues.bad_time") from error
    return {
        "id": told.id,
        "receipt": told.receipt,
        "state": state,
        "note": told.note[:4000],
        "subject": told.subject[:200],
        "recorded_at": recorded_at,
    }


def _clues(work: Work, receipts: set[str]) -> dict[str, ClueRow]:
    source = (
        "SELECT CAST(value AS uuid) AS value FROM json_array_elements_text(CAST(:receipts AS json))"
        if work.connection.dialect.name == "postgresql"
        else "SELECT value FROM json_each(:receipts)"
    )
    wanted = text(f"clues.receipt IN ({source})").bindparams(receipts=orjson.dumps(sorted(receipts)).decode())
    rows = work.session.scalars(select(ClueRow).where(wanted).order_by(ClueRow.receipt).with_for_update())
    return {row.receipt: row for row in rows}
