"""`fazhi prove P5 --short` passes, and fails on a planted bug: nobody reads or writes what was not granted."""

import pytest

from tests.support.proofs import planted, proved


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("postgresql")
def test_nobody_reads_or_writes_what_was_not_granted():
    code, found = proved("P5", "--short")
    assert found["faults"] == [], found["first_deviations"]
    assert code == 0
    assert found["deviations"] == 0
    assert found["denials_on_record"] == found["refused"] > 500
    assert found["hidden"] > 1_000
    assert found["grpc"]["methods"] == 6
    assert found["grpc"]["hidden"] > 100


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("bug", "kind"),
    planted(
        ("forgets_the_area", "counts GET /assessment/orders"),
        ("shows_drafts", "exists GET /assessment/reports/{report}"),
        ("says_forbidden", "exists GET /assessment/reports/{report}"),
        ("shares_an_answer", "pooled"),
        ("streams_everything", "grpc FollowChanges tells of"),
    ),
)
@pytest.mark.usefixtures("postgresql")
def test_the_proof_of_access_fails_on_a_planted_bug(bug, kind):
    code, found = proved("P5", "--plant", bug)
    assert code == 1
    assert any(line.startswith(kind) for line in found["first_deviations"])
