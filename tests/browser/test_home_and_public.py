"""What people see first, what they may open, and what anybody can check without signing in, in real Chromium."""

import time
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from contracts.roles import INSPECTOR, REVIEWER, UNIT_HEAD
from fazhi.commands.demo import load
from fazhi.embedded import assemble
from fazhi.witness.demonstration import demonstration_witness
from kernel.access.principal import Principal
from kernel.clock import SystemClock, local_date
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from tests.browser.test_console import DESKTOP, PHONE, page, sign_in
from tests.support.external import a_web_survey, upheld
from tests.support.forms import Form, serving
from tests.support.processes import free_port

__all__ = ["page"]  # fixture
GROUP = "county_departments"
YEAR = str(local_date(SystemClock().now()).year)
ROOT = "/150000/"
COUNTY = "/150000/150100/150102/"
ASKS = Principal(account="ducha.sheng", unit="150000", unit_path=ROOT, roles=frozenset({INSPECTOR}))
AGREES = Principal(account="ducha.shi", unit="150000", unit_path=ROOT, roles=frozenset({INSPECTOR}))
WRITES = Principal(account="shenhe.sheng", unit="150000", unit_path=ROOT, roles=frozenset({REVIEWER}))
LEADS = Principal(
    account="fuzeren.xian",
    unit="150102-scjg",
    unit_path=f"{COUNTY}150102-scjg/",
    roles=frozenset({UNIT_HEAD}),
)
BOTH = pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """The embedded form with a county and a witness, serving the built console."""
    data = tmp_path_factory.mktemp("public") / "data"
    port = free_port()
    given = Settings(data=data, port=port, grpc_port=free_port(), cookie_secure=False, log_level="ERROR")
    if not (given.console / "index.html").exists():
        pytest.skip("控制台尚未构建：请运行 scripts/console.sh / the console is not built")
    with demonstration_witness(given) as settings:
        embedded = assemble(Runtime(settings))
        embedded.migrate()
        embedded.start()
        load(embedded, size="county", seed=1)
        with serving(embedded, port) as address:
            yield Form(embedded.runtime, embedded.services, embedded.bus, address)
        embedded.stop()


@pytest.fixture(scope="module")
def published(platform):
    """A ranking two people published and a witness signed."""
    app = platform.app("assessment")
    year = str(local_date(platform.runtime.clock.now()).year)
    platform.settle()
    wait_for(lambda: app.ledger.status().witnessed > 0, "no witness signed")
    request = app.publications.ask(ASKS, year, "", GROUP, "")
    app.publications.decide(AGREES, request, agreed=True, reason="")
    wait_for(lambda: any(one.id == request for one in app.publications.published()), "nothing was published")
    return request


def wait_for(there, otherwise, seconds=60):
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, otherwise
        time.sleep(0.2)


def fits(page):
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def zones(page):
    names = page.get_by_test_id("zones").get_by_role("link").all_inner_texts()
    return [name.strip() for name in names if name.strip()]


