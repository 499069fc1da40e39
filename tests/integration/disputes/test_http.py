"""What a browser sees of disputes, through the real host with its access rules."""

from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from contracts.clues.v1.clues_pb2 import ClueKind
from kernel.access.principal import Principal
from kernel.access.tokens import Issuer, Verifier, make_key
from kernel.hosting.api import build_api
from services.disputes.http import routers
from tests.integration.disputes.conftest import BUREAU, CITY, OFFICE, STRANGER, Desk
from tests.support.disputes import COURSE, ORGAN, RESPONDENT
from tests.support.http import Client

ROOT = "/api/disputes/v1"
YEAR = "since=2026-01-01&until=2026-12-31"


class Browser:
    """Signs in as whoever is named."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        make_key(folder / "identity.pem")
        self._issuer = Issuer((folder / "identity.pem").read_bytes(), desk.clock)
        verifier = Verifier(self._issuer.public_pem, desk.clock)
        api = build_api("disputes", "多元化解", routers(desk.app), verifier, desk.app.store)
        self.client = Client(api)

    def ask(self, who: Principal | None, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self._issuer.issue(who)}"} if who else {}
        return self.client.request(method, ROOT + path, headers=headers, **options)


@pytest.fixture
def browser(desk: Desk, tmp_path: Path) -> Browser:
    return Browser(desk, tmp_path)


def test_a_case_is_opened_recorded_and_read_with_its_clocks(browser: Browser, desk: Desk) -> None:
    request = {
        "organ": ORGAN,
        "number": "青复〔2026〕1号",
        "respondent": RESPONDENT,
        "received": COURSE["received"],
        "applicant": "某某商店",
    }
    opened = browser.ask(OFFICE, "POST", "/reconsiderations", json=request)
    assert opened.status_code == 201
    case = opened.json()["id"]
    desk.record(case, COURSE["accepted"])
    one = browser.ask(BUREAU, "GET", f"/reconsiderations/{case}").json()
    assert {"label": "状态", "value": "审理中"} in one["fields"]
    assert "某某商店" not in str(one)
    assert "某某商店" in browser.ask(OFFICE, "GET", f"/reconsiderations/{case}").text
    decide = next(clock for clock in one["clocks"] if clock["clock"] == "reconsideration.decide")
    assert (decide["due_on"], decide["days_left"], decide["running"]) == ("2026-05-06", 61, True)
    assert decide["article"] == "第六十二条"
    assert {finding["probe"]: finding["outcome"] for finding in one["findings"]}["DIS-ACC-01"] == "pass"
    (row,) = browser.ask(CITY, "GET", "/reconsiderations?state=accepted&sort=due_on").json()["rows"]
    assert (row["id"], row["due_on"]) == (case, "2026-03-17")


def test_a_step_the_law_refuses_is_409_with_its_article(browser: Browser, desk: Desk) -> None:
    case = desk.open()
    step = {"kind": "served", "on": "2026-03-04"}
    refused = browser.ask(OFFICE, "POST", f"/reconsiderations/{case}/steps", json={"step": step})
    assert (refused.status_code, refused.json()["code"]) == (409, "disputes.order")
    assert "第七十五条" in refused.json()["message"]


def test_who_may_knock(browser: Browser, desk: Desk) -> None:
    case = desk.open()
    accept = {"json": {"step": COURSE["accepted"]}}
    assert browser.ask(None, "GET", "/reconsiderations").status_code == 401
    assert browser.ask(CITY, "POST", f"/reconsiderations/{case}/steps", **accept).status_code == 403
    assert browser.ask(BUREAU, "POST", f"/reconsiderations/{case}/steps", **accept).status_code == 403
    assert browser.ask(STRANGER, "GET", f"/reconsiderations/{case}").status_code == 404
    assert browser.ask(STRANGER, "GET", "/reconsiderations").json() == {"total": 0, "rows": []}
    assert browser.ask(OFFICE, "GET", "/reconsiderations?sort=applicant").status_code == 422


def test_rates_are_shown_with_formula_and_both_numbers(browser: Browser, desk: Desk) -> None:
    desk.record(desk.open(), COURSE["accepted"])
    acceptance = browser.ask(OFFICE, "GET", f"/rates?{YEAR}").json()[0]
    assert (acceptance["numerator"], acceptance["denominator"], acceptance["rate"]) == (1, 1, "1")
    assert "÷" in acceptance["formula"]
    assert len(browser.ask(OFFICE, "GET", f"/rates/acceptance/cases?{YEAR}").json()) == 1
    assert browser.ask(OFFICE, "GET", "/rates?since=2026-02-01&until=2026-01-01").status_code == 422


def test_a_file_of_cases_is_taken_and_a_bad_one_named(browser: Browser) -> None:
    facts = {"received_on": "2026-03-02"}
    good = orjson.dumps({"number": "7号", "review_unit": ORGAN, "respondent": RESPONDENT, "facts": facts})
    taken = browser.ask(OFFICE, "POST", "/reconsiderations/imports", files={"file": ("c.jsonl", good)})
    assert (taken.status_code, taken.json()) == (201, {"added": 1, "known": 0, "differing": []})
    bad = browser.ask(OFFICE, "POST", "/reconsiderations/imports", files={"file": ("c.jsonl", b"{}")})
    assert bad.status_code == 422
    assert {field["path"] for field in bad.json()["fields"]} == {
        "[1].number", "[1].review_unit", "[1].respondent", "[1].facts",
    }  # fmt: skip


def test_matters_are_listed_and_answered(browser: Browser, desk: Desk) -> None:
    receipt = desk.hear_clue(ClueKind.CLUE_KIND_DISPUTE)
    listed = browser.ask(OFFICE, "GET", "/matters?state=open").json()
    assert [matter["receipt"] for matter in listed["rows"]] == [receipt]
    answered = browser.ask(OFFICE, "POST", f"/matters/{receipt}/answer", json={"note": "已调解"})
    assert answered.status_code == 204
    assert browser.ask(OFFICE, "GET", "/court_outcomes").json() == []
