"""The detector on planted truths, and what people do with its drafts."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import text

from contracts.findings import Mode, Outcome
from contracts.roles import INSPECTOR
from fazhi.detecting import trial
from kernel import catalog
from kernel.access.principal import Principal
from kernel.clock import local_date
from kernel.errors import Conflict, NotFound
from services.assessment.detection.observing import observe
from services.assessment.detection.rules import read_parameters
from tests.support.events import a_unit, an_event

CATALOG = Path(__file__).parents[3] / "catalog"
KEPT = CATALOG / "assessment/detection_trial.json"
WHO = Principal(account="ding", unit="15", unit_path="/15/", roles=frozenset({INSPECTOR}))


def test_the_trial_comes_out_as_it_is_kept_in_the_repository():
    kept = orjson.loads(KEPT.read_bytes())
    found = trial(kept["size"], kept["seed"])
    assert found == kept
    for sign in found["signs"]:
        assert sign["planted"] >= 10  # a trial without cheats proves nothing
        assert sign["found"] * 10 >= sign["planted"] * 7
        assert sign["false_alarms"] * 100 <= sign["innocent"]


@pytest.fixture
def reopened(fed):
    """A unit that reported three things mended which were found again."""
    fed.units(a_unit("150102-scjg", path="/15/150102/150102-scjg/"))
    for case in range(3):
        subject = f"enforcement/cases/{case}"
        first = an_event(outcome=Outcome.FAIL, subject=subject)
        mended = an_event(subject=subject, corrects=first.id)
        again = an_event(outcome=Outcome.FAIL, subject=subject, corrects=mended.id)
        for event in (first, mended, again):
            fed.events(event)
    return fed.app.detection


def test_a_sign_is_drafted_once_and_moves_no_score(reopened):
    assert reopened.look("2026") == 1
    assert reopened.look("2026") == 0
    (draft,) = reopened.found(WHO, "2026", offset=0, limit=10).rows
    assert (draft.kind, draft.unit, draft.seen) == ("reopened", "150102-scjg", {"times": 3})


def test_a_person_keeps_drafts_about_the_units_in_reach_alone(reopened):
    elsewhere = replace(WHO, unit="1502", unit_path="/15/1502/")
    assert reopened.look(year="2026", who=elsewhere) == 0
    assert reopened.look(year="2026", who=replace(WHO, unit="150102", unit_path="/15/150102/")) == 1


def test_marks_that_were_corrected_are_held_against_nobody(fed):
    fed.units(a_unit("150102-scjg", path="/15/150102/150102-scjg/"))
    first, second = (
        an_event(outcome=Outcome.FAIL, score_milli=marks, probe="composite-50-30-20/A1.M1.R1")
        for marks in (900, 300)
    )
    first.mode = second.mode = int(Mode.REPORTED)
    second.corrects = first.id
    fed.events(first, second)
    settings = read_parameters(catalog.read(CATALOG / "assessment/detection.yaml").data)
    with fed.app.store.reading() as session:
        (seen,) = observe(session, fed.app.frameworks.in_force(2026), "2026", settings)
    assert (seen.own_marks, seen.own_count) == (300, 1)


def test_a_draft_is_decided_once_by_somebody_of_the_area(reopened):
    reopened.look("2026")
    (draft,) = reopened.found(WHO, "2026", offset=0, limit=10).rows
    elsewhere = replace(WHO, unit="1502", unit_path="/15/1502/")
    assert reopened.found(elsewhere, "2026", offset=0, limit=10).rows == ()
    with pytest.raises(NotFound):
        reopened.decide(elsewhere, draft.id, "dismissed", "不属实")
    reopened.decide(WHO, draft.id, "confirmed", "经核查属实，已立督办单")
    with pytest.raises(Conflict):
        reopened.decide(WHO, draft.id, "dismissed", "改变主意")


def test_drafts_of_a_past_day_are_those_of_then_and_undecided_until_they_were_decided(fed, reopened):
    clock, then = fed.runtime.clock, {}

    def shown(day=None):
        return reopened.found(WHO, "2026", offset=0, limit=10, day=day)

    def decide():
        reopened.decide(WHO, shown().rows[0].id, "dismissed", "已核实")

    clock.advance(timedelta(days=1))
    for act in (lambda: reopened.look("2026"), decide):
        then[local_date(clock.now())] = (act(), shown())[1]
        clock.advance(timedelta(days=1))
    assert [[row.decision for row in found.rows] for found in then.values()] == [[""], ["dismissed"]]
    for day, found in then.items():
        assert shown(day) == found
    assert shown(min(then) - timedelta(days=1)).total == 0


def test_of_those_who_decide_at_once_one_does_and_the_others_are_told(reopened):
    reopened.look("2026")
    (draft,) = reopened.found(WHO, "2026", offset=0, limit=10).rows

    def decides(account):
        try:
            reopened.decide(replace(WHO, account=account), draft.id, "confirmed", "经核查属实")
        except Conflict as refused:
            return refused.stable_code
        return ""

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(decides, "abcd")) == ["", *["assessment.already_decided"] * 3]


def test_the_clock_looks_at_the_year_before_until_it_is_closed_and_only_where_anything_is_new(fed, reopened):
    def looks():
        with fed.app.store.reading() as session:
            asked = text("SELECT object FROM audit WHERE action = 'detection.looked' ORDER BY at")
            return [row.object.rpartition("/")[2] for row in session.execute(asked)]

    def found(case):
        last_day = datetime(2026, 12, 31, 2, tzinfo=UTC)
        fed.events(an_event(subject=f"enforcement/cases/{case}", occurred_at=last_day, recorded_at=last_day))
        fed.app.roll_up.catch_up()

    fed.app.roll_up.catch_up()
    fed.runtime.clock.set(datetime(2027, 1, 1, tzinfo=UTC))
    assert [reopened.keep_up(), reopened.keep_up()] == [1, 0]
    assert looks() == ["2026"]
    found(9)
    reopened.keep_up()
    assert looks() == ["2026", "2026"]
    fed.app.ledger.needed = 0  # how witnesses hold a closing up is told in test_publication.py
    fed.app.closings.ask(WHO, "2026", "close_asked", "年度结束")
    fed.app.closings.confirm(replace(WHO, account="yi"), "2026", agreed=True)
    reopened.keep_up()
    found(10)
    reopened.keep_up()
    assert looks() == ["2026", "2026"]
