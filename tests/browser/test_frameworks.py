"""A reviewer hands in a framework with a fault, mends it and proposes it; an inspector approves; a unit tells progress."""

import os
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from services.assessment.framework.writing import document_of, yaml_of
from services.assessment.tasks.demonstration import demonstrate
from tests.browser.test_console import DESKTOP, PHONE, page
from tests.support.shown_county import shown_county

__all__ = ["page"]  # fixture


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    with shown_county(tmp_path_factory.mktemp("frameworks") / "data") as form:
        yield form


@pytest.fixture(scope="module")
def plan(platform):
    return demonstrate(platform.app("assessment"), area="150102")


def sign_in(page, platform, account):
    shown = platform.app("gateway").demonstrations.shown().accounts
    password = next(one.password for one in shown if one.account == account)
    page.goto("/")
    page.get_by_test_id("signin-account").fill(account)
    page.get_by_test_id("signin-password").fill(password)
    page.get_by_test_id("signin-submit").click()
    expect(page.get_by_test_id("signin-submit")).to_have_count(0)


def a_file(folder: Path, platform, version: str, **changes) -> Path:
    document = document_of(platform.app("assessment").frameworks.get("demonstration-city-county", "1"))
    path = folder / f"体系-{version}.yaml"
    path.write_text(yaml_of(document | {"version": version} | changes))
    return path


def test_a_framework_is_handed_in_mended_proposed_by_one_and_approved_by_another(page, platform, tmp_path):
    sign_in(page, platform, "shenhe.sheng")
    page.goto("/frameworks")
    rows = page.get_by_test_id("framework-row")
    expect(rows.first).to_be_visible()
    before = rows.count()

    page.get_by_test_id("framework-upload").click()
    faulty = a_file(tmp_path, platform, "2", year=1900)
    page.get_by_test_id("framework-file").set_input_files(faulty)
    page.get_by_test_id("framework-check").click()
    problem = page.get_by_test_id("framework-problems").locator("tbody tr")
    expect(problem).to_have_count(1)
    line = int(re.search(r":(\d+)", problem.inner_text()).group(1))
    assert faulty.read_text().splitlines()[line - 1] == "year: 1900"

    mended = a_file(tmp_path, platform, "2", title="市县示范指标体系（修改）")
    os.utime(mended, (time.time() + 60, time.time() + 60))
    page.get_by_test_id("framework-check").click()
    expect(page.get_by_text("请重新选择该文件后再提交")).to_be_visible()
    page.get_by_test_id("framework-file").set_input_files(mended)
    page.get_by_test_id("framework-check").click()
    expect(page.get_by_test_id("framework-good")).to_contain_text("第 2 版")
    page.get_by_test_id("framework-save").click()
    expect(rows).to_have_count(before + 1)

    page.get_by_role("link", name="市县示范指标体系（修改）").click()
    expect(page.get_by_test_id("framework-tree").locator("li")).to_have_count(9)
    page.get_by_test_id("submit").click()
    page.get_by_test_id("ask").click()
    expect(page.get_by_text("已提请").first).to_be_visible()
    page.goto("/frameworks")
    expect(page.get_by_test_id("proposal")).to_contain_text("由您提请")
    expect(page.get_by_test_id("approve")).to_have_count(0)

    page.context.clear_cookies()
    sign_in(page, platform, "ducha.sheng")
    page.goto("/frameworks")
    page.get_by_test_id("approve").click()
    expect(page.get_by_test_id("proposal")).to_have_count(0)
    versions = {known[:2] for known in platform.app("assessment").frameworks.published()}
    assert ("demonstration-city-county", "2") in versions


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_a_unit_finds_its_task_and_tells_how_it_goes(page, platform, plan):
    sign_in(page, platform, "tianbao.xian")
    page.goto("/tasks")
    row = page.get_by_test_id("task-row").filter(has_text="办理中").first
    expect(row).to_be_visible()
    row.get_by_role("link").click()
    drawer = page.get_by_test_id("task-drawer")
    expect(drawer).to_contain_text("达到标准")
    told = f"已完成自查，材料齐备（{page.viewport_size['width']}）。"
    page.get_by_test_id("task-text").locator("visible=true").fill(told)
    page.get_by_test_id("task-progress").click()
    expect(drawer.get_by_text(told)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_the_calendar_shows_the_dates_of_the_law(page, platform, plan):
    sign_in(page, platform, "ducha.xian")
    page.goto("/calendar?month=2027-03")
    expect(page.get_by_text("报告上年度法治政府建设情况").first).to_be_visible()
    page.get_by_test_id("month-next").click()
    expect(page.get_by_text("向党中央、国务院报告上年度").first).to_be_visible()


def test_a_link_opens_the_task_it_names(page, platform, plan):
    sign_in(page, platform, "ducha.xian")
    page.goto(f"/tasks?plan={plan}&area=150102&task=A1.M11.R1")
    drawer = page.get_by_test_id("task-drawer")
    expect(drawer).to_contain_text("A1.M11.R1")
    page.get_by_test_id("task-assign").click()
    page.get_by_role("dialog", name="调整承担单位和时限").get_by_role("combobox", name="完成时限").fill(
        "2026-12-20"
    )
    page.get_by_test_id("assign-reason").fill("与年终考核同步")
    page.get_by_test_id("send-assignment").click()
    expect(drawer).to_contain_text("完成时限 2026-12-20")
    expect(drawer).to_contain_text("第 2 次分解")
