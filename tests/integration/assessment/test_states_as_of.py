"""As of any event: the tallies are those that stood then, whatever came, was corrected or was made anew since."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from contracts.directory.v1.directory_pb2 import UnitKind
from contracts.findings import Outcome
from contracts.roles import REVIEWER
from kernel.access.principal import Principal
from kernel.clock import from_microseconds, local_period
from services.assessment.ranking.known import AsOf
from services.assessment.scoring.log import SPAN
from services.assessment.scoring.tallies import assessed_units, states_of
from tests.support.events import MARCH_5, a_unit, an_event
from tests.support.migrated_again import migrate_again

PROVINCE = Principal(account="r", unit="15", unit_path="/15/", roles=frozenset({REVIEWER}))
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


def answered(app, at_seq, months, **how):
    with app.store.reading() as session:
        units = assessed_units(session, app.frameworks.current())
        found = states_of(session, units, "2026", since=months[0], until=months[-1], at_seq=at_seq, **how)
    told = {
        (unit, probe): [state.passed, state.failed, state.not_computable]
        for unit, probes in found.items()
        for probe, state in probes.items()
    }
    return {key: counts for key, counts in told.items() if any(counts)}


def listed(app, unit, seq, offset, **more):
    answer = app.explanations.explain(
        PROVINCE, unit, "2026", "", as_of=AsOf(seq=seq), offset=offset, limit=9, **more
    )
    return answer.events_total, [event.seq for event in answer.events]


def behind(events, unit, offset, outcomes=tuple(Outcome)):
    """How many events there are behind a unit's score, corrected ones too, and nine of them: failures, then the newest."""
    whose = [
        (event.outcome != Outcome.FAIL, -seq)
        for seq, event in enumerate(events, 1)
        if unit in (event.unit, COUNTY) and event.outcome in outcomes
    ]
    return len(whose), [-seq for _, seq in sorted(whose)][offset : offset + 9]


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
        for seq in moments[5::12]:
            for unit, offset in ((UNITS[0], 0), (UNITS[0], 18), (COUNTY, 0), (COUNTY, 45), (COUNTY, 900)):
                assert listed(fed.app, unit, seq, offset) == behind(history[:seq], unit, offset)
            passed = behind(history[:seq], COUNTY, 9, [Outcome.PASS])
            assert listed(fed.app, COUNTY, seq, 9, outcome=int(Outcome.PASS)) == passed

    agree()
    fed.app.rebuild()
    agree()
    before_there_were_spans(fed.app.store.database)
    migrate_again(fed.app.store.database, "services.assessment", "0015_states_since")
    agree()


def test_what_is_published_is_counted_from_the_log_whatever_the_projection_says(fed):
    government = a_unit(COUNTY, kind=UnitKind.UNIT_KIND_GOVERNMENT)
    fed.units(government, *(a_unit(code, parent=COUNTY, path=f"/15/{COUNTY}/{code}/") for code in UNITS))
    history = a_history(3)
    fed.events(*history)
    with fed.app.store.work() as work:
        work.session.execute(text("UPDATE probe_states SET passed = passed + 1"))
        work.commit()
    months = ["2026-01", "2026-02", "2026-03"]
    for seq in (100, len(history)):
        assert answered(fed.app, seq, months, from_log=True) == counted(history[:seq], months)
    assert answered(fed.app, len(history), months) != counted(history, months)


def before_there_were_spans(database):
    """What the version before knew: no numbers, and after a rebuild no states without standing events."""
    with database.writing() as session:
        session.execute(text("DROP INDEX ix_event_log_failed"))
        for name in SPAN:
            session.execute(text(f"ALTER TABLE probe_states DROP COLUMN {name}"))
        session.execute(text("DELETE FROM probe_states WHERE passed + failed + not_computable = 0"))
        session.commit()
