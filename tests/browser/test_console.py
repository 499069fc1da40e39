"""The console as people use it, in real Chromium on the real product: from a rank to the evidence in five clicks."""

import hashlib
import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def page(browser, platform, request):
    """A fresh page; faults in the browser's console fail the test."""
    size = getattr(request, "param", DESKTOP)
    context = browser.new_context(viewport=size, locale="zh-CN", base_url=platform.address)
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


def sign_in(page, platform, account):
    shown = platform.app("gateway").demonstrations.shown().accounts
    password = next(one.password for one in shown if one.account == account)
    page.goto("/")
    page.get_by_test_id("signin-account").fill(account)
    page.get_by_test_id("signin-password").fill(password)
    page.get_by_test_id("signin-submit").click()
    expect(page.get_by_test_id("account-menu")).to_be_visible()


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_an_inspector_gets_from_a_rank_to_the_case_behind_it_in_five_clicks(page, platform):
    sign_in(page, platform, "ducha.xian")
    page.goto("/rankings?period=2026&peer_group=county_departments")
    clicks = 0

    page.get_by_test_id("ranking-row").last.click()
    clicks += 1
    expect(page.get_by_test_id("score-total")).to_be_visible()

    page.get_by_role("link", name="为什么是这个分").first.click()
    clicks += 1
    expect(page.get_by_test_id("events-table")).to_be_visible()
    row = page.get_by_test_id("event-row").first
    expect(row).to_be_visible()
    assert re.search("部分得分|不符合|符合", row.inner_text())

    # What people answered and inspectors saw stands first; the cases are a rule away.
    page.locator("[data-probe^=ENF-]").get_by_role("button", name="：只看").first.click()
    clicks += 1
    page.locator("[data-testid=event-row] a[href*='/subjects/enforcement/']").first.click()
    clicks += 1
    expect(page.get_by_test_id("subject-title")).to_be_visible()
    assert clicks <= 5


def test_a_reporter_sees_the_ranking_but_not_the_detail_of_others(page, platform):
    sign_in(page, platform, "tianbao.xian")
    page.goto("/units/150102-sf/score?period=2026")
    expect(page.get_by_text("不在您的查看范围").or_(page.get_by_text("没有权限")).first).to_be_visible()


def test_wrong_credentials_are_told_kindly_and_alike(page, platform):
    page.goto("/")
    said = []
    for account in ("ducha.xian", "nobody.at.all"):
        page.get_by_test_id("signin-account").fill(account)
        page.get_by_test_id("signin-password").fill("wrong-password-1")
        page.get_by_test_id("signin-submit").click()
        message = page.get_by_role("alert").first
        expect(message).to_be_visible()
        said.append(message.inner_text())
        page.reload()
    assert said[0] == said[1]


def test_who_signs_out_is_out(page, platform):
    sign_in(page, platform, "shenhe.xian")
    page.get_by_role("button", name=re.compile("审核员")).click()
    page.get_by_text("退出登录").click()
    expect(page.get_by_test_id("signin-submit")).to_be_visible()
    page.goto("/rankings")
    expect(page.get_by_test_id("signin-submit")).to_be_visible()


def show_an_event_of(page, platform, source):
    """Open the details of an event of this service that counts, for a unit that the county's inspector sees."""
    sign_in(page, platform, "ducha.xian")
    with platform.app("assessment").store.reading() as session:
        asked = text(
            "SELECT DISTINCT unit, probe FROM event_log WHERE source = :source AND period LIKE '2026-%'"
        )
        told = session.execute(asked, {"source": source}).all()
    for unit, probe in told:
        query = {"probe": probe, "period": "2026"}
        answer = page.request.get(f"/api/assessment/v1/units/{unit}/explanation", params=query)
        if answer.ok and {event["probe"] for event in answer.json()["events"]["rows"]} == {probe}:
            page.goto(f"/units/{unit}/explanation?period=2026&probe={probe}")
            page.get_by_test_id("event-details").first.click()
            return
    pytest.fail(f"no event of {source} counts for a unit in reach")


@pytest.mark.parametrize("source", ["enforcement", "decisions", "disputes", "legislation", "gateway"])
def test_behind_every_kind_of_event_lies_evidence_whose_bytes_are_what_the_digest_says(
    page, platform, source
):
    show_an_event_of(page, platform, source)
    with page.expect_download() as saved:
        page.get_by_test_id("evidence-download").first.click()
    shown = page.get_by_test_id("evidence-digest").first.get_attribute("data-digest")
    assert shown == f"sha256:{hashlib.sha256(saved.value.path().read_bytes()).hexdigest()}"
    assert saved.value.suggested_filename in page.get_by_test_id("evidence").inner_text()


def test_who_may_not_have_the_evidence_is_told_so(page, platform):
    show_an_event_of(page, platform, "decisions")
    page.route("**/evidence/*", lambda route: route.fulfill(status=404, json={"code": "x", "message": "y"}))
    page.get_by_test_id("evidence-download").first.click()
    expect(page.get_by_role("alert")).to_contain_text("不在您的查看范围")
