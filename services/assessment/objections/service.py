"""
What people can do with objections 申诉: file, add proof, withdraw, accept or refuse, draft an answer, confirm it.

Two people answer, neither of the unit nor the maker of the datum. What is upheld corrects: an own fact of
assessment at once, and where another event stands in its place by now, that one; a datum of another service when
that service's correcting event arrives (`follow`). That service is told 更正通知 in the transaction of the confirmation;
until its event is here the objection runs with a due time, and escalates like an order.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, BinaryIO

from sqlalchemy import update

from contracts.corrections.wire import Correction, tell_correction
from contracts.findings import Outcome
from contracts.topology import CORRECTION_NOTICES
from kernel.access.principal import SYSTEM, Principal
from kernel.clock import local_date
from kernel.errors import Conflict, Invalid, NotFound, RuleViolation
from kernel.files.intake import Kept, checked
from kernel.ids import new_id
from kernel.storage.blobs import Blobs
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.assessment.objections.datum import (
    Datum,
    correct,
    corrections,
    datum_of,
    makers_of,
    standing_of,
)
from services.assessment.objections.model import OBJECTION_EVENTS, OBJECTIONS
from services.assessment.objections.reading import found
from services.assessment.objections.rules import (
    ACT_WORDS,
    ACTS,
    CLOSED,
    CORRECTING,
    DUE_CLOCKS,
    FILED,
    FILING_CLOCK,
    PARTLY,
    REJECTED,
    Answer,
    Progress,
    after,
    corrected_marks,
    replay,
)
from services.assessment.rectification.dues import Dues
from services.assessment.rectification.escalation import Register, escalate
from services.assessment.rectification.places import refuse_own, supervisors
from services.assessment.rectification.rules import MatterFact
from services.assessment.rectification.service import said
from services.assessment.rectification.timeline import demand_room, evidence_of, fact_row, facts_of
from services.assessment.scoring.own import SOURCE

REGISTER = Register(OBJECTIONS, OBJECTION_EVENTS)


class Objections:
    """The objections of one installation."""

    def __init__(self, store: Store, dues: Dues, blobs: Blobs) -> None:
        self._store = store
        self._dues = dues
        self._blobs = blobs

    def file(self, who: Principal, event: str, *, asked: str, grounds: str) -> str:
        """
        Contest an event of the caller's own unit 提出申诉; returns the objection's id.

        Raises NotFound, Invalid, RuleViolation when the period is over or the datum was corrected, Conflict when
        it was contested before.
        """

        def act(work: Work) -> str:
            datum = datum_of(work.session, event, who.unit)
            if datum is None:
                raise NotFound("没有这条数据，或不属于本单位。", code="assessment.unknown_event")
            self._demand_in_time(datum, work.clock.now())
            return self._enter(work, who, datum, asked, said(grounds))

        return self._store.transact(act)

    def hand_in(self, who: Principal, objection: str, stream: BinaryIO, name: str) -> Kept:
        """Take a file as proof, before the answer. Raises NotFound, Invalid, TooLarge, RuleViolation."""
        with self._store.reading() as session:
            row = found(session, who, objection)
            refuse_other_unit(who, row)
            demand_act("evidence", row["state"])
            demand_room(facts_of(session, OBJECTION_EVENTS, [objection])[objection])
        kept = checked(stream, name, self._blobs)
        detail = {"digest": kept.digest, "media_type": kept.media_type, "name": kept.name, "size": kept.size}
        self._act(who, objection, "evidence", detail=detail, by_unit=True)
        return kept

    def handed_in(self, who: Principal, objection: str, digest: str) -> tuple[bytes, Mapping[str, Any]]:
        """The bytes of a piece of proof, and what is known of it. Raises NotFound."""
        with self._store.reading() as session:
            found(session, who, objection)
            facts = facts_of(session, OBJECTION_EVENTS, [objection])[objection]
        held = next((one for one in evidence_of(facts) if one["digest"] == digest), None)
        if held is None:
            raise NotFound("申诉中没有这份材料，请核对。", code="assessment.unknown_file")
        return self._blobs.get(digest), held

    def withdraw(self, who: Principal, objection: str, note: str) -> None:
        """Take an objection back before it is answered 撤回. Raises NotFound, Invalid, RuleViolation."""
        self._act(who, objection, "withdrawn", note=said(note), by_unit=True)

    def accept(self, who: Principal, objection: str) -> None:
        """Take an objection up 受理. Raises NotFound, RuleViolation."""
        self._act(who, objection, "accepted")

    def refuse(self, who: Principal, objection: str, note: str) -> None:
        """Refuse an objection that is none 不予受理, with the reason. Raises NotFound, Invalid, RuleViolation."""
        self._act(who, objection, "refused", note=said(note))

    def draft(self, who: Principal, objection: str, answer: Answer) -> None:
        """Draft the answer 拟出答复; raises NotFound, Invalid, RuleViolation."""
        if answer.outcome == PARTLY and not 0 < answer.score_milli <= 1000:
            raise Invalid(
                "部分成立的，请写明该项应得的千分比（1 至 1000）。", code="assessment.score_missing"
            )
        detail = {"outcome": answer.outcome, "score_milli": answer.score_milli}
        self._act(who, objection, "drafted", note=said(answer.reasons), detail=detail)

    def send_back(self, who: Principal, objection: str, note: str) -> None:
        """Do not confirm a drafted answer 退回重拟, with the reason. Raises NotFound, Invalid, RuleViolation."""
        self._act(who, objection, "sent_back", note=said(note))

    def confirm(self, who: Principal, objection: str) -> None:
        """
        Confirm a drafted answer 复核, as the second person; it takes effect at once.

        Raises NotFound, RuleViolation.
        """
        self._act(who, objection, "answered")

    def escalate(self) -> int:
        """Send everything past its due time to the next level up; returns how many went."""
        escalated = 0
        while True:
            with self._store.work() as work:
                overdue, rows = escalate(work, REGISTER)
                if overdue:
                    work.commit()
            escalated += len(rows)
            if not overdue:
                return escalated

    def follow(self) -> int:
        """End objections whose source has corrected the datum; returns how many."""
        with self._store.reading() as session:
            waiting = corrections(session)
        for one in waiting:
            self._act(SYSTEM, one.id, "corrected", detail={"event": str(one.event_id)})
        return len(waiting)

    def _enter(self, work: Work, who: Principal, datum: Datum, asked: str, grounds: str) -> str:
        now = work.clock.now()
        objection, due_at = new_id(), self._dues.due(DUE_CLOCKS[FILED], now)
        row = {
            "id": objection,
            "unit": datum.unit,
            "event_id": datum.event_id,
            "event_seq": datum.seq,
            "source": datum.source,
            "probe": datum.probe,
            "period": datum.period,
            "subject": str(datum.leaf["subject"]),
            "asked": asked,
            "grounds": grounds,
            "filed_by": who.account,
            "filed_at": now,
            "state": FILED,
            "version": 1,
            "due_at": due_at,
            "escalated_due": None,
            "supervisor": supervisors(work.session, [datum.unit])[datum.unit],
            "drafter": "",
            "outcome": "",
            "correction": None,
            "closed_at": None,
        }
        if not write_rows(work.session, OBJECTIONS, [row], on_conflict="nothing", returning=("id",)):
            raise Conflict("这条数据已经申诉过，请在原申诉中查看。", code="assessment.contested_already")
        fact = fact_row(objection, 1, "filed", who, now, note=grounds, due_at=due_at)
        write_rows(work.session, OBJECTION_EVENTS, [fact])
        work.audit(who, "objection.filed", f"objections/{objection}")
        return objection

    def _demand_in_time(self, datum: Datum, now: datetime) -> None:
        if datum.is_corrected:
            raise RuleViolation("这条数据已经更正，请对更正后的数据提出。", code="assessment.datum_corrected")
        last = self.last_day(datum.received_at)
        if local_date(now) > last:
            raise RuleViolation(f"申诉期限已于 {last} 届满。", code="assessment.objection_too_late")

    def last_day(self, received_at: datetime) -> date:
        """The last day on which a datum that entered the log at this moment may be contested."""
        return self._dues.last_day(FILING_CLOCK, local_date(received_at))

    def _act(
        self,
        who: Principal,
        objection: str,
        kind: str,
        *,
        note: str = "",
        detail: Mapping[str, Any] | None = None,
        by_unit: bool = False,
    ) -> None:
        def act(work: Work) -> None:
            row = found(work.session, who, objection, change=True)
            if escalate(work, REGISTER, objection)[1]:
                row = found(work.session, who, objection, change=True)
            progress = replay(facts_of(work.session, OBJECTION_EVENTS, [objection])[objection])
            demand_act(kind, progress.state)
            if by_unit:
                refuse_other_unit(who, row)
            elif who is not SYSTEM:
                self._refuse_partial(work, who, row, kind, progress)
            now = work.clock.now()
            taken, more = kind, dict(detail or {})
            if kind == "answered":
                taken, more = self._take_effect(work, row, progress, now)
            state = ACTS[taken][1]
            due_at = self._dues.due(DUE_CLOCKS[state], now) if state in DUE_CLOCKS else None
            fact = MatterFact(progress.version + 1, taken, who.account, who.unit, now, due_at, note, more)
            progress = after(progress, fact)
            values = fact_row(objection, fact.seq, taken, who, now, note=note, due_at=due_at, detail=more)
            write_rows(work.session, OBJECTION_EVENTS, [values])
            work.session.execute(
                update(OBJECTIONS)
                .where(OBJECTIONS.c.id == objection)
                .values(**columns(progress, now), correction=more.get("event") or row["correction"])
            )
            work.audit(who, f"objection.{taken}", f"objections/{objection}", object_version=str(fact.seq))

        self._store.transact(act)

    def _refuse_partial(
        self, work: Work, who: Principal, row: Mapping[str, Any], kind: str, progress: Progress
    ) -> None:
        """Not of that unit, not the maker of the datum, and the second person is another one (R37)."""
        refuse_own(work.session, who, row["unit"])
        if who.account in makers_of(work.session, row["source"], row["subject"]):
            raise RuleViolation("作出该项数据的人员不得答复申诉。", code="assessment.own_datum")
        if kind in ("answered", "sent_back") and who.account == progress.drafter:
            raise RuleViolation("答复应由拟稿人以外的第二人复核。", code="assessment.second_person")

    def _take_effect(
        self, work: Work, row: Mapping[str, Any], progress: Progress, now: datetime
    ) -> tuple[str, dict[str, Any]]:
        """What a confirmed answer does: nothing, a correcting event, or a notice to the source and a wait for its event."""
        answer = progress.answer
        assert answer is not None
        if answer.outcome == REJECTED:
            return "answered", {}
        datum = datum_of(work.session, row["event_id"], row["unit"])
        assert datum is not None
        standing = standing_of(work.session, datum) if row["source"] == SOURCE else datum
        if row["source"] != SOURCE or (datum.is_corrected and is_served(answer, row["asked"], standing)):
            told = "" if datum.is_corrected else self._tell(work, row, answer, now)
            return "transferred", {"source": row["source"]} | ({"told": told} if told else {})
        return "answered", {"event": correct(work, standing, row["asked"], answer, row["id"])}

    def _tell(self, work: Work, row: Mapping[str, Any], answer: Answer, now: datetime) -> str:
        """Tell the service that owns the datum; "" for one that hears no such notices."""
        if row["source"] not in CORRECTION_NOTICES:
            return ""
        outcome, score_milli = corrected_marks(answer, row["asked"])
        asked = Correction(
            service=row["source"],
            objection=row["id"],
            event=row["event_id"],
            unit=row["unit"],
            probe=row["probe"],
            subject=row["subject"],
            outcome=outcome,
            score_milli=score_milli,
            reason=answer.reasons,
            due_at=self._dues.due(DUE_CLOCKS[CORRECTING], now),
        )
        return tell_correction(work, asked)


def columns(progress: Progress, now: datetime) -> dict[str, Any]:
    """What the row of an objection repeats of its facts."""
    return {
        "state": progress.state,
        "version": progress.version,
        "due_at": progress.due_at,
        "drafter": progress.drafter,
        "outcome": progress.outcome,
        "closed_at": now if progress.state == CLOSED else None,
    }


def is_served(answer: Answer, asked: str, standing: Datum) -> bool:
    """Whether what stands in the place of a datum by now gives its unit no less than the answer would."""
    outcome, marks = corrected_marks(answer, asked)
    is_counted = outcome != Outcome.NOT_APPLICABLE
    return standing.outcome != Outcome.FAIL or (is_counted and standing.score_milli >= marks)


def demand_act(kind: str, state: str) -> None:
    """Raise RuleViolation unless the act may follow in this state."""
    if state not in ACTS[kind][0]:
        raise RuleViolation(
            f"申诉目前的状态不能“{ACT_WORDS[kind]}”，请刷新后查看。", code="assessment.objection_state"
        )


def refuse_other_unit(who: Principal, row: Mapping[str, Any]) -> None:
    """Raise RuleViolation for a person who is not of the unit that objects."""
    if who.unit != row["unit"]:
        raise RuleViolation("只有提出申诉的单位可以办理此项。", code="assessment.not_the_unit")
