"""Why this number: what is told leads from the node to its events, and adds up."""

import pytest

from contracts.directory.v1.directory_pb2 import UnitKind
from contracts.findings import Outcome
from contracts.roles import REPORTER, REVIEWER, SYSTEM_ADMIN
from kernel.access.principal import Principal
from kernel.errors import NotFound
from tests.support.events import a_unit, an_event

REVIEWER_OF_COUNTY = Principal(
    account="r", unit="150102", unit_path="/15/150102/", roles=frozenset({REVIEWER})
)


@pytest.fixture
def county(fed):
    government = UnitKind.UNIT_KIND_GOVERNMENT
    fed.units(
        a_unit("150102", path="/15/150102/", kind=government),
        a_unit("150102-scjg", parent="150102", path="/15/150102/150102-scjg/"),
        a_unit("150102-sf", parent="150102", path="/15/150102/150102-sf/"),
    )
    fed.events(
        *(an_event(subject=f"enforcement/cases/{n}") for n in range(8)),
        an_event(subject="enforcement/cases/late", outcome=Outcome.FAIL),
        an_event(subject="enforcement/cases/early", outcome=Outcome.NOT_DUE),
        an_event(unit="150102-sf", subject="enforcement/cases/other", outcome=Outcome.FAIL),
    )
    fed.app.roll_up.catch_up()
    return fed.app


def ask(app, unit="150102-scjg", node="", who=REVIEWER_OF_COUNTY, **more):
    return app.explanations.explain(who, unit, "2026", node, **more)


def leaves(score):
    return [score] if not score.children else [leaf for child in score.children for leaf in leaves(child)]


def test_the_leaves_add_up_to_the_total_to_the_last_digit(county):
    told = county.rankings.unit(REVIEWER_OF_COUNTY, "150102-scjg", "2026")
    assert sum(leaf.contribution for leaf in leaves(told.tree)) == told.tree.contribution
    (row,) = [
        r
        for r in county.rankings.page("2026", "county_departments", offset=0, limit=9).rows
        if r.unit == "150102-scjg"
    ]
    assert row.score == told.tree.contribution


def test_an_explanation_shows_the_findings_that_were_counted_faults_first(county):
    told = ask(county)
    assert told.events[0].leaf["outcome"] == "fail"
    assert told.events_total == 10
    (tally,) = [t for t in told.tallies if t.probe == "ENF-TIM-01"]
    assert (tally.state.passed, tally.state.failed, tally.state.not_due) == (8, 1, 1)
    assert tally.basis == (("行政处罚法", "2021-01-22", "第六十条"),)


def test_findings_can_be_narrowed_and_paged(county):
    told = ask(county, probe="ENF-TIM-01", outcome=int(Outcome.PASS), limit=3, offset=6)
    assert told.events_total == 8
    assert len(told.events) == 2


def test_a_government_answers_for_its_departments(county):
    told = ask(county, unit="150102")
    assert told.events_total == 11


def test_only_probes_that_the_peer_group_is_asked_for_are_shown(county):
    shown = {tally.probe for tally in ask(county).tallies}
    assert "ENF-TIM-01" in shown
    assert not any(probe.startswith("DEC-") for probe in shown)


@pytest.mark.parametrize(
    "who",
    [
        Principal(account="a", unit_path="/15/150102/150102-sf/", roles=frozenset({REPORTER})),
        Principal(account="b", unit_path="/15/", roles=frozenset({SYSTEM_ADMIN})),
        Principal(account="c", unit_path="", roles=frozenset({REVIEWER})),
    ],
)
def test_who_may_not_see_a_unit_learns_nothing_of_it(county, who):
    with pytest.raises(NotFound):
        ask(county, who=who)
    with pytest.raises(NotFound):
        county.rankings.unit(who, "150102-scjg", "2026")


def test_what_people_measure_goes_by_the_name_of_the_result(county):
    told = ask(county)
    collected = {t.probe: t.title for t in told.tallies if "/" in t.probe}
    assert collected["outline-2015-2020/A1.M1.R1"] == "许可事项清单按年公布并与上级清单衔接"
    assert not [title for probe, title in collected.items() if title == probe]


def test_who_administers_the_system_and_does_business_keeps_what_business_gives(county):
    both = Principal(account="d", unit_path="/15/150102/", roles=frozenset({SYSTEM_ADMIN, REPORTER}))
    assert ask(county, who=both).events_total == ask(county).events_total


def test_unknown_nodes_and_units_are_not_found(county):
    for unit, node in (("150102-scjg", "A9.M9.R9"), ("nobody", "")):
        with pytest.raises(NotFound):
            ask(county, unit=unit, node=node)
