"""Orders, objections and warnings as of a day: what was shown on it is shown again, whatever was done since."""

import pytest

from contracts.findings import Outcome
from services.assessment.warnings.rules import Raised
from tests.support.events import an_event
from tests.support.supervision import (
    CHECKER,
    CITY_INSPECTOR,
    CLERK,
    HEAD,
    ISSUER,
    OTHER,
    UNIT,
    Desk,
    county,
)

LISTS = (
    "/orders",
    "/orders?state=open",
    "/orders?overdue=true",
    "/orders?mine=true",
    "/objections",
    "/objections?state=closed",
    "/warnings",
)
ACTS = ("can", "outcomes")  # nothing can be done in the past


@pytest.fixture
def desk(fed, tmp_path):
    county(fed)
    return Desk(fed, tmp_path)


def shown(desk, who, as_of=""):
    """Everything that somebody can read of the matters."""

    def read(path):
        return desk.get(who, path + (("&" if "?" in path else "?") + f"as_of={as_of}" if as_of else ""))

    pages = {path: read(path) for path in LISTS}
    for kind in ("orders", "objections"):
        for row in pages[f"/{kind}"]["rows"]:
            one = read(f"/{kind}/{row['id']}")
            assert not as_of or not any(one.get(name) for name in ACTS)
            pages[row["id"]] = {name: value for name, value in one.items() if name not in ACTS}
    return pages


def the_weeks(desk):
    """Day by day: an order to its end, another that runs late, a proposal, a warning, an objection to its end."""
    late = an_event(outcome=Outcome.FAIL, subject="enforcement/cases/late", recorded_at=desk.clock.now())
    desk.fed.events(late)
    desk.app.roll_up.catch_up()
    first = desk.issue()
    yield
    desk.issue(title="逾期的一件", matter="enforcement/cases/1", due_on="2026-03-10")
    proposal = desk.do(CHECKER, "/orders", 201, unit=OTHER, title="建议", reason="抽查发现", proof="说明")[
        "id"
    ]
    yield
    desk.do(CLERK, f"/orders/{first}/answer", statement="均已作出决定")
    objection = desk.do(HEAD, "/objections", 201, event=late.id, asked="pass", grounds="检验期间应当扣除")[
        "id"
    ]
    yield
    desk.do(CHECKER, f"/orders/{first}/check", is_met=False, note="缺送达回证")
    desk.do(ISSUER, f"/objections/{objection}/acceptance")
    desk.do(ISSUER, f"/orders/{proposal}/issue", checked_not_pending=True)
    yield
    desk.pass_days(4)
    desk.app.supervision.escalate()
    desk.do(ISSUER, f"/objections/{objection}/draft", outcome="upheld", reasons="属实")
    with desk.app.store.work() as work:
        seen = Raised(
            kind="overdue",
            unit=UNIT,
            node="",
            title="任务逾期",
            framework="f@1",
            year="2026",
            at_seq=1,
            seen={},
        )
        desk.app.supervision.warnings.raise_all(work, [seen])
        work.commit()
    yield
    desk.do(ISSUER, f"/orders/{first}/return", note="补送达回证")
    desk.do(CHECKER, f"/objections/{objection}/confirmation")
    yield
    better = an_event(subject="enforcement/cases/late", corrects=late.id, recorded_at=desk.clock.now())
    desk.fed.events(better)
    desk.app.supervision.objections.follow()
    desk.do(CLERK, f"/orders/{first}/answer", statement="已补齐")
    desk.do(CHECKER, f"/orders/{first}/check", is_met=True, note="齐全")
    desk.do(ISSUER, f"/orders/{first}/closing", outcome="rectified", note="整改到位")
    yield


def test_every_list_and_every_matter_is_shown_as_it_stood_on_each_day(desk):
    then = {}
    for _ in the_weeks(desk):
        then[desk.clock.now().date().isoformat()] = {
            who.account: shown(desk, who) for who in (CITY_INSPECTOR, HEAD)
        }
        desk.pass_days(1)
    assert len({str(pages) for pages in then.values()}) == len(then), "every day something was done"
    for day, pages in then.items():
        for who in (CITY_INSPECTOR, HEAD):
            assert shown(desk, who, day) == pages[who.account], (day, who.account)


def test_what_had_not_begun_is_not_found_and_a_day_to_come_is_refused(desk):
    desk.pass_days(3)
    order = desk.issue()
    assert desk.ask(HEAD, "GET", f"/orders/{order}?as_of=2026-03-06").status_code == 404
    assert desk.ask(HEAD, "GET", "/orders?as_of=2026-04-01").json()["code"] == "assessment.as_of_day"
    assert desk.ask(HEAD, "GET", "/objections?as_of=2026-04-01").json()["code"] == "assessment.as_of_day"
    assert desk.ask(HEAD, "GET", "/warnings?as_of=2026-04-01").json()["code"] == "assessment.as_of_day"
