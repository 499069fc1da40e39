"""
Cases 办案: register an application, record its steps as they happen, and keep the clocks.

Silence is recorded before anything else is: whoever acts after a period ran out finds the case where the law put
it. Whole cases handed in after the fact come through intake.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from contracts.citations.wire import tell_citations
from contracts.findings import Mode
from contracts.findings.evidence import HandedIn
from contracts.findings.register import Found
from kernel.access.principal import SYSTEM, Principal
from kernel.clock import local_date
from kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Problem, RuleViolation
from kernel.ids import derived_id, is_id, new_id
from kernel.storage.blobs import Blobs
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from kernel.text import clean_name
from services.disputes import facts
from services.disputes.matters.answering import answer, give_back
from services.disputes.reconsideration.codes import Codes
from services.disputes.reconsideration.log import (
    OpenCase,
    Recorded,
    columns_of,
    deadline_rows,
    findings_of,
    read_deadlines,
    read_logs,
    step_row,
    subject_of,
)
from services.disputes.reconsideration.model import DEADLINES, STEPS, CaseRow
from services.disputes.reconsideration.reading import digest_of, read_step, step_json
from services.disputes.reconsideration.register import visible
from services.disputes.reconsideration.rules import steps as s
from services.disputes.reconsideration.rules.case import AnyStep, Case
from services.disputes.reconsideration.rules.deadlines import ACCEPTANCE, Clocks, Due
from services.disputes.reconsideration.rules.gates import Breach, against_lapse, breaches, not_in_the_future
from services.disputes.reconsideration.rules.probes import Seen
from services.disputes.reconsideration.rules.silence import by_correction, by_silence
from services.disputes.tables import EVIDENCE, FINDINGS, UNITS

LOOK_BATCH = 200
MAX_NUMBER = 100


class StepRefused(RuleViolation):
    """The law does not allow this step now."""

    code = "disputes.step_refused"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A step that was recorded, and the state the case is in now."""

    step: str
    digest: str
    state: str


