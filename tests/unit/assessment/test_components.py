"""Components 50/30/20: each is scaled by itself, then weighed; the parts add up to the last digit."""

import re
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.assessment.explanation.rules import arithmetic
from services.assessment.framework.values import Component, Framework, Method, Node
from services.assessment.scoring.rules import ProbeState, roll_up, roll_up_totals
from tests.support.frameworks import GROUP, POINT, above, result, tally, walked

SURVEY = Method("survey", responses_at_least=30)


def composite() -> Framework:
    """50 system (two results of probes, one collected), 30 survey, 20 on-site check."""
    system = above(
        "SYS",
        "component",
        above("A1", "aspect", result("R1", 60, "P1"), result("R2", 30, "P2")),
        above("A2", "aspect", result("R3", 10)),
    )
    survey = above("SUR", "component", result("S1", 100, method=SURVEY))
    on_site = above("SITE", "component", result("T1", 100, method=Method("reviewed")))
    nodes = tuple(_hundred(part) for part in (system, survey, on_site))
    return Framework(
        "c",
        "1",
        "综合",
        2026,
        True,
        "样例",
        ("aspect", "measure", "result"),
        (),
        Node("", "综合", "total", {GROUP: 100 * POINT}, nodes),
        components=(
            Component("SYS", "系统监测", 50 * POINT, "framework"),
            Component("SUR", "民意调查", 30 * POINT, "survey"),
            Component("SITE", "现场查验", 20 * POINT, "on_site"),
        ),
    )


def _hundred(node: Node) -> Node:
    """The support builders give single points; a component's sum to a hundred."""
    return Node(
        node.code,
        node.title,
        node.level,
        {GROUP: node.points[GROUP] * POINT},
        tuple(map(_hundred, node.children)),
        node.method,
        node.probes,
        node.veto_below_milli,
    )


FRAMEWORK = composite()
ALL = {
    "P1": tally(8, 2, entered=10),
    "P2": tally(1, 0, real_time=1),
    "c/R3": ProbeState(failed=1, graded_milli=500, reported=1),
    "c/S1": ProbeState(failed=1, graded_milli=900, numerator=90_000, denominator=100_000, external=1),
    "c/T1": ProbeState(failed=1, graded_milli=700, external=1),
}


def test_everything_measured_is_the_weighted_sum():
    # system (60 x 0.8 + 30 + 5) = 83; 0.5 x 83 + 0.3 x 90 + 0.2 x 70 = 82.5
    found = roll_up_totals(FRAMEWORK, GROUP, ALL)
    assert found.score == 82_500_000
    assert found.coverage == 1_000_000
    assert found.aspects == (("SYS", 83 * POINT), ("SUR", 90 * POINT), ("SITE", 70 * POINT))


def test_a_missing_survey_lowers_coverage_and_leaves_the_other_weights_in_proportion():
    states = {probe: state for probe, state in ALL.items() if probe != "c/S1"}
    found = roll_up_totals(FRAMEWORK, GROUP, states)
    assert found.score == 79_285_714  # (0.5 x 83 + 0.2 x 70) / 0.7 = 79.2857142857…
    assert found.coverage == 700_000


def test_too_few_answers_are_no_survey():
    few = ALL | {"c/S1": ProbeState(failed=1, numerator=29_000, denominator=29_000)}
    assert roll_up_totals(FRAMEWORK, GROUP, few) == roll_up_totals(
        FRAMEWORK, GROUP, few | {"c/S1": ProbeState(not_computable=1)}
    )


def test_what_does_not_apply_in_the_system_part_never_adds_weight_to_the_survey():
    without = ALL | {"P2": ProbeState(not_applicable=3)}
    # system (48 + 5) / 70 = 75.714285…; 0.5 x 75.714285… + 27 + 14
    assert roll_up_totals(FRAMEWORK, GROUP, without).score == 78_857_143


def test_how_the_facts_came_is_weighed_by_the_points_they_decide():
    # of 100 points of the system, which weighs 50: entered 60, real time 30, reported 10; external the other 50
    assert roll_up_totals(FRAMEWORK, GROUP, ALL).modes == (50_000, 300_000, 150_000, 500_000)
    assert roll_up(FRAMEWORK, GROUP, ALL).modes == (5 * POINT, 30 * POINT, 15 * POINT, 50 * POINT)
    without = {probe: state for probe, state in ALL.items() if probe != "c/S1"}
    # 50 of the system and 20 of the on-site check are left
    assert roll_up_totals(FRAMEWORK, GROUP, without).modes == (71_428, 428_571, 214_285, 285_714)


STATE = st.builds(
    lambda passed, failed, marks, other: ProbeState(
        passed=passed,
        failed=failed,
        graded_milli=1000 * passed + min(marks, 999) * failed,
        not_applicable=other,
        numerator=passed * 1000,
        denominator=(passed + failed) * 1000,
        reported=passed,
        external=failed,
    ),
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 999),
    st.integers(0, 3),
)


@given(st.dictionaries(st.sampled_from(sorted(ALL)), STATE))
def test_both_doors_agree_and_the_leaves_add_up_to_the_last_digit(states):
    tree, fast = roll_up(FRAMEWORK, GROUP, states), roll_up_totals(FRAMEWORK, GROUP, states)
    assert (tree.score, tree.coverage, tree.amounts) == (fast.score, fast.coverage, fast.amounts)
    assert sum(node.contribution for node in walked(tree) if not node.children) == (tree.score or 0)


@given(st.dictionaries(st.sampled_from(sorted(ALL)), STATE, min_size=1))
def test_the_total_is_the_exact_fraction_rounded_once(states):
    tree = roll_up(FRAMEWORK, GROUP, states)
    weights = {component.code: component.weight for component in FRAMEWORK.components}
    parts = [(weights[part.node.code], part.amounts) for part in tree.children if part.amounts.applicable]
    if not parts:
        assert tree.score is None
        return
    exact = sum(Fraction(weight * a.earned, a.applicable) for weight, a in parts) / sum(
        weight for weight, _ in parts
    )
    assert abs(tree.score - exact * 100 * POINT) <= Fraction(1, 2)


def reckoned(sentence: str) -> Fraction:
    """What the written arithmetic between the first equals sign and its result comes to."""
    written = re.split(r" [=≈] ", sentence)[1]
    written = re.sub(r"“[^”]*”|[一-龥 ]", "", written).translate(str.maketrans("（）×÷", "()*/"))
    return Fraction(eval(re.sub(r"[0-9.]+", r"Fraction('\g<0>')", written)))  # noqa: S307


@given(st.dictionaries(st.sampled_from(sorted(ALL)), STATE, min_size=1))
def test_what_is_written_beside_a_number_comes_to_the_number(states):
    tree = roll_up(FRAMEWORK, GROUP, states)
    for node in walked(tree):
        if node.status != "scored":
            continue
        sentence = next(
            line for line in arithmetic(FRAMEWORK, node, tree) if line.startswith(("总分", "对总分"))
        )
        # of a node above results, every result below may be a millionth off
        assert abs(reckoned(sentence) * POINT - node.contribution) <= (1 if not node.children else 6)