class TestHome:
    @BOTH
    def test_a_unit_leader_sees_the_score_what_moved_it_and_what_would_raise_it(self, page, platform):
        sign_in(page, platform, "fuzeren.xian")
        shown = platform.app("assessment").rankings.unit(LEADS, LEADS.unit, "")
        score = page.get_by_test_id("home-score")
        expect(score).to_contain_text(f"第 {shown.rank} 名（共 {shown.ranked_units} 个）")
        expect(page.get_by_test_id("home-tier")).to_be_visible()
        expect(page.get_by_test_id("moved").locator("li").first).to_be_visible()
        expect(page.get_by_test_id("advice").locator("li").first).to_contain_text("可增")
        for waiting in ("home-reports", "home-tasks", "home-orders", "home-objections"):
            expect(page.get_by_test_id(waiting)).to_be_visible()
        fits(page)

    @BOTH
    def test_an_inspector_sees_what_waits_for_a_second_person_but_may_not_answer_his_own(
        self, page, platform, published
    ):
        app = platform.app("assessment")
        year = str(local_date(platform.runtime.clock.now()).year)
        asked = app.publications.ask(ASKS, year, f"{year}-01", GROUP, "")
        sign_in(page, platform, "ducha.xian")
        expect(page.get_by_test_id("home-warnings").locator("li").first).to_be_visible()
        expect(page.get_by_test_id("home-ledger")).to_contain_text("见证")
        waiting = page.get_by_test_id("home-second").get_by_role("link", name=f"公布排名：{year}-01").first
        fits(page)
        waiting.click()
        rows = page.get_by_test_id("request-row").filter(has_text=f"{year}-01")
        expect(rows.first.get_by_test_id("confirm-publication")).to_be_visible()
        page.context.clear_cookies()
        sign_in(page, platform, "ducha.sheng")
        page.goto("/publications")
        expect(rows.first).to_contain_text("由您提出")
        expect(rows.first.get_by_test_id("confirm-publication")).to_have_count(0)
        fits(page)
        app.publications.decide(AGREES, asked, agreed=False, reason="数据未齐")

    def test_a_reviewer_sees_the_queue(self, page, platform):
        sign_in(page, platform, "shenhe.xian")
        expect(page.get_by_test_id("home-queue")).to_be_visible()
        expect(page.get_by_test_id("home-objections")).to_be_visible()

    def test_each_role_finds_its_zones_and_no_others(self, page, platform):
        of_units = ["首页", "指标填报", "排名监督", "反馈报告", "第三方评价", "系统管理"]
        of_overseers = [
            "首页",
            "指标管理",
            "指标审核",
            "排名监督",
            "反馈报告",
            "第三方评价",
            "数据下载",
            "系统管理",
        ]
        wanted = {
            "tianbao.xian": of_units,
            "shenhe.xian": of_overseers,
            "ducha.xian": of_overseers,
            "pinggu": ["首页", "第三方评价", "系统管理"],
        }
        for account, names in wanted.items():
            page.context.clear_cookies()
            sign_in(page, platform, account)
            assert zones(page) == names, account

    @pytest.mark.parametrize("page", [PHONE], indirect=True)
    def test_on_a_phone_every_page_is_two_touches_away(self, page, platform):
        sign_in(page, platform, "ducha.xian")
        page.get_by_test_id("more-pages").click()
        page.get_by_test_id("zone-drawer").get_by_role("link", name="法规").click()
        expect(page).to_have_url(f"{platform.address}/laws")


