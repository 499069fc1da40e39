"""When a fall warns: lines, trends, and a catalogue whose faults are named line by line."""

from copy import deepcopy
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from kernel import catalog
from services.assessment.warnings.rules import (
    Raised,
    Trend,
    falls,
    is_crossed,
    parse,
    problems,
    share_of,
)

FILE = Path(__file__).parents[3] / "catalog" / "assessment" / "warnings.yaml"
DATA = catalog.read(FILE).data
PROBES = frozenset(DATA["findings"])
POINT = 1_000_000


def test_the_shipped_rules_have_no_fault_and_the_framework_s_line_goes_before_them():
    assert list(problems(DATA, PROBES)) == []
    rules = parse(DATA)
    assert rules.line_of("total", 0) == DATA["lines"]["total"]
    assert rules.line_of("total", 850) == 850
    assert rules.line_of("result", 0) == 0


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("lines.total", 1001),
        ("lines.aspect", "600"),
        ("least_coverage", -1),
        ("trend.months", 0),
        ("trend.look_on_day", 31),
        ("relapse_days", True),
        ("opens_order.total", "yes"),
        ("proof.finding", ""),
        ("not_supervised", "disputes/"),
        ("findings", ["NO-SUCH-PROBE"]),
    ],
)
def test_a_fault_in_the_rules_is_named_where_it_is(path, value):
    data = deepcopy(DATA)
    *groups, last = path.split(".")
    place = data
    for group in groups:
        place = place[group]
    place[last] = value
    assert [problem.path for problem in problems(data, PROBES)] == [path]


def test_what_is_no_mapping_is_told_so():
    assert [problem.code for problem in problems([], PROBES)] == ["warnings.not_a_mapping"]


@given(st.lists(st.booleans(), max_size=30))
def test_only_a_fall_below_warns_and_each_fall_once(sides):
    warned, before = 0, None
    for is_below in sides:
        warned += is_crossed(was_below=before, is_below=is_below)
        before = is_below
    falls_seen = sum(now and not earlier for earlier, now in zip([False, *sides], sides, strict=False))
    assert warned == falls_seen


def test_a_share_is_rounded_down_so_that_a_line_is_never_reached_by_rounding():
    assert share_of(60 * POINT) == 600
    assert share_of(60 * POINT - 1) == 599


TREND = Trend(months=3, least_fall=20, look_on_day=5)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((90, 88, 86, 84), True),
        ((90, 88, 88, 84), False),
        ((90, 89, 88, 87), True),
        ((90, 89, 89, 88), False),
        ((90, 89.9, 89.8, 89.7), False),
        ((90, 80, 70), False),
    ],
)
def test_a_trend_falls_every_month_and_far_enough(scores, expected):
    assert falls([int(score * POINT) for score in scores], TREND) is expected


def test_a_month_without_a_score_breaks_a_trend():
    assert not falls([90 * POINT, None, 80 * POINT, 70 * POINT], TREND)


def test_a_line_at_a_node_is_another_cause_than_the_total_s():
    def raised(node):
        return Raised(
            kind="line", unit="u", node=node, framework="f@1", year="2026", at_seq=1, title="t", seen={}
        )

    assert (raised("").cause, raised("A1").cause) == ("total", "line")


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ({"score": 57_265_000, "line": 600}, "t：得分 57.26，预警线 60.00"),
        ({"attainment": 821_400, "veto_below": 950}, "t：达成率 82.14%，否决线 95.00%"),
        ({"scores": [90 * POINT, 80 * POINT], "months": []}, "t：由 90.00 分降至 80.00 分"),
        ({"due_on": "2026-06-30"}, "t：期限 2026-06-30"),
        ({"count": 3}, "t"),
    ],
)
def test_an_order_says_the_numbers_that_warned(seen, said):
    raised = Raised(
        kind="line", unit="u", node="", framework="f@1", year="2026", at_seq=1, title="t", seen=seen
    )
    assert raised.reason == said
