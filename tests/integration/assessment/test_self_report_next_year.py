"""What is reported and scored in January about the year before: under the framework of that year, where it counts."""

from datetime import UTC, datetime

from tests.support.reporting import FILLER, REVIEWER, UNITS, Desk, person

ASKS, AGREES = (person(name, "inspector", "15", "/15/") for name in ("ding", "yi"))


def test_a_report_is_asked_written_and_scored_by_the_framework_of_its_own_year(fed, tmp_path):
    fed.units(*UNITS)
    desk = Desk(fed.app, tmp_path)
    desk.joined(REVIEWER)
    changes = desk.app.framework_changes
    proposal = changes.propose_in_force(ASKS, "composite-50-30-20", "1", 2027, "施行")
    changes.decide(AGREES, proposal, "同意", approved=True)
    fed.app.store.clock.set(datetime(2027, 1, 20, 2, 0, tzinfo=UTC))
    row = next(
        row for row in desk.told(FILLER, "GET", "/reports?period=2026")["rows"] if not row["needs_value"]
    )
    report = desk.told(FILLER, "POST", "/reports", json={"result": row["result"], "period": "2026"})["id"]
    assert report == row["id"]
    desk.submitted(report)
    given = desk.queue(REVIEWER)[0]
    assert desk.answered(REVIEWER, given["id"], score_milli=1000).json()["state"] == "scored"
    assert desk.score() == "100.0000"
