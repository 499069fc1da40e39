"""
What goes wrong in a year is refused with its stable code, and leaves nothing behind: files, people, periods.

One county stands for all of them: a refusal changes nothing, so the next one finds it as it was. A checkpoint signed by
an unknown key is met in the story of the year, where there is a published bundle to sign.
"""

import io
from datetime import date

import pytest
from openpyxl import load_workbook

from tests.support.enforcement import xlsx_file
from tests.support.papers import packed, pdf
from tests.support.the_year import CULTURE, MARKET, a_county, case_rows, refusal
from tests.support.the_year_framework import (
    FRAMEWORK,
    a_framework_is_written_by_one_and_put_in_force_by_another,
)

RESULTS = ("A1.M2.R1", "A1.M2.R2")
CYCLE = """
id: year-2026
version: "3"
title: 互相包含的体系
year: 2026
levels: [aspect, result]
peer_groups: [county_departments]
rows:
  - {code: A1, title: 甲, parent: A2}
  - {code: A2, title: 乙, parent: A1}
"""


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    with a_county(tmp_path_factory.mktemp("refuses")) as county:
        a_framework_is_written_by_one_and_put_in_force_by_another(county)
        county.move_to(date(2026, 5, 11))
        yield county


def changed(old, new):
    assert old in FRAMEWORK
    return FRAMEWORK.replace('version: "1"', 'version: "2"').replace(old, new)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (changed('weight: "30"', 'weight: "31"'), "weights_not_100"),
        (changed('county_departments: "40"', 'county_departments: "41"'), "total_not_100"),
        (changed("ENF-TIM-02", "ENF-TIM-99"), "unknown_probe"),
        (changed("lead: market", "lead: astronomy"), "unknown_field"),
        (changed("county_governments]", "villages]"), "unknown_peer_group"),
        (changed("kind: reviewed", "kind: guessed"), "unknown_method"),
        (CYCLE, "cycle"),
    ],
)
def test_a_framework_with_a_fault_is_told_its_line_and_is_no_draft(county, document, code):
    before = county.get("shenhe", "/frameworks")
    for dry_run in (True, False):
        answer = county.hand_in(
            "shenhe", "/framework_drafts", "体系.yaml", document.encode(), query={"dry_run": dry_run}
        )
        told = answer.json()
        found = told["problems"] if dry_run else told["fields"]
        place = next(problem["path"] for problem in found if problem["code"] == code)
        assert 1 <= int(place.rsplit(":", 1)[1]) <= len(document.splitlines())
    assert refusal(answer) == (422, "catalog.invalid")
    assert county.get("shenhe", "/frameworks") == before


def with_formula(sheet):
    sheet["G2"] = "=1+1"


def with_merged_cells(sheet):
    sheet["G2"] = "已建立"
    sheet.merge_cells("A40:B41")


def with_a_hidden_row(sheet):
    sheet["G2"] = "已建立"
    sheet.row_dimensions[4].hidden = True


def with_a_number_for_a_code(sheet):
    sheet["A2"], sheet["G2"] = 12, "已建立"


def with_a_number_a_spreadsheet_ruined(sheet):
    sheet["E3"], sheet["F3"], sheet["G3"] = 1.5e17, 20, "应训二十人"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (with_formula, "assessment.formula"),
        (with_merged_cells, "assessment.merged_cells"),
        (with_a_hidden_row, "assessment.hidden_row"),
        (with_a_number_for_a_code, "assessment.unknown_result"),
        (with_a_number_a_spreadsheet_ruined, "assessment.bad_number"),
    ],
)
def test_a_workbook_of_reports_with_a_fault_writes_no_row(county, spoil, code):
    before = county.get("wenhua", "/reports")["counts"]
    book = load_workbook(io.BytesIO(county.told_bytes("wenhua", "/reports/workbook", period="2026")))
    spoil(book.worksheets[0])
    out = io.BytesIO()
    book.save(out)
    report = county.hand_in("wenhua", "/reports/workbooks", "填报.xlsx", out.getvalue(), period="2026").json()
    assert (report["state"], code in {fault["code"] for fault in report["faults"]}) == ("refused", True)
    confirm = f"/reports/workbooks/{report['digest']}/confirm"
    assert county.refused("wenhua", confirm) == (422, "assessment.workbook_has_faults")
    assert county.get("wenhua", "/reports")["counts"] == before