class Cases:
    """What people and clocks can do with cases, one transaction each."""

    def __init__(self, store: Store, clocks: Clocks, codes: Codes, blobs: Blobs) -> None:
        self._store = store
        self._blobs = blobs
        self._clocks = clocks
        self._codes = codes

    def open(
        self, who: Principal, *, organ: str, number: str, respondent: str, received: dict[str, Any],
        applicant: str = "", applicant_kind: str = "",
    ) -> str:  # fmt: skip
        """Register an application 登记申请, with its first step; raises Invalid, NotFound, Conflict."""
        step = read_step(received, self._codes, "received")
        if not isinstance(step, s.Received):
            raise Invalid(
                problems=[Problem("received.kind", "disputes.not_received", "首个步骤应为收到申请。")]
            )
        with self._store.work() as work:
            _check_units(work.session, who, organ, respondent)
            number = clean_name(number)
            _check_number(work.session, organ, number)
            opened = self.draft(work, organ=organ, respondent=respondent, number=number, mode=Mode.REAL_TIME)
            opened.row.applicant, opened.row.applicant_kind = applicant, applicant_kind
            self._check(opened, step, work)
            self._append(work, opened, step, who)
            self._settle(work, opened)
            work.audit(who, "case.opened", f"reconsiderations/{opened.row.id}")
            work.commit()
            return opened.row.id

    def draft(
        self, work: Work, *, organ: str, respondent: str, number: str, mode: Mode, receipt: str = ""
    ) -> OpenCase:
        """A case without steps, in the transaction of `work`."""
        row = CaseRow(
            id=derived_id("disputes", organ, number),
            number=number,
            organ=organ,
            respondent=respondent,
            mode=int(mode),
            state="draft",
            receipt=receipt,
            recorded_at=work.clock.now(),
        )
        work.session.add(row)
        try:
            work.session.flush()
        except IntegrityError as taken_now:
            raise _number_taken() from taken_now
        return OpenCase(row, [], {})

    def forward(self, work: Work, *, organ: str, respondent: str, receipt: str, on: date) -> str:
        """A draft for what another system forwarded; a person registers it, or gives it back."""
        opened = self.draft(
            work,
            organ=organ,
            respondent=respondent,
            number=f"转-{receipt}",
            mode=Mode.EXTERNAL,
            receipt=receipt,
        )
        self._append(work, opened, s.Forwarded(kind="forwarded", on=on, receipt=receipt), SYSTEM)
        self._settle(work, opened)
        return opened.row.id

    def record(
        self, who: Principal, case_id: str, body: dict[str, Any], *, step_id: str = "", corrects: str = ""
    ) -> Accepted:
        """
        Record a step, or correct one by a new step of the same kind.

        The same `step_id` with the same content is taken once. Raises Invalid, NotFound, NotAllowed,
        StepRefused, Conflict.
        """
        step = read_step(body, self._codes)
        step_id = step_id or new_id()
        if not is_id(step_id):
            raise Invalid(problems=[Problem("id", "disputes.bad_id", "步骤编号应为 UUID。")])
        with self._store.work() as work:
            opened = self._locked(work, who, case_id)
            known = next((entry for entry in opened.log if entry.id == step_id), None)
            if known is not None:
                return _repeated(known, step, opened.row)
            self._take_silence(work, opened)
            if corrects:
                self._correct(work, opened, step, who, step_id=step_id, corrects=corrects)
                self._take_silence(work, opened)
            else:
                self._check(opened, step, work)
                self._append(work, opened, step, who, step_id=step_id)
            self._settle(work, opened)
            recorded = next(entry for entry in opened.log if entry.id == step_id)
            action = f"step.{step.kind}.corrected" if corrects else f"step.{step.kind}"
            work.audit(
                who, action, f"reconsiderations/{case_id}/steps/{step_id}", after_digest=recorded.digest[7:]
            )
            work.commit()
            return Accepted(step_id, recorded.digest, opened.row.state)

    def keep_clocks(self) -> int:
        """Record what silence made, and look again at cases with a period that ran out; returns how many."""
        looked = 0
        while batch := self._keep_some():
            looked += batch
        return looked

    def _keep_some(self) -> int:
        with self._store.work() as work:
            today = local_date(work.clock.now())
            due = (
                select(CaseRow)
                .where(CaseRow.next_look_on <= today)
                .order_by(CaseRow.next_look_on)
                .limit(LOOK_BATCH)
                .with_for_update(skip_locked=True)
            )
            rows = list(work.session.scalars(due))
            found: list[Found] = []
            for opened in self._opened(work.session, rows):
                self._take_silence(work, opened)
                found += self._look(work, opened)
            FINDINGS.record(work, found)
            work.commit()
        return len(rows)

    def _locked(self, work: Work, who: Principal, case_id: str) -> OpenCase:
        query = select(CaseRow).where(CaseRow.id == case_id).with_for_update()
        row = work.session.scalars(query).one_or_none() if is_id(case_id) else None
        if row is None or (who.unit != row.organ and not _is_visible(work.session, who, case_id)):
            raise NotFound("找不到这件复议案件，请核对编号。", code="disputes.unknown_case")
        if who.unit != row.organ:
            raise NotAllowed("请由办理本案的行政复议机关登记案件步骤。", code="disputes.step_not_yours")
        return next(iter(self._opened(work.session, [row])))

    def _opened(self, session: Session, rows: Sequence[CaseRow]) -> list[OpenCase]:
        ids = [row.id for row in rows]
        logs, kept = read_logs(session, ids), read_deadlines(session, ids)
        opened = [OpenCase(row, logs.get(row.id, []), kept.get(row.id, {})) for row in rows]
        for one in opened:
            one.kept = self._clocks.standing(one.case, one.kept)
        return opened

    def _take_silence(self, work: Work, opened: OpenCase) -> None:
        silent = by_silence(opened.case, opened.kept, local_date(work.clock.now()))
        if silent is not None:
            self._append(work, opened, silent, SYSTEM, step_id=opened.silence_id(silent))
            self._answer_sender(work, opened)

    def _check(self, opened: OpenCase, step: AnyStep, work: Work) -> None:
        if not not_in_the_future(step, local_date(work.clock.now())):
            raise Invalid(problems=[Problem("step.on", "disputes.future", "步骤日期不能晚于今天。")])
        _check_clock(opened, step)
        _refuse(breaches(opened.case, step, self._clocks, opened.kept))

    def _correct(
        self, work: Work, opened: OpenCase, step: AnyStep, who: Principal, *, step_id: str, corrects: str
    ) -> None:
        former = next((entry for entry in opened.log if entry.id == corrects), None)
        in_force_now = any(former is not None and former.step is kept for kept in opened.case.steps)
        if former is None or former.step.kind != step.kind or not in_force_now:
            message = "应指明本案中同一种步骤的编号，已被更正过的请指明更正后的步骤。"
            raise Invalid(problems=[Problem("corrects", "disputes.bad_correction", message)])
        if isinstance(step, (s.DeemedAccepted, s.Abandoned)):
            raise StepRefused("系统按期限登记的事实不能手工更正。", code="disputes.by_clock")
        if not not_in_the_future(step, local_date(work.clock.now())):
            raise Invalid(problems=[Problem("step.on", "disputes.future", "步骤日期不能晚于今天。")])
        _check_clock(opened, step)
        examined = opened.kept.get(ACCEPTANCE)
        self._append(work, opened, step, who, step_id=step_id, corrects=corrects)
        if opened.kept.get(ACCEPTANCE) != examined:
            self._follow_receipt(work, opened)

    def _follow_receipt(self, work: Work, opened: OpenCase) -> None:
        """Another period of examination moves, makes or takes back the acceptance by silence (Art. 30)."""
        case = opened.case
        silent = by_correction(case, opened.kept, local_date(work.clock.now()))
        if silent is None:
            return
        _refuse(against_lapse(case, silent))
        made = case.last(s.DeemedAccepted)
        former = next((entry.id for entry in opened.log if entry.step is made), "")
        self._append(work, opened, silent, SYSTEM, step_id=opened.silence_id(silent), corrects=former)

    def _append(
        self,
        work: Work,
        opened: OpenCase,
        step: AnyStep,
        who: Principal,
        *,
        step_id: str = "",
        corrects: str = "",
    ) -> None:
        """Add a step to the log, with the deadlines it sets."""
        seq, now = len(opened.log) + 1, work.clock.now()
        before = opened.case
        row = step_row(
            opened.row.id, step_id or new_id(), seq=seq, step=step, who=who, now=now, corrects=corrects
        )
        entry = Recorded(row["id"], seq, step, row["digest"], corrects, who.account, who.unit, now)
        opened.log.append(entry)
        if corrects:
            before = Case(tuple(kept for kept in opened.case.steps if kept is not step))
        dues = self._dues(before, step, opened.kept)
        write_rows(work.session, STEPS, [row])
        if who is not SYSTEM:  # as it was handed in; what silence made was handed in by nobody
            name = f"复议步骤记录（{step.on}）.json"
            handed_in = HandedIn(subject_of(opened.row.id), row["body"].encode(), name)
            EVIDENCE.keep(work, self._blobs, who, [handed_in])
        write_rows(work.session, DEADLINES, list(deadline_rows(opened.row.id, seq, dues)))
        opened.kept = self._clocks.standing(opened.case, opened.kept | {due.clock: due for due in dues})
        if isinstance(step, s.Received):
            if step.number and step.number != opened.row.number:
                _check_number(work.session, opened.row.organ, step.number)
                opened.row.number = step.number
            tell_citations(work, facts.citations(opened.row.id, opened.row.respondent, opened.case))

    def _dues(self, before: Case, step: AnyStep, kept: dict[str, Due]) -> list[Due]:
        if isinstance(step, s.DeadlineSettled):
            return [self._clocks.again(before, kept[step.clock])]
        return self._clocks.set_by(before, step)

    def _settle(self, work: Work, opened: OpenCase) -> None:
        """Carry the log over to the row, the register, and the sender of a forwarded application."""
        FINDINGS.record(work, self._look(work, opened))
        self._answer_sender(work, opened)

    def _look(self, work: Work, opened: OpenCase) -> list[Found]:
        today = local_date(work.clock.now())
        row, case = opened.row, opened.case
        for name, value in columns_of(case, opened.kept, len(opened.log), today).items():
            setattr(row, name, value)
        seen = Seen(case, opened.kept, self._codes.outcomes, today)
        return list(
            findings_of(
                row.id,
                organ=row.organ,
                respondent=row.respondent,
                mode=Mode(row.mode),
                seen=seen,
                now=work.clock.now(),
            )
        )

    def _answer_sender(self, work: Work, opened: OpenCase) -> None:
        """Only codes and their titles go back; parties and reasons stay in the case."""
        row, step = opened.row, opened.log[-1].step
        subject = subject_of(row.id)
        if not row.receipt:
            return
        if isinstance(step, s.NotAnApplication):
            give_back(work, row.receipt, "经核对不属于行政复议申请，已退回。", subject)
        elif isinstance(step, s.Refused):
            answer(work, row.receipt, "行政复议机关决定不予受理。", subject)
        elif isinstance(step, s.Abandoned):
            answer(work, row.receipt, "申请人逾期未补正材料，视为放弃申请。", subject)
        elif isinstance(step, s.Decided):
            outcome = self._codes.outcomes[step.outcome]
            answer(work, row.receipt, f"行政复议已办结，结果：{outcome.title}。", subject)


