"""As of any event: the tallies are those that stood then, whatever came, was corrected or was made anew since."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from contracts.directory.v1.directory_pb2 import UnitKind
from contracts.findings import Outcome
from kernel.clock import from_microseconds, local_period
from services.assessment.scoring.tallies import assessed_units, states_of
from tests.support.events import MARCH_5, a_unit, an_event

COUNTY = "150102"
UNITS = tuple(f"{COUNTY}-{name}" for name in ("scjg", "sf", "yj"))
PROBES = ("ENF-TIM-01", "ENF-PUB-01", "ENF-SUB-01")
EVENTS, A_BATCH = 240, 9


def a_history(seed):
    """Events of three units, probes and months; a third correct an earlier one, often once more, often elsewhere."""
    chance = random.Random(seed)
    told = []
    for number in range(EVENTS):
        former = chance.choice(told) if told and chance.random() < 0.35 else None
        told.append(
            an_event(
                unit=chance.choice(UNITS),
                probe=chance.choice(PROBES),
                outcome=chance.choice((Outcome.PASS, Outcome.FAIL, Outcome.NOT_COMPUTABLE)),
                occurred_at=datetime(2026, chance.randint(1, 3), 3, tzinfo=UTC),
                recorded_at=MARCH_5 + timedelta(minutes=chance.randrange(number + 1)),
                corrects=(former.corrects or former.id) if former else "",
            )
        )
    chance.shuffle(told)  # corrections arrive before what they correct, too
    return told


def counted(events, months):
    """(unit, probe) -> passed, failed, not computable, from nothing but the rule of what stands."""
    corrected = {event.corrects for event in events if event.corrects}
    last = {}
    for event in events:
        if event.corrects:
            last[event.corrects] = max(last.get(event.corrects, (0, "")), (event.recorded_at_us, event.id))
    found = defaultdict(lambda: [0, 0, 0])
    for event in events:
        unseated = event.corrects and last[event.corrects] != (event.recorded_at_us, event.id)
        if (
            event.id in corrected
            or unseated
            or local_period(from_microseconds(event.occurred_at_us)) not in months
        ):
            continue
        place = (Outcome.PASS, Outcome.FAIL, Outcome.NOT_COMPUTABLE).index(Outcome(event.outcome))
        for unit in (event.unit, COUNTY):
            found[unit, event.probe][place] += 1
    return dict(found)


def answered(app, at_seq, months):
    with app.store.reading() as session:
        units = assessed_units(session, app.frameworks.current())
        found = states_of(session, units, "2026", since=months[0], until=months[-1], at_seq=at_seq)
    told = {
        (unit, probe): [state.passed, state.failed, state.not_computable]
        for unit, probes in found.items()
        for probe, state in probes.items()
    }
    return {key: counts for key, counts in told.items() if any(counts)}


@pytest.mark.parametrize("seed", [1, 2])
def test_every_moment_is_counted_as_it_was(fed, seed):
    government = a_unit(COUNTY, kind=UnitKind.UNIT_KIND_GOVERNMENT)
    fed.units(government, *(a_unit(code, parent=COUNTY, path=f"/15/{COUNTY}/{code}/") for code in UNITS))
    history = a_history(seed)
    for start in range(0, len(history), A_BATCH):
        fed.events(*history[start : start + A_BATCH])
    moments = [*range(1, len(history), 4), len(history)]  # within batches, too

    def agree():
        for months in (["2026-01", "2026-02", "2026-03"], ["2026-02"]):
            for seq in moments:
                assert answered(fed.app, seq, months) == counted(history[:seq], months), seq
            assert answered(fed.app, None, months) == counted(history, months)

    agree()
    fed.app.rebuild()
    agree()
