"""Signs that figures were made for the score: each stands out among its peers, and honest offices do not."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.catalog import read
from services.assessment.detection.rules import Observed, drafts, read_parameters

SETTINGS = read_parameters(read(Path(__file__).parents[3] / "catalog/assessment/detection.yaml").data)
HONEST = [
    Observed(
        f"u{n}",
        "g",
        own_marks=6 * (800 + n),
        own_count=6,
        outside_marks=6 * (790 - n),
        outside_count=6,
        recorded=60,
        bunched=3 + n % 4,
        late=n % 5,
        reopened=n % 2,
    )
    for n in range(20)
]


def kinds(observed, copies=None):
    return {(draft.kind, draft.unit) for draft in drafts(observed, copies or {}, SETTINGS)}


def test_honest_offices_are_left_alone():
    assert kinds(HONEST) == set()


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("gap", {"own_marks": 6 * 980, "outside_marks": 6 * 520}),
        ("bunching", {"bunched": 40}),
        ("backdating", {"late": 35}),
        ("reopened", {"reopened": 4}),
    ],
)
def test_each_sign_names_the_unit_that_shows_it_and_no_other(kind, change):
    assert kinds([*HONEST, replace(HONEST[0], unit="x", **change)]) == {(kind, "x")}


def test_the_same_file_of_two_units_names_both_and_says_which_others():
    found = drafts(HONEST, {"sha256:a": ["u1", "u2"], "sha256:b": ["u3"]}, SETTINGS)
    assert {(draft.unit, tuple(draft.seen["units"])) for draft in found} == {("u1", ("u2",)), ("u2", ("u1",))}


def test_what_everybody_does_is_the_custom_of_the_place_and_no_sign():
    assert kinds([replace(one, bunched=45) for one in HONEST]) == set()


def test_too_few_findings_say_nothing():
    assert kinds([*HONEST, replace(HONEST[0], unit="x", recorded=10, bunched=10)]) == set()


@given(st.permutations(HONEST[:9]))
def test_the_order_of_units_changes_nothing(order):
    cheat = replace(HONEST[0], unit="x", late=40)
    assert kinds([*order, cheat]) == {("backdating", "x")}
