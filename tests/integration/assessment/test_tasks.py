"""Tasks of a year reach the units that have them, change by revisions, and remind once before and once after."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import python_calamine as calamine
import xlsxwriter
from sqlalchemy import func, select, text

from services.assessment.tasks.demonstration import COMPOSITE, demonstrate
from services.assessment.tasks.model import DUTIES, REMINDERS, TASKS
from tests.support.events import a_unit
from tests.support.reporting import (
    FILLER,
    INSPECTOR,
    NEIGHBOUR,
    REVIEWER,
    UNITS,
    Desk,
    person,
)

PROVINCE = person("shenhe.sheng", "reviewer", "15", "/15/")
FINANCE = person("caizheng", "reporter", "150102-cz", "/15/1501/150102/150102-cz/")
JUSTICE = person("sifa", "unit_head", "150102-sf", "/15/1501/150102/150102-sf/")
ELSEWHERE = person("waidi", "reviewer", "1502", "/15/1502/")
FEES = "A1.M11.R1"  # 收费和基金清单: finance leads, the market answers too
PERMITS = "A1.M2.R1"  # 许可办理时限: no government_service department here, so the government leads


@pytest.fixture
def desk(fed, tmp_path):
    fed.units(*UNITS)
    return Desk(fed.app, tmp_path)


def published(desk, who=REVIEWER, scope="150102", **more):
    body = {"year": 2026, "scope": scope, "title": "2026 年度任务", "due_on": "2026-11-30", **more}
    return desk.told(who, "POST", "/task_plans", json=body)


def table(desk, plan, who=REVIEWER, area="150102"):
    return {row["node"]: row for row in desk.told(who, "GET", f"/task_plans/{plan}/areas/{area}")}


def workbook(rows, headers=None):
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
        sheet = book.add_worksheet("任务分解")
        for line, row in enumerate(
            [headers or ["任务编码", "牵头单位代码", "责任单位代码", "完成时限"], *rows]
        ):
            for column, cell in enumerate(row):
                sheet.write(line, column, cell)
    return packed.getvalue()


def handed_in(desk, plan, content, *, dry_run=False, who=REVIEWER):
    path = f"/task_plans/{plan}/areas/150102/file?dry_run={str(dry_run).lower()}"
    return desk.ask(who, "POST", path, files={"file": ("分解表.xlsx", io.BytesIO(content))})


def test_fields_of_the_framework_become_units_of_the_area(desk):
    made = published(desk)
    assert made["areas"] == 1
    rows = table(desk, made["plan"])
    framework = desk.app.frameworks.current()
    asked = [node for node in framework.results() if "county_governments" in node.points]
    assert len(rows) == made["tasks"] == len(asked)
    fees = rows[FEES]
    assert fees["lead"] == {"code": "150102-cz", "name": "新城区财政局"}
    assert [unit["code"] for unit in fees["responsible"]] == ["150102-scjg"]
    assert rows[PERMITS]["lead"]["code"] == "150102"
    assert fees["standard"].startswith(("比率法", "评审法", "扣分法", "清单法"))
    assert fees["deliverables"] == [framework.node(FEES).evidence]
    assert (fees["due_on"], fees["done"], fees["overdue"]) == ("2026-11-30", False, False)


def test_one_publication_serves_every_area_below_and_each_sees_its_own(desk):
    plan = published(desk, PROVINCE, "15", nodes=[FEES, PERMITS], due={FEES: "2026-04-30"})["plan"]
    areas = desk.told(PROVINCE, "GET", f"/task_plans/{plan}/areas")
    assert [(one["code"], one["total"]) for one in areas] == [("1501", 2), ("150102", 2)]
    assert table(desk, plan)[FEES]["due_on"] == "2026-04-30"
    (mine,) = desk.told(FINANCE, "GET", "/tasks")["rows"]
    assert (mine["node"], mine["role"], mine["area"]["name"]) == (FEES, "lead", "新城区政府")
    assert desk.told(NEIGHBOUR, "GET", "/tasks")["total"] == 0
    assert desk.told(ELSEWHERE, "GET", "/task_plans") != []  # the plan of the whole region
    assert desk.ask(ELSEWHERE, "GET", f"/task_plans/{plan}/areas/150102").status_code == 404


def test_nobody_publishes_beyond_his_reach_or_what_is_not_in_the_framework(desk):
    body = {"year": 2026, "scope": "15", "title": "越权"}
    assert desk.post(REVIEWER, "/task_plans", **body).json()["code"] == "assessment.no_such_unit"
    assert desk.post(FILLER, "/task_plans", **body).status_code == 403
    unknown = desk.post(PROVINCE, "/task_plans", **body, nodes=["A9.M9"])
    assert unknown.json()["fields"][0]["code"] == "assessment.unknown_result"
    past = desk.post(PROVINCE, "/task_plans", **body, due_on="2026-03-04")
    assert past.json()["code"] == "assessment.wrong_due_day"


def test_a_task_given_to_others_is_a_new_revision_and_both_stay(desk):
    plan = published(desk, nodes=[FEES])["plan"]
    body = {"lead": "150102-sf", "responsible": ["150102-cz"], "due_on": "2026-06-30", "reason": "职能调整"}
    path = f"/task_plans/{plan}/areas/150102/tasks/{FEES}/assignment"
    assert desk.told(INSPECTOR, "POST", path, json=body) == {"changed": 1, "dry_run": False}
    assert desk.told(INSPECTOR, "POST", path, json=body)["changed"] == 0
    row = table(desk, plan)[FEES]
    assert (row["revision"], row["lead"]["code"], row["due_on"]) == (2, "150102-sf", "2026-06-30")
    assert desk.told(FINANCE, "GET", "/tasks")["rows"][0]["role"] == "responsible"
    assert desk.told(FILLER, "GET", "/tasks")["total"] == 0
    with desk.app.store.reading() as session:
        assert session.execute(select(func.count()).select_from(TASKS)).scalar_one() == 2
    refused = desk.post(ELSEWHERE, path, **body)
    assert refused.status_code == 404


def test_of_those_who_give_a_task_at_once_none_meets_a_fault(desk):
    plan = published(desk, nodes=[FEES])["plan"]
    path = f"/task_plans/{plan}/areas/150102/tasks/{FEES}/assignment"

    def gives(lead):
        return desk.post(INSPECTOR, path, lead=lead, responsible=[], due_on="2026-06-30").status_code

    with ThreadPoolExecutor(3) as pool:
        told = list(pool.map(gives, ("150102-sf", "150102-jt", "150102")))
    assert 200 in told
    assert set(told) <= {200, 409}
    assert table(desk, plan)[FEES]["revision"] == 1 + told.count(200)


@pytest.mark.parametrize(
    ("lead", "responsible", "code"),
    [
        ("150102-none", [], "unknown_unit"),
        ("1501-sf", [], "unit_outside"),
        ("150102-sf", ["150102-sf"], "unit_twice"),
    ],
)
def test_units_that_cannot_have_a_task_are_refused_by_name(desk, lead, responsible, code):
    plan = published(desk, nodes=[FEES])["plan"]
    path = f"/task_plans/{plan}/areas/150102/tasks/{FEES}/assignment"
    body = {"lead": lead, "responsible": responsible, "due_on": "2026-06-30"}
    refused = desk.post(REVIEWER, path, **body)
    assert [field["code"] for field in refused.json()["fields"]] == [code]
    assert table(desk, plan)[FEES]["revision"] == 1


def test_progress_is_told_by_those_who_have_the_task_and_done_by_its_lead(desk):
    plan = published(desk, nodes=[FEES])["plan"]
    path = f"/task_plans/{plan}/areas/150102/tasks/{FEES}/notes"
    note = {"kind": "progress", "text": "目录已公布。"}
    assert desk.post(FILLER, path, **note).status_code == 204  # responsible
    assert desk.post(NEIGHBOUR, path, **note).status_code == 404
    not_lead = desk.post(FILLER, path, kind="done", text="完成")
    assert not_lead.json()["code"] == "assessment.not_lead"
    assert desk.post(FINANCE, path, kind="done", text="完成").status_code == 204
    assert table(desk, plan)[FEES]["done"] is True
    assert desk.post(FINANCE, path, kind="done", text="再次").json()["code"] == "assessment.task_state"
    assert desk.post(INSPECTOR, path, kind="reopened", text="清单漏项").status_code == 204
    assert table(desk, plan)[FEES]["done"] is False
    kinds = [one["kind"] for one in desk.told(FINANCE, "GET", path)]
    assert kinds == ["reopened", "done", "progress"]


def test_a_unit_that_was_moved_out_of_the_area_keeps_what_it_has_there(desk, fed):
    plan = published(desk, PROVINCE, "15", nodes=[FEES])["plan"]
    fed.units(a_unit("150102-scjg", parent="1502", path="/15/1502/150102-scjg/", version=9))
    moved = person("shichang", "reporter", "150102-scjg", "/15/1502/150102-scjg/")
    (mine,) = desk.told(moved, "GET", "/tasks")["rows"]
    assert (mine["area"]["code"], mine["role"], mine["lead"]["name"]) == (
        "150102",
        "responsible",
        "新城区财政局",
    )
    path = f"/task_plans/{plan}/areas/150102/tasks/{FEES}/notes"
    assert desk.post(moved, path, kind="progress", text="移交中").status_code == 204
    body = {"lead": "150102-cz", "responsible": [], "due_on": "2026-06-30", "reason": "机构划转"}
    desk.told(INSPECTOR, "POST", path.replace("notes", "assignment"), json=body)
    assert desk.told(moved, "GET", "/tasks")["total"] == 0


def at(desk, *when):
    desk.app.store.clock.set(datetime(*when, 2, 0, tzinfo=UTC))


def test_units_are_reminded_once_of_each_step_and_never_of_what_is_done(desk):
    plan = published(desk, nodes=[FEES, PERMITS], due_on="2026-06-30")["plan"]
    tasks = desk.app.tasks
    at(desk, 2026, 5, 30)
    assert tasks.remind() == 0
    at(desk, 2026, 5, 31)
    assert tasks.remind() == 4  # two leads, and one unit that shares each
    assert tasks.remind() == 0
    at(desk, 2026, 6, 24)
    assert tasks.remind() == 4
    desk.post(FINANCE, f"/task_plans/{plan}/areas/150102/tasks/{FEES}/notes", kind="done", text="完成")
    at(desk, 2026, 7, 1)
    assert tasks.remind() == 2
    at(desk, 2026, 7, 9)
    assert tasks.remind() == 0
    home = desk.told(FILLER, "GET", "/home/tasks")
    assert [one["node"] for one in home["overdue"]] == [PERMITS]
    assert [one["kind"] for one in home["reminders"]] == ["overdue", "before-7", "before-30"]
    assert (home["open"], home["due_soon"]) == (1, [])
    then = desk.told(FILLER, "GET", "/home/tasks?as_of=2026-06-24")
    assert [one["kind"] for one in then["reminders"]] == ["before-7", "before-30"]
    assert (then["today"], then["overdue"], [one["node"] for one in then["due_soon"]]) == (
        "2026-06-24",
        [],
        [PERMITS],
    )
    with desk.app.store.reading() as session:
        rows = session.execute(select(REMINDERS.c.task, REMINDERS.c.unit, REMINDERS.c.kind)).all()
    assert len(rows) == len(set(rows)) == 10


def test_a_reminder_that_was_missed_comes_late_but_once(desk):
    published(desk, nodes=[FEES], due_on="2026-06-30")
    at(desk, 2026, 6, 28)
    assert desk.app.tasks.remind() == 2
    assert desk.told(FINANCE, "GET", "/home/tasks")["reminders"][0]["kind"] == "before-7"


def test_the_calendar_has_the_dates_of_the_law_and_the_unit_s_own(desk):
    published(desk, nodes=[FEES], due_on="2026-03-31")
    march = {day["day"]: day for day in desk.told(FINANCE, "GET", "/tasks/calendar?month=2026-03")}
    assert set(march) == {"2026-03-01", "2026-03-31"}
    assert march["2026-03-01"]["statutory"][0]["document"] == "法治政府建设与责任落实督察工作规定"
    assert [task["node"] for task in march["2026-03-31"]["tasks"]] == [FEES]
    january = desk.told(NEIGHBOUR, "GET", "/tasks/calendar?month=2026-01")
    assert {due["verified"] for due in january[0]["statutory"]} == {True, False}
    assert desk.told(NEIGHBOUR, "GET", "/tasks/calendar?month=2026-04")[0]["day"] == "2026-04-01"
    assert desk.ask(FINANCE, "GET", "/tasks/calendar?month=2026-13").status_code == 422


def test_the_table_goes_out_as_a_workbook_and_comes_back_changed(desk):
    plan = published(desk, nodes=[FEES, PERMITS])["plan"]
    out = desk.ask(REVIEWER, "GET", f"/task_plans/{plan}/areas/150102/file").content
    rows = calamine.CalamineWorkbook.from_filelike(io.BytesIO(out)).get_sheet_by_index(0).to_python()
    assert handed_in(desk, plan, out, dry_run=True).json() == {"changed": 0, "dry_run": True}
    lead = rows[0].index("牵头单位代码")
    next(row for row in rows if row[0] == FEES)[lead] = "150102-sf"
    changed = workbook(rows[1:], rows[0])
    assert handed_in(desk, plan, changed, dry_run=True).json()["changed"] == 1
    assert table(desk, plan)[FEES]["revision"] == 1
    assert handed_in(desk, plan, changed).json()["changed"] == 1
    assert table(desk, plan)[FEES]["lead"]["code"] == "150102-sf"


@pytest.mark.parametrize(
    ("rows", "places"),
    [
        ([["A1.M11.R1", "nobody", "", "2026-06-30"]], [("第2行", "unknown_unit")]),
        ([["A1.M11.R1", 150102, "", "2026-06-30"]], [("B2", "not_text")]),
        ([["A1.M11.R1", "150102-sf", "", "明天"]], [("D2", "not_a_day")]),
        ([["", "150102-sf", "", "2026-06-30"]], [("A2", "empty_cell")]),
        ([["A1.M11.R1", "=A1", "", "2026-06-30"]], [("B2", "formula")]),
        (
            [["A1.M11.R1", "150102-sf", "", "2026-06-30"]] * 2,
            [("第3行", "task_twice")],
        ),
    ],
)
def test_a_table_with_faults_is_refused_cell_by_cell_and_changes_nothing(desk, rows, places):
    plan = published(desk, nodes=[FEES])["plan"]
    refused = handed_in(desk, plan, workbook(rows))
    assert refused.status_code == 422
    found = [(field["path"], field["code"]) for field in refused.json()["fields"]]
    assert [one for one in found if one in places] == places
    assert table(desk, plan)[FEES]["revision"] == 1


def test_the_demonstration_publishes_once_and_puts_in_force_only_if_told(desk):
    plan = demonstrate(desk.app, area="150102")
    assert desk.app.frameworks.current().id == "outline-2015-2020"
    rows = table(desk, plan).values()
    assert sum(row["done"] for row in rows) == 4
    assert demonstrate(desk.app, area="150102", in_force=COMPOSITE) == plan
    assert desk.app.frameworks.current().id == "composite-50-30-20"
    assert demonstrate(desk.app, area="150102", in_force=COMPOSITE) == plan
    with desk.app.store.reading() as session:
        assert session.execute(text("SELECT count(*) FROM framework_proposals")).scalar_one() == 1
        duties = session.execute(select(func.count()).select_from(DUTIES)).scalar_one()
    assert duties > len(rows)
