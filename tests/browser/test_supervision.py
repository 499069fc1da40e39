"""A warning becomes an order, the unit answers with proof, another checks, it is closed, and the score moves."""

import re
import time

import orjson
import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from contracts.roles import INSPECTOR, REVIEWER, UNIT_HEAD
from fazhi.commands.demo import load
from fazhi.embedded import assemble
from kernel.access.principal import Principal
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from services.assessment.objections.model import OBJECTIONS
from services.assessment.objections.rules import Answer
from services.assessment.scoring.model import EVENT_LOG
from tests.support.forms import Form, serving
from tests.support.processes import free_port

DESKTOP = {"width": 1440, "height": 900}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
UNIT = "150102-scjg"


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """The embedded form with a county loaded, serving the built console."""
    port = free_port()
    data = tmp_path_factory.mktemp("supervision") / "data"
    settings = Settings(data=data, port=port, grpc_port=free_port(), cookie_secure=False, log_level="ERROR")
    if not (settings.console / "index.html").exists():
        pytest.skip("控制台尚未构建：请运行 scripts/console.sh / the console is not built")
    embedded = assemble(Runtime(settings))
    embedded.migrate()
    embedded.start()
    load(embedded, size="county", seed=1)
    with serving(embedded, port) as address:
        yield Form(embedded.runtime, embedded.services, embedded.bus, address)
    embedded.stop()


@pytest.fixture
def people(browser, platform):
    """Signs people in, each in a window of their own; a fault in a browser's console fails the test."""
    faults, windows = [], []

    def enter(account):
        shown = platform.app("gateway").demonstrations.shown().accounts
        password = next(one.password for one in shown if one.account == account)
        context = browser.new_context(viewport=DESKTOP, locale="zh-CN", base_url=platform.address)
        windows.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto("/")
        page.get_by_test_id("signin-account").fill(account)
        page.get_by_test_id("signin-password").fill(password)
        page.get_by_test_id("signin-submit").click()
        expect(page.get_by_test_id("account-menu")).to_be_visible()
        return page

    yield enter
    for window in windows:
        window.close()
    assert faults == []


def do(page, act, words=""):
    """Fill in and send one act."""
    form = page.get_by_test_id(f"act-{act}")
    if words:
        form.locator("textarea").fill(words)
    form.get_by_role("button").last.click()


def choose(page, box, words):
    """Pick an entry of a list that opens."""
    box.click()
    page.get_by_role("option", name=words, exact=True).click()


def points(platform):
    """The unit's total as the service knows it."""
    who = Principal(account="x", unit_path="/", roles=frozenset({INSPECTOR}))
    platform.app("assessment").roll_up.catch_up()
    return platform.app("assessment").rankings.unit(who, UNIT, "").tree.contribution


def page_of_an_opened_order(platform, rows=20):
    """Where the newest warning that opened an order stands: how many are newer is a matter of when each was looked for."""
    who = Principal(
        account="ducha.xian",
        unit="150102-sf",
        unit_path="/150000/150100/150102/",
        roles=frozenset({INSPECTOR}),
    )
    _, warnings, _ = platform.app("assessment").supervision.warnings.page(who, limit=200)
    return next(place for place, row in enumerate(warnings) if row["order_id"]) // rows + 1


def test_from_a_warning_to_an_order_to_its_end_and_to_the_score(people, platform):
    inspector, clerk, reviewer = people("ducha.xian"), people("tianbao.xian"), people("shenhe.xian")
    platform.app("assessment").supervision.watch.look()

    inspector.goto(f"/orders?tab=warnings&page={page_of_an_opened_order(platform)}")
    expect(inspector.get_by_test_id("warning-table")).to_be_visible()
    inspector.get_by_test_id("warning-row").get_by_role("link", name="查看督办").first.click()
    expect(inspector.get_by_test_id("matter-state")).to_have_text("待签发")

    inspector.goto("/orders")
    inspector.get_by_test_id("new-order").click()
    form = inspector.get_by_test_id("new-order-form")
    unit = form.get_by_role("combobox").first
    unit.click()
    unit.press_sequentially("新城区市场监督管理局")
    inspector.get_by_role("option", name="新城区市场监督管理局").first.click()
    form.get_by_test_id("new-title").fill("三件案件超期未结")
    form.get_by_test_id("new-reason").fill("九十日内未作出处罚决定")
    form.get_by_test_id("new-proof").fill("逐件说明并附决定书")
    form.get_by_text("已核实该事项不在行政复议或者诉讼中").click()
    form.get_by_role("button", name="发起督办").click()
    expect(inspector.get_by_test_id("order-title")).to_have_text("三件案件超期未结")
    expect(inspector.get_by_test_id("order-due")).to_contain_text("剩")
    path = re.sub(r"^https?://[^/]+", "", inspector.url)

    clerk.goto("/orders")
    clerk.get_by_role("link", name="三件案件超期未结").click()
    written = clerk.get_by_test_id("act-answer").get_by_role("textbox")
    written.fill("写到一半")
    clerk.get_by_test_id("file-input").set_input_files(
        {"name": "决定书.png", "mimeType": "image/png", "buffer": PNG}
    )
    expect(clerk.get_by_test_id("files")).to_contain_text("决定书.png")
    expect(written).to_have_value("写到一半")
    do(clerk, "answer", "三件均已作出决定并送达")
    expect(clerk.get_by_test_id("matter-state")).to_have_text("待复查")

    inspector.goto(path)
    expect(inspector.get_by_test_id("act-close")).to_be_visible()
    expect(inspector.get_by_test_id("act-check")).to_have_count(0)

    reviewer.goto(path)
    reviewer.get_by_text("未整改到位").click()
    do(reviewer, "check", "一件仍未送达")
    expect(reviewer.get_by_test_id("matter-state")).to_have_text("待办结")

    before = points(platform)
    inspector.goto(path)
    choose(inspector, inspector.get_by_test_id("close-outcome"), "整改不到位")
    do(inspector, "close", "一件仍未送达，予以通报")
    expect(inspector.get_by_test_id("matter-state")).to_have_text("整改不到位")
    assert points(platform) < before

    clerk.goto(f"/units/{UNIT}/explanation?node=A5.M9.R1")
    expect(clerk.get_by_test_id("event-row").first).to_contain_text("督办事项整改不到位")


