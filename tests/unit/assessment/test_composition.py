"""The composite of 50 system, 30 survey and 20 on-site, and what happens while a part is missing."""

from copy import deepcopy
from pathlib import Path

import pytest

from kernel.catalog import read
from services.assessment.scoring.composition import CompositionInvalid, Measured, compose, parse_composition

FILE = Path(__file__).parents[3] / "catalog/frameworks/composite-50-30-20.yaml"
POINT = 1_000_000
FULL = 1_000_000


def composition():
    return parse_composition(read(FILE).data)


def test_the_shipped_shares_are_50_30_20():
    assert [part.weight for part in composition().components] == [50 * POINT, 30 * POINT, 20 * POINT]


def test_all_parts_measured():
    # 0.5 x 80 + 0.3 x 90 + 0.2 x 70 = 81; coverage 0.5 x 0.6 + 0.3 + 0.2 = 0.8.
    found = compose(
        composition(),
        {
            "system": Measured(80 * POINT, 600_000),
            "survey": Measured(90 * POINT, FULL),
            "on_site": Measured(70 * POINT, FULL),
        },
    )
    assert found == Measured(81 * POINT, 800_000)


def test_a_missing_survey_lowers_coverage_and_not_the_score():
    # (0.5 x 80 + 0.2 x 70) / 0.7 = 77.142857...
    found = compose(
        composition(), {"system": Measured(80 * POINT, FULL), "on_site": Measured(70 * POINT, FULL)}
    )
    assert found == Measured(77_142_857, 700_000)


def test_nothing_measured_is_no_score():
    assert compose(composition(), {"system": Measured(None, 0)}) == Measured(None, 0)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"weight": "40"}, "total_not_100"),
        ({"weight": 0.5}, "weight"),
        ({"id": "survey"}, "duplicate_code"),
        ({"source": "rumour"}, "source"),
        ({"framework": ""}, "text"),
    ],
)
def test_a_composition_that_does_not_add_up_is_refused(change, code):
    document = deepcopy(read(FILE).data)
    document["components"][0].update(change)
    with pytest.raises(CompositionInvalid) as refused:
        parse_composition(document)
    assert code in {problem.code for problem in refused.value.problems}
