"""`fazhi prove P4 --short` passes, and fails on a planted bug: every figure is traced to its events and recomputed."""

import pytest

from tests.support.proofs import planted, proved


@pytest.mark.timeout(260)
@pytest.mark.usefixtures("postgresql")
def test_every_figure_is_traced_to_its_events_and_recomputed_by_the_independent_verifier():
    _, found = proved("P4", "--short")
    assert set(found["faults"]) <= {"too_slow"}  # how fast is measured by the long form, on a quiet machine
    assert found["questions"] == 200
    assert found["events_checked"] > found["questions"]
    assert found["orders_that_differ"] == 0


@pytest.mark.timeout(260)
@pytest.mark.parametrize("bug", planted("forgets_corrections", "last_arrival_wins"))
@pytest.mark.usefixtures("postgresql")
def test_tracing_fails_on_a_planted_bug(bug):
    code, found = proved("P4", "--plant", bug)
    assert code == 1
    assert set(found["faults"]) & {"unequal", "orders_that_differ"}
