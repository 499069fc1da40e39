"""From findings to scores: numbers worked out by hand, and what holds whatever the numbers are."""

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.assessment.framework.values import Framework, Method, Node
from services.assessment.scoring.rules import ProbeState, Standing, rank, roll_up, roll_up_totals, score_of

GROUP = "counties"
POINT = 1_000_000


def result(code, points, *probes, method=None, veto=0):
    how = method or Method("ratio")
    return Node(code, code, "result", {GROUP: points}, (), how, probes, veto, "enforcement", "平台数据")


def above(code, level, *children):
    return Node(code, code, level, {GROUP: sum(child.points[GROUP] for child in children)}, children)


def framework(*aspects):
    return Framework(
        "f",
        "1",
        "小体系",
        2026,
        True,
        "样例",
        ("aspect", "measure", "result"),
        (),
        above("", "total", *aspects),
    )


def tally(passed=0, failed=0, **more):
    return ProbeState(passed, failed, passed * 1000, **more)


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


def node(tree, code):
    return next(one for one in walked(tree) if one.node.code == code)


def walked(tree):
    yield tree
    for child in tree.children:
        yield from walked(child)


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
        assert score_of(tree) is None
        assert tree.coverage == 0

    def test_contributions_of_thirds_add_up(self):
        thirds = framework(
            above("A", "aspect", above("M", "measure", *(result(f"R{i}", POINT, f"P{i}") for i in range(3))))
        )
        tree = roll_up(thirds, GROUP, {f"P{i}": tally(1) for i in range(3)})
        assert score_of(tree) == 100 * POINT
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
        assert score_of(tree) == 100 * POINT
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


# --- what holds whatever the numbers are ---

counts = st.integers(0, 12)


@st.composite
def probe_states(draw):
    passed, failed = draw(counts), draw(counts)
    graded = passed * 1000 + draw(st.integers(0, 999 * failed))
    denominator = draw(st.integers(1, 50)) if passed + failed else 0
    return ProbeState(
        passed,
        failed,
        graded,
        draw(counts),
        draw(counts),
        draw(counts),
        draw(st.integers(0, denominator)),
        denominator,
    )


methods = st.sampled_from(
    [
        Method("ratio"),
        Method("ratio", floor_milli=600, target_milli=950),
        Method("ratio", measured=True),
        Method("deduct", step_milli=70),
        Method("add", step_milli=130),
        Method("checklist"),
        Method("reviewed"),
    ]
)


@st.composite
def frameworks(draw):
    number = iter(range(10_000))

    def leaf(code):
        probes = [f"P{next(number)}" for _ in range(draw(st.integers(0, 3)))]
        veto = draw(st.sampled_from([0, 0, 0, 900, 1000])) if probes else 0
        points = draw(st.integers(1, 7_000_000))
        return result(code, points, *probes, method=draw(methods), veto=veto)

    def measure(code):
        return above(code, "measure", *(leaf(f"{code}.R{i}") for i in range(draw(st.integers(1, 3)))))

    def aspect(code):
        return above(code, "aspect", *(measure(f"{code}.M{i}") for i in range(draw(st.integers(1, 3)))))

    made = framework(*(aspect(f"A{i}") for i in range(draw(st.integers(1, 3)))))
    heard = st.none() | probe_states()
    states = {probe: state for probe in sorted(made.probes()) if (state := draw(heard)) is not None}
    return made, states


@given(frameworks())
def test_both_doors_agree_to_the_last_digit(case):
    made, states = case
    fast, tree = roll_up_totals(made, GROUP, states), roll_up(made, GROUP, states)
    assert fast.score == score_of(tree)
    assert fast.coverage == tree.coverage
    assert fast.amounts == tree.amounts
    assert fast.aspects == tuple((aspect.node.code, score_of(aspect)) for aspect in tree.children)
    assert fast.vetoes == sum(one.veto for one in walked(tree))


