"""`fazhi prove P9 --short` passes, and fails on each planted bug: a proof that cannot fail proves nothing."""

import pytest

from fazhi.prove.scheduler import BUGS
from tests.support.proofs import SEED, planted, proved


@pytest.mark.timeout(220)
@pytest.mark.usefixtures("postgresql")  # so that a machine without it skips loudly
def test_every_overdue_order_goes_up_exactly_once_while_schedulers_are_killed_and_the_clock_jumps():
    code, found = proved("P9", "--short")
    assert found["faults"] == [], str(found)
    assert code == 0
    assert found["seed"] == SEED
    assert found["orders"] == 2000
    assert found["kills"] >= 12
    assert found["missing"] == found["doubled"] == found["in_no_state"] == 0
    assert found["latest_seconds"] <= 30
    assert found["answers"] == 40
    assert found["answers_lost"] == found["answers_changed"] == 0


@pytest.mark.timeout(220)
@pytest.mark.parametrize("bug", planted(*sorted(BUGS)))
@pytest.mark.usefixtures("postgresql")
def test_the_proof_fails_on_a_planted_bug(bug):
    code, found = proved("P9", "--plant", bug)
    assert code == 1
    assert set(found["faults"]) & {"doubled", "missing"}
