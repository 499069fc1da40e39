"""System administration in real Chromium: enrolling a second factor, accounts, grants by two people, the audit record."""

import re

import pytest
from playwright.sync_api import expect
from pyotp import TOTP

from gateway.identity.locks import hash_of
from kernel.access.principal import Principal
from kernel.storage.audit_verdict import keep_verdict
from tests.browser.test_accessibility import violations_shown
from tests.browser.test_console import DESKTOP, PHONE, page
from tests.support.forms import embedded
from tests.support.gateway import PASSWORD, UNIT, furnish, principal

__all__ = ["page"]  # fixture
FIRST, OWN = "Linshi-Kouling-9", "Wode-Xin-Kouling-8"
SYSTEM = principal("xitong", "15", "/15/", "system_admin")
SECURITY = principal("anquan", "15", "/15/", "security_admin")
BOTH = pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """The embedded form as it is on its first day: units and accounts, and factors still to be enrolled."""
    with embedded(tmp_path_factory.mktemp("system") / "data") as form:
        if not (form.runtime.settings.console / "index.html").exists():
            pytest.skip("控制台尚未构建：请运行 scripts/console.sh / the console is not built")
        furnish(form.app("gateway"))
        yield form


@pytest.fixture(scope="module")
def keys(platform):
    """Keys of second factors by account; each was enrolled with the code of the step before, so this one's is unused."""
    gateway = platform.app("gateway")
    found = {}
    for account in ("anquan", "shenji", "ducha"):
        opened = gateway.sessions.sign_in(account, PASSWORD, address="10.0.0.1")
        who = Principal(account=account, session=hash_of(opened.session))
        found[account] = gateway.enrolment.begin(who, PASSWORD, "").key
        gateway.enrolment.confirm(who, code(platform, found[account], -1))
    return found


def code(platform, key, steps=0):
    return TOTP(key).at(platform.runtime.clock.now(), counter_offset=steps)


def give(page, account, password=PASSWORD):
    page.goto("/sign-in")
    page.get_by_test_id("signin-account").fill(account)
    page.get_by_test_id("signin-password").fill(password)
    page.get_by_test_id("signin-submit").click()


def enter_code(page, given):
    page.get_by_test_id("signin-code").fill(given)
    page.get_by_test_id("signin-submit").click()


def fits(page):
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def row(page, table, account):
    return page.get_by_test_id(table).locator(f'[data-account="{account}"]')


@BOTH
def test_who_must_have_a_factor_gets_to_the_enrolment_and_only_there(page, platform, request):
    page.emulate_media(reduced_motion="reduce")
    phone = page.viewport_size["width"] == PHONE["width"]
    account = "shenhe" if phone else "xitong"
    give(page, account)
    expect(page.get_by_test_id("must-enrol")).to_be_visible()
    expect(page.get_by_test_id("zones")).to_have_count(0)
    page.goto("/rankings")
    expect(page).to_have_url(re.compile(r"/system/second-factor\?next="))
    page.get_by_test_id("factor-password").fill(PASSWORD)
    page.get_by_test_id("factor-password").press("Enter")
    expect(page.get_by_test_id("factor-picture")).to_be_visible()
    assert violations_shown(page) == []
    key = page.get_by_test_id("factor-key").locator("code").inner_text().replace(" ", "")
    fits(page)
    page.get_by_test_id("factor-code").fill("00000")
    page.get_by_test_id("factor-code").press("Enter")
    expect(page.get_by_test_id("factor-problem")).to_contain_text("验证码不正确")
    page.get_by_test_id("factor-code").fill(code(platform, key))
    page.get_by_test_id("factor-code").press("Enter")
    expect(page.get_by_test_id("recovery-codes").locator("li")).to_have_count(10)
    assert violations_shown(page) == []
    recovery = page.get_by_test_id("recovery-codes").locator("li").first.inner_text()
    fits(page)
    expect(page.get_by_test_id("factor-go")).to_be_disabled()
    page.get_by_test_id("codes-kept").click()
    page.get_by_test_id("factor-go").click()
    expect(page).to_have_url(re.compile("/rankings$"))
    page.context.clear_cookies()
    give(page, account)
    enter_code(page, recovery)
    expect(page.get_by_test_id("account-menu")).to_be_visible()
    page.goto("/system/second-factor")
    expect(page.get_by_test_id("factor-state")).to_contain_text("9 个")
    fits(page)


