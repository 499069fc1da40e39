"""
Procedures 决策程序: open one, record its steps as they happen, and look again when a period has run out.

A step passes the gates or is refused with the article. The legality opinion belongs to the reviewing department:
nobody else may record or correct it. Whole procedures handed in after the fact come through intake.py.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from contracts.citations.wire import tell_citations
from contracts.findings import Mode
from contracts.findings.evidence import HandedIn
from contracts.findings.register import Found
from kernel.access.principal import SYSTEM, Principal
from kernel.clock import local_date
from kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Problem, RuleViolation
from kernel.ids import is_id, new_id
from kernel.storage.blobs import Blobs
from kernel.storage.reach import beyond
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from kernel.text import clean_name
from services.decisions import facts
from services.decisions.conformance.service import Conformance, Judgement, found
from services.decisions.conformance.template import Template
from services.decisions.procedures.log import (
    Recorded,
    columns_of,
    judged_columns,
    procedure_of,
    read_logs,
    step_row,
    subject_of,
)
from services.decisions.procedures.model import STEPS, ProcedureRow
from services.decisions.procedures.reading import digest_of, read_step, step_json
from services.decisions.procedures.rules.gates import breaches, not_in_the_future
from services.decisions.procedures.rules.procedure import AnyStep, Procedure
from services.decisions.procedures.rules.steps import Drafted, Started
from services.decisions.tables import EVIDENCE, FINDINGS, UNITS

REVIEW_STEPS = frozenset({"review_returned", "review_complete", "review_issued"})
ORGAN_STEPS = frozenset({"started", "discussed", "party_reported", "decided"})
LOOK_BATCH = 100


class GateClosed(RuleViolation):
    """A step may not be recorded yet."""

    code = "decisions.gate_closed"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A step that was recorded: its id, and the phase the procedure is in now."""

    step: str
    digest: str
    phase: str


