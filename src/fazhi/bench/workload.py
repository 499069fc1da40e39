"""
Workload: scored events of a made-up year, the same for every contender, with their sums known beforehand.

The sums are counted here from what is drawn, not read back from the product, so that a contender that loses
or doubles an event is found out.
"""

import hashlib
import itertools
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from contracts.events.v1.scored_pb2 import ScoredEvent, ScoredEvents
from contracts.findings import Basis, Evidence, Finding, Mode, Outcome
from contracts.findings.signing import sign_with
from contracts.findings.wire import scored_event
from contracts.topology import SCORED
from kernel.access.keyring import private_key
from kernel.clock import local_period, microseconds
from kernel.ids import new_id
from kernel.messages import Message

SOURCE = "enforcement"
UNITS, DAYS = 500, 90
PROBES = (
    *("ENF-SUB-01", "ENF-SUB-02", "ENF-OFF-01", "ENF-OFF-02", "ENF-OFF-03", "ENF-PRO-01", "ENF-PRO-03"),
    *("ENF-PRO-05", "ENF-REV-01", "ENF-REV-03", "ENF-TIM-01", "ENF-TIM-02", "ENF-TIM-03", "ENF-TIM-04"),
    *("ENF-PUB-01", "ENF-PUB-02", "ENF-REC-01", "ENF-REC-02", "ENF-REC-03", "ENF-DOC-01"),
)
FIRST_DAY = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)
RECORDED = FIRST_DAY + timedelta(days=DAYS)
BASIS = (Basis("行政处罚法", "2021-01-22", "第六十条"),)
EVIDENCE = (
    Evidence(
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "application/pdf",
        "决定书",
        "第2页",
    ),
)
OUTCOMES = (Outcome.PASS,) * 7 + (Outcome.FAIL, Outcome.NOT_APPLICABLE, Outcome.NOT_DUE)

# The same in every process of a trial, and for nothing else.
SIGNING = private_key(hashlib.sha256(b"fazhi bench").digest())

State = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one event says, before it has an id."""

    unit: str
    probe: str
    day: int
    outcome: Outcome

    @property
    def occurred_at(self) -> datetime:
        """When it happened."""
        return FIRST_DAY + timedelta(days=self.day)


@dataclass(frozen=True, slots=True)
class Workload:
    """So many events to be measured after so many that warm everything up; signed as a source signs them, or not."""

    events: int
    warm_up: int
    per_message: int = 10
    seed: int = 1
    unit: str = ""
    signed: bool = True

    def about(self, unit: str) -> "Workload":
        """The same, all of it about one unit."""
        return replace(self, unit=unit)

    @property
    def total(self) -> int:
        """All events, those of the warm-up included."""
        return self.events + self.warm_up

    def messages(self) -> tuple[Message, ...]:
        """The events in messages, as a service's outbox would hold them; made once a process."""
        return _messages(self)

    def sums(self) -> Counter[State]:
        """(unit, month, probe, column) -> what the aggregate must say when all events are in."""
        sums: Counter[State] = Counter()
        for drawn in self.draw():
            place = drawn.unit, local_period(drawn.occurred_at), drawn.probe
            match drawn.outcome:
                case Outcome.PASS:
                    sums[*place, "entered"] += 1
                    sums[*place, "passed"] += 1
                    sums[*place, "graded_milli"] += 1000
                case Outcome.FAIL:
                    sums[*place, "entered"] += 1
                    sums[*place, "failed"] += 1
                case other:
                    sums[*place, other.name.lower()] += 1
        return sums

    def draw(self) -> Iterator[Drawn]:
        """What the events say, the same for the same seed."""
        chance = random.Random(self.seed)  # noqa: S311  (a workload, not a secret)
        for _ in range(self.total):
            unit, probe = f"1501{chance.randrange(UNITS):04d}", chance.choice(PROBES)
            yield Drawn(self.unit or unit, probe, chance.randrange(DAYS), chance.choice(OUTCOMES))


@lru_cache(maxsize=4)
def _messages(workload: Workload) -> tuple[Message, ...]:
    messages: list[Message] = []
    drawn = workload.draw()
    for number in itertools.count():
        events = [_event(each, number) for each in itertools.islice(drawn, workload.per_message)]
        if not events:
            return tuple(messages)
        if workload.signed:
            sign_with(SIGNING, SOURCE, events)
        body = ScoredEvents(events=events).SerializeToString(deterministic=True)
        messages.append(Message(id=new_id(), source=SOURCE, name=SCORED, body=body))
    raise AssertionError("unreachable")


def _event(drawn: Drawn, case: int) -> ScoredEvent:
    late = drawn.outcome is Outcome.FAIL
    finding = Finding(
        probe=drawn.probe,
        probe_version=1,
        outcome=drawn.outcome,
        score_milli=1000 if drawn.outcome is Outcome.PASS else 0,
        occurred_at=drawn.occurred_at,
        basis=BASIS,
        reason="超过九十日" if late else "九十日内作出",
        evidence=EVIDENCE if late else (),
    )
    return scored_event(
        finding,
        event_id=new_id(),
        source=SOURCE,
        unit=drawn.unit,
        subject=f"enforcement/cases/{case}",
        mode=Mode.ENTERED,
        recorded_at_us=microseconds(RECORDED),
    )