class TestPublicProof:
    @BOTH
    def test_anybody_can_check_a_published_ranking(self, page, platform, published):
        page.goto("/public")
        page.get_by_test_id("public-list").get_by_role("link").first.click()
        expect(page.get_by_test_id("proof-verdict")).to_contain_text("核验通过")
        for step in ("statement", "manifest", "files", "chain", "witnesses", "places"):
            expect(page.get_by_test_id(f"proof-{step}")).to_have_attribute("data-state", "holds")
        expect(page.get_by_text("记录的内容是否真实")).to_be_visible()
        expect(page.get_by_test_id("public-row").first).to_be_visible()
        fits(page)

    def test_a_changed_score_is_named(self, page, platform, published):
        def raised(route):
            answer = route.fetch()
            lines = answer.body().split(b"\n")
            lines[-2], lines[0] = lines[0], lines[-2]
            route.fulfill(response=answer, body=b"\n".join(lines).replace(b'"rank":1,', b'"rank":2,', 1))

        page.route("**/files/scores.jsonl", raised)
        page.goto(f"/public/{published}")
        expect(page.get_by_test_id("proof-verdict")).to_contain_text("核验不通过")
        expect(page.get_by_test_id("proof-files")).to_contain_text("scores.jsonl 与公布时不同")
        expect(page.get_by_test_id("proof-places")).to_have_attribute("data-state", "broken")
        expect(page.get_by_test_id("proof-statement")).to_have_attribute("data-state", "holds")

    def test_a_manifest_that_was_not_signed_is_named(self, page, platform, published):
        def other(route):
            answer = route.fetch()
            route.fulfill(response=answer, body=answer.body().replace(b'"at_seq":', b'"at_seq": '))

        page.route("**/files/manifest.json", other)
        page.goto(f"/public/{published}")
        expect(page.get_by_test_id("proof-manifest")).to_contain_text("与签署的公布说明不符")

    def test_a_checkpoint_changed_under_its_signatures_is_named(self, page, platform, published):
        def grown(route):
            answer = route.fetch()
            route.fulfill(
                response=answer, body=answer.body().replace(b"/assessment\\n", b"/assessment\\n1", 1)
            )

        page.route("**/files/checkpoints.jsonl", grown)
        page.goto(f"/public/{published}")
        expect(page.get_by_test_id("proof-chain")).to_contain_text("签名不成立")

    def test_the_readers_own_key_decides(self, page, platform, published):
        page.goto(f"/public/{published}")
        keys = page.request.get("/api/assessment/v1/public/keys").json()
        page.get_by_test_id("proof-keys").locator("summary").click()
        page.get_by_test_id("key-publisher").fill(keys["ledger"][0])
        page.get_by_test_id("use-keys").click()
        expect(page.get_by_test_id("proof-statement")).to_have_attribute("data-state", "broken")
        expect(page.get_by_text("现在用的是您填写的公钥")).to_be_visible()
        page.get_by_test_id("key-publisher").fill(keys["publisher"])
        page.get_by_test_id("use-keys").click()
        expect(page.get_by_test_id("proof-verdict")).to_contain_text("核验通过")

    def test_what_was_never_published_is_not_there(self, page, platform):
        page.goto("/public/0190f2c4-0000-7000-8000-000000000000")
        expect(page.get_by_test_id("state-missing")).to_contain_text("没有这次公布")


@pytest.fixture(scope="module")
def survey(platform):
    """A web survey that runs today, about results of a framework in force next year."""
    today = local_date(platform.runtime.clock.now())
    return a_web_survey(platform.app("assessment"), WRITES, ASKS, today)


