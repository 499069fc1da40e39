"""`fazhi prove P1 --short` passes, and fails on each of the three planted bugs: a proof that cannot fail proves nothing."""

import json
import subprocess
import sys

import pytest

from fazhi.prove.planted import BUGS
from tests.support.proofs import planted

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
@pytest.mark.parametrize("bug", planted("forgets_corrections", "last_arrival_wins"))
@pytest.mark.usefixtures("postgresql")
def test_tracing_fails_on_a_planted_bug(bug):
    code, found = traced("--plant", bug)
    assert code == 1
    assert set(found["faults"]) & {"unequal", "orders_that_differ"}


def proof_of(promise, *arguments):
    """Exit code and counters of one proof."""
    command = [sys.executable, "-W", "ignore", "-m", "fazhi", "prove", promise, "--seed", SEED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=580, check=False)
    assert done.stdout.startswith("{"), done.stderr[-2000:]
    return done.returncode, json.loads(done.stdout)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("postgresql")
def test_every_attack_on_the_ledger_is_found_and_named_by_both_verifiers():
    _, found = proof_of("P3", "--short")
    assert set(found["faults"]) <= {"too_slow"}, (
        found
    )  # how fast is measured by the long form, on a quiet machine
    assert found["detected"] == found["attacks"] == 15
    assert found["audit_detected"] == found["audit_attacks"] == 5
    assert found["alarms_untouched"] == []
    assert found["merkle_vectors_wrong"] == 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("bug", "missed"),
    planted(
        ("trusts_stored_hashes", "one digit"),
        ("forgets_witnesses", "rolled back"),
        ("forgets_columns", "one digit in a column"),
        ("audit_trusts_stored_hashes", "audit altered"),
    ),
)
@pytest.mark.usefixtures("postgresql")
def test_the_proof_of_the_ledger_fails_on_a_verification_that_forgets_something(bug, missed):
    code, found = proof_of("P3", "--plant", bug)
    assert code == 1
    assert any(line.startswith(missed) for line in found["missed"])


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("postgresql")
def test_nobody_reads_or_writes_what_was_not_granted():
    code, found = proof_of("P5", "--short")
    assert found["faults"] == [], found["first_deviations"]
    assert code == 0
    assert found["deviations"] == 0
    assert found["denials_on_record"] == found["refused"] > 500
    assert found["hidden"] > 1_000


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("bug", "kind"),
    planted(
        ("forgets_the_area", "counts GET /assessment/orders"),
        ("shows_drafts", "exists GET /assessment/reports/{report}"),
        ("says_forbidden", "exists GET /assessment/reports/{report}"),
        ("shares_an_answer", "pooled"),
    ),
)
@pytest.mark.usefixtures("postgresql")
def test_the_proof_of_access_fails_on_a_planted_bug(bug, kind):
    code, found = proof_of("P5", "--plant", bug)
    assert code == 1
    assert any(line.startswith(kind) for line in found["first_deviations"])
