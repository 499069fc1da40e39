"""A case is looked at again on the day after a period ends that was running, and not before."""

from datetime import date

import pytest

from services.enforcement.cases.rules.record import CaseRecord
from services.enforcement.probes import next_look
from tests.support.enforcement import EVERYTHING, a_licence, a_penalty, a_simple_penalty, an_inspection, facts

DECIDED = date(2026, 10, 30)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (a_penalty(), None),
        (
            a_penalty(decided_on=DECIDED, served_on=None, published_on=None, archived_on=None),
            date(2026, 11, 11),
        ),
        (
            a_penalty(decided_on=DECIDED, served_on=DECIDED, published_on=DECIDED, archived_on=None),
            date(2026, 11, 30),
        ),
        (a_simple_penalty(decided_on=DECIDED, paid_on_spot_on=DECIDED, published_on=None), date(2026, 11, 4)),
        (a_licence(decided_on=DECIDED, published_on=None), date(2026, 11, 11)),
        (an_inspection(decided_on=DECIDED, published_on=None, served_on=None), date(2026, 11, 28)),
        (a_penalty(published_on=None), None),
        (a_penalty(decided_on=DECIDED, published_on=None, given=EVERYTHING - {"published_on"}), None),
    ],
)
def test_next_look(case: CaseRecord, expected: date | None) -> None:
    assert next_look(facts(case)) == expected
