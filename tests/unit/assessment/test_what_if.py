"""What if: a method moved stays the method it was in all that was not moved."""

from pathlib import Path

import pytest

from services.assessment.framework.values import Method, PeerGroup
from services.assessment.ranking import parameters
from services.assessment.ranking.boards import Board
from services.assessment.ranking.periods import window
from services.assessment.ranking.what_if import Moves, what_if
from services.assessment.scoring.rules import ProbeState, roll_up_totals
from services.assessment.scoring.tallies import Assessed
from tests.support.frameworks import GROUP, above, framework, result, tally

PARAMETERS = parameters.load(Path(__file__).parents[3] / "catalog")
PEERS = PeerGroup(GROUP, "县", frozenset({"government"}), frozenset({"county"}))
MEASURED = Method("ratio", floor_milli=500, measured=True)
ASKED = Method("survey", responses_at_least=30)
FRAMEWORK = framework(
    above(
        "A1",
        "aspect",
        result("R1", 50, "P1", method=MEASURED),
        result("R2", 25, method=ASKED),
        result("R3", 25, "P3"),
    )
)
STATES = {
    "P1": ProbeState(passed=1, failed=1, graded_milli=1000, numerator=80, denominator=100),
    "f/R2": ProbeState(failed=1, graded_milli=500, numerator=10_000, denominator=20_000),  # twenty people
    "P3": tally(1, 0),
}


@pytest.mark.parametrize(
    ("code", "moved", "points"),
    [
        (
            "R1",
            Method("ratio", floor_milli=600),
            50 * 0.5 + 25,
        ),  # of 0.8, as measured, not of half the findings
        ("R2", Method("survey"), 50 * 0.6 + 25),  # too few answered still
    ],
)
def test_a_line_moved_changes_neither_what_is_counted_nor_how_many_must_have_answered(code, moved, points):
    unit = Assessed("15", "甲县", "/15/", "15", PEERS)
    board = Board(
        FRAMEWORK,
        PEERS,
        window("2026"),
        1,
        None,
        {"15": unit},
        {"15": STATES},
        {"15": roll_up_totals(FRAMEWORK, GROUP, STATES)},
    )
    (row,) = what_if(board, Moves(methods={code: moved}), PARAMETERS)
    assert row.after == pytest.approx(points * 100 / 75, abs=1e-4)
