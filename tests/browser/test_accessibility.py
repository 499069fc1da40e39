"""The main pages as axe-core judges them against WCAG 2.2 A and AA, contrast included: no violation on any of them."""

from importlib.resources import files

import pytest
from playwright.sync_api import expect

from tests.browser.test_console import DESKTOP, PHONE, page, sign_in

__all__ = ["page"]  # fixture

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LOOK = "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})"
DEPARTMENTS = "period=2026&peer_group=county_departments"
PAGES = {
    "": ("/", "/public"),
    "ducha.xian": (
        "/",
        f"/rankings?{DEPARTMENTS}",
        f"/rankings?{DEPARTMENTS}&view=map",
        "/units/150102-sf/score",
        "/units/150102-sf/explanation",
        "/orders?as_of=2026-11-01",
        "/detection",
    ),
    "fuzeren.xian": ("/", "/reports", "/objections", "/feedback"),
    "xitong": ("/", "/system", "/system/second-factor", "/system/accounts", "/system/grants"),
}


@pytest.mark.parametrize(
    ("page", "account"),
    [(DESKTOP, ""), (DESKTOP, "ducha.xian"), (PHONE, "fuzeren.xian"), (DESKTOP, "xitong")],
    indirect=["page"],
    ids=["public", "inspector", "head-phone", "administrator"],
)
def test_no_page_violates_wcag_22_aa(page, platform, account):
    page.emulate_media(reduced_motion="reduce")  # what still fades in has the contrast of the moment
    if account:
        sign_in(page, platform, account)
    found = {path: violations(page, path) for path in PAGES[account]}
    assert {path: faults for path, faults in found.items() if faults} == {}


def violations(page, path):
    """What is wrong with a page once it stands: rule, element, and what axe says of it."""
    page.goto(path)
    return violations_shown(page)


def violations_shown(page):
    """The same of the page as it stands."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=20_000)
    page.evaluate(AXE)
    return [
        (fault["id"], node["html"][:200], node["failureSummary"][:300])
        for fault in page.evaluate(LOOK, RULES)["violations"]
        for node in fault["nodes"]
    ]
