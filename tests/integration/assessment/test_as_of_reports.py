"""Self-reports as of a day: what was shown on it is shown again, and a draft of then is still its unit's own (P5)."""

from datetime import timedelta

import pytest
from sqlalchemy import event, select

from contracts.directory.v1.directory_pb2 import Unit
from kernel.ids import new_id
from services.assessment.reporting.model import REPORTS
from services.assessment.reporting.records import report_id
from services.assessment.reporting.scored import follow_correction
from tests.support.reporting import (
    FAR_INSPECTOR,
    FILLER,
    HEAD,
    INSPECTOR,
    NEIGHBOUR,
    NEIGHBOUR_HEAD,
    REVIEWER,
    UNITS,
    Desk,
)

READERS = (FILLER, NEIGHBOUR_HEAD, INSPECTOR)
OWN_LISTS = ("/reports",)
AREA_LISTS = ("/reports/area", "/reports/area?state=returned&limit=1")
ACTS = ("writable", "lacking")  # nothing can be done in the past


@pytest.fixture
def desk(fed, tmp_path):
    fed.units(*UNITS)
    desk = Desk(fed.app, tmp_path)
    desk.fed, desk.clock = fed, fed.runtime.clock
    return desk


def shown(desk, who, reports, as_of=""):
    """Everything that somebody can read of these reports, and what is refused."""

    def read(path):
        answer = desk.ask(
            who, "GET", path + (("&" if "?" in path else "?") + f"as_of={as_of}" if as_of else "")
        )
        if answer.status_code != 200:
            return answer.status_code
        told = answer.json()
        assert not as_of or not any(told.get(name) for name in ACTS), path
        return {name: value for name, value in told.items() if name not in ACTS}

    pages = AREA_LISTS if who.has("inspector") else OWN_LISTS
    ones = [f"/reports/{one}{version}" for one in reports for version in ("", "?version=1")]
    return {path: read(path) for path in (*pages, *ones)}


def reviewed(desk, **answer):
    (given,) = desk.queue(REVIEWER)
    assert desk.answered(REVIEWER, given["id"], **answer).status_code == 200


def the_weeks(desk):
    """Day by day the life of a report; a neighbour's runs beside it, and is a draft or handed in in turn."""
    desk.joined(REVIEWER)
    yield []
    report = desk.opened()
    yield [report]
    version = desk.written(report, statement="一")
    yield [report]
    version = desk.written(report, version=version, statement="二")
    theirs = desk.opened(NEIGHBOUR)
    desk.written(theirs, NEIGHBOUR, statement="邻居的话")
    both = [report, theirs]
    yield both
    desk.told(HEAD, "POST", f"/reports/{report}/submission", json={"version": version})
    yield both
    desk.told(HEAD, "POST", f"/reports/{report}/withdrawal", json={"reasons": "数字有误"})
    desk.told(NEIGHBOUR_HEAD, "POST", f"/reports/{theirs}/submission", json={"version": 1})
    yield both
    desk.submitted(report, version=version, statement="三")
    desk.told(NEIGHBOUR_HEAD, "POST", f"/reports/{theirs}/withdrawal", json={})
    yield both
    (given,) = desk.queue(REVIEWER)
    desk.told(REVIEWER, "POST", f"/reviews/{given['id']}/opening")
    yield both
    reviewed(desk, decision="return", reasons="请附文件原文。")
    yield both
    version = desk.written(report, version=3, statement="四")
    renamed = Unit()
    renamed.CopyFrom(next(one for one in UNITS if one.code == HEAD.unit))
    renamed.name, renamed.version = "改了名的局", 2
    desk.fed.units(renamed)
    yield both
    desk.submitted(report, version=version, statement="五")
    yield both
    reviewed(desk, score_milli=850)
    yield both
    with desk.app.store.work() as work:
        follow_correction(
            work, f"assessment/reports/{report}", new_id(), 700, actor="ducha", reasons="申诉成立"
        )
        work.commit()
    yield both
    desk.clock.advance(timedelta(days=300))  # past the last day for reporting: what is open is overdue
    yield both


def test_lists_and_reports_are_shown_as_they_stood_after_each_step(desk):
    then = {}
    for reports in the_weeks(desk):
        day = desk.clock.now().date().isoformat()
        then[day] = reports, {who.account: shown(desk, who, reports) for who in READERS}
        desk.clock.advance(timedelta(days=1))
    assert len({str(pages) for _, pages in then.values()}) == len(then), "every day something was done"
    states = {pages["tianbao"].get(f"/reports/{of[0]}", {}).get("state") for of, pages in then.values() if of}
    assert states == {"draft", "submitted", "reviewing", "returned", "scored"}
    for day, (reports, pages) in then.items():
        for who in READERS:
            assert shown(desk, who, reports, day) == pages[who.account], (day, who.account)


