"""What a browser sees of legislation, through the real host with its access rules."""

from pathlib import Path
from typing import Any

import pytest

from kernel.access.principal import Principal
from kernel.access.tokens import Issuer, Verifier, make_key
from kernel.hosting.api import build_api
from services.legislation.http import routers
from tests.integration.legislation.conftest import CLERK, PROVINCE, Desk, a_citation, a_text, a_unit
from tests.support.http import Client

ROOT = "/api/legislation/v1"
# The host does the same on both databases; only what a database may choke on is asked of both.
on_one_database = pytest.mark.parametrize("desk", ["sqlite"], indirect=True)
ENTRY = {
    "unit": "150102",
    "number": "新政规〔2026〕1号",
    "title": "新城区户外广告设置管理办法",
    "kind": "办法",
    "reviewed_on": "2026-01-20",
    "review_result": "passed",
    "deliberated_on": "2026-01-25",
    "signed_on": "2026-01-28",
    "registration": "150102-2026-001",
    "published_on": "2026-02-02",
    "effective_on": "2026-03-04",
}


class Browser:
    """Signs in as whoever is named."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        make_key(folder / "identity.pem")
        self._issuer = Issuer((folder / "identity.pem").read_bytes(), desk.clock)
        verifier = Verifier(self._issuer.public_pem, desk.clock)
        self.client = Client(
            build_api("legislation", "法律法规应用管理", routers(desk.app), verifier, desk.app.store)
        )

    def sign_in(self, who: Principal) -> "SignedIn":
        return SignedIn(self.client, self._issuer.issue(who))


class SignedIn:
    """A client that carries a token."""

    def __init__(self, client: Client, token: str) -> None:
        self._client = client
        self._headers = {"authorization": f"Bearer {token}"}

    def __getattr__(self, method: str) -> Any:
        return lambda path, **options: self._client.request(
            method.upper(), path, headers=self._headers, **options
        )


@pytest.fixture
def browser(desk: Desk, tmp_path: Path) -> Browser:
    desk.units(a_unit("150102", "/15/1501/150102/"))
    return Browser(desk, tmp_path)


class TestLaw:
    @on_one_database
    def test_search_answers_in_the_form_the_console_reads(self, desk: Desk, browser: Browser) -> None:
        desk.file("甲条例(2020-01-02).md", "第一条 行政<处罚>应当听证。")
        desk.worker.keep_index()
        found = browser.sign_in(CLERK).get(
            f"{ROOT}/articles/search", params={"q": "听证", "kind": "行政法规"}
        )
        assert found.status_code == 200
        body = found.json()
        assert (body["total"], body["degraded"]) == (1, False)
        row = body["rows"][0]
        assert (row["document"]["title"], row["version"], row["article"]) == (
            "甲条例",
            "2020-01-02",
            "第一条",
        )
        assert row["snippet"] == "第一条 行政&lt;处罚&gt;应当<em>听证</em>。"

    def test_a_basis_is_shown_with_its_citations(self, desk: Desk, browser: Browser) -> None:
        desk.file(
            "甲条例(2020-01-02).md", "## 第一章 总则", "第一条 甲。\n乙。", "第二条 自2020年3月1日起施行。"
        )
        desk.cite(a_citation("甲条例", "第一条"))
        asked = {"document": "甲条例", "version": "2020-01-02", "article": "第一条第二款"}
        body = browser.sign_in(CLERK).get(f"{ROOT}/basis", params=asked).json()
        assert body["document"]["title"] == "甲条例"
        assert {
            name: body[name] for name in ("version", "status", "article", "text", "chapter", "citations")
        } == {
            "version": "2020-01-02",
            "status": "in_force",
            "article": "第一条",
            "text": "乙。",
            "chapter": "第一章 总则",
            "citations": 1,
        }

    @pytest.mark.parametrize(
        ("path", "status", "code"),
        [
            ("/basis?document=没有&article=1", 404, "legislation.unknown_document"),
            ("/basis?document=甲条例&article=", 422, "legislation.bad_article"),
            ("/articles/search?q=甲&kind=菜谱", 422, "legislation.unknown_kind"),
            ("/articles/search?q=甲&status=fresh", 422, "legislation.unknown_status"),
            ("/articles/search?q=甲&limit=101", 422, "search.bad_page"),
            ("/documents/甲条例?version=1999-01-01", 422, "legislation.unknown_version"),
            ("/basis?document=%00&article=1", 422, "platform.bad_character"),
            ("/basis?document=甲&article=%00", 422, "platform.bad_character"),
            ("/articles/search?q=%00", 422, "platform.bad_character"),
            ("/documents/%00", 422, "platform.bad_character"),
            ("/documents?title=%00", 422, "platform.bad_character"),
            ("/normative-documents?title=%00", 422, "platform.bad_character"),
            ("/normative-documents/%00", 422, "platform.bad_character"),
            ("/usage/documents/%00?since=2026-01&until=2026-02", 422, "platform.bad_character"),
            ("/documents?offset=99999999999999999999999", 422, "platform.invalid"),
            ("/normative-documents?limit=201", 422, "legislation.bad_page"),
            ("/usage/documents?since=2026-01&until=2026-02&offset=-1", 422, "legislation.bad_page"),
            ("/documents/没有", 404, "legislation.unknown_document"),
            ("/usage/documents?since=2026&until=2026-02", 422, "legislation.bad_period"),
        ],
    )
    def test_errors_carry_a_stable_code(
        self, desk: Desk, browser: Browser, path: str, status: int, code: str
    ) -> None:
        desk.file("甲条例(2020-01-02).md", "第一条 甲。")
        answer = browser.sign_in(CLERK).get(ROOT + path)
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    @on_one_database
    def test_a_document_is_read_in_full(self, desk: Desk, browser: Browser) -> None:
        desk.file("甲条例(2020-01-02).md", "第一条 甲。", "第二条 自2020年3月1日起施行。")
        desk.file("甲条例(2026-02-01).md", "第一条 乙。", "第二条 自2026年4月1日起施行。")
        client = browser.sign_in(CLERK)
        listed = client.get(f"{ROOT}/documents", params={"title": "甲"}).json()
        assert (listed["total"], listed["rows"][0]["versions"]) == (1, 2)
        whole = client.get(
            f"{ROOT}/documents/{listed['rows'][0]['id']}", params={"version": "2020-01-02"}
        ).json()
        assert [article["text"] for article in whole["articles"]] == ["甲。", "自2020年3月1日起施行。"]
        assert [version["status"] for version in whole["versions"]] == ["not_yet", "in_force"]

    @on_one_database
    def test_usage_is_shown_with_its_shares(self, desk: Desk, browser: Browser) -> None:
        desk.file("甲条例(2020-01-02).md", "第一条 甲。", "第二条 乙。", "第三条 丙。")
        desk.cite(a_citation("甲条例", "1"))
        period = {"since": "2026-01", "until": "2026-12"}
        body = browser.sign_in(CLERK).get(f"{ROOT}/usage/documents/甲条例", params=period).json()
        assert body["u3"] == {"numerator": 1, "denominator": 3, "value": "0.333"}
        assert body["u2"]["value"] == "1.000"
        assert body["u2_denominator"] == "period_active_organs"


@on_one_database
class TestUpload:
    def test_each_file_is_in_or_listed(self, browser: Browser) -> None:
        files = [
            ("files", ("甲条例(2020-01-02).md", a_text("甲条例", "第一条 甲。").decode().encode("gbk"))),
            ("files", ("乙.docx", b"PK\x03\x04")),
        ]
        answer = browser.sign_in(PROVINCE).post(f"{ROOT}/imports", files=files)
        assert answer.status_code == 201
        body = answer.json()
        assert (body["imported"], body["refused"]) == (1, 1)
        assert body["files"][0]["title"] == "甲条例"
        assert body["files"][1]["code"] == "legislation.wrong_file_type"

    def test_a_file_name_that_cannot_be_stored_does_no_harm(self, browser: Browser) -> None:
        raw = a_text("甲条例", "第一条 甲。")
        files = [("files", ("坏\x00名\udcff甲条例(2020-01-02).md".encode("utf-8", "replace").decode(), raw))]
        answer = browser.sign_in(PROVINCE).post(f"{ROOT}/imports", files=files)
        assert (answer.status_code, answer.json()["imported"]) == (201, 1)

    def test_a_clerk_may_not(self, browser: Browser) -> None:
        files = [("files", ("甲条例(2020-01-02).md", a_text("甲条例", "第一条 甲。")))]
        answer = browser.sign_in(CLERK).post(f"{ROOT}/imports", files=files)
        assert (answer.status_code, answer.json()["code"]) == (403, "identity.not_allowed")


@on_one_database
class TestRegister:
    def test_a_document_is_entered_read_and_changed(self, browser: Browser) -> None:
        client = browser.sign_in(CLERK)
        made = client.post(f"{ROOT}/normative-documents", json=ENTRY)
        assert made.status_code == 201
        place = f"{ROOT}/normative-documents/{made.json()['id']}"
        changed = client.put(place, json={**ENTRY, "filed_on": "2026-02-20", "version": 1})
        assert changed.status_code == 200
        detail = client.get(place).json()
        assert detail["version"] == 2
        assert {"label": "备案", "on": "2026-02-20"} in detail["timeline"]
        assert {"label": "统一登记号", "value": "150102-2026-001"} in detail["fields"]
        assert client.get(f"{ROOT}/normative-documents").json()["total"] == 1

    def test_a_wrong_field_is_named(self, browser: Browser) -> None:
        answer = browser.sign_in(CLERK).post(
            f"{ROOT}/normative-documents", json={**ENTRY, "published_on": "2026-01-01"}
        )
        assert answer.status_code == 422
        assert [field["path"] for field in answer.json()["fields"]] == ["published_on"]

    def test_use_cannot_be_claimed_from_outside(self, browser: Browser) -> None:
        answer = browser.sign_in(CLERK).post(
            f"{ROOT}/normative-documents", json={**ENTRY, "used_on": "2026-01-01"}
        )
        assert answer.status_code == 422


@on_one_database
def test_nobody_gets_in_unsigned(browser: Browser) -> None:
    paths = browser.client.get("/api/legislation/openapi.json").json()["paths"]
    assert len(paths) >= 9
    for path, methods in paths.items():
        for method in methods:
            answer = browser.client.request(method, path.replace("{document}", "x"))
            assert answer.status_code == 401, (method, path)
