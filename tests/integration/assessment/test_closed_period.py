"""A closed period takes no more reports and no more scores until two people open it again (decision 0061)."""

import pytest

from tests.support.reporting import FILLER, HEAD, REVIEWER, UNITS, Desk, person

ASKS, AGREES = (person(name, "inspector", "15", "/15/") for name in ("ding", "yi"))


@pytest.fixture
def desk(fed, tmp_path):
    fed.units(*UNITS)
    fed.app.ledger.needed = 0  # how witnesses hold a closing up is told in test_publication.py
    return Desk(fed.app, tmp_path)


def both_want(desk, act):
    desk.app.closings.ask(ASKS, "2026", act, "年度考核")
    desk.app.closings.confirm(AGREES, "2026", agreed=True)


def test_a_closed_period_takes_no_report_and_no_score_until_it_is_opened_again(desk):
    desk.joined(REVIEWER)
    handed_in, written = desk.begun(0), desk.begun(1)
    desk.submitted(handed_in)
    version = desk.written(written)
    (given,) = desk.queue(REVIEWER)
    third = desk.asked()[2]["result"]
    both_want(desk, "close_asked")
    for refused in (
        desk.post(FILLER, "/reports", result=third, period="2026"),
        desk.post(FILLER, f"/reports/{written}/draft", version=version, statement="补记"),
        desk.post(HEAD, f"/reports/{written}/submission", version=version),
        desk.answered(REVIEWER, given["id"], score_milli=900),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "assessment.period_closed")
    assert desk.score() is None
    both_want(desk, "reopen_asked")
    assert desk.answered(REVIEWER, given["id"], score_milli=900).json()["state"] == "scored"
    assert desk.score() == "90.0000"
