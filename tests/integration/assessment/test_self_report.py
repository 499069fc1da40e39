"""A unit says what the platform cannot know, and nobody else reads a word of it before it is handed in (P5, R36)."""

import io
import zipfile
from dataclasses import replace

import pytest
import xlsxwriter

from kernel.access.principal import Principal
from services.assessment.reporting.model import REPORT_EVENTS, REPORT_VERSIONS
from tests.support.events import an_event
from tests.support.papers import pdf
from tests.support.reporting import (
    FAR_INSPECTOR,
    FILLER,
    HEAD,
    INSPECTOR,
    NEIGHBOUR,
    NEIGHBOUR_HEAD,
    REVIEWER,
    SECOND,
    SUPERIOR,
    UNITS,
    Desk,
)


@pytest.fixture
def desk(fed, tmp_path):
    fed.units(*UNITS)
    return Desk(fed.app, tmp_path)


def code_of(answer):
    return answer.json()["code"]


def test_a_unit_is_asked_for_every_result_without_probes_of_its_peer_group_once(desk):
    listed = desk.told(FILLER, "GET", "/reports")
    framework = desk.app.frameworks.current()
    waiting = [n for n in framework.results() if not n.probes and "county_departments" in n.points]
    assert len(listed["rows"]) == len(waiting) == listed["counts"]["not_started"]
    first = listed["rows"][0]
    one, again = desk.opened(), desk.opened()
    assert one == again == desk.asked()[0]["id"]
    after = desk.told(FILLER, "GET", "/reports")
    assert (after["counts"]["draft"], after["counts"]["not_started"]) == (1, len(waiting) - 1)
    assert first["overdue"] is False
    assert first["due_on"] == "2026-12-15"
    only = desk.told(FILLER, "GET", "/reports", params={"state": "draft"})
    assert [row["id"] for row in only["rows"]] == [one]


def test_a_filler_writes_and_the_head_submits_and_withdraws(desk):
    report = desk.opened()
    version = desk.written(report)
    refused = desk.post(FILLER, f"/reports/{report}/submission", version=version)
    assert refused.status_code == 403
    desk.told(HEAD, "POST", f"/reports/{report}/submission", json={"version": version})
    seen = desk.told(FILLER, "GET", f"/reports/{report}")
    assert (seen["state"], seen["writable"], seen["round"]) == ("submitted", False, 1)
    assert desk.post(FILLER, f"/reports/{report}/withdrawal").status_code == 403
    desk.told(HEAD, "POST", f"/reports/{report}/withdrawal", json={"reasons": "数字有误"})
    again = desk.told(FILLER, "GET", f"/reports/{report}")
    assert (again["state"], again["writable"]) == ("draft", True)
    assert [event["act"] for event in again["events"]] == ["opened", "submitted", "withdrawn"]
    assert again["events"][2]["reasons"] == "数字有误"


def test_every_version_stays_readable_and_the_same_words_make_none(desk):
    report = desk.opened()
    file = [{"kind": "file", "reference": desk.uploaded(report)}]
    assert desk.written(report, statement="一", evidence=file) == 1
    assert desk.written(report, version=1, statement="二", evidence=file) == 2
    assert desk.written(report, version=2, statement="二", evidence=file) == 2
    now = desk.told(FILLER, "GET", f"/reports/{report}")
    assert [one["version"] for one in now["versions"]] == [2, 1]
    first = desk.told(FILLER, "GET", f"/reports/{report}", params={"version": 1})
    assert (first["content"]["statement"], now["content"]["statement"]) == ("一", "二")
    assert desk.ask(FILLER, "GET", f"/reports/{report}?version=9").status_code == 404


def test_who_writes_over_what_he_has_not_seen_is_told_so(desk):
    report = desk.opened()
    desk.written(report, statement="甲写的")
    late = desk.post(HEAD, f"/reports/{report}/draft", version=0, statement="乙写的")
    assert (late.status_code, code_of(late)) == (409, "assessment.report_changed")
    assert "第 1 版" in late.json()["message"]
    stale = desk.post(HEAD, f"/reports/{report}/submission", version=4)
    assert code_of(stale) == "assessment.report_changed"


def test_what_is_incomplete_is_not_submitted_and_each_gap_is_named(desk):
    report = desk.opened(measured=True)
    version = desk.written(report, statement="", evidence=[])
    refused = desk.post(HEAD, f"/reports/{report}/submission", version=version)
    assert (refused.status_code, code_of(refused)) == (422, "assessment.report_incomplete")
    assert {field["path"] for field in refused.json()["fields"]} == {"statement", "value", "evidence"}
    assert desk.told(HEAD, "GET", f"/reports/{report}")["lacking"] != []


