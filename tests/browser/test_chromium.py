"""The browser of the tests starts, runs scripts and sets Chinese text with a real font."""

from playwright.sync_api import Browser


def test_a_page_answers_a_click_in_chinese(browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.set_content("<button onclick=\"this.textContent='已受理'\">提交</button>")
        page.get_by_role("button", name="提交").click()
        assert page.get_by_role("button").text_content() == "已受理"