class TestSurveys:
    @BOTH
    def test_who_holds_a_code_answers_once_without_signing_in(self, page, platform, survey):
        app = platform.app("assessment")
        before = next(answers for one, answers in app.surveys.every(WRITES) if one.id == survey)
        code = app.surveys.issue_codes(WRITES, survey, "150102-scjg", 1)[0]
        page.goto("/public/survey")
        page.get_by_test_id("survey-code").fill("WRONG2345678")
        page.get_by_test_id("survey-open").click()
        expect(page.get_by_role("alert")).to_contain_text("测评码")
        page.get_by_test_id("survey-code").fill(code.lower())
        page.get_by_test_id("survey-open").click()
        expect(page.get_by_test_id("paper-title")).to_have_text("依法履职满意度测评")
        questions = page.get_by_test_id("survey-question")
        questions.first.get_by_label("满意", exact=True).check()
        page.get_by_test_id("survey-send").click()
        expect(page.get_by_role("alert")).to_contain_text("还有 1 题")
        questions.last.get_by_label("一般").check()
        fits(page)
        page.get_by_test_id("survey-send").click()
        expect(page.get_by_test_id("paper-thanks")).to_be_visible()
        assert next(answers for one, answers in app.surveys.every(WRITES) if one.id == survey) == before + 1

        page.goto("/public/survey")
        page.get_by_test_id("survey-code").fill(code)
        page.get_by_test_id("survey-open").click()
        expect(page.get_by_role("alert")).to_be_visible()

    @BOTH
    def test_staff_sets_a_survey_up_and_only_whole(self, page, platform):
        year = local_date(platform.runtime.clock.now()).year
        title = f"演示满意度调查 {page.viewport_size['width']}"
        sign_in(page, platform, "shenhe.sheng")
        page.goto("/surveys")
        page.get_by_test_id("new-survey").click()
        page.get_by_test_id("survey-title").fill(title)
        page.get_by_test_id("survey-from").fill(f"{year}-12-01")
        page.get_by_test_id("survey-to").fill(f"{year}-11-30")
        page.get_by_test_id("question-text").fill("您对该单位依法办事满意吗")
        expect(page.get_by_test_id("survey-create")).to_be_disabled()  # a question that measures nothing
        page.get_by_test_id("question-result").click()
        page.get_by_role("option").first.click()
        page.get_by_test_id("survey-create").click()
        expect(page.locator(".el-message--error")).to_be_visible()  # it would end before it begins
        page.get_by_test_id("survey-to").fill(f"{year}-12-20")
        page.get_by_test_id("survey-create").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(title)
        kept = next(one for one, _ in platform.app("assessment").surveys.every(WRITES) if one.title == title)
        assert [question.text for question in kept.questions] == ["您对该单位依法办事满意吗"]
        assert (kept.opens_on.isoformat(), kept.closes_on.isoformat()) == (
            f"{year}-12-01",
            f"{year}-12-20",
        )

    def test_staff_hands_out_codes_and_a_faulty_file_is_not_taken(self, page, platform, survey, tmp_path):
        sign_in(page, platform, "shenhe.sheng")
        page.goto("/surveys")
        page.get_by_role("link", name="依法履职满意度测评").click()
        page.get_by_test_id("unit-picker").locator("input").fill("新城区司法")
        page.get_by_role("option", name="新城区司法局").first.click()
        page.get_by_test_id("issue-codes").click()
        expect(page.get_by_test_id("codes")).to_be_visible()
        path = tmp_path / "答卷.csv"
        path.write_text("单位代码,Q1,Q2\n150102-sf,满意,从不\n", encoding="utf-8")
        page.get_by_test_id("answers-file").set_input_files(path)
        expect(page.get_by_test_id("answers-read")).to_contain_text("不是本题的选项")
        path.write_text("单位代码,Q1,Q2\n150102-sf,满意,一般\n", encoding="utf-8")
        page.get_by_test_id("answers-file").set_input_files(path)
        expect(page.get_by_test_id("answers-read")).to_contain_text("没有问题")
        page.get_by_test_id("answers-take").click()
        expect(page.get_by_test_id("answers-read")).to_contain_text("已导入 1 份")


@BOTH
def test_a_sign_of_gaming_accuses_nobody_until_a_person_decides_with_a_reason(page, platform):
    shown = 4 if page.viewport_size == PHONE else 5  # the desktop went first and dismissed one
    sign_in(page, platform, "ducha.xian")
    page.goto("/detection")
    expect(page.get_by_test_id("honest")).to_contain_text("不认定任何单位弄虚作假")
    signs = page.get_by_test_id("sign")
    expect(signs).to_have_count(5)
    expect(page.get_by_test_id("sign-dismiss")).to_have_count(shown)
    fits(page)
    sign = signs.filter(has=page.get_by_test_id("sign-dismiss")).first
    unit = sign.get_attribute("data-unit")
    sign.get_by_test_id("sign-dismiss").click()
    page.get_by_role("textbox").fill("经核对台账，数字属实")
    page.get_by_role("button", name="确认").click()
    expect(page.get_by_test_id("sign-dismiss")).to_have_count(shown - 1)
    kept = [
        one
        for one in platform.app("assessment").detection.found(ASKS, YEAR, offset=0, limit=9).rows
        if one.decision
    ]
    assert len(kept) == 6 - shown
    assert unit in {one.unit for one in kept}
    assert {(one.decision, one.reason) for one in kept} == {("dismissed", "经核对台账，数字属实")}


