"""The demonstration's reports are such as people make: every state follows from events, every score is one fact."""

import orjson
import pytest
from sqlalchemy import select, text

from services.assessment.reporting.model import REPORT_EVENTS, REPORTS
from services.assessment.reporting.rules import DRAFT, after
from services.assessment.review.demonstration import demonstrate
from services.assessment.review.model import REVIEW_MARKS
from services.assessment.scoring.model import EVENT_LOG
from tests.support.reporting import COUNTY, INSPECTOR, REVIEWER, SECOND, UNITS, Desk, holder


@pytest.fixture
def desk(fed, tmp_path):
    fed.units(*UNITS)
    return Desk(fed.app, tmp_path)


def test_a_county_reports_and_is_reviewed_the_same_way_every_time(desk):
    desk.heard(holder(REVIEWER), holder(SECOND))
    made = demonstrate(desk.app, area=COUNTY, year=2026, reviewers=[REVIEWER, SECOND])
    assert made.reports == made.scored + made.returned + made.waiting + made.drafts
    assert min(made.scored, made.returned, made.waiting, made.drafts) > 0
    again = demonstrate(desk.app, area=COUNTY, year=2026, reviewers=[REVIEWER, SECOND])
    assert again.reports == 0
    with desk.app.store.reading() as session:
        heads = {row.id: row for row in session.execute(select(REPORTS))}
        states = dict.fromkeys(heads, DRAFT)
        for event in session.execute(
            select(REPORT_EVENTS).order_by(REPORT_EVENTS.c.report, REPORT_EVENTS.c.number)
        ):
            states[event.report] = after(states[event.report], event.act)
        assert states == {name: row.state for name, row in heads.items()}
        facts = {
            leaf["subject"]: leaf for leaf in map(orjson.loads, session.scalars(select(EVENT_LOG.c.leaf)))
        }
        scored = [row for row in heads.values() if row.state == "scored"]
        assert facts.keys() == {f"assessment/reports/{row.id}" for row in scored}
        for row in scored:
            assert facts[f"assessment/reports/{row.id}"]["score"] == f"{row.score_milli / 1000:.3f}"
        for mark in session.execute(select(REVIEW_MARKS)):
            unit = heads[mark.report].unit
            assert mark.reviewer != f"demo.{unit}"
        given = session.scalars(
            text("SELECT DISTINCT report FROM review_assignments WHERE done_at IS NULL")
        ).all()
    unassigned = desk.told(INSPECTOR, "GET", "/reviews/area")["unassigned"]
    assert len(given) + unassigned == made.waiting
    assert len(given) > 0
    assert desk.queue(REVIEWER) or desk.queue(SECOND)
    assert desk.score() is not None
    found = desk.told(INSPECTOR, "GET", "/reviews/agreement", params={"period": "2026"})
    assert found["pairs"] > 0
