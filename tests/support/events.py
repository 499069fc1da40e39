"""Scored events for tests: valid by default, one word to differ."""

from datetime import UTC, datetime

from contracts.directory.v1.directory_pb2 import Unit, UnitKind, UnitLevel
from contracts.events.v1.scored_pb2 import ScoredEvent, ScoredEvents
from contracts.findings import Basis, Finding, Mode, Outcome
from contracts.findings.wire import scored_event
from contracts.topology import SCORED
from kernel.clock import microseconds
from kernel.ids import new_id
from kernel.messages import Message

MARCH_5 = datetime(2026, 3, 5, 2, 0, tzinfo=UTC)
BASIS = Basis("行政处罚法", "2021-01-22", "第六十条")


def an_event(
    *,
    unit: str = "150102-scjg",
    probe: str = "ENF-TIM-01",
    outcome: Outcome = Outcome.PASS,
    score_milli: int | None = None,
    subject: str = "enforcement/cases/1",
    corrects: str = "",
    source: str = "enforcement",
    occurred_at: datetime = MARCH_5,
    recorded_at: datetime = MARCH_5,
    event_id: str | None = None,
    numerator: int = 0,
    denominator: int = 0,
) -> ScoredEvent:
    """A scored event of a case that was decided in time."""
    full = 1000 if outcome is Outcome.PASS else 0
    return scored_event(
        Finding(
            probe=probe,
            probe_version=1,
            outcome=outcome,
            score_milli=full if score_milli is None else score_milli,
            occurred_at=occurred_at,
            basis=(BASIS,),
            numerator=numerator,
            denominator=denominator,
            reason="九十日内作出",
        ),
        event_id=event_id or new_id(),
        source=source,
        unit=unit,
        subject=subject,
        mode=Mode.ENTERED,
        recorded_at_us=microseconds(recorded_at),
        corrects=corrects,
    )


def a_message(*events: ScoredEvent, source: str = "enforcement") -> Message:
    """A message that carries these events."""
    return Message(
        id=new_id(), source=source, name=SCORED, body=ScoredEvents(events=events).SerializeToString()
    )


def a_unit(
    code: str,
    *,
    parent: str = "",
    path: str = "",
    kind: UnitKind = UnitKind.UNIT_KIND_DEPARTMENT,
    level: UnitLevel = UnitLevel.UNIT_LEVEL_COUNTY,
    version: int = 1,
) -> Unit:
    """A county department."""
    return Unit(
        code=code,
        name=f"{code}局",
        kind=kind,
        level=level,
        parent=parent,
        path=path or f"/15/{code}/",
        region_code="150102",
        valid_from="2020-01-01",
        version=version,
    )