def test_a_head_of_unit_contests_a_record_where_it_is_explained_and_two_others_answer(people, platform):
    head, inspector, reviewer = people("fuzeren.xian"), people("ducha.xian"), people("shenhe.xian")
    head.goto(f"/units/{UNIT}/explanation?node=A4&outcome=fail")
    expect(head.get_by_test_id("events-table")).to_be_visible()
    case = head.locator("a[href*='/subjects/enforcement/']")
    row = head.get_by_test_id("event-row").filter(has=case).first
    expect(row).to_be_visible()
    row.get_by_test_id("event-details").click()
    head.get_by_test_id("contest").first.click()
    form = head.get_by_test_id("contest-form")
    form.locator("textarea").fill("检验期间应当扣除，附检验报告")
    form.get_by_role("button").last.click()
    expect(head.get_by_test_id("objection-title")).to_be_visible()
    path = re.sub(r"^https?://[^/]+", "", head.url)

    inspector.goto("/objections")
    expect(inspector.get_by_test_id("objection-row").first).to_be_visible()
    inspector.goto(path)
    do(inspector, "accept")
    expect(inspector.get_by_test_id("matter-state")).to_have_text("已受理")
    inspector.get_by_test_id("draft-upheld").click()
    do(inspector, "draft", "检验报告属实")
    expect(inspector.get_by_test_id("matter-state")).to_have_text("待复核")
    expect(inspector.get_by_test_id("act-confirm")).to_have_count(0)

    reviewer.goto(path)
    do(reviewer, "confirm")
    expect(reviewer.get_by_test_id("matter-state")).to_have_text("转来源单位更正")


def test_a_record_about_a_clue_is_corrected_where_the_clue_is_shown_and_the_objection_ends(people, platform):
    objections = platform.app("assessment").supervision.objections
    event, receipt = answered_clue(platform)
    head, inspects = person("fuzeren.xian", UNIT_HEAD, UNIT), person("ducha.xian", INSPECTOR)
    objection = objections.file(head, event, asked="not_applicable", grounds="不属于本单位职责")
    objections.accept(inspects, objection)
    objections.draft(inspects, objection, Answer("upheld", "职责清单属实"))
    objections.confirm(person("shenhe.xian", REVIEWER), objection)
    eventually(lambda: platform.app("gateway").corrections.page(inspects)[0])

    inspector = people("ducha.xian")
    inspector.goto("/clues")
    expect(inspector.get_by_test_id("corrections-asked")).to_contain_text("职责清单属实")
    inspector.goto(f"/clues/{receipt}")
    card = inspector.get_by_test_id("corrections-asked")
    expect(card).to_contain_text("应为不适用：职责清单属实")
    card.get_by_test_id("amend-clue").click()
    choose(inspector, inspector.get_by_test_id("amend-kind"), "不计入考核")
    inspector.get_by_test_id("amend-reason").fill("职责清单第三条")
    inspector.get_by_test_id("send-amendment").click()
    expect(inspector.get_by_text("更正：不计入考核")).to_be_visible()
    expect(card).to_have_count(0)

    def ended():
        objections.follow()
        with platform.app("assessment").store.reading() as session:
            return session.scalar(select(OBJECTIONS.c.state).where(OBJECTIONS.c.id == objection)) == "closed"

    eventually(ended)


def answered_clue(platform):
    """An event about how a clue was answered, and the clue's receipt."""
    told = EVENT_LOG.c.probe == "GW-ANS-01", EVENT_LOG.c.unit == UNIT
    with platform.app("assessment").store.reading() as session:
        rows = session.execute(select(EVENT_LOG).where(*told).order_by(EVENT_LOG.c.seq)).all()
    corrected = {row.corrects for row in rows}
    event = next(row for row in rows if row.event_id not in corrected)
    return event.event_id, orjson.loads(event.leaf)["subject"].rpartition("/")[2]


def person(account, role, unit=""):
    """Somebody of the county, as the token says."""
    path = f"/150000/150100/150102/{unit}/" if unit else "/150000/150100/150102/"
    return Principal(account=account, unit=unit or "150102", unit_path=path, roles=frozenset({role}))


def eventually(happened):
    """What the background carries is there in a moment."""
    ends = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.05)
