"""From findings to scores: numbers worked out by hand, and what holds whatever the numbers are."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assessment.framework.values import Method, Node
from services.assessment.scoring.rules import ProbeState, Standing, rank, roll_up, roll_up_totals
from tests.support.frameworks import GROUP, POINT, above, framework, node, result, tally, walked

SMALL = framework(
    above(
        "A1",
        "aspect",
        above(
            "A1.M1",
            "measure",
            result("A1.M1.R1", 40 * POINT, "P1", method=Method("ratio", floor_milli=600)),
            result("A1.M1.R2", 20 * POINT, "P2", veto=900),
        ),
    ),
    above(
        "A2",
        "aspect",
        above(
            "A2.M1",
            "measure",
            result("A2.M1.R1", 30 * POINT, "P3", "P4", method=Method("checklist")),
            result("A2.M1.R2", 10 * POINT, method=Method("reviewed")),
        ),
    ),
)
STATES = {"P1": tally(9, 1), "P2": tally(19, 1), "P3": tally(3, 1), "P4": tally(1, 1)}


def totals(**changed):
    return roll_up_totals(SMALL, GROUP, STATES | changed)


class TestByHand:
    """
    R1: 9 of 10, floor 0.6: (0.9 - 0.6) / 0.4 = 0.75 of 40 = 30. R2: 19 of 20 = 0.95 of 20 = 19.
    R3: mean of 3/4 and 1/2 = 0.625 of 30 = 18.75. R4 waits for self-report.
    """

    def test_the_total_is_what_was_earned_of_what_could_be_computed(self):
        # 67.75 of 90 = 75.277777... ; 90 of 100 points rest on data.
        found = totals()
        assert found.score == 75_277_778
        assert found.coverage == 900_000
        assert found.aspects == (("A1", 81_666_667), ("A2", 62_500_000))
        assert found.vetoes == 0

    def test_what_does_not_apply_leaves_the_denominator(self):
        # 49 of 60 = 81.666...; 60 of the 70 points that apply rest on data.
        found = totals(P3=ProbeState(not_applicable=4), P4=ProbeState(not_applicable=4))
        assert found.score == 81_666_667
        assert found.coverage == 857_142

    def test_what_cannot_be_computed_lowers_coverage_and_not_the_score(self):
        # Of R1's 20 findings 10 could be computed: 20 + 20 + 30 of 100 points rest on data.
        found = totals(P1=tally(9, 1, not_computable=10))
        assert found.score == 75_277_778
        assert found.coverage == 700_000

    def test_silence_is_not_computable(self):
        states = {name: state for name, state in STATES.items() if name != "P1"}
        found = roll_up_totals(SMALL, GROUP, states)
        assert found.score == 75_500_000  # 37.75 of 50
        assert found.coverage == 500_000
        assert node(roll_up(SMALL, GROUP, states), "A1.M1.R1").status == "not_computable"

    def test_what_is_not_due_is_neither(self):
        found = totals(P3=ProbeState(not_due=2), P4=ProbeState(not_due=1))
        assert (found.score, found.coverage) == (81_666_667, 857_142)
        tree = roll_up(
            SMALL, GROUP, STATES | {"P3": ProbeState(not_due=2), "P4": ProbeState(not_applicable=1)}
        )
        assert node(tree, "A2.M1.R1").status == "not_due"

    def test_half_a_checklist_halves_the_coverage_of_the_result(self):
        found = totals(P4=ProbeState(not_computable=1))
        # R3 = 3/4 of 30 = 22.5; 71.5 of 90; 40 + 20 + 15 of 100 rest on data.
        assert found.score == 79_444_444
        assert found.coverage == 750_000

    def test_a_veto_brings_its_measure_to_nothing(self):
        # 17 of 20 = 0.85 < 0.9: A1.M1 earns 0; 18.75 of 90 = 20.8333...
        states = STATES | {"P2": tally(17, 3)}
        found = roll_up_totals(SMALL, GROUP, states)
        assert found.score == 20_833_333
        assert found.vetoes == 1
        assert found.coverage == 900_000
        tree = roll_up(SMALL, GROUP, states)
        assert node(tree, "A1.M1.R2").veto
        assert node(tree, "A1.M1").vetoed
        assert node(tree, "A1.M1").amounts.earned == 0
        assert node(tree, "A1.M1.R1").contribution == 0

    def test_exactly_at_the_bound_no_veto_falls(self):
        assert totals(P2=tally(18, 2)).vetoes == 0

    def test_a_tally_of_nothing_is_silence(self):
        found = totals(P4=ProbeState())
        assert (found.score, found.coverage) == (79_444_444, 750_000)

    def test_nothing_computed_is_no_score_and_not_a_zero(self):
        found = roll_up_totals(SMALL, GROUP, {})
        assert found.score is None
        assert found.coverage == 0
        assert roll_up(SMALL, GROUP, {}).status == "not_computable"

    def test_partly_graded_findings_count_with_their_marks(self):
        # One full pass and one graded 0.5: 1.5 of 2 = 0.75, above the floor of 0.6 by 0.15 of 0.4 = 0.375 of 40.
        states = {"P1": ProbeState(passed=1, failed=1, graded_milli=1500)}
        assert node(roll_up(SMALL, GROUP, states), "A1.M1.R1").amounts.earned == 15 * POINT

    @pytest.mark.parametrize(
        ("method", "state", "earned"),
        [
            (Method("ratio"), tally(2, 1), 66_666_667),
            (Method("ratio", target_milli=900), tally(9, 1), 100 * POINT),
            (Method("ratio", floor_milli=600), tally(6, 4), 0),
            (Method("ratio", measured=True), tally(2, numerator=45, denominator=60), 75 * POINT),
            (Method("ratio", measured=True), tally(2, numerator=61, denominator=60), 100 * POINT),
            (Method("deduct", step_milli=50), tally(17, 3), 85 * POINT),
            (Method("deduct", step_milli=500), tally(17, 3), 0),
            (Method("add", step_milli=250), tally(3, 5), 75 * POINT),
            (Method("add", step_milli=250), tally(9), 100 * POINT),
            (Method("checklist"), tally(1, 3), 25 * POINT),
            (Method("reviewed"), ProbeState(1, 2, 1900), 63_333_333),
        ],
    )
    def test_each_method(self, method, state, earned):
        one = framework(
            above("A", "aspect", above("M", "measure", result("R", 100 * POINT, "P", method=method)))
        )
        assert roll_up(one, GROUP, {"P": state}).amounts.earned == earned

    def test_a_measured_ratio_without_a_measure_is_not_computable(self):
        method = Method("ratio", measured=True)
        one = framework(
            above("A", "aspect", above("M", "measure", result("R", 100 * POINT, "P", method=method)))
        )
        tree = roll_up(one, GROUP, {"P": tally(1)})
        assert tree.score is None
        assert tree.coverage == 0

    def test_contributions_of_thirds_add_up(self):
        thirds = framework(
            above("A", "aspect", above("M", "measure", *(result(f"R{i}", POINT, f"P{i}") for i in range(3))))
        )
        tree = roll_up(thirds, GROUP, {f"P{i}": tally(1) for i in range(3)})
        assert tree.score == 100 * POINT
        assert [one.contribution for one in walked(tree) if not one.children] == [
            33_333_334,
            33_333_333,
            33_333_333,
        ]

    def test_a_peer_group_is_asked_only_for_what_it_has_points_for(self):
        other = Node("R2", "R2", "result", {"towns": 50 * POINT}, (), Method("ratio"), ("P2",))
        both = result("R1", 50 * POINT, "P1")
        measure = Node("M", "M", "measure", {GROUP: 50 * POINT, "towns": 50 * POINT}, (both, other))
        tree = roll_up(framework(above("A", "aspect", measure)), GROUP, {"P1": tally(1), "P2": tally(0, 5)})
        assert tree.score == 100 * POINT
        assert [one.node.code for one in walked(tree) if not one.children] == ["R1"]


class TestRank:
    def test_equal_scores_share_a_place_and_the_next_one_is_skipped(self):
        rows = [("d", 80), ("b", 90), ("c", 80), ("a", 70), ("e", None)]
        assert rank(rows) == [
            Standing("b", 1, False),
            Standing("c", 2, True),
            Standing("d", 2, True),
            Standing("a", 4, False),
            Standing("e", None, False),
        ]

    def test_a_score_of_nought_is_placed_and_no_score_is_not(self):
        assert rank([("b", None), ("a", 0)]) == [Standing("a", 1, False), Standing("b", None, False)]

    @given(st.dictionaries(st.text("abc", min_size=1), st.none() | st.integers(0, 5)), st.randoms())
    def test_the_order_of_rows_does_not_matter(self, scores, random):
        rows = list(scores.items())
        shuffled = rows[:]
        random.shuffle(shuffled)
        assert rank(shuffled) == rank(rows)
        for standing in rank(rows):
            better = sum(s is not None and s > (scores[standing.unit] or 0) for s in scores.values())
            assert standing.rank == (None if scores[standing.unit] is None else better + 1)


def test_a_province_rolls_up_in_seconds(capsys):
    """8,300 units, 231 results each; the bound is loose because the machine is shared."""
    leaves = [result(f"R{i}", POINT, *([f"P{i}"] if i < 60 else [])) for i in range(231)]
    wide = framework(above("A", "aspect", *(above(f"M{i}", "measure", *leaves[i::8]) for i in range(8))))
    states = {f"P{i}": tally(90 + i % 10, i % 7, not_computable=i % 3) for i in range(60)}
    began = time.perf_counter()
    for _ in range(8_300):
        roll_up_totals(wide, GROUP, states)
    seconds = time.perf_counter() - began
    with capsys.disabled():
        print(f"\n8,300 units x 231 results: {seconds:.2f} s")  # noqa: T201
    assert seconds < 30
