"""`fazhi prove P3 --short` passes, and fails on a verification that forgets something: every attack is found and named."""

import pytest

from tests.support.proofs import planted, proved


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("postgresql")
def test_every_attack_on_the_ledger_is_found_and_named_by_both_verifiers():
    _, found = proved("P3", "--short")
    assert set(found["faults"]) <= {"too_slow"}, (
        found
    )  # how fast is measured by the long form, on a quiet machine
    assert found["detected"] == found["attacks"] == 17
    assert found["evidence_detected"] == found["evidence_attacks"] == 10
    assert found["publication_detected"] == found["publication_attacks"] == 2
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
        ("forgets_originals", "a clue's original altered"),
        ("forgets_sources", "a row no source told"),
    ),
)
@pytest.mark.usefixtures("postgresql")
def test_the_proof_of_the_ledger_fails_on_a_verification_that_forgets_something(bug, missed):
    code, found = proved("P3", "--plant", bug)
    assert code == 1
    assert any(line.startswith(missed) for line in found["missed"])
