"""`fazhi prove P1 --short` passes, and fails on a planted bug: a proof that cannot fail proves nothing."""

import pytest

from fazhi.prove.planted import BUGS
from tests.support.proofs import SEED, planted, proved

QUICKEST_FIRST = sorted(BUGS, reverse=True)


@pytest.mark.timeout(260)
@pytest.mark.usefixtures("rabbitmq", "postgresql")  # so that a machine without them skips loudly
def test_nothing_acknowledged_is_lost_and_each_counts_once_while_things_are_killed():
    code, found = proved("P1", "--short")
    assert found["faults"] == [], str(found)
    assert code == 0
    assert found["seed"] == SEED
    assert found["acknowledged"] > 500
    assert found["lost"] == found["doubled"] == found["phantom"] == 0
    assert found["absorbed"] > 0
    assert {"relay", "worker", "broker", "database"} <= set(found["kills"])
    assert found["seconds"] <= 120


@pytest.mark.timeout(260)
@pytest.mark.parametrize("bug", planted(*QUICKEST_FIRST))
@pytest.mark.usefixtures("rabbitmq", "postgresql")
def test_the_proof_fails_on_a_planted_bug(bug):
    code, found = proved("P1", "--plant", bug)
    assert code == 1
    assert set(found["faults"]) & {"lost", "doubled", "quarantined", "sums_differ"}