def test_a_case_file_whose_ids_became_numbers_enters_no_case(county):
    rows = case_rows(CULTURE, [{}, {}], 90)
    column = list(rows[0]).index("行政相对人代码")
    content = xlsx_file(rows, raw={(2, column): 911501000000000070})
    path, query = "/api/enforcement/v1/case-files", {"dry_run": False}
    answer = county.hand_in("wenhua", path, "案件.xlsx", content, query=query)
    assert answer.status_code == 422
    assert [field["path"] for field in answer.json()["fields"]] == ["第3行/行政相对人代码"]
    assert county.get("wenhua", "/api/enforcement/v1/cases")["total"] == 0


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("材料.pdf", lambda: b"MZ" * 500, (422, "files.wrong_file_type")),
        ("材料.pdf", lambda: b"", (422, "files.empty_file")),
        ("材料.pdf", lambda: pdf() + bytes(20 * 1024 * 1024), (413, "files.file_too_large")),
        ("材料.pdf", lambda: pdf() + bytes(40 * 1024 * 1024), (413, "platform.too_large")),
        ("材料.docx", lambda: packed({"word/document.xml": bytes(120_000_000)}), (422, "files.zip_bomb")),
    ],
    ids=["false type", "empty", "over size", "over the size of any request", "bomb"],
)
def test_evidence_that_cannot_be_taken_stays_nowhere(county, name, content, expected):
    report = county.do("tianbao", "/reports", result=RESULTS[0], period="2026")["id"]
    kept = stored(county)
    assert refusal(county.hand_in("tianbao", f"/reports/{report}/files", name, content())) == expected
    assert stored(county) == kept
    seen = county.get("tianbao", f"/reports/{report}")
    assert (seen["state"], seen["content"]["evidence"]) == ("draft", [])


def stored(county):
    """Every file that assessment keeps."""
    folder = county.form.runtime.settings.data / "blobs" / "assessment"
    return sorted(str(path) for path in folder.rglob("*") if path.is_file())


def test_a_reviewer_reaches_no_report_of_the_own_unit(county):
    county.told(
        "neishen", "POST", "/reviews/membership"
    )  # of the market department, with roles for the county
    report = county.do("tianbao", "/reports", result=RESULTS[1], period="2026")["id"]
    proof = county.hand_in("tianbao", f"/reports/{report}/files", "名册.pdf", pdf()).json()["digest"]
    draft = {"statement": "应训二十人。", "value": {"numerator": 18, "denominator": 20}}
    evidence = [{"kind": "file", "reference": proof}]
    county.do("tianbao", f"/reports/{report}/draft", version=0, **draft, evidence=evidence)
    county.do("fuzeren", f"/reports/{report}/submission", version=1)
    county.form.app("assessment").assigning.assign_waiting()
    assert county.get("ducha", "/reviews/area")["unassigned"] == 1
    county.told("shenhe", "POST", "/reviews/membership")
    (row,) = county.until(lambda: county.get("shenhe", "/reviews")["rows"])
    answer = {"decision": "score", "reasons": "自己人", "value": {"numerator": 20, "denominator": 20}}
    assert county.ask("neishen", "GET", f"/reviews/{row['id']}").status_code == 404
    assert county.refused("neishen", f"/reviews/{row['id']}/answer", **answer)[0] == 404
    handed = county.refused("ducha", f"/reviews/{row['id']}/handing-on", reviewer="neishen", reason="换人")
    assert handed == (409, "assessment.no_reviewer")
    assert county.get("fuzeren", f"/reports/{report}")["state"] == "submitted"


def test_whoever_belongs_to_a_unit_does_not_mark_it_on_site(county):
    asked = {"kind": "on_site", "period": "2026", "units": [MARKET], "results": ["OS.R"]}
    (sheet,) = county.do("ducha", "/sheets", assignee="neishen", due_on="2026-06-01", **asked)["ids"]
    items = [{"result": "OS.R", "marks": 1000, "reasons": "很好"}]
    refused = county.refused("neishen", f"/sheets/{sheet}/versions", version=0, items=items)
    assert refused == (409, "assessment.own_unit")
    assert county.get("ducha", f"/sheets/{sheet}")["versions"] == 0


def test_a_period_is_closed_once_and_only_by_those_who_may(county):
    close = {"act": "close_asked", "reason": "月度结束"}
    assert county.refused("shenhe", "/periods/2026-03/requests", **close)[0] == 403
    assert county.refused("ducha", "/periods/2026-13/requests", **close) == (422, "assessment.bad_period")
    county.do("ducha", "/periods/2026-03/requests", **close)
    again = county.refused("ducha2", "/periods/2026-03/requests", **close)
    assert again == (409, "assessment.period_waiting")
    county.do("ducha2", "/periods/2026-03/decisions", agreed=True)
    assert county.refused("ducha2", "/periods/2026-03/requests", **close) == (409, "assessment.period_closed")
    found = county.get("ducha", "/periods")
    assert [(one["period"], one["closed"]) for one in found] == [("2026-03", True)]


def test_a_ranking_of_nobody_is_not_even_asked_for(county):
    asked = {"period": "2026", "peer_group": "villages"}
    refused = county.refused("ducha", "/publication-requests", **asked)
    assert refused == (404, "assessment.unknown_peer_group")
    assert county.get("shenji", "/publication-requests") == []
    assert county.told("", "GET", "/public/publications") == []
