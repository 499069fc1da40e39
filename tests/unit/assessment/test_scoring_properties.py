"""What holds of every score, whatever the framework and the findings are."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from services.assessment.framework.values import MICRO, Method
from services.assessment.scoring.rules import ProbeState, rank, roll_up, roll_up_totals
from tests.support.frameworks import GROUP, above, framework, node, result, walked

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
    assert fast.score == tree.score
    assert fast.coverage == tree.coverage
    assert fast.amounts == tree.amounts
    assert fast.aspects == tuple((aspect.node.code, aspect.score) for aspect in tree.children)
    assert fast.vetoes == sum(one.veto for one in walked(tree))


@given(frameworks())
def test_parts_add_up_exactly_at_every_node(case):
    made, states = case
    tree = roll_up(made, GROUP, states)
    assert tree.contribution == (tree.score or 0)
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


@settings(max_examples=200)
@given(frameworks(), st.data())
def test_missing_data_never_raises_a_rank_without_a_coverage_flag(case, data):
    """A unit that passes a rival, because what counted against it is missing, is seen not to be known in full."""
    made, states = case
    heard = [probe for probe, state in states.items() if state.passed + state.failed]
    if not heard:
        return
    probe = data.draw(st.sampled_from(heard))
    said = replace(dropped(states[probe]), not_computable=states[probe].not_computable + 1)
    gone = {name: kept for name, kept in states.items() if name != probe}
    before = roll_up_totals(made, GROUP, states)
    for fewer in (gone, states | {probe: said}):
        after = roll_up_totals(made, GROUP, fewer)
        rival = after.score  # whom the unit would have stood behind, and stands beside now
        if place(after.score, rival) < place(before.score, rival):
            assert after.coverage < MICRO
            assert after.coverage <= before.coverage


def place(score, rival):
    """The place beside one rival; behind both where there is no score."""
    (standing,) = [one for one in rank([("unit", score), ("rival", rival)]) if one.unit == "unit"]
    return standing.rank or 3


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