@pytest.mark.parametrize(
    ("value", "path"),
    [((5, 0), "value.denominator"), ((6, 5), "value.numerator")],
)
def test_numbers_that_cannot_be_are_refused_where_they_stand(desk, value, path):
    report = desk.opened(measured=True)
    body = {"version": 0, "statement": "x", "value": {"numerator": value[0], "denominator": value[1]}}
    refused = desk.ask(FILLER, "POST", f"/reports/{report}/draft", json=body)
    assert [field["path"] for field in refused.json()["fields"]] == [path]


def test_a_result_that_is_not_measured_takes_no_numbers_and_no_long_tale(desk):
    report = desk.opened()
    body = {"version": 0, "statement": "字" * 2001, "value": {"numerator": 1, "denominator": 2}}
    refused = desk.ask(FILLER, "POST", f"/reports/{report}/draft", json=body)
    assert refused.status_code == 422
    body["statement"] = "字"
    refused = desk.ask(FILLER, "POST", f"/reports/{report}/draft", json=body)
    assert [field["code"] for field in refused.json()["fields"]] == ["assessment.no_value_asked"]


def test_a_draft_does_not_exist_for_anybody_else(desk):
    report = desk.opened()
    digest = desk.uploaded(report)
    desk.written(report, evidence=[{"kind": "file", "reference": digest}])
    for who in (NEIGHBOUR, NEIGHBOUR_HEAD, SUPERIOR, INSPECTOR, FAR_INSPECTOR):
        sees_nothing_of(desk, who, report, digest)


def sees_nothing_of(desk, who: Principal, report: str, digest: str):
    """Whatever is tried: not found, or refused by a rule that is about roles and says nothing of this report."""
    for method, path, body in (
        ("GET", "", None),
        ("GET", "?version=1", None),
        ("GET", f"/files/{digest}", None),
        ("GET", "/objects", None),
        ("POST", "/draft", {"version": 1, "statement": "x"}),
        ("POST", "/submission", {"version": 1}),
        ("POST", "/withdrawal", {}),
    ):
        answer = desk.ask(who, method, f"/reports/{report}{path}", json=body)
        may_knock = who.has("unit_head") or (
            who.has("reporter") and path not in ("/submission", "/withdrawal")
        )
        assert answer.status_code == 404 if may_knock else answer.status_code in (403, 404), (who, path)
        assert "已按要求公布" not in answer.text
    upload = desk.ask(who, "POST", f"/reports/{report}/files", files={"file": ("a.pdf", pdf())})
    assert upload.status_code in (403, 404)
    if who.has("inspector"):
        assert desk.ask(who, "GET", f"/reports/{report}").status_code == 404
        assert desk.told(who, "GET", "/reports/area")["total"] == 0


def test_reviewers_reach_no_report_but_through_a_review(desk):
    report = desk.opened()
    desk.submitted(report)
    assert desk.ask(REVIEWER, "GET", f"/reports/{report}").status_code == 403
    assert desk.queue(SECOND) == []


def test_what_was_handed_in_is_read_by_inspectors_of_the_area_and_only_as_handed_in(desk):
    report = desk.opened()
    desk.submitted(report, statement="第一次")
    assert desk.told(INSPECTOR, "GET", "/reports/area")["total"] == 1
    assert desk.told(INSPECTOR, "GET", f"/reports/{report}")["content"]["statement"] == "第一次"
    assert desk.ask(FAR_INSPECTOR, "GET", f"/reports/{report}").status_code == 404
    desk.told(HEAD, "POST", f"/reports/{report}/withdrawal", json={})
    assert desk.ask(INSPECTOR, "GET", f"/reports/{report}").status_code == 404
    assert desk.told(INSPECTOR, "GET", "/reports/area")["total"] == 0


def test_a_file_comes_back_as_it_went_in_and_as_an_attachment(desk):
    report = desk.opened()
    digest = desk.uploaded(report, content=pdf(), name="统计表.pdf")
    got = desk.ask(FILLER, "GET", f"/reports/{report}/files/{digest}")
    assert got.content == pdf()
    assert got.headers["content-disposition"].startswith("attachment")
    assert got.headers["x-content-type-options"] == "nosniff"


