"""The walk of a self-report in real Chromium: fill in, submit, get it back, hand it in again, be scored, see the number."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect

from fazhi.embedded import assemble
from gateway.identity.demonstration import DemonstrationPerson
from kernel.clock import SystemClock, local_date
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from tests.support.forms import Form, serving
from tests.support.papers import pdf
from tests.support.processes import free_port
from tests.support.reporting import COUNTY, INSPECTOR, UNITS, Desk, person

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
PEOPLE = (
    ("tianbao.xian", "县级填报员", "150102-scjg", ("reporter",), ""),
    ("fuzeren.xian", "县级单位负责人", "150102-scjg", ("unit_head",), ""),
    ("shenhe.xian", "县级审核员", "150102-sf", ("reviewer",), "150102"),
    ("ducha.xian", "县级督察员", "150102-sf", ("inspector",), "150102"),
    ("xitong.xian", "县级系统管理员", "150102", ("system_admin",), ""),
)


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """The embedded form with one county's units and people, serving the built console."""
    port = free_port()
    data = tmp_path_factory.mktemp("reporting") / "data"
    settings = Settings(data=data, port=port, grpc_port=free_port(), cookie_secure=False, log_level="ERROR")
    if not (settings.console / "index.html").exists():
        pytest.skip("控制台尚未构建：请运行 scripts/console.sh / the console is not built")
    embedded = assemble(Runtime(settings))
    embedded.migrate()
    embedded.start()
    gateway = embedded.services["gateway"].app
    gateway.directory.load(states(), reason="测试")
    with serving(embedded, port) as address:
        form = Form(embedded.runtime, embedded.services, embedded.bus, address)
        form.settle()
        gateway.demonstrations.create_demonstration(
            [
                DemonstrationPerson(account=a, name=n, title=n, unit=u, roles=r, area=area)
                for a, n, u, r, area in PEOPLE
            ],
            province="自治区",
            size="county",
            seed=1,
        )
        yield form
    embedded.stop()


def states():
    from gateway.directory.rules import UnitState

    names = (
        "code",
        "name",
        "kind",
        "level",
        "parent",
        "region_code",
        "valid_from",
        "credit_code",
        "field",
        "valid_to",
        "successor",
    )
    return [UnitState(**{name: getattr(unit, name) for name in names}) for unit in UNITS]


