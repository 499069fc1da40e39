"""What a browser sees of enforcement, through the real host with its access rules."""

import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from kernel.access.principal import Principal
from kernel.access.tokens import Issuer, Verifier, make_key
from kernel.hosting.api import build_api
from kernel.ids import new_id
from services.enforcement.http import routers
from tests.integration.enforcement.conftest import CLERK, INSPECTOR, STRANGER, UNIT, Office, person
from tests.support.enforcement import a_row, csv_file, rows_of
from tests.support.http import Client

ROOT = "/api/enforcement/v1"


class Browser:
    """Signs in as whoever is named."""

    def __init__(self, office: Office, folder: Path) -> None:
        make_key(folder / "identity.pem")
        self._issuer = Issuer((folder / "identity.pem").read_bytes(), office.clock)
        verifier = Verifier(self._issuer.public_pem, office.clock)
        api = build_api("enforcement", "行政执法监督", routers(office.app), verifier, office.app.store)
        self.client = Client(api)

    def ask(self, who: Principal | None, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self._issuer.issue(who)}"} if who else {}
        return self.client.request(method, ROOT + path, headers=headers, **options)

    def upload(
        self, who: Principal, content: bytes, name: str = "案件.csv", query: str = ""
    ) -> httpx.Response:
        return self.ask(who, "POST", f"/case-files{query}", files={"file": (name, content)})


@pytest.fixture
def browser(office: Office, tmp_path: Path) -> Browser:
    return Browser(office, tmp_path)


def test_a_file_is_checked_then_confirmed_then_seen(browser: Browser) -> None:
    checked = browser.upload(CLERK, csv_file(rows_of(2)))
    assert (checked.status_code, checked.json()["state"]) == (200, "checked")
    digest = checked.json()["digest"]
    confirmed = browser.ask(CLERK, "POST", f"/case-files/{digest}/confirm").json()
    assert (confirmed["state"], confirmed["rows"], confirmed["already_imported"]) == ("imported", 2, False)
    page = browser.ask(CLERK, "GET", "/cases?period=2026-03&kind=penalty&limit=1").json()
    assert (page["total"], len(page["rows"])) == (2, 1)
    one = browser.ask(CLERK, "GET", f"/cases/{page['rows'][0]['id']}").json()
    assert one["title"].startswith("行政处罚 ")
    assert {"label": "决定日期", "on": "2026-03-13"} in one["timeline"]
    assert all(finding["event"] for finding in one["findings"])
    assert browser.ask(CLERK, "GET", "/cases?period=2025").json()["total"] == 0


def test_without_a_dry_run_a_good_file_goes_straight_in_and_a_bad_one_is_an_error(browser: Browser) -> None:
    assert browser.upload(CLERK, csv_file(rows_of(1)), query="?dry_run=false").json()["state"] == "imported"
    bad = browser.upload(CLERK, csv_file([a_row(决定日期="2026-02-30")]), query="?dry_run=false")
    assert (bad.status_code, bad.json()["code"]) == (422, "enforcement.file_has_faults")
    assert bad.json()["fields"][0]["path"] == "第2行/决定日期"


def test_a_report_names_row_column_rule_value_and_what_to_do(browser: Browser) -> None:
    report = browser.upload(CLERK, csv_file([a_row(决定日期="2026-02-30")])).json()
    assert (report["state"], report["state_text"]) == ("refused", "有错误，未导入任何一行")
    assert report["faults"] == [
        {
            "row": 2,
            "column": "决定日期",
            "code": "enforcement.impossible_date",
            "value": "2026-02-30",
            "message": "“2026-02-30”这一天不存在，请核对。",
        }
    ]


@pytest.mark.parametrize(
    ("content", "name", "status", "code"),
    [
        (b"x" * (20 * 1024 * 1024 + 10), "大.csv", 413, "enforcement.file_too_large"),
        (b"%PDF-1.7", "a.pdf", 422, "enforcement.wrong_file_type"),
        (b"", "a.csv", 422, "enforcement.empty_file"),
    ],
)
def test_what_is_no_case_file_is_an_error_with_a_code(
    browser: Browser, content: bytes, name: str, status: int, code: str
) -> None:
    answer = browser.upload(CLERK, content, name)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_body_of_21_megabytes_is_refused_while_it_is_read(browser: Browser) -> None:
    assert browser.upload(CLERK, b"x" * (21 * 1024 * 1024), "大.csv").is_client_error


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        (None, "/cases", 401),
        (None, "/officers", 401),
        (None, "/leads", 401),
        (None, "/certificates/15000001", 200),
        (CLERK, "/leads", 403),
        (CLERK, "/case-files/nonsense", 422),
        (CLERK, f"/case-files/{hashlib.sha256(b'').hexdigest()}", 404),
        (CLERK, "/cases/01a202ca-6bcf-73e4-b978-40e3b37a8b04", 404),
        (CLERK, "/cases/not-an-id", 404),
        (CLERK, "/cases?period=2026-13", 422),
        (CLERK, "/cases?limit=1000", 422),
        (person("reviewer"), "/cases", 200),
        (INSPECTOR, "/leads", 200),
        (person("system_admin", path="/150000/"), "/cases", 403),
        (person("security_admin", path="/150000/"), "/cases", 403),
        (person("audit_admin", path="/150000/"), "/officers", 403),
    ],
)
def test_who_may_ask_for_what(browser: Browser, who: Principal | None, path: str, status: int) -> None:
    assert browser.ask(who, "GET", path).status_code == status


@pytest.mark.parametrize("role", ["reviewer", "inspector", "system_admin", "third_party"])
def test_only_reporters_and_heads_hand_in_files(browser: Browser, role: str) -> None:
    assert browser.upload(person(role), csv_file(rows_of(1))).status_code == 403


def test_lists_show_the_own_area_only(browser: Browser) -> None:
    for path in ("/bodies", "/officers", "/powers"):
        assert browser.ask(CLERK, "GET", path).json()["total"] > 0
        assert browser.ask(STRANGER, "GET", path).json()["total"] == 0


def test_the_public_check_of_a_certificate_shows_no_personal_data(browser: Browser) -> None:
    shown = browser.ask(None, "GET", "/certificates/15000001").json()
    assert shown.keys() == {"number", "name", "unit", "valid", "reason", "valid_from", "valid_to"}
    assert browser.ask(None, "GET", "/certificates/4711").json()["code"] == "enforcement.unknown_certificate"


def test_an_inspector_accepts_and_answers_a_lead(browser: Browser, office: Office) -> None:
    receipt = new_id()
    office.clue(receipt, unit=UNIT, title="检查过多", content="一个月四次")
    assert browser.ask(INSPECTOR, "GET", f"/leads/{receipt}").json()["content"] == "一个月四次"
    early = browser.ask(INSPECTOR, "POST", f"/leads/{receipt}/answer", json={"note": "属实"})
    assert (early.status_code, early.json()["code"]) == (409, "enforcement.lead_state")
    assert (
        browser.ask(INSPECTOR, "POST", f"/leads/{receipt}/acceptance", json={}).json()["state"] == "accepted"
    )
    done = browser.ask(INSPECTOR, "POST", f"/leads/{receipt}/answer", json={"note": "属实，已整改"}).json()
    assert (done["state"], done["note"]) == ("answered", "属实，已整改")
    assert (
        browser.ask(
            person("reviewer", path="/150000/"), "POST", f"/leads/{receipt}/return", json={"note": "x"}
        ).status_code
        == 403
    )
