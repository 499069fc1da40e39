"""
Log 步骤日志: steps to rows and back, and what the row of a procedure says of them.

Shared by recording one step (service.py) and by taking in whole dossiers (intake.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from contracts.findings import Mode
from kernel.access.principal import Principal
from services.decisions.conformance.service import Judgement
from services.decisions.procedures.model import StepRow
from services.decisions.procedures.reading import digest_of, load_step, step_json
from services.decisions.procedures.rules.later_steps import Archived, Decided, Published
from services.decisions.procedures.rules.procedure import AnyStep, Procedure, in_force


@dataclass(frozen=True, slots=True)
class Recorded:
    """One step as it stands in the log."""

    id: str
    seq: int
    step: AnyStep
    digest: str
    corrects: str
    actor: str
    actor_unit: str
    recorded_at: datetime


def read_logs(session: Session, procedures: Sequence[str]) -> dict[str, list[Recorded]]:
    """The logs of these procedures, each in order of recording; one statement."""
    query = select(StepRow).where(StepRow.procedure.in_(procedures)).order_by(StepRow.procedure, StepRow.seq)
    logs: dict[str, list[Recorded]] = defaultdict(list)
    for row in session.scalars(query):
        logs[row.procedure].append(
            Recorded(
                row.id,
                row.seq,
                load_step(row.body),
                row.digest,
                row.corrects,
                row.actor,
                row.actor_unit,
                row.recorded_at,
            )
        )
    return logs


def procedure_of(log: Iterable[Recorded]) -> Procedure:
    """What a log adds up to."""
    return in_force((entry.id, entry.corrects, entry.step) for entry in log)


def step_row(
    procedure_id: str,
    step_id: str,
    *,
    seq: int,
    step: AnyStep,
    who: Principal,
    now: datetime,
    corrects: str = "",
) -> dict[str, Any]:
    """A step as a row of the log."""
    body = step_json(step)
    return {
        "id": step_id,
        "procedure": procedure_id,
        "seq": seq,
        "kind": step.kind,
        "happened_on": step.on,
        "body": body,
        "digest": digest_of(body),
        "corrects": corrects,
        "actor": who.account,
        "actor_unit": who.unit,
        "recorded_at": now,
    }


def columns_of(procedure: Procedure, steps: int) -> dict[str, Any]:
    """What the row of a procedure repeats of its steps."""
    started = procedure.started
    return {
        "lead": procedure.lead,
        "reviewer": started.reviewer if started else "",
        "phase": procedure.phase,
        "steps": steps,
        "started_on": started.on if started else None,
        "decided_on": _day(procedure, Decided),
        "published_on": _day(procedure, Published),
        "archived_on": _day(procedure, Archived),
    }


def judged_columns(judgement: Judgement | None, next_look_on: date | None) -> dict[str, Any]:
    """What the row of a procedure repeats of its last judgement."""
    if judgement is None:
        return {"score_milli": None, "coverage_milli": None, "band": "", "next_look_on": next_look_on}
    band = judgement.result.band
    return {
        "score_milli": judgement.result.score_milli,
        "coverage_milli": judgement.result.coverage_milli,
        "band": band.id if band else "",
        "next_look_on": next_look_on,
    }


def subject_of(procedure_id: str) -> str:
    """How others name a decision."""
    return f"decisions/decisions/{procedure_id}"


def mode_of(word: str) -> Mode:
    """Intake mode 接入模式 of a dossier."""
    return Mode[word.upper()]


def _day(procedure: Procedure, kind: type[Decided] | type[Published] | type[Archived]) -> date | None:
    step = procedure.first(kind)
    return step.on if step else None