def test_what_is_shown_of_a_past_day_is_read_only_and_what_only_knows_of_now_says_so(page, platform):
    sign_in(page, platform, "ducha.xian")
    page.goto("/orders")
    expect(page.get_by_test_id("new-order")).to_be_visible()
    yesterday = (local_date(platform.runtime.clock.now()) - timedelta(days=1)).isoformat()
    page.goto(f"/orders?as_of={yesterday}")
    expect(page.get_by_test_id("as-of-banner")).to_contain_text(f"按 {yesterday} 已知情况")
    page.get_by_role("row").get_by_role("link").first.click()
    expect(page.get_by_role("list").first).to_be_visible()
    assert f"as_of={yesterday}" in page.url
    expect(page.get_by_test_id("order-acts")).to_have_count(0)
    for zone, there in (("指标审核", "area-reviews"), ("首页", "home-second")):
        page.get_by_test_id("zones").get_by_role("link", name=zone).click()
        expect(page.get_by_test_id(there)).to_be_visible()
        expect(page.get_by_test_id("as-of-banner")).to_contain_text(f"按 {yesterday} 已知情况")
    expect(page.get_by_test_id("home-tasks")).to_be_visible()
    page.get_by_test_id("home-ledger").get_by_role("link").first.click()
    expect(page.get_by_test_id("receipts-how")).to_contain_text(f"截至{yesterday}.jsonl")
    assert f"as_of={yesterday}" in page.url
    page.goto(f"/clues?as_of={yesterday}")
    expect(page.get_by_test_id("as-of-banner")).to_contain_text("平台没有留存每一步是何时收到的")
    expect(
        page.get_by_test_id("as-of")
        .locator("input")
        .or_(page.locator("input.el-input__inner[disabled]"))
        .first
    ).to_be_disabled()


@BOTH
def test_a_third_party_marks_the_sheet_it_was_given_and_sees_no_other(page, platform):
    app = platform.app("assessment")
    year = str(local_date(platform.runtime.clock.now()).year)
    due = local_date(platform.runtime.clock.now()) + timedelta(days=9)
    given = app.sheets.hand_out(ASKS, "third_party", year, ["150102-scjg"], ["A1.M1.R1"], "pinggu", due)[0]
    other = app.sheets.hand_out(ASKS, "third_party", year, ["150102-jt"], ["A1.M1.R1"], "somebody", due)[0]
    sign_in(page, platform, "pinggu")
    expect(page.get_by_test_id("home-sheets")).to_contain_text("市场监督管理局")
    page.goto(f"/sheets/{other}")
    expect(page.get_by_test_id("state-missing")).to_be_visible()
    page.goto(f"/sheets/{given}")
    page.get_by_test_id("sheet-send").click()
    expect(page.get_by_role("alert")).to_contain_text("没有评分")
    page.get_by_test_id("sheet-marks").locator("input").fill("850")
    page.get_by_test_id("sheet-reasons").locator("visible=true").fill("清单已公布，个别事项未衔接。")
    fits(page)
    page.get_by_test_id("sheet-send").click()
    expect(page.get_by_test_id("sheet-version")).to_contain_text("第 1 次")
    assert app.sheets.one(ASKS, given)[2][-1].items[0].marks == 850
    upheld(app, f"assessment/sheets/{given}", LEADS, ASKS)
    page.get_by_test_id("sheet-marks").locator("input").fill("600")
    page.get_by_test_id("sheet-reason").locator("visible=true").fill("复核台账")
    page.get_by_test_id("sheet-send").click()
    expect(page.get_by_role("dialog")).to_contain_text("成立")
    page.get_by_role("button", name="取代").click()
    expect(page.get_by_test_id("sheet-version").first).to_contain_text("复核台账")
    assert app.sheets.one(ASKS, given)[2][-1].items[0].marks == 600
