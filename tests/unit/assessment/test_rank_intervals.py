"""Rank intervals, tiers and bands: the numbers COINr gives, and what may never happen."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.errors import Invalid
from services.assessment.framework.values import Method
from services.assessment.ranking.matrix import attained, matrix_of
from services.assessment.ranking.parameters import load
from services.assessment.ranking.tiers import above_next, bands_of, tiers_of
from services.assessment.ranking.uncertainty import (
    Draws,
    as_published,
    bottom,
    rank_range,
    ranks,
    scores,
    seed_of,
    simulate,
)
from services.assessment.scoring.rules import rank, roll_up_totals
from tests.support.frameworks import GROUP, POINT, above, framework, result, tally

CATALOG = Path(__file__).parents[3] / "catalog"
PARAMETERS = load(CATALOG)
FIVE = {
    "A": (90, 80, 70),
    "B": (85, 85, 60),
    "C": (60, 90, 95),
    "D": (70, None, 85),
    "E": (40, 50, 60),
}
THREE_ASPECTS = framework(
    above("X", "aspect", result("X.R", 50 * POINT, "PX")),
    above("Y", "aspect", result("Y.R", 30 * POINT, "PY")),
    above("Z", "aspect", result("Z.R", 20 * POINT, "PZ")),
)


def hundred_findings(marks):
    """States of a unit whose marks per aspect are these out of 100; None could not be computed."""
    return {
        probe: tally(not_computable=1) if mark is None else tally(mark, 100 - mark)
        for probe, mark in zip(("PX", "PY", "PZ"), marks, strict=True)
    }


@pytest.fixture
def five():
    return matrix_of(THREE_ASPECTS, GROUP, list(FIVE), {u: hundred_findings(m) for u, m in FIVE.items()})


def every_corner():
    """Weights a quarter up or down in all eight ways, under both means: sixteen runs, nothing drawn."""
    factors = np.array(list(product((0.75, 1.25), repeat=3)), dtype=float)[:, ::-1].T
    return Draws(
        component=np.ones((1, 16)),
        aspect=np.hstack([factors, factors]),
        result=np.ones((3, 16)),
        geometric=np.array([False] * 8 + [True] * 8),
        group_mean=np.zeros(16, dtype=bool),
        samples=0,
    )


class TestGoldenNumbers:
    """
    Computed once with R 4.2.2 and COINr's own functions: a_amean, a_gmean, the ranks of rank_df and the RankStats of
    get_sensitivity, over the same sixteen runs (docs/ranking.md has the script).
    """

    def test_the_published_scores(self, five):
        found = scores(five, as_published(five), 0.01)[:, 0]
        assert list(found) == pytest.approx([83, 80, 76, 74.28571428571429, 47], abs=1e-6)

    def test_scores_of_runs_with_both_means(self, five):
        found = scores(five, every_corner(), 0.01)
        assert list(found[2]) == pytest.approx(
            [
                *(76, 72, 78.33333, 74.34783, 78.23529, 74.09091, 80, 76),
                *(74.28363, 70.42188, 76.69811, 72.71156, 76.46477, 72.36478, 78.35714, 74.28363),
            ],
            abs=5e-6,
        )

    def test_ranks_of_every_run(self, five):
        places = ranks(scores(five, every_corner(), 0.01))
        assert [list(row) for row in places] == [
            [1] * 16,
            [2, 2, 2, 2, 3, 2, 3, 2, 2, 2, 2, 2, 2, 2, 3, 2],
            [3, 4, 3, 3, 2, 4, 2, 3, 3, 4, 3, 3, 3, 4, 2, 3],
            [4, 3, 4, 4, 4, 3, 4, 4, 4, 3, 4, 4, 4, 3, 4, 4],
            [5] * 16,
        ]

    def test_median_and_quantiles_of_the_ranks(self, five):
        found = rank_range(ranks(scores(five, every_corner(), 0.01)), 0.05, 0.95)
        assert list(found.median) == [1, 2, 3, 4, 5]
        assert list(found.low) == [1, 2, 2, 3, 5]
        assert list(found.high) == [1, 3, 4, 4, 5]

    def test_in_which_share_of_the_runs_each_is_above_the_next(self, five):
        assert above_next(scores(five, every_corner(), 0.01)) == [1, 0.8125, 0.75, 1]

    def test_tiers_and_bands(self, five):
        found = scores(five, every_corner(), 0.01)
        published = [83, 80, 76, 74, 47]
        assert tiers_of(found, published, 0.95) == [1, 2, 2, 2, 3]
        assert tiers_of(found, published, 0.8) == [1, 2, 3, 3, 4]
        assert bands_of(found, published, 0.95) == [1, 2, 2, 3, 4]


class TestTheSimulation:
    def test_a_seed_gives_the_same_bytes_again(self, five):
        one, other = (simulate(five, PARAMETERS, seed_of("digest", "2026", GROUP)) for _ in range(2))
        assert one.tobytes() == other.tobytes()

    def test_another_period_is_another_seed(self):
        assert seed_of("digest", "2026", GROUP) != seed_of("digest", "2025", GROUP)
        assert seed_of("ab", "c") != seed_of("a", "bc")

    def test_the_middle_of_the_runs_lies_at_the_published_score(self, five):
        calm = simulate(five, PARAMETERS, 1)
        assert np.median(calm[0]) == pytest.approx(83, abs=2)

    def test_few_findings_support_less_than_many(self):
        many = {probe: tally(90, 10) for probe in ("PX", "PY", "PZ")}
        few = {probe: tally(9, 1) for probe in ("PX", "PY", "PZ")}
        found = simulate(matrix_of(THREE_ASPECTS, GROUP, ["m", "f"], {"m": many, "f": few}), PARAMETERS, 1)
        assert found[1].std() > 2 * found[0].std()

    def test_a_missing_result_is_left_out_or_takes_the_mean_of_the_group(self, five):
        left_out = scores(five, as_published(five), 0.01)
        filled = scores(five, as_published(five, group_mean=True), 0.01)
        assert left_out[3, 0] == pytest.approx((50 * 70 + 20 * 85) / 70, abs=1e-6)
        mean = (80 + 85 + 90 + 50) / 4
        assert filled[3, 0] == pytest.approx((50 * 70 + 30 * mean + 20 * 85) / 100, abs=1e-6)
        assert list(filled[[0, 1, 2, 4], 0]) == list(left_out[[0, 1, 2, 4], 0])

    def test_more_than_one_step_of_units_is_one_ranking(self):
        states = {f"u{n:03}": hundred_findings((n % 100, 50, 50)) for n in range(600)}
        matrix = matrix_of(THREE_ASPECTS, GROUP, list(states), states)
        found = scores(matrix, as_published(matrix), 0.01)[:, 0]
        assert list(found) == pytest.approx([(n % 100) * 0.5 + 25 for n in range(600)], abs=1e-6)


METHODS = st.sampled_from(
    [
        Method("ratio"),
        Method("ratio", floor_milli=600, target_milli=950),
        Method("deduct", step_milli=100),
        Method("add", step_milli=250),
        Method("checklist"),
    ]
)
STATE = st.builds(
    tally,
    passed=st.integers(0, 30),
    failed=st.integers(0, 30),
    not_applicable=st.integers(0, 3),
    not_computable=st.integers(0, 3),
    not_due=st.integers(0, 3),
)
PROBES = ("P1", "P2", "P3", "P4", "P5")


@st.composite
def groups(draw):
    """A framework of two aspects, and the states of two to six units; a probe may never be heard."""
    methods = [draw(METHODS) for _ in range(4)]
    built = framework(
        above(
            "X",
            "aspect",
            result("X.1", 30 * POINT, "P1", method=methods[0]),
            result("X.2", 25 * POINT, "P2", "P5", method=methods[1], veto=draw(st.sampled_from([0, 500]))),
        ),
        above(
            "Y",
            "aspect",
            result("Y.1", 25 * POINT, "P3", method=methods[2]),
            result("Y.2", 20 * POINT, "P4", method=methods[3]),
        ),
    )
    units = [f"u{n}" for n in range(draw(st.integers(2, 6)))]
    states = {unit: draw(st.dictionaries(st.sampled_from(PROBES), STATE)) for unit in units}
    return built, units, states


def published(built, units, states):
    return {unit: roll_up_totals(built, GROUP, states[unit]) for unit in units}


def rank_of(unit, totals):
    places = {standing.unit: standing.rank for standing in rank((u, t.score) for u, t in totals.items())}
    return places[unit]


class TestWhatMayNeverHappen:
    @given(groups())
    @settings(max_examples=150, deadline=None)
    def test_a_run_without_noise_is_the_published_score(self, group):
        built, units, states = group
        matrix = matrix_of(built, GROUP, units, states)
        found = scores(matrix, as_published(matrix), 0.01)[:, 0]
        for unit, score in zip(units, found, strict=True):
            exact = roll_up_totals(built, GROUP, states[unit]).score
            assert np.isnan(score) if exact is None else score == pytest.approx(exact / POINT, abs=2e-6)

    @given(groups(), st.sampled_from(PROBES), st.integers(1, 5))
    @settings(max_examples=150, deadline=None)
    def test_adding_not_applicable_never_moves_a_score(self, group, probe, number):
        built, units, states = group
        before = published(built, units, states)
        for unit in units:
            if probe in states[unit]:
                old = states[unit][probe]
                heard = old.passed + old.failed + old.not_computable
                if heard:
                    counts = {n: getattr(old, n) for n in ("not_computable", "not_due")}
                    states[unit][probe] = tally(
                        old.passed, old.failed, not_applicable=old.not_applicable + number, **counts
                    )
        after = published(built, units, states)
        assert {u: (t.score, t.coverage) for u, t in before.items()} == {
            u: (t.score, t.coverage) for u, t in after.items()
        }

    @given(groups(), st.data())
    @settings(max_examples=300, deadline=None)
    def test_dropping_data_never_raises_a_rank_without_a_coverage_flag(self, group, data):
        built, units, states = group
        unit = data.draw(st.sampled_from(units))
        heard = [p for p, s in states[unit].items() if s.passed + s.failed]
        if not heard or published(built, units, states)[unit].score is None:
            return
        before = rank_of(unit, published(built, units, states))
        probe = data.draw(st.sampled_from(heard))
        old = states[unit][probe]
        if data.draw(st.booleans()):
            del states[unit][probe]
        else:
            dropped = data.draw(st.integers(0, old.failed))
            states[unit][probe] = tally(
                old.passed,
                old.failed - dropped,
                not_applicable=old.not_applicable,
                not_computable=old.not_computable + dropped,
                not_due=old.not_due,
            )
        totals = published(built, units, states)
        after = rank_of(unit, totals)
        if after is None or after >= before:
            return
        matrix = matrix_of(built, GROUP, units, states)
        least = bottom(matrix)[units.index(unit)]
        others = [t.score / POINT for u, t in totals.items() if u != unit and t.score is not None]
        place = 1 + sum(score > least + 2e-6 for score in others)
        assert place > after, "its place would be worse if what is not known were bad: the flag is up"

    @given(st.integers(0, 100), st.integers(2, 6), st.integers(0, 2**32))
    @settings(max_examples=20, deadline=None)
    def test_equal_units_share_a_tier_and_a_band(self, marks, number, seed):
        states = {f"u{n}": hundred_findings((marks, marks, marks)) for n in range(number)}
        matrix = matrix_of(THREE_ASPECTS, GROUP, list(states), states)
        found = simulate(matrix, PARAMETERS.quick(), seed)
        assert set(tiers_of(found, [marks] * number, 0.95)) == {1}
        assert set(bands_of(found, [marks] * number, 0.95)) == {1}

    @given(st.lists(st.tuples(*[st.integers(0, 100)] * 3), min_size=2, max_size=12), st.integers(0, 99))
    @settings(max_examples=60, deadline=None)
    def test_units_in_different_tiers_are_always_told_apart(self, marks, seed):
        marks.sort(key=lambda three: -(three[0] * 5 + three[1] * 3 + three[2] * 2))
        states = {f"u{n:02}": hundred_findings(three) for n, three in enumerate(marks)}
        matrix = matrix_of(THREE_ASPECTS, GROUP, list(states), states)
        found = simulate(matrix, PARAMETERS.quick(), seed)
        exact = [three[0] * 5 + three[1] * 3 + three[2] * 2 for three in marks]
        tiers = tiers_of(found, exact, 0.95)
        bands = bands_of(found, exact, 0.95)
        assert tiers == sorted(tiers)
        assert bands == sorted(bands)
        for one in range(len(marks)):
            for other in range(one + 1, len(marks)):
                if tiers[one] != tiers[other]:
                    assert (found[one] > found[other]).mean() >= 0.95

    @given(groups())
    @settings(max_examples=100, deadline=None)
    def test_the_bottom_is_never_above_the_score(self, group):
        built, units, states = group
        matrix = matrix_of(built, GROUP, units, states)
        found = scores(matrix, as_published(matrix), 0.01)[:, 0]
        scored = ~np.isnan(found)
        assert (bottom(matrix)[scored] <= found[scored] + 1e-5).all()


class TestMethods:
    def test_a_drawn_rate_earns_by_the_method_of_its_result(self):
        built = framework(
            above(
                "X",
                "aspect",
                result("X.1", 25 * POINT, "P1", method=Method("ratio", floor_milli=600, target_milli=950)),
                result("X.2", 25 * POINT, "P2", method=Method("deduct", step_milli=100)),
                result("X.3", 25 * POINT, "P3", method=Method("add", step_milli=250)),
                result("X.4", 25 * POINT, "P4", "P5", method=Method("checklist")),
            )
        )
        states = {p: tally(8, 2) for p in ("P1", "P2", "P4")} | {"P3": tally(3, 1), "P5": tally(1, 3)}
        matrix = matrix_of(built, GROUP, ["u"], {"u": states})
        found = attained(matrix.findings, matrix.findings.rate)
        assert list(found) == pytest.approx([0.2 / 0.35, 0.8, 0.75, 0.8, 0.25])
        assert list(matrix.share[0]) == pytest.approx([0.2 / 0.35, 0.8, 0.75, 0.525])


def test_parameters_that_make_no_sense_are_refused_with_their_line(tmp_path):
    folder = tmp_path / "assessment"
    folder.mkdir()
    text = (CATALOG / "assessment" / "ranking.yaml").read_text()
    (folder / "ranking.yaml").write_text(
        text.replace("runs: 1000", "runs: 0").replace("geometric]", "harmonic]")
    )
    with pytest.raises(Invalid) as refused:
        load(tmp_path)
    assert sorted(problem.code for problem in refused.value.problems) == ["choice", "count"]
