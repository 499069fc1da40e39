"""A published ranking rests on a witnessed checkpoint, is never changed, and anybody can check it without us."""

import copy
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert

from contracts.findings import Outcome
from contracts.roles import AUDIT_ADMIN
from kernel.clock import local_date
from kernel.errors import Conflict, Invalid, NotFound, RuleViolation
from kernel.ids import new_id
from services.assessment.app import ledger_signer, public_keys, publication_signer
from services.assessment.ledger.rules import NotWitnessed
from services.assessment.publication.model import PUBLICATION_DECISIONS, PUBLICATION_REQUESTS, PUBLICATIONS
from services.assessment.reach import NotForAllUnits
from tests.support.publications import AGREES, ASKS, GROUP, County


@pytest.fixture
def county(fed):
    return County(fed)


class TestFourEyes:
    def test_of_two_who_ask_at_once_one_is_told_that_the_other_waits(self, county):
        def asks(account):
            try:
                return bool(
                    county.app.closings.ask(replace(ASKS, account=account), "2026-02", "close_asked", "")
                )
            except Conflict:
                return False

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(asks, ("a", "b", "c", "d"))) == [False, False, False, True]

    def test_who_asks_does_not_confirm(self, county):
        county.seal()
        request = county.app.publications.ask(ASKS, "2026", "", GROUP, "")
        with pytest.raises(RuleViolation) as refused:
            county.app.publications.decide(ASKS, request, agreed=True, reason="")
        assert refused.value.stable_code == "assessment.four_eyes"
        assert county.app.publications.make_waiting() == 0

    def test_of_those_who_decide_at_once_one_does_and_the_others_are_told(self, county):
        county.seal()
        request = county.app.publications.ask(ASKS, "2026", "", GROUP, "")

        def decides(account):
            try:
                county.app.publications.decide(
                    replace(AGREES, account=account), request, agreed=True, reason=""
                )
            except Conflict as refused:
                return refused.stable_code
            return ""

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(decides, "abcd")) == ["", *["assessment.already_decided"] * 3]

    def test_a_request_is_decided_once(self, county):
        county.seal()
        request = county.app.publications.ask(ASKS, "2026", "", GROUP, "")
        county.app.publications.decide(AGREES, request, agreed=False, reason="数据未齐")
        with pytest.raises(Conflict):
            county.app.publications.decide(AGREES, request, agreed=True, reason="")
        assert county.app.publications.make_waiting() == 0

    def test_a_period_is_closed_by_two_and_only_once(self, county):
        closings = county.app.closings
        closings.ask(ASKS, "2026-02", "close_asked", "月度结束")
        with pytest.raises(RuleViolation):
            closings.confirm(ASKS, "2026-02", agreed=True)
        assert closings.confirm(AGREES, "2026-02", agreed=True).closed_at_seq == 18
        with pytest.raises(Conflict) as refused:
            closings.ask(ASKS, "2026-02", "close_asked", "再关一次")
        assert refused.value.stable_code == "assessment.period_closed"

    def test_no_period_is_closed_while_the_witnesses_are_silent_for_hours(self, county):
        closings = county.app.closings
        closings.ask(ASKS, "2026-02", "close_asked", "月度结束")
        county.app.store.clock.advance(timedelta(hours=5))
        with pytest.raises(NotWitnessed, match="5 小时"):
            closings.confirm(AGREES, "2026-02", agreed=True)
        with pytest.raises(NotWitnessed):
            closings.ask(ASKS, "2026-01", "close_asked", "月度结束")
        county.seal()
        assert closings.confirm(AGREES, "2026-02", agreed=True).closed_at_seq == 18

    @pytest.mark.parametrize(
        ("period", "upto"), [("26", ""), ("2026", "2027-01"), ("2026", "2026-12"), ("2026-03", "")]
    )
    def test_a_ranking_of_a_time_that_is_not_is_refused(self, county, period, upto):
        county.seal()
        with pytest.raises(Invalid):
            county.app.publications.ask(ASKS, period, upto, GROUP, "")


