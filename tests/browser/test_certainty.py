"""Rankings that say how sure they are, as people meet them in the browser: intervals, past days, what-ifs, replays."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.test_console import DESKTOP, PHONE, page, sign_in

__all__ = ["page"]

PATIENT = 60_000  # statistics are filled in behind the page, and a busy machine takes its time
GROUP = "/rankings?period=2026&peer_group=county_departments"
PROVINCE = 8300
SCROLL = """(row, share) => {
  let box = row
  while (box.scrollHeight <= box.clientHeight + 5) box = box.parentElement
  box.scrollTop = share * (box.scrollHeight - box.clientHeight)
}"""


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_a_ranking_says_how_sure_every_place_is(page, platform):
    sign_in(page, platform, "ducha.xian")
    page.goto(GROUP)
    expect(page.get_by_test_id("band-note")).to_be_visible(timeout=PATIENT)
    row = page.get_by_test_id("ranking-row").first
    assert re.search(r"第 \d+(–\d+)? 名", row.inner_text())
    assert re.search(r"\d+ 段", row.inner_text())


def test_a_past_day_is_said_loudly_and_taken_along_until_it_is_taken_off(page, platform):
    sign_in(page, platform, "ducha.xian")
    today = page.evaluate("new Date().toLocaleDateString('sv-SE', {timeZone: 'Asia/Shanghai'})")
    page.goto(f"{GROUP}&as_of={today}")
    expect(page.get_by_test_id("as-of-banner")).to_contain_text(f"按 {today} 已知情况")
    page.get_by_test_id("ranking-row").first.click()
    expect(page.get_by_test_id("score-total")).to_be_visible(timeout=PATIENT)
    expect(page.get_by_test_id("as-of-banner")).to_be_visible(timeout=PATIENT)
    assert f"as_of={today}" in page.url
    page.get_by_role("button", name="回到现在").click()
    expect(page.get_by_test_id("as-of-banner")).to_have_count(0)
    assert "as_of" not in page.url


def test_the_way_back_finds_the_list_as_it_was_and_paper_has_every_row(page, platform):
    sign_in(page, platform, "ducha.xian")
    page.goto(GROUP)
    rows = page.get_by_test_id("ranking-row")
    expect(rows.first).to_be_visible(timeout=PATIENT)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(rows).to_have_count(int(page.get_by_test_id("ranking-table").get_attribute("aria-rowcount")) - 1)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.get_by_test_id("ranking-search").fill("司法局")
    expect(rows).to_have_count(1)
    rows.first.click()
    page.get_by_test_id("tree-expand-all").click()
    page.get_by_test_id("tree-why").last.click()
    expect(page.get_by_test_id("explained-title")).to_be_visible(timeout=PATIENT)
    page.go_back()
    expect(page.get_by_test_id("tree-expand-all")).to_have_text("全部收起", timeout=PATIENT)
    page.go_back()
    expect(page.get_by_test_id("ranking-search")).to_have_value("司法局")
    expect(rows).to_have_count(1)


def test_a_unit_sees_its_months_and_what_would_raise_it_most(page, platform):
    sign_in(page, platform, "ducha.xian")
    page.goto(GROUP)
    page.get_by_test_id("ranking-row").last.click()
    expect(page.get_by_test_id("advice").get_by_text(re.compile(r"可增 \d")).first).to_be_visible(
        timeout=PATIENT
    )
    expect(page.get_by_test_id("trend").get_by_role("img").first).to_be_visible(timeout=PATIENT)
    expect(page.get_by_test_id("moved")).to_contain_text("本月升降", timeout=PATIENT)


def test_places_follow_the_sliders_and_come_back(page, platform):
    sign_in(page, platform, "ducha.xian")
    page.goto(GROUP.replace("/rankings", "/rankings/what-if"))
    expect(page.get_by_test_id("what-if-summary")).to_have_text("与现在的排名相同", timeout=PATIENT)
    slider = page.get_by_role("slider").first
    slider.focus()
    for _ in range(20):
        slider.press("ArrowRight")
    expect(page.get_by_test_id("what-if-summary")).to_contain_text("个单位名次变化", timeout=PATIENT)
    page.get_by_test_id("what-if-reset").click()
    expect(page.get_by_test_id("what-if-summary")).to_have_text("与现在的排名相同", timeout=PATIENT)


def test_a_replay_under_the_framework_in_force_moves_nobody(page, platform):
    sign_in(page, platform, "ducha.sheng")
    page.goto("/replays")
    current = page.request.get("/api/assessment/v1/frameworks/current").json()
    page.get_by_test_id("replay-framework").click()
    page.get_by_role("option", name=re.compile(f"{current['id']}@{current['version']}")).click()
    page.get_by_test_id("replay-start").click()
    expect(page.get_by_test_id("replay-summary")).to_be_visible(timeout=120_000)
    expect(page.get_by_test_id("replay-summary")).to_contain_text("0.00 位")
    expect(page.get_by_test_id("impact").get_by_text("不变").first).to_be_visible(timeout=PATIENT)


def test_a_ranking_of_a_province_keeps_few_lines_in_the_page_and_is_searched_and_scrolled_to_its_end(
    page, platform
):
    """The answers of the county, repeated to 8,300 units: what a browser has to carry of them."""
    sign_in(page, platform, "ducha.xian")
    page.route(re.compile(r"/v1/rankings\?"), repeated)
    page.goto(GROUP)
    table, rows = page.get_by_test_id("ranking-table"), page.get_by_test_id("ranking-row")
    expect(table).to_have_attribute("aria-rowcount", str(PROVINCE + 1), timeout=PATIENT)
    for share in (0.5, 1.0):
        rows.first.evaluate(SCROLL, share)
        expect(page.locator(f"[data-unit=u{int(share * (PROVINCE - 1)):05d}]")).to_be_visible()
        assert rows.count() < 60
    page.get_by_test_id("ranking-search").fill("第7777号")
    expect(rows).to_have_count(1)


def repeated(route):
    asked = parse_qs(urlsplit(route.request.url).query)
    first, limit = (int(asked[name][0]) for name in ("offset", "limit"))
    answer = route.fetch(url=re.sub(r"offset=\d+", "offset=0", route.request.url))
    body = answer.json()
    body["total"], known = PROVINCE, body["rows"]
    body["rows"] = [
        row | {"rank": place + 1, "unit": row["unit"] | {"code": f"u{place:05d}", "name": f"第{place}号单位"}}
        for place in range(first, min(PROVINCE, first + limit))
        for row in (known[place % len(known)],)
    ]
    route.fulfill(response=answer, json=body)