def test_a_draft_of_then_is_hidden_from_all_others_though_it_was_handed_in_since(desk):
    report = desk.opened()
    digest = desk.uploaded(report)
    desk.written(report, statement="尚未提交的话", evidence=[{"kind": "file", "reference": digest}])
    day = desk.clock.now().date().isoformat()
    desk.clock.advance(timedelta(days=1))
    desk.told(HEAD, "POST", f"/reports/{report}/submission", json={"version": 1})
    assert desk.told(INSPECTOR, "GET", f"/reports/{report}")["state"] == "submitted"
    for who in (INSPECTOR, FAR_INSPECTOR, NEIGHBOUR, NEIGHBOUR_HEAD):
        for path in (f"/reports/{report}", f"/reports/{report}/files/{digest}"):
            assert desk.ask(who, "GET", f"{path}?as_of={day}").status_code == 404, (who, path)
    assert desk.told(INSPECTOR, "GET", f"/reports/area?as_of={day}") == {"total": 0, "rows": []}


def test_evidence_of_then_is_read_with_the_report_of_then(desk):
    report = desk.opened()
    digest = desk.uploaded(report)
    desk.submitted(report, evidence=[{"kind": "file", "reference": digest}])
    day = desk.clock.now().date().isoformat()
    desk.clock.advance(timedelta(days=1))
    desk.told(HEAD, "POST", f"/reports/{report}/withdrawal", json={})
    assert desk.ask(INSPECTOR, "GET", f"/reports/{report}/files/{digest}").status_code == 404
    assert desk.ask(INSPECTOR, "GET", f"/reports/{report}/files/{digest}?as_of={day}").status_code == 200


def test_a_report_begins_when_it_is_opened_or_where_that_was_not_kept_with_its_first_version(desk):
    kept, report = desk.opened(), desk.opened(NEIGHBOUR)
    with desk.app.store.work() as work:
        head = work.session.execute(select(REPORTS).where(REPORTS.c.id == kept)).mappings().one()
        result = next(row["result"] for row in desk.asked() if row["result"] != head["result"])
        unkept = report_id(head["framework"], result, head["unit"], head["period"])
        work.session.execute(REPORTS.insert().values({**head, "id": unkept, "result": result}))
        work.commit()
    day = desk.clock.now().date().isoformat()
    desk.clock.advance(timedelta(days=1))
    for one in (kept, unkept):
        desk.written(one)
    then = desk.told(FILLER, "GET", f"/reports/{kept}?as_of={day}")
    assert (then["state"], then["version"], then["events"][0]["act"]) == ("draft", 0, "opened")
    assert desk.told(FILLER, "GET", f"/reports?as_of={day}")["counts"]["draft"] == 1
    assert desk.ask(FILLER, "GET", f"/reports/{unkept}?as_of={day}").status_code == 404
    for who, one in ((INSPECTOR, kept), (INSPECTOR, report), (FILLER, report)):
        assert desk.ask(who, "GET", f"/reports/{one}?as_of={day}").status_code == 404


def test_a_day_to_come_is_refused(desk):
    report = desk.opened()
    for path in ("/reports", f"/reports/{report}"):
        refused = desk.ask(FILLER, "GET", f"{path}?as_of=2027-01-01")
        assert refused.json()["code"] == "assessment.as_of_day"


def test_however_many_reports_a_past_list_takes_the_same_statements(desk):
    day = desk.clock.now().date().isoformat()
    statements, taken = [], []
    with desk.app.store.reading() as session:
        engine = session.get_bind().engine

    @event.listens_for(engine, "before_cursor_execute")
    def _(_connection, _cursor, statement, *_rest):
        statements.append(statement)

    for row in desk.asked()[:3]:
        opened = desk.told(FILLER, "POST", "/reports", json={"result": row["result"], "period": "2026"})
        desk.submitted(opened["id"])
        statements.clear()
        assert desk.told(INSPECTOR, "GET", f"/reports/area?as_of={day}")["total"] == len(taken) + 1
        assert desk.told(FILLER, "GET", f"/reports?as_of={day}")["counts"]["submitted"] == len(taken) + 1
        taken.append(sum("report_events" in statement for statement in statements))
    assert taken == [3, 3, 3]