@pytest.fixture
def browse(browser, platform):
    """Opens a page signed in as somebody; faults in the browser's console fail the test."""
    contexts, faults = [], []

    def open_as(account, size=DESKTOP):
        context = browser.new_context(
            viewport=size, locale="zh-CN", base_url=platform.address, accept_downloads=True
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        shown = platform.app("gateway").demonstrations.shown().accounts
        password = next(one.password for one in shown if one.account == account)
        page.goto("/")
        page.get_by_test_id("signin-account").fill(account)
        page.get_by_test_id("signin-password").fill(password)
        page.get_by_test_id("signin-submit").click()
        expect(page.get_by_test_id("account-menu")).to_be_visible()
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert faults == []


def confirm(page):
    page.get_by_role("button", name="确定").last.click()


def the_score(platform):
    platform.settle()
    year = str(platform.runtime.clock.now().year)
    return platform.app("assessment").rankings.unit(INSPECTOR, "150102-scjg", year).tree.amounts.earned


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_report_is_filled_in_returned_handed_in_again_and_scored(browse, platform, size):
    before = the_score(platform)
    filler = browse("tianbao.xian", size)
    head, reviewer = browse("fuzeren.xian", size), browse("shenhe.xian", size)
    takes_part(reviewer)

    title = fills_in(filler, "清单" if size is DESKTOP else "许可")
    hands_in(head, filler.url)

    takes_up(reviewer, platform, title)
    expect(reviewer.get_by_test_id("review-statement")).to_contain_text("逐项核对")
    reviewer.get_by_test_id("begin").click()
    reviewer.get_by_text("退回", exact=True).click()
    answers(reviewer, "请附上级清单的对照表。", "退回")

    filler.reload()
    expect(filler.get_by_test_id("returned-reasons")).to_contain_text("对照表")
    filler.get_by_test_id("statement").fill("清单已公布，附上级清单对照表。")
    expect(filler.get_by_test_id("saved")).to_contain_text("第 3 版")
    hands_in(head, filler.url)

    takes_up(reviewer, platform, title)
    reviewer.get_by_test_id("begin").click()
    reviewer.get_by_test_id("score").fill("0.9")
    answers(reviewer, "对照表齐全。", "0.900")
    day = local_date(platform.runtime.clock.now()).isoformat()
    reviewer.goto(f"{reviewer.url}?as_of={day}")
    expect(reviewer.get_by_test_id("as-of-banner")).to_contain_text(f"按 {day} 已知情况")
    expect(reviewer.get_by_test_id("mark")).to_contain_text("0.900")
    reviewer.goto(f"/reviews?state=done&as_of={day}")
    expect(reviewer.get_by_test_id("review-row").first).to_contain_text("已办结")
    expect(reviewer.get_by_role("checkbox")).to_have_count(0)
    head.reload()
    expect(head.get_by_test_id("report-score")).to_have_text("0.900")
    assert "shenhe" not in head.content()
    assert the_score(platform) > before
    for page in (filler, head, reviewer):
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def takes_part(reviewer):
    with reviewer.expect_response("**/reviews/membership"):
        reviewer.goto("/reviews")
    join = reviewer.get_by_test_id("join")
    if '"active":true' not in reviewer.request.get("/api/assessment/v1/reviews/membership").text():
        join.click()
    expect(join).to_have_count(0)


def fills_in(filler, words):
    """The filler writes, the draft saves itself, a file is added; only the head may hand it in."""
    filler.goto("/reports?state=not_started")
    filler.get_by_test_id("report-search").fill(words)
    link = filler.get_by_test_id("report-row").first.get_by_role("link")
    title = link.inner_text()
    link.click()
    expect(filler.get_by_test_id("report-title")).to_have_text(title)
    filler.get_by_test_id("statement").fill("清单已按年公布，并与上级清单逐项核对。")
    expect(filler.get_by_test_id("saved")).to_contain_text("第 1 版")
    filler.get_by_test_id("evidence-file").set_input_files(
        {"name": "公布文件.pdf", "mimeType": "application/pdf", "buffer": pdf()}
    )
    expect(filler.get_by_test_id("evidence-list")).to_contain_text("公布文件.pdf")
    expect(filler.get_by_test_id("saved")).to_contain_text("第 2 版")
    expect(filler.get_by_test_id("submit")).to_have_count(0)
    return title


def hands_in(head, address):
    head.goto(address)
    head.get_by_test_id("submit").click()
    confirm(head)
    expect(head.get_by_test_id("withdraw")).to_be_visible()


def takes_up(reviewer, platform, title):
    platform.app("assessment").assigning.assign_waiting()
    reviewer.goto("/reviews")
    reviewer.get_by_test_id("review-row").get_by_role("link", name=title).click()
    expect(reviewer.get_by_test_id("review-title")).to_have_text(title)


def answers(reviewer, reasons, shown):
    reviewer.get_by_test_id("reasons").fill(reasons)
    reviewer.get_by_test_id("submit-answer").click()
    confirm(reviewer)
    expect(reviewer.get_by_test_id("mark")).to_contain_text(shown)


def test_many_results_are_filled_in_by_one_workbook(browse, tmp_path):
    import python_calamine
    import xlsxwriter

    page = browse("tianbao.xian")
    page.goto("/reports")
    page.get_by_test_id("bulk-open").click()
    with page.expect_download() as download:
        page.get_by_test_id("bulk-download").click()
    path = tmp_path / "填报.xlsx"
    download.value.save_as(path)
    rows = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    wanted = [row for row in rows[1:] if not row[6]][:3]
    for row in wanted:
        row[6] = "批量填写的情况说明。"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    for line, cells in enumerate([rows[0], *wanted]):
        for column, cell in enumerate(cells):
            sheet.write_string(line, column, str(cell))
    book.close()
    page.get_by_test_id("bulk-file").set_input_files(path)
    page.get_by_test_id("bulk-confirm").click()
    expect(page.get_by_test_id("bulk-done")).to_contain_text("3")
    page.get_by_role("button", name="关闭").last.click()
    page.goto("/reports?state=draft")
    expect(page.get_by_test_id("report-row")).to_have_count(3)
    today = local_date(SystemClock().now()).isoformat()
    page.goto(f"/reports?state=draft&as_of={today}")
    expect(page.get_by_test_id("as-of-banner")).to_contain_text(f"按 {today} 已知情况")
    expect(page.get_by_test_id("report-row")).to_have_count(3)
    expect(page.get_by_test_id("bulk-open")).to_have_count(0)
    page.get_by_test_id("report-row").first.get_by_role("link").click()
    expect(page.get_by_test_id("report-title")).to_be_visible()
    expect(page.get_by_text("批量填写的情况说明。")).to_be_visible()
    expect(page.get_by_test_id("statement")).to_have_count(0)


def test_a_foreign_report_is_not_found_and_a_reviewer_without_work_sees_so(browse):
    page = browse("ducha.xian")
    page.goto("/reports/0190f2c4-0000-7000-8000-000000000000")
    expect(page.get_by_test_id("state-missing")).to_be_visible()
    page.goto("/reviews")
    expect(page.get_by_test_id("state-empty")).to_be_visible()
    assert re.search("指标审核", page.title())


def a_report_waits_for_its_reviewer(platform, folder):
    desk = Desk(platform.app("assessment"), folder)
    reviewer = person("shenhe.xian", "reviewer", "150102-sf", COUNTY)
    desk.told(reviewer, "POST", "/reviews/membership")
    desk.submitted(desk.begun(-1, period=str(platform.runtime.clock.now().year)))
    return len(desk.queue(reviewer))


def moves(page, account, unit):
    """The system administrator moves somebody to another unit: every role ends, and is to be proposed anew."""
    page.goto("/system/accounts")
    row = page.locator(f'[data-testid="account-row"][data-account="{account}"]')
    row.get_by_test_id("move-account").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("原有角色全部终止")
    expect(dialog.get_by_test_id("send-move")).to_be_disabled()
    dialog.get_by_role("combobox").fill(unit)
    page.get_by_role("option", name=unit).click()
    dialog.get_by_test_id("send-move").click()
    page.wait_for_url(f"**/system/grants?account={account}**")
    page.goto("/system/accounts")
    expect(row).to_contain_text(unit)
    expect(row).to_contain_text("尚无角色")


def test_what_a_reviewer_who_moved_on_leaves_is_shown_to_be_handed_on(browse, platform, tmp_path):
    with ThreadPoolExecutor(1) as aside:  # a loop runs in this thread, the browser's
        assert aside.submit(a_report_waits_for_its_reviewer, platform, tmp_path).result() == 1
    page = browse("ducha.xian")
    page.goto("/reviews")
    card = page.get_by_test_id("area-reviews")
    card.locator("summary").click()
    expect(card.locator("summary")).to_contain_text("待移交 0 项")
    moves(browse("xitong.xian"), "shenhe.xian", "新城区财政局")
    platform.settle()
    page.reload()
    card.locator("summary").click()
    expect(card.locator("summary")).to_contain_text("待移交 1 项")
    card.get_by_role("button", name="只看待移交").click()
    expect(card.get_by_role("row", name="县级审核员")).to_contain_text("待移交")
    expect(card).to_contain_text("请改派")
    handed_in = page.get_by_test_id("handed-in")
    handed_in.locator("summary").click()
    handed_in.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"/reports/[0-9a-f-]{36}"))
    expect(page.get_by_role("navigation").get_by_role("link", name="指标审核").last).to_be_visible()
