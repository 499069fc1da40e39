"""The event log is the record: once, gapless, unchangeable, and whatever stands on it can be made again."""

import hashlib
import itertools
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from contracts.findings import Outcome
from kernel.ids import new_id
from kernel.messages import Message
from services.assessment.scoring.log import COUNTS
from services.assessment.scoring.model import EVENT_LOG, PROBE_STATES, UNIT_SCORES
from services.assessment.scoring.roll_up import RollUp
from tests.support.events import MARCH_5, a_message, a_unit, an_event


def states(fed):
    with fed.app.store.reading() as session:
        tallied = (PROBE_STATES.c[name] for name in ("unit", "period", "probe", *COUNTS))
        rows = session.execute(select(*tallied).order_by(PROBE_STATES.c.unit, PROBE_STATES.c.probe))
        return [tuple(row) for row in rows]


def log(fed):
    with fed.app.store.reading() as session:
        return session.execute(select(EVENT_LOG).order_by(EVENT_LOG.c.seq)).fetchall()


def test_numbers_have_no_gaps_and_leaves_hash_to_what_is_kept(fed):
    fed.events(*(an_event(subject=f"enforcement/cases/{n}") for n in range(7)))
    fed.events(an_event(subject="enforcement/cases/8"))
    rows = log(fed)
    assert [row.seq for row in rows] == list(range(1, 9))
    for row in rows:
        assert row.leaf_hash == hashlib.sha256(b"\x00" + row.leaf.encode()).hexdigest()


def test_the_same_event_counts_once_though_it_comes_in_other_company(fed):
    first, second = an_event(), an_event()
    fed.events(first)
    fed.events(first, second)
    assert len(log(fed)) == 2


def test_an_undone_transaction_takes_no_numbers(fed):
    fed.events(an_event())
    with fed.app.store.work() as work:
        work.session.execute(text("UPDATE log_head SET size = size + 5"))  # and no commit: the process died
    fed.events(an_event())
    assert [row.seq for row in log(fed)] == [1, 2]


def test_the_log_refuses_to_be_changed(fed):
    fed.events(an_event())
    for statement in ("UPDATE event_log SET score_milli = 1000", "DELETE FROM event_log"):
        with fed.app.store.work() as work, pytest.raises(DBAPIError, match="append-only"):
            work.session.execute(text(statement))
    assert len(log(fed)) == 1


def test_a_correction_replaces_what_it_corrects_whichever_comes_first(fed):
    wrong = an_event(outcome=Outcome.FAIL)
    right = an_event(corrects=wrong.id, recorded_at=MARCH_5 + timedelta(days=1))
    last = an_event(
        outcome=Outcome.FAIL, score_milli=500, corrects=right.id, recorded_at=MARCH_5 + timedelta(days=2)
    )
    for number, order in enumerate(itertools.permutations([wrong, right, last])):
        unit = f"unit-{number}"
        renamed = [_copy(event, unit, number) for event in order]
        fed.events(*renamed, together=number % 2 == 0)
    outcomes = {row[2:] for row in states(fed)}
    assert outcomes == {("ENF-TIM-01", 0, 1, 500, 0, 0, 0, 0, 0, 0, 1, 0, 0)}
    assert len({row[0] for row in states(fed)}) == 6


def test_a_correction_that_moves_an_event_to_another_unit_moves_the_count(fed):
    wrong = an_event(unit="a")
    fed.events(wrong)
    fed.events(an_event(unit="b", corrects=wrong.id))
    assert {(row[0], row[3]) for row in states(fed)} == {("a", 0), ("b", 1)}


def test_a_second_correction_unseats_the_first_wherever_that_was_counted(fed):
    """Three units in turn: neither the event nor its last correction is of the unit that must lose its count."""
    wrong = an_event(unit="a")
    fed.events(wrong)
    fed.events(an_event(unit="b", corrects=wrong.id, recorded_at=MARCH_5 + timedelta(days=1)))
    fed.events(an_event(unit="c", corrects=wrong.id, recorded_at=MARCH_5 + timedelta(days=2)))
    assert {(row[0], row[3]) for row in states(fed)} == {("a", 0), ("b", 0), ("c", 1)}


def test_a_source_cannot_correct_the_events_of_another(fed):
    own = an_event()
    fed.events(own)
    foreign = an_event(source="disputes", corrects=own.id, outcome=Outcome.FAIL)
    fed.messages(a_message(foreign, source="disputes"))
    ((_, _, _, passed, failed, *_),) = states(fed)
    assert (passed, failed) == (1, 1)


