"""What a browser sees of decisions, through the real host with its access rules."""

from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from kernel.access.principal import Principal
from kernel.access.tokens import Issuer, Verifier, make_key
from kernel.hosting.api import build_api
from services.decisions.http import routers
from tests.integration.decisions.conftest import CITY, LEADER, OFFICE, STRANGER, Desk
from tests.support.decisions import COURSE, GOVERNMENT
from tests.support.http import Client

ROOT = "/api/decisions/v1"


class Browser:
    """Signs in as whoever is named."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        make_key(folder / "identity.pem")
        self._issuer = Issuer((folder / "identity.pem").read_bytes(), desk.clock)
        verifier = Verifier(self._issuer.public_pem, desk.clock)
        api = build_api("decisions", "重大行政决策", routers(desk.app), verifier, desk.app.store)
        self.client = Client(api)

    def ask(self, who: Principal | None, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self._issuer.issue(who)}"} if who else {}
        return self.client.request(method, ROOT + path, headers=headers, **options)


@pytest.fixture
def browser(desk: Desk, tmp_path: Path) -> Browser:
    return Browser(desk, tmp_path)


def test_a_decision_is_opened_recorded_and_read_with_its_26_items(browser: Browser, desk: Desk) -> None:
    opened = browser.ask(
        OFFICE, "POST", "/decisions", json={"unit": GOVERNMENT, "number": "1号", "title": "停车设施建设方案"}
    )
    assert opened.status_code == 201
    decision = opened.json()["id"]
    first = browser.ask(OFFICE, "POST", f"/decisions/{decision}/steps", json={"step": COURSE["proposed"]})
    assert (first.status_code, first.json()["phase"]) == (201, "proposal")
    for body in list(COURSE.values())[1:]:
        desk.record(decision, body)
    one = browser.ask(CITY, "GET", f"/decisions/{decision}").json()
    assert one["title"] == "停车设施建设方案"
    assert {"label": "决策机关", "value": f"{GOVERNMENT}单位"} in one["fields"]
    assert one["timeline"][0]["label"] == "登记建议"
    assert [item["outcome"] for item in one["items"]] == ["pass"] * 26
    assert one["items"][5]["articles"] == ["《重大行政决策程序暂行条例》第十五条"]
    assert (one["result"]["score"], one["result"]["band"], one["result"]["counts"]) == ("100", "优秀", True)
    (row,) = browser.ask(CITY, "GET", "/decisions?band=excellent&sort=score").json()["rows"]
    assert (row["id"], row["phase_title"], row["score"]) == (decision, "执行", "100")


def test_a_closed_gate_is_409_with_the_article(browser: Browser, desk: Desk) -> None:
    decision = desk.open()
    refused = browser.ask(
        OFFICE,
        "POST",
        f"/decisions/{decision}/steps",
        json={"step": COURSE["drafted"] | {"on": "2026-01-05"}},
    )
    assert refused.status_code == 409
    assert refused.json()["code"] == "decisions.gate_g1"
    assert "第十一条" in refused.json()["message"]


@pytest.mark.parametrize(
    ("step", "place"),
    [
        ({"kind": "flown", "on": "2026-01-05"}, "step"),
        ({"kind": "proposed", "on": "5 January", "source": "leader"}, "step.proposed.on"),
        ({"kind": "proposed", "on": "2026-01-05", "source": "leader", "mood": 1}, "step.proposed.mood"),
    ],
)
def test_a_faulty_step_is_422_with_its_place(
    browser: Browser, desk: Desk, step: dict[str, Any], place: str
) -> None:
    refused = browser.ask(OFFICE, "POST", f"/decisions/{desk.open()}/steps", json={"step": step})
    assert refused.status_code == 422
    assert [field["path"] for field in refused.json()["fields"]] == [place]


def test_who_may_knock(browser: Browser, desk: Desk) -> None:
    decision = desk.open()
    assert browser.ask(None, "GET", "/decisions").status_code == 401
    assert (
        browser.ask(
            CITY, "POST", f"/decisions/{decision}/steps", json={"step": COURSE["proposed"]}
        ).status_code
        == 403
    )
    assert browser.ask(STRANGER, "GET", f"/decisions/{decision}").status_code == 404
    assert browser.ask(LEADER, "GET", f"/decisions/{decision}").status_code == 404
    assert browser.ask(OFFICE, "GET", "/decisions/no-such-id").status_code == 404
    assert browser.ask(OFFICE, "GET", "/decisions?limit=201").status_code == 422
    assert browser.ask(OFFICE, "GET", "/decisions?sort=title;drop").status_code == 422


def test_a_file_of_dossiers_is_taken_and_a_bad_one_named(browser: Browser) -> None:
    facts = {"proposal": {"source": "leader", "date": "2026-01-05"}}
    good = orjson.dumps({"number": "7号", "unit": GOVERNMENT, "title": "方案", "facts": facts})
    taken = browser.ask(OFFICE, "POST", "/decisions/imports", files={"file": ("d.jsonl", good)})
    assert (taken.status_code, taken.json()) == (201, {"added": 1, "known": 0, "differing": []})
    bad = browser.ask(OFFICE, "POST", "/decisions/imports", files={"file": ("d.jsonl", b"not json")})
    assert (bad.status_code, bad.json()["fields"][0]["path"]) == (422, "[1]")
