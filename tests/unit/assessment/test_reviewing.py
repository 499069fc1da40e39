"""Self-report and review on paper: no path scores twice, nobody reviews the own unit, lots cannot be chosen."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kernel.errors import PermanentError
from services.assessment.framework.values import Method
from services.assessment.reporting.rules import (
    DRAFT,
    FOLLOWS,
    LEADS_TO,
    SCORED,
    STATES,
    Value,
    WrongState,
    after,
    last_day,
    suggested_milli,
)
from services.assessment.reporting.settings import read_settings
from services.assessment.review.rules import (
    ARBITRATION,
    FIRST,
    SECOND,
    Agreed,
    Arbitrate,
    Mark,
    MarkInvalid,
    Place,
    Returned,
    Reviewer,
    Waiting,
    agreement,
    checked_mark,
    chosen,
    eligible,
    is_drawn,
    may_review,
    settle,
)

ACTS = sorted({act for _, act in FOLLOWS})
COUNTY = "/15/1501/150102/"
GOVERNMENT = Place("150102", COUNTY, is_government=True)
MARKET = Place("150102-scjg", f"{COUNTY}150102-scjg/", "market")
JUSTICE = Place("150102-sf", f"{COUNTY}150102-sf/", "justice")
CITY_MARKET = Place("1501-scjg", "/15/1501/1501-scjg/", "market")
OTHER_COUNTY_MARKET = Place("150103-scjg", "/15/1501/150103/150103-scjg/", "market")


# --- states ---------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(ACTS), max_size=40))
def test_no_path_of_acts_scores_a_report_twice(acts):
    state, scored = DRAFT, 0
    for act in acts:
        try:
            state = after(state, act)
        except WrongState:
            continue
        scored += act == "scored"
    assert scored <= 1
    assert (state == SCORED) is (scored == 1)


@given(st.sampled_from(STATES), st.sampled_from(ACTS))
def test_what_is_not_foreseen_is_refused_with_the_state_named(state, act):
    if (state, act) not in FOLLOWS:
        with pytest.raises(WrongState, match="填报目前为"):
            after(state, act)


def test_the_last_act_alone_says_how_a_report_stands():
    assert all(LEADS_TO[act] == following for (_, act), following in FOLLOWS.items())


def test_a_unit_withdraws_before_review_begins_and_never_after():
    assert after("submitted", "withdrawn") == "draft"
    for state in ("reviewing", "returned", "scored", "draft"):
        with pytest.raises(WrongState):
            after(state, "withdrawn")


class Desk(RuleBasedStateMachine):
    """A report on its way with two reviewers and an inspector, answers in any order, tries at any time."""

    @initialize(drawn=st.booleans(), tolerance=st.integers(0, 300))
    def begin(self, drawn, tolerance):
        self.state, self.round, self.asked = DRAFT, 0, 2 if drawn else 1
        self.tolerance = tolerance
        self.marks: dict[int, Mark] = {}
        self.scores: list[int] = []
        self.awaits_inspector = False

    @rule()
    def submit(self):
        self._try("submitted", lambda: (setattr(self, "marks", {}), setattr(self, "awaits_inspector", False)))

    @rule()
    def withdraw(self):
        self._try("withdrawn")

    @rule()
    def open(self):
        self._try("review_opened")

    @precondition(lambda self: self.state == "reviewing")
    @rule(
        place=st.sampled_from([FIRST, SECOND, ARBITRATION]),
        decision=st.sampled_from(["score", "return"]),
        score=st.integers(0, 1000),
    )
    def answer(self, place, decision, score):
        given_out = place <= self.asked or (place == ARBITRATION and self.awaits_inspector)
        if not given_out or place in self.marks:
            return
        self.marks[place] = Mark(decision, "理由", score)
        outcome = settle(self.marks, asked=self.asked, tolerance_milli=self.tolerance)
        if isinstance(outcome, Agreed):
            self._try("scored")
            self.scores.append(outcome.score_milli)
        elif isinstance(outcome, Returned):
            self._try("returned")
        elif isinstance(outcome, Arbitrate):
            self.awaits_inspector = True

    @invariant()
    def scored_at_most_once_and_within_bounds(self):
        if hasattr(self, "scores"):
            assert len(self.scores) <= 1
            assert all(0 <= score <= 1000 for score in self.scores)
            assert (self.state == SCORED) is bool(self.scores)

    @invariant()
    def two_who_were_asked_are_both_heard(self):
        if getattr(self, "scores", None) and self.asked == 2:
            assert {FIRST, SECOND} <= set(self.marks)

    def _try(self, act, then=lambda: None):
        try:
            self.state = after(self.state, act)
        except WrongState:
            return
        then()


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


# --- two answers ----------------------------------------------------------------------------------------


def test_two_scores_within_the_tolerance_give_their_mean_rounded_half_up():
    marks = {FIRST: Mark("score", "甲", 801), SECOND: Mark("score", "乙", 900)}
    outcome = settle(marks, asked=2, tolerance_milli=100)
    assert isinstance(outcome, Agreed)
    assert outcome.score_milli == 851
    assert "甲" in outcome.reasons
    assert "乙" in outcome.reasons


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Mark("score", "甲", 800), Mark("score", "乙", 901)),
        (Mark("score", "甲", 800), Mark("return", "乙")),
        (Mark("score", "甲", 900, Value(9, 10)), Mark("score", "乙", 900, Value(18, 20))),
    ],
    ids=["too far apart", "score and return", "another number for the same fact"],
)
def test_two_answers_that_cannot_be_joined_go_to_an_inspector_whose_word_ends_it(one, other):
    marks = {FIRST: one, SECOND: other}
    assert isinstance(settle(marks, asked=2, tolerance_milli=100), Arbitrate)
    last = settle({**marks, ARBITRATION: Mark("score", "仲裁", 850)}, asked=2, tolerance_milli=100)
    assert last == Agreed(850, None, "仲裁")


def test_one_answer_of_two_waits():
    assert isinstance(settle({SECOND: Mark("score", "x", 1)}, asked=2, tolerance_milli=0), Waiting)
    assert isinstance(settle({}, asked=1, tolerance_milli=0), Waiting)


def test_the_score_of_a_measured_result_follows_from_the_numbers_alone():
    ratio = Method("ratio", floor_milli=500, target_milli=900, measured=True)
    assert suggested_milli(ratio, Value(7, 10)) == 500
    assert suggested_milli(ratio, Value(95, 100)) == 1000
    assert suggested_milli(ratio, Value(1, 10)) == 0
    marked = checked_mark(Mark("score", "核定", 1000, Value(7, 10)), ratio)
    assert marked.score_milli == 500
    with pytest.raises(MarkInvalid):
        checked_mark(Mark("score", "没有数值", 1000), ratio)
    with pytest.raises(MarkInvalid):
        checked_mark(Mark("score", "数值多余", 900, Value(1, 2)), Method("reviewed"))
    with pytest.raises(MarkInvalid):
        checked_mark(Mark("return", "  "), Method("reviewed"))


# --- who reviews whom -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reviewer", "unit", "may"),
    [
        (MARKET, MARKET, False),  # the own unit
        (MARKET, GOVERNMENT, False),  # the own superior
        (GOVERNMENT, MARKET, True),  # a government its departments
        (CITY_MARKET, MARKET, False),  # the line's department one level up
        (MARKET, CITY_MARKET, False),  # and one level down
        (OTHER_COUNTY_MARKET, MARKET, True),  # the same field in another county guides nobody here
        (JUSTICE, MARKET, True),
        (JUSTICE, Place("x", ""), False),  # a unit the directory does not know
    ],
)
def test_who_may_review_whom(reviewer, unit, may):
    assert may_review(reviewer, unit) is may


PLACES = st.builds(
    lambda seat, field, gov: Place(
        seat.rstrip("/").split("/")[-1] + ("" if gov else f"-{field}"),
        seat if gov else f"{seat}{seat.rstrip('/').split('/')[-1]}-{field}/",
        "" if gov else field,
        gov,
    ),
    st.sampled_from(["/15/", "/15/1501/", COUNTY, "/15/1501/150103/"]),
    st.sampled_from(["market", "justice", "water"]),
    st.booleans(),
)


@given(st.lists(PLACES, min_size=1, max_size=12), PLACES, st.text(min_size=1, max_size=5))
def test_nobody_ever_gets_the_own_unit_nor_one_outside_the_area(all_places, unit, report):
    roster = [
        Reviewer(
            f"r{number}",
            place,
            place.path.rpartition(place.unit)[0] if not place.is_government else place.path,
        )
        for number, place in enumerate(all_places)
    ]
    found = chosen(eligible(roster, unit), {}, seed="s", report=report)
    if found is not None:
        assert found.place.unit != unit.unit
        assert unit.path.startswith(found.area)
        assert not found.place.path.startswith(unit.path)


def test_work_is_shared_out_evenly_and_the_same_way_every_time():
    roster = [Reviewer(f"r{n}", Place(f"u{n}", f"{COUNTY}u{n}/"), COUNTY) for n in range(5)]

    def shared():
        carried: dict[str, int] = {}
        taken = []
        for number in range(100):
            found = chosen(roster, carried, seed="s", report=str(number))
            carried[found.account] = carried.get(found.account, 0) + 1
            taken.append(found.account)
        return carried, taken

    carried, taken = shared()
    assert set(carried.values()) == {20}
    assert taken == shared()[1]
    assert taken[:5] != sorted(taken[:5]) or taken[5:10] != sorted(taken[5:10])


def test_the_nearest_area_comes_first():
    near = Reviewer("near", JUSTICE, COUNTY)
    far = Reviewer("far", Place("15-sf", "/15/15-sf/", "law"), "/15/")
    assert chosen([far, near], {"near": 99}, seed="s", report="1") == near


def test_the_lot_takes_its_share_and_another_seed_takes_others():
    ids = [str(number) for number in range(5000)]
    drawn = [one for one in ids if is_drawn("2026", one, 100)]
    assert 400 < len(drawn) < 600
    assert drawn == [one for one in ids if is_drawn("2026", one, 100)]
    others = [one for one in ids if is_drawn("2027", one, 100)]
    assert drawn != others
    assert not any(is_drawn("x", one, 0) for one in ids)
    assert all(is_drawn("x", one, 1000) for one in ids)


# --- agreement ------------------------------------------------------------------------------------------


def test_agreement_by_hand():
    # Krippendorff (2011): nominal counts do not matter here; interval alpha of these pairs worked out by hand:
    # differences 0, 100, 0 -> sum of squares 10 000; 6 values, 6*sum(x*x) - sum(x)**2 = 6*4 010 000 - 4 700**2
    pairs = [(500, 500), (800, 900), (1000, 1000)]
    spread = 6 * (2 * 250_000 + 640_000 + 810_000 + 2 * 1_000_000) - 4_700**2
    found = agreement(pairs, tolerance_milli=50)
    assert found.alpha == 1 - Fraction(5 * 10_000, spread)
    assert (found.pairs, found.within, found.mean_difference) == (3, 2, Fraction(100, 3))


def test_agreement_says_nothing_where_there_is_nothing_to_say():
    assert agreement([], tolerance_milli=50).mean_difference is None
    assert agreement([(700, 700), (700, 700)], tolerance_milli=0).alpha is None
    assert agreement([(700, 800)], tolerance_milli=0).alpha is None


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=2, max_size=40))
def test_alpha_is_one_only_for_full_agreement_and_never_more(pairs):
    alpha = agreement(pairs, tolerance_milli=0).alpha
    if alpha is not None:
        assert alpha <= 1
        assert (alpha == 1) is all(one == other for one, other in pairs)
        turned = agreement([(other, one) for one, other in pairs], tolerance_milli=0).alpha
        assert turned == alpha


# --- settings and periods -------------------------------------------------------------------------------


def test_periods_end_where_they_should():
    assert str(last_day("2026")) == "2026-12-31"
    assert str(last_day("2028-02")) == "2028-02-29"
    assert str(last_day("2026-12")) == "2026-12-31"
    for wrong in ("2026-13", "2026-00", "0000", "9999-12"):
        with pytest.raises(PermanentError):
            last_day(wrong)


def test_settings_that_make_no_sense_are_refused_with_their_line(tmp_path: Path):
    good = Path("catalog/assessment/review.yaml").read_text()
    folder = tmp_path / "assessment"
    folder.mkdir()
    (folder / "review.yaml").write_text(
        good.replace("first_days: 10 ", "first_days: 0 ").replace('"0.100"  ', '"1.5"  ')
    )
    with pytest.raises(PermanentError) as refused:
        read_settings(tmp_path)
    assert len(refused.value.problems) == 3
    assert all("review.yaml:" in problem.path for problem in refused.value.problems)
