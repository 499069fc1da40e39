"""
Own facts 考核自有事实: what assessment itself finds out, put into the log like anybody's scored event.

Reviewed self-reports, surveys, on-site checks, third-party evaluations and the outcome of rectification are not
published by a service; assessment appends them in the transaction of the act that made them, signed as a source signs
what it tells. From there on they
are counted, ledgered, explained and corrected as every other event is. A result without probes of its own listens
to `Framework.collected_as(node)`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from contracts.findings import Finding, Mode
from contracts.findings.signing import sign
from contracts.findings.wire import EVENTS_PER_MESSAGE, scored_event
from kernel.clock import microseconds
from kernel.ids import new_id
from kernel.storage.work import Work
from kernel.telemetry.log import trace_id
from services.assessment.scoring.log import append

SOURCE = "assessment"
PROBE_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFact:
    """
    One finding of assessment's own about a unit; `subject` names what it came from, "assessment/reports/<id>".

    `corrects` is the id of the own event that this one replaces (R26): both stay in the log. `recorded_at` is for what
    was recorded before it is told here; None: now.
    """

    unit: str
    subject: str
    mode: Mode
    finding: Finding
    corrects: str = ""
    recorded_at: datetime | None = None


def append_own(work: Work, facts: Iterable[OwnFact]) -> list[str]:
    """Append these facts to the log, in this transaction; returns the ids of their events, in order."""
    now = work.clock.now()
    events = [
        scored_event(
            fact.finding,
            event_id=new_id(),
            source=SOURCE,
            unit=fact.unit,
            subject=fact.subject,
            mode=fact.mode,
            recorded_at_us=microseconds(fact.recorded_at or now),
            corrects=fact.corrects,
            trace=trace_id.get(),
        )
        for fact in facts
    ]
    for start in range(0, len(events), EVENTS_PER_MESSAGE):
        sign(work, events[start : start + EVENTS_PER_MESSAGE])
    append(work, events)
    return [event.id for event in events]