def test_evidence_that_is_false_or_a_bomb_or_foreign_is_refused(desk):
    report = desk.opened()
    program = desk.ask(FILLER, "POST", f"/reports/{report}/files", files={"file": ("表.pdf", b"MZ" * 50)})
    assert (program.status_code, code_of(program)) == (422, "files.wrong_file_type")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("word/document.xml", b"0" * 120_000_000)
    blown = desk.ask(FILLER, "POST", f"/reports/{report}/files", files={"file": ("表.docx", bomb.getvalue())})
    assert (blown.status_code, code_of(blown)) == (422, "files.zip_bomb")
    unknown = [{"kind": "file", "reference": "sha256:" + "0" * 64}]
    refused = desk.post(FILLER, f"/reports/{report}/draft", version=0, statement="x", evidence=unknown)
    assert [field["path"] for field in refused.json()["fields"]] == ["evidence.0"]
    theirs = desk.uploaded(desk.opened(NEIGHBOUR), NEIGHBOUR)
    stolen = [{"kind": "file", "reference": theirs}]
    refused = desk.post(FILLER, f"/reports/{report}/draft", version=0, statement="x", evidence=stolen)
    assert refused.status_code == 422


def test_a_unit_that_used_up_its_quota_names_what_it_has(desk, monkeypatch):
    report = desk.opened()
    monkeypatch.setattr(desk.app.evidence_files, "_limits", replace(desk.app.reports.limits, quota_bytes=1))
    desk.uploaded(report)
    refused = desk.ask(FILLER, "POST", f"/reports/{report}/files", files={"file": ("b.pdf", pdf())})
    assert (refused.status_code, code_of(refused)) == (413, "assessment.evidence_quota")


def test_a_business_object_the_platform_knows_is_named_not_asked_for_again(desk, fed):
    fed.events(
        an_event(subject="enforcement/cases/7"),
        an_event(subject="enforcement/cases/8", unit="150102-jt"),
    )
    report = desk.opened()
    offered = desk.told(FILLER, "GET", f"/reports/{report}/objects", params={"search": "cases"})
    assert [one["subject"] for one in offered] == ["enforcement/cases/7"]
    own = [{"kind": "object", "reference": "enforcement/cases/7"}]
    desk.submitted(report, evidence=own)
    for other in ("enforcement/cases/8", "enforcement/cases/%", "enforcement/cases/_"):
        second = desk.asked()[1]["result"]
        another = desk.told(FILLER, "POST", "/reports", json={"result": second, "period": "2026"})["id"]
        body = {"version": 0, "statement": "x", "evidence": [{"kind": "object", "reference": other}]}
        assert desk.ask(FILLER, "POST", f"/reports/{another}/draft", json=body).status_code == 422


def test_a_period_that_has_not_begun_or_is_over_takes_no_report(desk):
    result = desk.asked()[0]["result"]
    for period, code in (
        ("2027", "assessment.period_not_begun"),
        ("2024", "assessment.period_closed"),
        ("2026-13", "assessment.bad_period"),
    ):
        refused = desk.post(FILLER, "/reports", result=result, period=period)
        assert code_of(refused) == code
    refused = desk.post(FILLER, "/reports", result="NO.SUCH", period="2026")
    assert (refused.status_code, code_of(refused)) == (404, "assessment.unknown_result")


def test_what_was_said_can_neither_be_changed_nor_deleted(desk):
    report = desk.opened()
    desk.submitted(report)
    for table in (REPORT_VERSIONS, REPORT_EVENTS):
        for statement in (table.delete(), table.update().values(report=report)):
            with pytest.raises(Exception, match="append-only"):  # noqa: PT012
                with desk.app.store.work() as work:
                    work.session.execute(statement)
                    work.commit()


# --- the workbook ---------------------------------------------------------------------------------------


def filled(desk, *changes, **options):
    """The unit's workbook with these cells changed: (row, column, value)."""
    import python_calamine

    blank = desk.ask(FILLER, "GET", "/reports/workbook").content
    rows = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(blank)).get_sheet_by_index(0).to_python()
    for row, column, value in changes:
        rows[row][column] = value
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, {"in_memory": True})
    sheet = book.add_worksheet()
    for line, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if isinstance(cell, str) and cell.startswith("=") and options.get("formulas"):
                sheet.write_formula(line, column, cell)
            elif isinstance(cell, str):
                sheet.write_string(line, column, cell)
            else:
                sheet.write_number(line, column, cell)
    if options.get("merged"):
        sheet.merge_range(options["merged"], "合并")
    if options.get("hidden_row"):
        sheet.set_row(options["hidden_row"], None, None, {"hidden": True})
    if options.get("hidden_sheet"):
        book.add_worksheet("藏").hide()
    book.close()
    return packed.getvalue()


def checked(desk, content, who=FILLER):
    files = {"file": ("填报.xlsx", content)}
    return desk.ask(who, "POST", "/reports/workbooks", files=files, data={"period": "2026"})