def _is_visible(session: Session, who: Principal, case_id: str) -> bool:
    return session.execute(visible(who, select(CaseRow.id)).where(CaseRow.id == case_id)).first() is not None


def _check_units(session: Session, who: Principal, organ: str, respondent: str) -> None:
    known = set(
        session.scalars(select(UNITS.table.c.code).where(UNITS.table.c.code.in_([organ, respondent])))
    )
    if organ not in known or who.unit != organ:
        raise NotFound("只能以本机关名义登记复议案件，请核对行政复议机关。", code="disputes.unknown_organ")
    if respondent not in known:
        raise NotFound("找不到被申请人，请核对单位代码。", code="disputes.unknown_respondent")


def _check_number(session: Session, organ: str, number: str) -> None:
    if len(number) > MAX_NUMBER:
        message = f"案号不能超过{MAX_NUMBER}个字符，请核对。"
        raise Invalid(problems=[Problem("number", "disputes.bad_number", message)])
    taken = select(CaseRow.id).where(CaseRow.organ == organ, CaseRow.number == number)
    if session.execute(taken).first() is not None:
        raise _number_taken()


def _refuse(against: Sequence[Breach]) -> None:
    if against:
        raise StepRefused(
            f"{against[0].message}（《行政复议法》{against[0].article}）",
            code=f"disputes.{against[0].code}",
            problems=[
                Problem("step", f"disputes.{one.code}", f"{one.message}（{one.article}）") for one in against
            ],
        )


def _check_clock(opened: OpenCase, step: AnyStep) -> None:
    if isinstance(step, s.DeadlineSettled) and step.clock not in opened.kept:
        raise Invalid(
            problems=[Problem("step.clock", "disputes.unknown_clock", "本案没有这一期限，请核对。")]
        )


def _number_taken() -> Conflict:
    return Conflict("这个案号已经登记，请核对案号。", code="disputes.number_taken")


def _repeated(known: Recorded, step: AnyStep, row: CaseRow) -> Accepted:
    if known.digest != digest_of(step_json(step)):
        raise Conflict("这个步骤编号已用于另一内容，请换用新的编号。", code="disputes.step_id_taken")
    return Accepted(known.id, known.digest, row.state)