def test_from_a_new_account_to_its_first_session_by_two_administrators(page, platform, keys):
    give(page, "anquan")
    enter_code(page, "000000")
    expect(page.get_by_test_id("signin-problem")).to_contain_text("验证码")
    enter_code(page, code(platform, keys["anquan"]))
    expect(page.get_by_test_id("account-menu")).to_be_visible()
    page.goto("/system/accounts")
    expect(row(page, "account-table", "ducha")).to_contain_text("已绑定")
    expect(row(page, "account-table", "tianbao")).to_contain_text("填报员（新城区市场监督管理局）")
    expect(page.get_by_test_id("new-account")).to_have_count(0)

    accounts = platform.app("gateway").accounts
    accounts.create(SYSTEM, account="lisi", name="李四", unit="1501", password=FIRST)
    accounts.propose(SYSTEM, account="lisi", role="reporter", unit="1501", reason="新到岗")
    page.goto("/system/grants?account=lisi")
    line = row(page, "grant-table", "lisi")
    expect(line).to_contain_text("新到岗")
    expect(line).to_contain_text("xitong")
    line.get_by_test_id("approve-grant").click()
    page.get_by_role("dialog").get_by_role("button", name="批准").click()
    expect(line).to_contain_text("有效")
    line.get_by_test_id("revoke-grant").wait_for()

    page.context.clear_cookies()
    give(page, "lisi", FIRST)
    page.get_by_test_id("signin-change").fill(OWN)
    page.get_by_test_id("signin-again").fill(OWN)
    page.get_by_test_id("signin-submit").click()
    expect(page.get_by_test_id("account-menu")).to_be_visible()
    page.goto("/system/accounts")
    expect(page.get_by_test_id("state-forbidden")).to_be_visible()


@BOTH
def test_the_head_of_a_unit_proposes_a_grant_and_sees_what_became_of_it(page, platform):
    page.emulate_media(reduced_motion="reduce")
    phone = page.viewport_size["width"] == PHONE["width"]
    account = "zhaoliu" if phone else "zhangsan"
    accounts = platform.app("gateway").accounts
    accounts.create(SYSTEM, account=account, name="新来的人", unit=UNIT, password=FIRST)
    give(page, "tianbao")
    expect(page.get_by_test_id("account-menu")).to_be_visible()
    page.goto("/system/accounts")
    line = row(page, "account-table", account)
    expect(line).to_contain_text("尚无角色")
    expect(row(page, "account-table", "ducha")).to_have_count(0)
    expect(page.get_by_test_id("new-account")).to_have_count(0)
    expect(page.get_by_test_id("account-state")).to_have_count(0)
    fits(page)
    assert violations_shown(page) == []

    line.get_by_test_id("ask-grant").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_test_id("grant-account")).to_contain_text(account)
    expect(dialog.get_by_test_id("unit-picker")).to_contain_text("新城区市场监督管理局")
    dialog.get_by_test_id("grant-role").click()
    expect(page.get_by_role("option", name="系统管理员")).to_have_count(0)
    page.get_by_role("option", name="填报员").click()
    until = dialog.get_by_role("combobox", name="终止日")
    until.fill("2037-06-30")
    until.press("Enter")
    dialog.get_by_test_id("grant-reason").fill("接替调离同志")
    fits(page)
    assert violations_shown(page) == []
    dialog.get_by_test_id("send-grant").click()
    line = row(page, "grant-table", account)
    expect(line).to_contain_text("待批准")
    expect(line).to_contain_text("至 2037-06-30")
    expect(line.get_by_test_id("approve-grant")).to_have_count(0)

    register = platform.app("gateway").register
    (asked,) = register.grants(SECURITY, state="proposed", account=account, limit=10, offset=0)
    accounts.decide(SECURITY, asked.id, approve=not phone, note="请补任职文件" if phone else "")
    page.goto("/system/grants")
    expect(row(page, "grant-table", account)).to_contain_text("未批准" if phone else "有效")
    expect(row(page, "grant-table", account)).to_contain_text("请补任职文件" if phone else "anquan")
    fits(page)
    assert violations_shown(page) == []


@BOTH
def test_the_audit_administrator_finds_who_did_what(page, platform, keys):
    page.emulate_media(reduced_motion="reduce")
    phone = page.viewport_size["width"] == PHONE["width"]
    give(page, "shenji")
    enter_code(page, code(platform, keys["shenji"], 1 if phone else 0))
    expect(page.get_by_test_id("account-menu")).to_be_visible()
    operator = Principal(account="system", on_behalf_of="yunwei")
    keep_verdict(platform.app("gateway").store, operator, size=9, root="ab" * 32, faults=0)
    page.goto("/system/audit")
    expect(page.get_by_test_id("audit-seal")).to_contain_text("fazhi audit verify gateway")
    expect(page.get_by_test_id("audit-verified")).to_contain_text("yunwei")
    expect(page.get_by_test_id("audit-verified")).to_contain_text("前 9 条与写入时一致")
    page.get_by_test_id("audit-actor").fill("ducha")
    page.get_by_test_id("audit-action").fill("factor.")
    page.get_by_test_id("audit-find").click()
    expect(page.get_by_test_id("audit-row")).to_have_count(2)
    expect(page.get_by_test_id("audit-table")).to_contain_text("factor.enrolled")
    fits(page)
    assert violations_shown(page) == []
    page.get_by_test_id("audit-actor").fill("nobody-at-all")
    page.get_by_test_id("audit-actor").press("Enter")
    expect(page.get_by_test_id("state-empty")).to_be_visible()
    page.goto("/system/audit?service=assessment")
    expect(page.get_by_test_id("audit-seal")).to_contain_text("fazhi audit verify assessment")
    fits(page)
