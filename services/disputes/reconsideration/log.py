"""
Log 步骤日志: steps and deadlines to rows and back, what a case row says of them, and the findings they give.

Shared by recording one step (service.py), the clocks (clockwork.py) and taking in whole dossiers (intake.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from contracts.findings import Mode
from contracts.findings.register import Found
from kernel.access.principal import Principal
from kernel.clock import start_of_day
from kernel.ids import derived_id
from services.disputes.reconsideration.model import CaseRow, DeadlineRow, StepRow
from services.disputes.reconsideration.reading import digest_of, load_step, step_json
from services.disputes.reconsideration.rules.case import AnyStep, Case, in_force
from services.disputes.reconsideration.rules.deadlines import DECIDE, Due, running
from services.disputes.reconsideration.rules.probes import OF_THE_ORGAN, PROBES, Seen, day_of
from services.disputes.reconsideration.rules.steps import DeemedAccepted, Received


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


@dataclass(slots=True)
class OpenCase:
    """A case row under lock with its log, while steps are added."""

    row: CaseRow
    log: list[Recorded]
    kept: dict[str, Due]

    @property
    def case(self) -> Case:
        """What the log adds up to."""
        return case_of(self.log)

    def silence_id(self, silent: AnyStep) -> str:
        """The id of what silence made: one for one fact, another where corrections brought it about a second time."""
        parts = ("disputes/silence", self.row.id, silent.kind, silent.on.isoformat())
        once = derived_id(*parts)
        is_taken = any(entry.id == once for entry in self.log)
        return derived_id(*parts, str(len(self.log) + 1)) if is_taken else once


def read_logs(session: Session, cases: Sequence[str]) -> dict[str, list[Recorded]]:
    """The logs of these cases, each in order of recording; one statement."""
    query = select(StepRow).where(StepRow.case.in_(cases)).order_by(StepRow.case, StepRow.seq)
    logs: dict[str, list[Recorded]] = defaultdict(list)
    for row in session.scalars(query):
        step = load_step(row.body)
        logs[row.case].append(
            Recorded(
                row.id, row.seq, step, row.digest, row.corrects, row.actor, row.actor_unit, row.recorded_at
            )
        )
    return logs


def read_deadlines(session: Session, cases: Sequence[str]) -> dict[str, dict[str, Due]]:
    """The deadlines in force of these cases, by clock; one statement."""
    query = select(DeadlineRow).where(DeadlineRow.case.in_(cases)).order_by(DeadlineRow.case, DeadlineRow.seq)
    kept: dict[str, dict[str, Due]] = defaultdict(dict)
    for row in session.scalars(query):
        kept[row.case][row.clock] = Due(
            row.clock, row.from_on, row.due_on, row.provisional, row.calendar_version
        )
    return kept


def case_of(log: Iterable[Recorded]) -> Case:
    """What a log adds up to."""
    return in_force((entry.id, entry.corrects, entry.step) for entry in log)


def step_row(
    case_id: str, step_id: str, *, seq: int, step: AnyStep, who: Principal, now: datetime, corrects: str = ""
) -> dict[str, Any]:
    """A step as a row of the log."""
    body = step_json(step)
    return {
        "id": step_id,
        "of_case": case_id,
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


def deadline_rows(case_id: str, seq: int, dues: Iterable[Due]) -> Iterator[dict[str, Any]]:
    """The deadlines a step set, as rows."""
    for due in dues:
        yield {
            "of_case": case_id,
            "seq": seq,
            "clock": due.clock,
            "from_on": due.from_on,
            "due_on": due.due_on,
            "provisional": due.provisional,
            "calendar_version": due.calendar_version,
        }


def columns_of(case: Case, kept: Mapping[str, Due], steps: int, today: date) -> dict[str, Any]:
    """What the row of a case repeats of its log."""
    decided, received = case.decided, case.first(Received)
    open_dues = running(case, kept)
    decide = kept.get(DECIDE)
    return {
        "state": case.state,
        "track": case.track,
        "steps": steps,
        "received_on": received.on if received else None,
        "accepted_on": case.accepted_on,
        "deemed": case.has(DeemedAccepted),
        "decided_on": decided.on if decided else None,
        "effective_on": case.effective_on,
        "outcome": "RF01" if case.state == "refused" else decided.outcome if decided else "",
        "grounds": ",".join(dict.fromkeys(decided.grounds)) if decided else "",
        "settled": decided.settled if decided else None,
        "act_changed": decided.act_changed if decided else None,
        "in_time": decided.on <= decide.due_on if decided and decide else None,
        "due_on": open_dues[0].due_on if open_dues else None,
        "provisional": any(due.provisional for due in open_dues),
        "next_look_on": _next_look(open_dues, today),
    }


def findings_of(
    case_id: str, *, organ: str, respondent: str, mode: Mode, seen: Seen, now: datetime
) -> Iterator[Found]:
    """What a case says of the organ and of the respondent; nothing before an application is recorded."""
    if not seen.case.has(Received):
        return
    subject = subject_of(case_id)
    for probe in PROBES:
        occurred_at = min(start_of_day(day_of(probe.name, seen)), now)
        finding = probe.look(seen, occurred_at)
        yield Found(subject, organ if probe.name in OF_THE_ORGAN else respondent, mode, finding)


def subject_of(case_id: str) -> str:
    """How others name a case."""
    return f"disputes/reconsiderations/{case_id}"


def _next_look(open_dues: Sequence[Due], today: date) -> date | None:
    """The day after the next period ends; provisional ones are waited for by a person, not by a clock."""
    ends = [due.due_on for due in open_dues if not due.provisional and due.due_on >= today]
    return min(ends) + timedelta(days=1) if ends else None