@given(frameworks())
def test_parts_add_up_exactly_at_every_node(case):
    made, states = case
    tree = roll_up(made, GROUP, states)
    assert tree.contribution == (score_of(tree) or 0)
    for one in walked(tree):
        assert 0 <= one.amounts.earned <= one.amounts.applicable <= one.amounts.applying <= one.points
        assert 0 <= one.amounts.covered <= one.amounts.applicable
        assert one.contribution >= 0
        if one.children:
            assert one.contribution == sum(child.contribution for child in one.children)
            for index in range(4):
                assert one.amounts[index] == sum(child.amounts[index] for child in one.children)


@given(frameworks(), st.randoms())
def test_the_order_of_anything_does_not_matter(case, random):
    made, states = case
    shuffled = list(states.items())
    random.shuffle(shuffled)
    mirrored = replace(made, root=mirror(made.root), _by_code={})
    before, after = roll_up_totals(made, GROUP, states), roll_up_totals(mirrored, GROUP, dict(shuffled))
    assert (before.score, before.coverage, before.amounts) == (after.score, after.coverage, after.amounts)


def mirror(one):
    return replace(
        one, children=tuple(mirror(child) for child in reversed(one.children)), probes=one.probes[::-1]
    )


@given(frameworks(), st.integers(1, 5), st.booleans())
def test_a_result_that_does_not_apply_moves_neither_score_nor_coverage(case, times, later):
    made, states = case
    added = above("Z", "aspect", above("Z.M", "measure", result("Z.M.R", 9_000_000, "Z-1", veto=1000)))
    more = framework(*made.root.children, added)
    silent = ProbeState(not_due=times) if later else ProbeState(not_applicable=times)
    before, after = roll_up_totals(made, GROUP, states), roll_up_totals(more, GROUP, states | {"Z-1": silent})
    assert (before.score, before.coverage) == (after.score, after.coverage)


@settings(max_examples=200)
@given(frameworks(), st.data())
def test_dropping_data_never_raises_coverage(case, data):
    made, states = case
    heard = [probe for probe, state in states.items() if state.passed + state.failed]
    if not heard:
        return
    probe = data.draw(st.sampled_from(heard))
    state = states[probe]
    worse = {
        "lost": dropped(state),
        "said to be missing": replace(dropped(state), not_computable=state.not_computable + 1),
    }[data.draw(st.sampled_from(["lost", "said to be missing"]))]
    before = roll_up_totals(made, GROUP, states).coverage
    assert roll_up_totals(made, GROUP, states | {probe: worse}).coverage <= before
    gone = {name: kept for name, kept in states.items() if name != probe}
    assert roll_up_totals(made, GROUP, gone).coverage <= before


def dropped(state):
    """The state without one of its counted findings."""
    last = state.passed + state.failed == 1
    passed, failed = (state.passed - 1, state.failed) if state.passed else (0, state.failed - 1)
    graded = max(0, min(state.graded_milli, passed * 1000 + 999 * failed))
    return replace(
        state,
        passed=passed,
        failed=failed,
        graded_milli=graded,
        numerator=0 if last else state.numerator,
        denominator=0 if last else state.denominator,
    )


@given(frameworks(), st.data())
def test_a_pass_more_never_lowers_the_score_of_its_result(case, data):
    made, states = case
    if not states:
        return
    probe = data.draw(st.sampled_from(sorted(states)))
    state = states[probe]
    better = replace(state, passed=state.passed + 1, graded_milli=state.graded_milli + 1000)
    holder = next(one for one in made.results() if probe in one.probes)
    if len(holder.probes) > 1 or holder.method.measured or not state.passed + state.failed:
        return
    before = node(roll_up(made, GROUP, states), holder.code)
    after = node(roll_up(made, GROUP, states | {probe: better}), holder.code)
    if not (before.veto or after.veto):
        assert (after.attainment or 0) >= (before.attainment or 0) or vetoed(made, states, holder)


def vetoed(made, states, holder):
    return any(one.vetoed and holder in one.node.children for one in walked(roll_up(made, GROUP, states)))


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