def test_a_workbook_is_checked_then_confirmed_all_rows_or_none(desk):
    content = filled(desk, (1, 6, "第一项已办"), (2, 6, "第二项已办"))
    report = checked(desk, content).json()
    assert (report["state"], report["rows"], report["faults"]) == ("checked", 2, [])
    assert desk.told(FILLER, "GET", "/reports")["counts"]["draft"] == 0
    done = desk.told(FILLER, "POST", f"/reports/workbooks/{report['digest']}/confirm")
    assert done["state"] == "imported"
    rows = desk.told(FILLER, "GET", "/reports", params={"state": "draft"})["rows"]
    assert len(rows) == 2
    seen = desk.told(FILLER, "GET", f"/reports/{rows[0]['id']}")
    assert (seen["version"], seen["content"]["statement"]) == (1, "第一项已办")
    again = desk.told(FILLER, "POST", f"/reports/workbooks/{report['digest']}/confirm")
    assert again["state"] == "imported"
    assert desk.told(FILLER, "GET", f"/reports/{rows[0]['id']}")["version"] == 1
    assert desk.ask(NEIGHBOUR, "POST", f"/reports/workbooks/{report['digest']}/confirm").status_code == 404
    assert checked(desk, content).json()["state"] == "imported"


FAULTY = [
    (((1, 6, "=1+1"),), {"formulas": True}, 0, "assessment.formula"),
    (((1, 6, "x"),), {"merged": "A40:B41"}, 41, "assessment.merged_cells"),
    (((1, 6, "x"),), {"hidden_row": 3}, 4, "assessment.hidden_row"),
    (((1, 6, "x"),), {"hidden_sheet": True}, 0, "assessment.hidden_sheet"),
    (((2, 0, "NO.SUCH"), (2, 6, "x")), {}, 3, "assessment.unknown_result"),
    (((1, 3, 1.5), (1, 6, "x")), {}, 2, "assessment.bad_number"),
    (((1, 4, 1e17), (1, 5, 2), (1, 6, "x")), {}, 2, "assessment.bad_number"),
    (((1, 4, "１２"), (1, 5, "20"), (1, 6, "x")), {}, 2, "assessment.bad_number"),
    (((1, 6, ""),), {}, 1, "assessment.no_rows"),
    (((0, 0, "编码"),), {}, 1, "assessment.no_header"),
]


def test_a_workbook_with_one_fault_writes_nothing(desk):
    for changes, options, row, code in FAULTY:
        answer = checked(desk, filled(desk, *changes, **options))
        report = answer.json()
        assert (answer.status_code, report["state"]) == (200, "refused"), report
        assert (report["faults"][0]["row"], report["faults"][0]["code"]) == (row, code)
        refused = desk.ask(FILLER, "POST", f"/reports/workbooks/{report['digest']}/confirm")
        assert code_of(refused) == "assessment.workbook_has_faults"
    assert desk.told(FILLER, "GET", "/reports")["counts"]["draft"] == 0


def test_a_workbook_over_drafts_that_changed_meanwhile_writes_none_of_its_rows(desk):
    report = checked(desk, filled(desk, (1, 6, "甲"), (2, 6, "乙"))).json()
    first = desk.told(FILLER, "GET", "/reports")["rows"][0]
    opened = desk.told(FILLER, "POST", "/reports", json={"result": first["result"], "period": "2026"})["id"]
    desk.written(opened, statement="页面上先写的", evidence=[])
    late = desk.ask(FILLER, "POST", f"/reports/workbooks/{report['digest']}/confirm")
    assert (late.status_code, code_of(late)) == (409, "assessment.workbook_outdated")
    assert [field["path"] for field in late.json()["fields"]] == ["2.版本"]
    assert desk.told(FILLER, "GET", "/reports")["counts"]["draft"] == 1


def test_a_workbook_that_is_no_workbook_is_refused_as_a_whole(desk):
    assert code_of(checked(desk, b"PK\x03\x04 nonsense")) == "assessment.broken_file"
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"0" * 120_000_000)
    assert code_of(checked(desk, bomb.getvalue())) == "assessment.zip_bomb"


def test_a_statement_that_looks_like_a_formula_leaves_as_text(desk):
    import python_calamine

    report = desk.opened()
    desk.written(report, statement='=HYPERLINK("http://x","y")')
    blank = desk.ask(FILLER, "GET", "/reports/workbook").content
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(blank))
    cells = [row[6] for row in book.get_sheet_by_index(0).to_python()]
    assert '\'=HYPERLINK("http://x","y")' in cells
    back = checked(desk, blank).json()
    assert back["state"] == "checked", back
    desk.told(FILLER, "POST", f"/reports/workbooks/{back['digest']}/confirm")
    assert desk.told(FILLER, "GET", f"/reports/{report}")["version"] == 1