class Procedures:
    """What people can do with procedures, one transaction each."""

    def __init__(self, store: Store, conformance: Conformance, blobs: Blobs) -> None:
        self._store = store
        self._blobs = blobs
        self._conformance = conformance

    def open(self, who: Principal, unit: str, number: str, title: str) -> str:
        """Open the record of a decision of this government 建档; raises NotFound, Conflict."""
        procedure_id, number = new_id(), clean_name(number, max_characters=100)
        with beyond("units open decisions of the government above them"), self._store.work() as work:
            path = work.session.execute(
                select(UNITS.table.c.path).where(UNITS.table.c.code == unit)
            ).scalar_one_or_none()
            if path is None or not (who.reaches(path) or who.unit_path.startswith(path)):
                raise NotFound("找不到这个决策机关，请核对单位代码。", code="decisions.unknown_unit")
            taken = select(ProcedureRow.id).where(ProcedureRow.unit == unit, ProcedureRow.number == number)
            if work.session.execute(taken).first() is not None:
                raise _number_taken()
            row = ProcedureRow(
                id=procedure_id,
                unit=unit,
                number=number,
                title=clean_name(title, max_characters=500),
                mode=int(Mode.REAL_TIME),
                recorded_at=work.clock.now(),
            )
            work.session.add(row)
            try:
                work.session.flush()
            except IntegrityError as taken_now:
                raise _number_taken() from taken_now
            work.audit(who, "procedure.opened", f"decisions/{procedure_id}")
            work.commit()
        return procedure_id

    def record(
        self,
        who: Principal,
        procedure_id: str,
        body: dict[str, Any],
        *,
        step_id: str = "",
        corrects: str = "",
    ) -> Accepted:
        """
        Record a step, or correct one by a new step of the same kind.

        `step_id` lets a sender repeat safely: the same id with the same content is accepted once. Raises
        Invalid, NotFound, NotAllowed, GateClosed, Conflict.
        """
        step = read_step(body)
        step_id = step_id or new_id()
        if not is_id(step_id):
            raise Invalid(problems=[Problem("id", "decisions.bad_id", "步骤编号应为 UUID。")])
        with beyond("the log of a decision says who records its steps"), self._store.work() as work:
            row = self._locked(work, procedure_id)
            log = read_logs(work.session, [procedure_id]).get(procedure_id, [])
            known = next((entry for entry in log if entry.id == step_id), None)
            if known is not None:
                return _repeated(known, step, row)
            before = self._admit(who, row, log, step, corrects)
            self._check_gates(before, step, today=local_date(work.clock.now()), correcting=bool(corrects))
            written = step_row(
                procedure_id,
                step_id,
                seq=len(log) + 1,
                step=step,
                who=who,
                now=work.clock.now(),
                corrects=corrects,
            )
            write_rows(work.session, STEPS, [written])
            self._keep(work, who, procedure_id, step, written["body"])
            log.append(
                Recorded(
                    step_id,
                    len(log) + 1,
                    step,
                    written["digest"],
                    corrects,
                    who.account,
                    who.unit,
                    work.clock.now(),
                )
            )
            self._take_in(work, row, procedure_of(log), len(log), step)
            action = f"step.{step.kind}.corrected" if corrects else f"step.{step.kind}"
            work.audit(
                who, action, f"decisions/{procedure_id}/steps/{step_id}", after_digest=written["digest"][7:]
            )
            work.commit()
            return Accepted(step_id, written["digest"], row.phase)

    def look_again(self) -> int:
        """Judge anew the decisions with a period that ran out since; returns how many were looked at."""
        looked = 0
        while batch := self._look_at_some():
            looked += batch
        return looked

    def _look_at_some(self) -> int:
        with self._store.work() as work:
            today = local_date(work.clock.now())
            due = (
                select(ProcedureRow)
                .where(ProcedureRow.next_look_on <= today)
                .order_by(ProcedureRow.next_look_on)
                .limit(LOOK_BATCH)
                .with_for_update(skip_locked=True)
            )
            rows = list(work.session.scalars(due))
            logs = read_logs(work.session, [row.id for row in rows])
            findings: list[Found] = []
            for row in rows:
                findings += self._judged(work, row, procedure_of(logs[row.id]), today)
            FINDINGS.record(work, findings)
            work.commit()
        return len(rows)

    def _keep(self, work: Work, who: Principal, procedure_id: str, step: AnyStep, body: str) -> None:
        """The step as it was handed in, as evidence."""
        name = f"程序步骤记录（{step.on}）.json"
        EVIDENCE.keep(work, self._blobs, who, [HandedIn(subject_of(procedure_id), body.encode(), name)])

    def _locked(self, work: Work, procedure_id: str) -> ProcedureRow:
        query = select(ProcedureRow).where(ProcedureRow.id == procedure_id).with_for_update()
        row = work.session.scalars(query).one_or_none() if is_id(procedure_id) else None
        if row is None:
            raise NotFound("找不到这项决策，请核对编号。", code="decisions.unknown_decision")
        return row

    def _admit(
        self, who: Principal, row: ProcedureRow, log: list[Recorded], step: AnyStep, corrects: str
    ) -> Procedure:
        """The procedure before the step, once it is clear that this person may record it."""
        procedure = procedure_of(log)
        started = procedure.started
        undertakers = {unit.unit for unit in started.undertakers} if started else set()
        concerned = {row.unit, *undertakers} | ({started.reviewer} if started else set())
        if who is not SYSTEM and who.unit not in concerned and f"/{row.unit}/" not in who.unit_path:
            raise NotFound("找不到这项决策，请核对编号。", code="decisions.unknown_decision")
        if step.kind in REVIEW_STEPS:
            if started is None or who.unit != started.reviewer:
                raise NotAllowed(
                    "合法性审查由启动决定中明确的审查部门办理，其他单位不得代为填写或者修改审查意见。",
                    code="decisions.review_not_yours",
                )
        elif step.kind in ORGAN_STEPS and who.unit != row.unit:
            raise NotAllowed(
                "启动、集体讨论、请示报告和决定由决策机关登记，请联系决策机关办公室。",
                code="decisions.step_of_the_organ",
            )
        elif started is not None and who.unit not in {row.unit, *undertakers}:
            raise NotAllowed("请由决策机关或者承办单位登记这一步骤。", code="decisions.step_not_yours")
        if not corrects:
            return procedure
        former = next((entry for entry in log if entry.id == corrects), None)
        kept = tuple(entry for entry in procedure.steps if former is None or entry is not former.step)
        if former is None or former.step.kind != step.kind or len(kept) == len(procedure.steps):
            message = "应指明本决策中同一种步骤的编号，已被更正过的请指明更正后的步骤。"
            raise Invalid(problems=[Problem("corrects", "decisions.bad_correction", message)])
        return Procedure(kept)

    def _check_gates(self, before: Procedure, step: AnyStep, *, today: date, correcting: bool) -> None:
        if not not_in_the_future(step, today):
            raise Invalid(problems=[Problem("step.on", "decisions.future", "步骤日期不能晚于今天。")])
        closed = [breach for breach in breaches(before, step) if not correcting or breach.gate != "order"]
        if closed:
            first = closed[0]
            raise GateClosed(
                f"{first.message}（《重大行政决策程序暂行条例》{first.article}）",
                code=f"decisions.gate_{first.gate.lower()}",
                problems=[
                    Problem("step", f"decisions.gate_{b.gate.lower()}", f"{b.message}（{b.article}）")
                    for b in closed
                ],
            )

    def _take_in(
        self, work: Work, row: ProcedureRow, procedure: Procedure, steps: int, step: AnyStep
    ) -> None:
        """Carry a new step over to the row, the register and the other services."""
        if isinstance(step, Started) and not row.template_id:
            template = self._conformance.in_force(step.on)
            self._conformance.pin(work, [template])
            row.template_id, row.template_version = template.id, template.version
        for name, value in columns_of(procedure, steps).items():
            setattr(row, name, value)
        if isinstance(step, Drafted):
            tell_citations(work, facts.citations(row.id, row.unit, procedure))
        FINDINGS.record(work, self._judged(work, row, procedure, local_date(work.clock.now())))

    def _judged(self, work: Work, row: ProcedureRow, procedure: Procedure, today: date) -> list[Found]:
        """The findings of a procedure that is ready for them; sets its score and the next day to look."""
        template = self._template_of(work, row, procedure)
        judgement: Judgement | None = None
        if template is not None and self._conformance.is_ready(procedure, template, today):
            judgement = self._conformance.judge(procedure, template, today)
        next_look = self._conformance.next_look(procedure, template, today) if template else None
        changes = judged_columns(judgement, next_look)
        work.session.execute(update(ProcedureRow).where(ProcedureRow.id == row.id).values(**changes))
        if judgement is None:
            return []
        return list(
            found(
                row.id,
                unit=row.unit,
                mode=Mode(row.mode),
                procedure=procedure,
                judgement=judgement,
                now=work.clock.now(),
            )
        )

    def _template_of(self, work: Work, row: ProcedureRow, procedure: Procedure) -> Template | None:
        if row.template_id:
            return self._conformance.pinned(work.session, row.template_id, row.template_version)
        return self._conformance.in_force(procedure.steps[0].on) if procedure.steps else None


def _number_taken() -> Conflict:
    return Conflict("这个决策编号已经登记，请核对编号。", code="decisions.number_taken")


def _repeated(known: Recorded, step: AnyStep, row: ProcedureRow) -> Accepted:
    if known.digest != digest_of(step_json(step)):
        raise Conflict("这个步骤编号已用于另一内容，请换用新的编号。", code="decisions.step_id_taken")
    return Accepted(known.id, known.digest, row.phase)