class TestOnlyWhoReachesEveryUnit:
    """What holds for every unit, or holds the events of every unit, is not for an inspector of one part."""

    NARROW = replace(ASKS, account="jia", unit="150102-sf", unit_path="/15/150102/150102-sf/")

    def test_closes_and_reopens_a_period(self, county):
        closings = county.app.closings
        with pytest.raises(NotForAllUnits):
            closings.ask(self.NARROW, "2026-02", "close_asked", "月度结束")
        closings.ask(ASKS, "2026-02", "close_asked", "月度结束")
        with pytest.raises(NotForAllUnits):
            closings.confirm(self.NARROW, "2026-02", agreed=True)

    def test_asks_for_a_publication_and_decides_on_it(self, county):
        county.seal()
        with pytest.raises(NotForAllUnits):
            county.app.publications.ask(self.NARROW, "2026", "", GROUP, "")
        request = county.app.publications.ask(ASKS, "2026", "", GROUP, "")
        with pytest.raises(NotForAllUnits):
            county.app.publications.decide(self.NARROW, request, agreed=True, reason="")

    def test_takes_what_lies_behind_a_publication(self, county):
        county.seal()
        publication = county.publish()
        with pytest.raises(NotForAllUnits):
            county.app.publications.demand_whole(self.NARROW)
        with pytest.raises(NotForAllUnits):
            county.app.bulletins.data(self.NARROW, publication)
        auditor = replace(self.NARROW, roles=frozenset({AUDIT_ADMIN}))
        county.app.publications.demand_whole(auditor)


def test_what_comes_after_closing_is_listed_as_late(county):
    county.app.closings.ask(ASKS, "2026-03", "close_asked", "月度结束")
    county.app.closings.confirm(AGREES, "2026-03", agreed=True)
    late = county.finds("150102-sf", "late", Outcome.FAIL)
    found = county.app.closings.late_facts(ASKS, "2026-03", offset=0, limit=10)
    assert [fact.event_id for fact in found] == [late.id]
    assert county.app.closings.periods()[0].late == 1


def test_periods_requests_and_late_facts_of_a_past_day_are_those_of_that_day(county):
    clock, closings, publications, then = (
        county.runtime.clock,
        county.app.closings,
        county.app.publications,
        {},
    )

    def shown(day=None):
        late = closings.late_facts(ASKS, "2026-03", offset=0, limit=10, day=day)
        return (
            closings.periods(day),
            late,
            publications.requests(as_of=day),
            publications.published(as_of=day),
        )

    def ask():
        closings.ask(ASKS, "2026-03", "close_asked", "月度结束")
        return publications.ask(ASKS, "2026", "", GROUP, "")

    def agree():
        closings.confirm(AGREES, "2026-03", agreed=True)
        publications.decide(AGREES, request, agreed=True, reason="")

    def reopen():
        closings.ask(ASKS, "2026-03", "reopen_asked", "补记")
        publications.decide(
            AGREES, publications.ask(ASKS, "2026", "", GROUP, ""), agreed=False, reason="不必"
        )

    def after_each(act):
        made = act()
        then[local_date(clock.now())] = shown()
        clock.advance(timedelta(days=1))
        return made

    county.seal()
    request = after_each(ask)
    after_each(agree)
    after_each(publications.make_waiting)
    for case, act in (("补记", reopen), ("再补", lambda: closings.confirm(AGREES, "2026-03", agreed=True))):
        county.finds("150102-sf", case, Outcome.FAIL, recorded_at=clock.now())
        county.seal()
        after_each(act)
    assert [len(late) for _, late, _, _ in then.values()] == [0, 0, 0, 1, 0]
    assert len({str(pages) for pages in then.values()}) == len(then), "every day something was done"
    for day, pages in then.items():
        assert shown(day) == pages, day


@pytest.mark.parametrize("path", ["/15/150103/", "/15/150102/150102-jt/", ""])
def test_late_facts_of_units_out_of_reach_are_not_told(county, path):
    county.app.closings.ask(ASKS, "2026-03", "close_asked", "月度结束")
    county.app.closings.confirm(AGREES, "2026-03", agreed=True)
    county.finds("150102-sf", "late", Outcome.FAIL)
    elsewhere = replace(ASKS, unit="150103", unit_path=path)
    assert county.app.closings.late_facts(elsewhere, "2026-03", offset=0, limit=10) == []


