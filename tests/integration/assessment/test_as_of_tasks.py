"""Yearly tasks as of a day: who had them, what was told and what was late is shown as it was shown on it."""

import io
from datetime import timedelta

import pytest
import python_calamine as calamine

from contracts.directory.v1.directory_pb2 import Unit
from tests.support.reporting import FILLER, NEIGHBOUR, REVIEWER, UNITS, Desk, person

JUSTICE = person("sifa", "unit_head", "150102-sf", "/15/1501/150102/150102-sf/")
FINANCE = person("caizheng", "reporter", "150102-cz", "/15/1501/150102/150102-cz/")
READERS = (REVIEWER, FINANCE, NEIGHBOUR)
FEES = "A1.M11.R1"  # 收费和基金清单: finance leads, the market answers too


@pytest.fixture
def desk(fed, tmp_path):
    fed.units(*UNITS)
    desk = Desk(fed.app, tmp_path)
    desk.fed, desk.clock = fed, fed.runtime.clock
    return desk


def shown(desk, who, plans, as_of=""):
    """Everything that somebody can read of these tasks, and what is refused."""

    def read(path):
        answer = desk.ask(
            who, "GET", path + (("&" if "?" in path else "?") + f"as_of={as_of}" if as_of else "")
        )
        if answer.status_code == 200 and path.endswith("/file"):
            sheet = calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0)
            return sheet.to_python()
        return answer.json() if answer.status_code == 200 else answer.status_code

    months = [f"/tasks/calendar?month=2026-{month}" for month in ("03", "06")]
    areas = [f"/task_plans/{plan}/areas" for plan in plans]
    tables = [f"{area}/150102" for area in areas]
    notes = [f"{table}/tasks/{FEES}/notes" for table in tables]
    paths = (
        "/task_plans",
        "/tasks",
        "/home/tasks",
        *months,
        *areas,
        *tables,
        *notes,
        *(f"{table}/file" for table in tables if who is REVIEWER),  # the same rows as the page
    )
    return {path: read(path) for path in paths}


def the_weeks(desk):
    """Day by day: published, told of, done, reopened, given to others, a unit renamed, a second plan, late."""
    yield []
    body = {"year": 2026, "scope": "150102", "title": "年度任务", "due_on": "2026-03-20"}
    plan = desk.told(REVIEWER, "POST", "/task_plans", json=body)["plan"]
    task = f"/task_plans/{plan}/areas/150102/tasks/{FEES}"
    yield [plan]
    for who, kind in ((FINANCE, "progress"), (FINANCE, "done"), (REVIEWER, "reopened"), (FINANCE, "done")):
        desk.told(who, "POST", f"{task}/notes", json={"kind": kind, "text": "清单"})
        yield [plan]
    given = {"lead": "150102-jt", "responsible": ["150102-cz"], "due_on": "2026-06-30", "reason": "机构改革"}
    desk.told(REVIEWER, "POST", f"{task}/assignment", json=given)
    yield [plan]
    renamed = Unit()
    renamed.CopyFrom(next(one for one in UNITS if one.code == "150102-jt"))
    renamed.name, renamed.version = "改了名的局", 2
    desk.fed.units(renamed)
    yield [plan]
    body |= {"title": "补充任务", "nodes": [FEES], "due_on": "2026-11-30"}
    second = desk.told(REVIEWER, "POST", "/task_plans", json=body)["plan"]
    yield [plan, second]
    desk.clock.advance(timedelta(days=30))
    yield [plan, second]


def test_lists_tables_notes_and_months_are_shown_as_they_stood_on_each_day(desk):
    then = {}
    for plans in the_weeks(desk):
        day = desk.clock.now().date().isoformat()
        then[day] = plans, {who.account: shown(desk, who, plans) for who in READERS}
        desk.clock.advance(timedelta(days=1))
    assert len({str(pages) for _, pages in then.values()}) == len(then), "every day something was done"
    for day, (plans, pages) in then.items():
        for who in READERS:
            assert shown(desk, who, plans, day) == pages[who.account], (day, who.account)


def test_what_was_not_published_yet_is_not_found_and_a_day_to_come_is_refused(desk):
    day = desk.clock.now().date().isoformat()
    desk.clock.advance(timedelta(days=1))
    body = {"year": 2026, "scope": "150102", "title": "年度任务", "due_on": "2026-11-30"}
    plan = desk.told(REVIEWER, "POST", "/task_plans", json=body)["plan"]
    for path in ("", "/150102", f"/150102/tasks/{FEES}/notes"):
        assert desk.ask(REVIEWER, "GET", f"/task_plans/{plan}/areas{path}?as_of={day}").status_code == 404
    assert desk.told(JUSTICE, "GET", f"/tasks?as_of={day}") == {"total": 0, "rows": []}
    refused = desk.ask(FILLER, "GET", "/tasks?as_of=2027-01-01")
    assert refused.json()["code"] == "assessment.as_of_day"


def test_the_table_of_a_past_day_is_for_looking_at_and_is_not_taken_for_todays_mended(desk):
    body = {"year": 2026, "scope": "150102", "title": "年度任务", "due_on": "2026-11-30"}
    plan = desk.told(REVIEWER, "POST", "/task_plans", json=body)["plan"]
    path = f"/task_plans/{plan}/areas/150102/file"
    day = desk.clock.now().date().isoformat()
    desk.clock.advance(timedelta(days=1))
    given = {"lead": "150102-jt", "responsible": ["150102-cz"], "due_on": "2026-06-30", "reason": "机构改革"}
    desk.told(REVIEWER, "POST", f"/task_plans/{plan}/areas/150102/tasks/{FEES}/assignment", json=given)
    for as_of, status in ((f"?as_of={day}", 422), ("", 200)):
        table = desk.ask(REVIEWER, "GET", path + as_of).content
        answer = desk.ask(REVIEWER, "POST", f"{path}?dry_run=true", files={"file": ("任务分解.xlsx", table)})
        assert answer.status_code == status, answer.text
    assert answer.json()["changed"] == 0