def test_projections_made_again_are_the_same(fed):
    fed.units(a_unit("150102-scjg"), a_unit("150102-sf"), a_unit("150102-nothing-yet"))
    wrong = an_event(outcome=Outcome.FAIL)
    fed.events(wrong, an_event(unit="150102-sf"), an_event(probe="ENF-PUB-01", outcome=Outcome.NOT_DUE))
    fed.events(an_event(corrects=wrong.id, numerator=3, denominator=4))
    fed.app.roll_up.catch_up()
    before = states(fed), scores(fed)
    assert [unit for _, unit, *_ in scores(fed)] == ["150102-nothing-yet", "150102-scjg", "150102-sf"]
    rebuilt = fed.app.rebuild()
    assert (states(fed), scores(fed)) == before
    assert rebuilt.events == 4


def scores(fed):
    with fed.app.store.reading() as session:
        query = text("SELECT year, unit, score, coverage, findings FROM unit_scores ORDER BY unit")
        return [tuple(row) for row in session.execute(query)]


def test_what_breaks_the_contract_is_quarantined_alone(fed):
    good = an_event()
    bad = an_event()
    bad.score_milli = 5000
    fed.events(good, bad)
    fed.messages(
        Message(id=new_id(), source="enforcement", name="scored.v1", body=b"\xff\xfenot protobuf"),
        Message(id=new_id(), source="enforcement", name="scored.v9", body=b""),
        a_message(an_event(source="disputes"), source="enforcement"),
    )
    assert [row.event_id for row in log(fed)] == [good.id]
    with fed.app.store.reading() as session:
        codes = session.execute(text("SELECT code FROM quarantine")).scalars().all()
    assert sorted(codes) == [
        "contracts.bad_score",
        "contracts.foreign_source",
        "contracts.undecodable",
        "contracts.unknown_version",
    ]


def test_of_two_workers_the_slower_brings_no_dissolved_unit_back_into_the_ranking(fed, monkeypatch):
    fed.units(a_unit("150102-scjg"), a_unit("150102-sf"))
    fed.events(an_event(), an_event(unit="150102-sf", subject="enforcement/cases/2"))
    fed.app.roll_up.catch_up()
    slower, faster = (RollUp(fed.app.store, fed.app.frameworks) for _ in range(2))
    scores = RollUp._scores

    def meanwhile(*args):
        """Between reckoning and writing, the other worker hears of a dissolution and scores everything anew."""
        rows = scores(*args)
        monkeypatch.undo()
        dissolved = a_unit("150102-sf", version=2)
        dissolved.valid_to = "2026-03-05"
        fed.units(dissolved)
        faster.step()
        return rows

    fed.events(an_event(unit="150102-sf", subject="enforcement/cases/3"))
    monkeypatch.setattr(RollUp, "_scores", meanwhile)
    slower.catch_up()
    with fed.app.store.reading() as session:
        assert set(session.scalars(select(UNIT_SCORES.c.unit))) == {"150102-scjg"}


@pytest.mark.parametrize("fed", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_a_unit_heard_of_while_everything_is_scored_anew_is_scored_by_the_next_step(fed, monkeypatch):
    fed.units(a_unit("150102-scjg"))
    fed.events(an_event())
    roll_up, scores = fed.app.roll_up, RollUp._scores

    def meanwhile(*args):
        rows = scores(*args)
        monkeypatch.undo()
        fed.units(a_unit("150102-sf"))
        return rows

    monkeypatch.setattr(RollUp, "_scores", meanwhile)
    roll_up.everything()
    roll_up.catch_up()
    with fed.app.store.reading() as session:
        assert set(session.scalars(select(UNIT_SCORES.c.unit))) == {"150102-scjg", "150102-sf"}


def test_units_that_come_after_their_events_are_scored_too(fed):
    fed.events(an_event())
    fed.app.roll_up.catch_up()
    assert scores(fed) == []
    fed.units(a_unit("150102-scjg"))
    fed.app.roll_up.catch_up()
    assert [(unit, score) for _, unit, score, _, _ in scores(fed)] == [("150102-scjg", 100_000_000)]


def _copy(event, unit, number):
    copy = type(event).FromString(event.SerializeToString())
    copy.unit = unit
    copy.id = _renumbered(event.id, number)
    if event.corrects:
        copy.corrects = _renumbered(event.corrects, number)
    return copy


def _renumbered(event_id, number):
    return event_id[:-2] + f"{number:02d}"