def test_nothing_is_published_that_nobody_else_has_seen(county):
    county.seal(witnessed=False)
    request = county.app.publications.ask(ASKS, "2026", "", GROUP, "")
    county.app.publications.decide(AGREES, request, agreed=True, reason="")
    with pytest.raises(NotWitnessed):
        county.app.publications.make_waiting()
    county.seal()
    county.app.publications.make_waiting()
    assert county.app.publications.one(request).at_seq == 18


def test_a_correction_moves_the_live_ranking_and_never_what_was_published(county):
    county.seal()
    first = county.publish()
    published = county.app.publications.file(first, "scores.jsonl")
    for number in range(2):
        county.finds("150102-jt", f"2{number}", Outcome.PASS)
    county.finds("150102-scjg", "new", Outcome.FAIL)
    county.seal()
    publications = county.app.publications
    framework = county.app.frameworks.current()
    with county.app.store.reading() as session:
        as_known, now = (
            publications.scores(
                session, publications.board(session, framework, GROUP, "2026", "2026-03", seq)
            )
            for seq in (18, 21)
        )
    assert as_known == published
    assert now != published
    second = county.publish()
    assert county.app.publications.one(second).replaces == first
    assert county.app.publications.file(first, "scores.jsonl") == published


def test_publishing_twice_in_a_row_makes_one_publication(county):
    county.seal()
    request = county.publish()
    assert county.app.publications.make_waiting() == 0
    assert [one.id for one in county.app.publications.published()] == [request]


def test_the_ranking_of_another_month_corrects_none_and_is_what_the_next_bulletin_compares_with(county):
    county.seal()
    publications = county.app.publications
    february = publications.one(county.publish(upto="2026-02"))
    county.app.store.clock.advance(timedelta(minutes=1))
    march = publications.one(county.publish())
    assert (march.replaces, publications.before(march)) == (None, february)
    county.app.store.clock.advance(timedelta(minutes=1))
    again = publications.one(county.publish())
    assert (again.replaces, publications.before(again)) == (march.id, march)


def test_a_ranking_that_can_be_made_no_more_keeps_no_other_waiting(county):
    county.seal()
    with county.app.store.work() as work:
        gone, now = new_id(), work.clock.now()
        asked = {"period": "2026", "upto": "2026-03", "peer_group": "another_framework_had_it"}
        asked |= {"id": gone, "account": "ding", "note": "", "asked_at": now}
        decided = {"request": gone, "agreed": 1, "account": "yi", "reason": "", "decided_at": now}
        work.session.execute(insert(PUBLICATION_REQUESTS).values(**asked))
        work.session.execute(insert(PUBLICATION_DECISIONS).values(**decided))
        work.commit()
    assert county.app.publications.one(county.publish()).peer_group == GROUP


def test_an_unknown_publication_is_not_found(county):
    for name in ("no-such", "0198aaaa-0000-7000-8000-000000000000"):
        with pytest.raises(NotFound):
            county.app.publications.one(name)


def test_publications_are_written_once(county):
    county.seal()
    county.publish()
    for table in (PUBLICATIONS, PUBLICATION_REQUESTS, PUBLICATION_DECISIONS):
        with county.app.store.work() as work, pytest.raises(Exception, match="append-only"):
            work.session.execute(delete(table))


def test_the_public_is_told_the_keys_by_which_it_checks(county):
    told = county.app.public_keys()
    assert told.ledger == (str(ledger_signer(county.runtime)().key),)
    assert told.publisher == str(publication_signer(county.runtime)().key)


def test_in_production_only_the_keys_the_settings_name_are_told(county):
    named = str(publication_signer(county.runtime)().key)
    settings = county.runtime.settings.model_copy(update={"production": True})
    bare = public_keys(replace_settings(county.runtime, settings))
    assert (bare.ledger, bare.publisher) == ((), None)
    settings = settings.model_copy(update={"ledger_public_keys": named, "publication_public_key": named})
    told = public_keys(replace_settings(county.runtime, settings))
    assert (told.ledger, told.publisher) == ((named,), named)


def replace_settings(runtime, settings):
    other = copy.copy(runtime)
    other.settings = settings
    return other
