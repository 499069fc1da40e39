"""`fazhi prove P1 --short` passes, and fails on each of the three planted bugs: a proof that cannot fail proves nothing."""

import json
import subprocess
import sys

import pytest

from fazhi.prove.planted import BUGS

SEED = "20261122"


def proved(*arguments):
    """Exit code and counters of one proof."""
    command = [sys.executable, "-W", "ignore", "-m", "fazhi", "prove", "P1", "--seed", SEED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.stdout.startswith("{"), done.stderr[-2000:]
    return done.returncode, json.loads(done.stdout)


@pytest.mark.timeout(260)
@pytest.mark.usefixtures("rabbitmq", "postgresql")  # so that a machine without them skips loudly
def test_nothing_acknowledged_is_lost_and_each_counts_once_while_things_are_killed():
    code, found = proved("--short")
    assert found["faults"] == []
    assert code == 0
    assert found["seed"] == int(SEED)
    assert found["acknowledged"] > 500
    assert found["lost"] == found["doubled"] == found["phantom"] == 0
    assert found["absorbed"] > 0
    assert {"relay", "worker", "broker", "database"} <= set(found["kills"])
    assert found["seconds"] <= 120


@pytest.mark.timeout(260)
@pytest.mark.parametrize("bug", sorted(BUGS))
@pytest.mark.usefixtures("rabbitmq", "postgresql")
def test_the_proof_fails_on_a_planted_bug(bug):
    code, found = proved("--plant", bug)
    assert code == 1
    assert set(found["faults"]) & {"lost", "doubled", "quarantined", "sums_differ"}


def traced(*arguments):
    """Exit code and counters of P4."""
    command = [sys.executable, "-W", "ignore", "-m", "fazhi", "prove", "P4", "--seed", SEED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.stdout.startswith("{"), done.stderr[-2000:]
    return done.returncode, json.loads(done.stdout)


@pytest.mark.timeout(260)
@pytest.mark.usefixtures("postgresql")
def test_every_figure_is_traced_to_its_events_and_recomputed_by_the_independent_verifier():
    _, found = traced("--short")
    assert set(found["faults"]) <= {"too_slow"}  # how fast is measured by the long form, on a quiet machine
    assert found["questions"] == 200
    assert found["events_checked"] > found["questions"]
    assert found["orders_that_differ"] == 0


@pytest.mark.timeout(260)
@pytest.mark.parametrize("bug", ["forgets_corrections", "last_arrival_wins"])
@pytest.mark.usefixtures("postgresql")
def test_tracing_fails_on_a_planted_bug(bug):
    code, found = traced("--plant", bug)
    assert code == 1
    assert set(found["faults"]) & {"unequal", "orders_that_differ"}
