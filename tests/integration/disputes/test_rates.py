"""Rates with both numbers, over cases whose day lies in the period, and the cases behind each number."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from kernel.access.principal import SYSTEM
from kernel.errors import NotFound
from tests.integration.disputes.conftest import CITY, OFFICE, STRANGER, Desk

YEAR = {"since": date(2026, 1, 1), "until": date(2026, 12, 31)}


def a_case(number: int, **facts: Any) -> dict[str, Any]:
    given = {"received_on": "2026-03-04", "accepted_on": "2026-03-06", "decided_on": "2026-04-28",
             "served_on": "2026-04-30"} | facts  # fmt: skip
    return {"number": f"{number}号", "review_unit": "150102", "respondent": "150102-scjg", "facts": given}


CASES = [
    a_case(1, outcome="RF04"),
    a_case(2, outcome="RF08"),
    a_case(3, outcome="RF09", decided_on="2026-05-08", served_on="2026-05-09"),  # two days late
    a_case(4, outcome="RF12"),
    a_case(5, outcome="RF13", settled=True),
    a_case(6, outcome="RF13"),
    a_case(7, outcome="RF01", accepted_on=None, refused_on="2026-03-06", decided_on=None, served_on=None),
    a_case(8, accepted_on="2026-03-06", decided_on=None, served_on=None),
    a_case(9, outcome="RF05", served_on="2027-01-04", decided_on="2026-04-28"),
]


@pytest.fixture
def filled(desk: Desk) -> Desk:
    desk.clock.set(datetime(2026, 6, 1, 4, tzinfo=UTC))
    desk.app.intake.load(SYSTEM, CASES)
    return desk


def test_numerators_and_denominators_are_those_counted_by_hand(filled: Desk) -> None:
    figures = {
        f.rate.id: (f.numerator, f.denominator, f.rate_milli)
        for f in filled.app.rates.figures(OFFICE, **YEAR)
    }
    assert figures == {
        "acceptance": (8, 9, 889),
        "in_time": (6, 7, 857),
        "corrected": (1, 3, 333),  # the ninth takes effect in the next year
        "settled": (2, 7, 286),
    }


def test_the_cases_behind_a_number_can_be_listed(filled: Desk) -> None:
    assert [n for _, n in filled.app.rates.cases(CITY, "corrected", **YEAR)] == ["1号"]
    whole = filled.app.rates.cases(CITY, "corrected", only_numerator=False, **YEAR)
    assert [n for _, n in whole] == ["1号", "2号", "3号"]
    with pytest.raises(NotFound):
        filled.app.rates.cases(CITY, "beauty", **YEAR)


def test_strangers_count_nothing(filled: Desk) -> None:
    assert {
        (f.numerator, f.denominator, f.rate_milli) for f in filled.app.rates.figures(STRANGER, **YEAR)
    } == {(0, 0, None)}
    assert filled.app.rates.cases(STRANGER, "corrected", **YEAR) == []
