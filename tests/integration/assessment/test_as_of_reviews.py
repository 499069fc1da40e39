"""Reviews as of a day: queues, one review, agreement are shown as they were shown, and nothing later changes them."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from contracts.directory.v1.directory_pb2 import Unit
from tests.support.migrated_again import migrate_again
from tests.support.reporting import (
    COUNTY,
    FILLER,
    HEAD,
    INSPECTOR,
    NEIGHBOUR,
    NEIGHBOUR_HEAD,
    REVIEWER,
    SECOND,
    UNITS,
    Desk,
    holder,
    person,
)

THIRD = person("sanshen", "reviewer", "150102", COUNTY)
READERS = (REVIEWER, SECOND, INSPECTOR)
OWN_LISTS = ("/reviews", "/reviews?state=done")
LISTS_OF = {
    "reviewer": (*OWN_LISTS, "/reviews?state=waiting&overdue=true"),
    "inspector": (
        *OWN_LISTS,
        "/reviews/area",
        "/reviews/area?to_hand_on=true",
        "/reviews/agreement?period=2026",
    ),
}


@pytest.fixture
def desk(fed, tmp_path):
    fed.units(*UNITS)
    desk = Desk(fed.app, tmp_path)
    desk.fed, desk.clock = fed, fed.runtime.clock
    return desk


def shown(desk, who, as_of=""):
    """Everything that somebody can read of reviews: the lists, and each review of them."""

    def read(path):
        answer = desk.ask(
            who, "GET", path + (("&" if "?" in path else "?") + f"as_of={as_of}" if as_of else "")
        )
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    (role,) = who.roles
    pages = {path: read(path) for path in LISTS_OF[role]}
    for row in [row for path in OWN_LISTS for row in pages[path]["rows"]]:
        one = desk.ask(who, "GET", f"/reviews/{row['id']}" + (f"?as_of={as_of}" if as_of else ""))
        pages[row["id"]] = one.json() if one.status_code == 200 else one.status_code
        if one.status_code == 200:
            assert not as_of or not pages[row["id"]]["is_open"], "nothing can be done in the past"
            del pages[row["id"]]["is_open"]
    return pages


def today(desk):
    return desk.clock.now().date().isoformat()


def mine(desk, who, report=""):
    """The open reviews of somebody, of one report where one is named."""
    rows = desk.queue(who)
    details = {row["id"]: desk.told(who, "GET", f"/reviews/{row['id']}")["report"] for row in rows}
    return [row for row in rows if not report or details[row["id"]] == report]


def the_weeks(desk):
    """Day by day: one report returned, withdrawn and handed on until it is scored, another scored twice and decided."""
    desk.joined(REVIEWER)
    report = desk.opened()
    desk.submitted(report)
    yield  # submitted, and nobody was asked yet
    (first,) = desk.queue(REVIEWER)
    desk.told(REVIEWER, "POST", f"/reviews/{first['id']}/opening")
    yield
    desk.answered(REVIEWER, first["id"], decision="return", reasons="请附文件原文。")
    yield
    desk.submitted(report, version=1, statement="已补。")
    desk.queue(REVIEWER)
    yield
    desk.told(HEAD, "POST", f"/reports/{report}/withdrawal", json={})
    yield
    desk.told(HEAD, "POST", f"/reports/{report}/submission", json={"version": 2})
    (third,) = desk.queue(REVIEWER)
    yield
    desk.heard(holder(REVIEWER, version=2, roles=()))
    yield
    desk.joined(SECOND)
    path = f"/reviews/{third['id']}/handing-on"
    desk.told(INSPECTOR, "POST", path, json={"reason": "授权终止", "reviewer": SECOND.account})
    yield
    desk.heard(holder(REVIEWER, version=3))  # back
    renamed = Unit()
    renamed.CopyFrom(next(one for one in UNITS if one.code == HEAD.unit))
    renamed.name, renamed.version = "改了名的局", 2
    desk.fed.units(renamed)
    twice = desk.opened(drawn=True)
    desk.submitted(twice)
    one, other = mine(desk, REVIEWER, twice) + mine(desk, SECOND, twice)
    yield
    desk.answered(REVIEWER, one["id"], score_milli=300, reasons="甲方意见")
    yield
    desk.answered(SECOND, other["id"], score_milli=900, reasons="乙方意见")
    yield
    (case,) = desk.queue(INSPECTOR)
    desk.answered(INSPECTOR, case["id"], score_milli=600, reasons="核实")
    yield
    desk.clock.advance(timedelta(days=30))  # what is open is late
    yield


@pytest.mark.parametrize("fed", ["postgresql"], indirect=True)  # a history by chance runs on the other
def test_queues_and_reviews_are_shown_as_they_were_on_each_day(desk):
    then = {}
    for _ in the_weeks(desk):
        then[today(desk)] = {who.account: shown(desk, who) for who in READERS}
        desk.clock.advance(timedelta(days=1))
    assert len({str(pages) for pages in then.values()}) == len(then), "every day something was done"
    told = str(then)
    assert all(f"'to_hand_on': {count}" in told for count in (0, 1))
    assert "'unassigned': 1" in told
    withheld = 0
    for day, pages in then.items():
        for who in READERS:
            again = shown(desk, who, day)
            for name, page in pages[who.account].items():
                if again[name] == 404:
                    # Handed on since: its line is of that day, its content is not this reviewer's any more.
                    withheld += 1
                    assert desk.ask(who, "GET", f"/reviews/{name}").status_code == 404
                else:
                    assert again[name] == page, (day, who.account, name)
    assert withheld == 2, "the review that was handed on, on the two days before"


def test_the_blind_stay_blind_and_a_day_before_shows_no_answer(desk):
    desk.joined(REVIEWER, SECOND)
    report = desk.opened(drawn=True)
    desk.submitted(report)
    (one,), (other,) = desk.queue(REVIEWER), desk.queue(SECOND)
    before = today(desk)
    desk.clock.advance(timedelta(days=1))
    desk.answered(REVIEWER, one["id"], score_milli=300, reasons="甲方意见")
    between = today(desk)
    desk.clock.advance(timedelta(days=1))
    desk.answered(SECOND, other["id"], score_milli=900, reasons="乙方意见")
    (case,) = desk.queue(INSPECTOR)
    for day in (before, between):
        assert "甲方意见" not in str(shown(desk, SECOND, day))
        assert desk.ask(SECOND, "GET", f"/reviews/{one['id']}?as_of={day}").status_code == 404
        assert desk.ask(INSPECTOR, "GET", f"/reviews/{case['id']}?as_of={day}").status_code == 404
        assert "意见" not in str(shown(desk, INSPECTOR, day))
    assert desk.told(REVIEWER, "GET", f"/reviews/{one['id']}?as_of={before}")["mark"] is None
    assert desk.told(REVIEWER, "GET", f"/reviews/{one['id']}?as_of={between}")["mark"]["score"] == "0.300"
    moved = person(REVIEWER.account, "reviewer", "150102-scjg", COUNTY)  # now of the unit that reported (R37)
    assert desk.ask(moved, "GET", f"/reviews/{one['id']}?as_of={between}").status_code == 403
    digest = desk.told(SECOND, "GET", f"/reviews/{other['id']}")["content"]["evidence"][0]["reference"]
    files = f"/reviews/{other['id']}/files/{digest}?as_of="
    assert desk.ask(SECOND, "GET", files + between).status_code == 200
    assert desk.ask(REVIEWER, "GET", files + between).status_code == 404
    assert desk.ask(SECOND, "GET", f"{files}2026-03-01").status_code == 404
    for path in ("/reviews", "/reviews/area", f"/reviews/{case['id']}"):
        assert desk.ask(INSPECTOR, "GET", f"{path}?as_of=2027-01-01").json()["code"] == "assessment.as_of_day"


class Office:
    """Everything that can happen to reviews, chosen by chance; what the rules refuse is refused."""

    def __init__(self, desk, seed):
        self.desk, self.chance, self.reports, self.told = desk, random.Random(seed), {}, 10
        self.asked = {
            who.account: desk.asked(who)[:1] + desk.asked(who, drawn=True)[:2] for who in (FILLER, NEIGHBOUR)
        }
        often = (self.submit, self.answer, self.answer, self.answer)
        self.acts = (*often, self.withdraw, self.open, self.hand_on, self.tell)

    def act(self):
        self.chance.choice(self.acts)()

    def submit(self):
        who, head = self.chance.choice(((FILLER, HEAD), (NEIGHBOUR, NEIGHBOUR_HEAD)))
        result = self.chance.choice(self.asked[who.account])["result"]
        made = self.desk.told(who, "POST", "/reports", json={"result": result, "period": "2026"})["id"]
        known = self.desk.told(who, "GET", f"/reports/{made}")
        if known["writable"]:
            self.desk.submitted(made, by=head, filler=who, version=known["version"], statement=str(self.told))
            self.reports[made] = head
        self.desk.app.assigning.assign_waiting()

    def withdraw(self):
        for report in sorted(self.reports)[:1]:
            self.desk.ask(self.reports[report], "POST", f"/reports/{report}/withdrawal", json={})

    def open(self):
        self._of_any_queue(lambda who, row: self.desk.ask(who, "POST", f"/reviews/{row['id']}/opening"))

    def answer(self):
        answer = {"score_milli": self.chance.choice((200, 800, 850)), "reasons": "材料齐全。"}
        if self.chance.random() < 0.3:
            answer = {"decision": "return", "reasons": "请补。"}
        self._of_any_queue(lambda who, row: self.desk.answered(who, row["id"], **answer))

    def hand_on(self):
        rows = self.desk.told(INSPECTOR, "GET", "/reviews/area")["rows"]
        for row in self.chance.sample(rows, min(1, len(rows))):
            self.desk.post(INSPECTOR, f"/reviews/{row['id']}/handing-on", reason="出差")

    def tell(self):
        self.told += 1
        who = self.chance.choice((REVIEWER, SECOND, THIRD))
        roles = self.chance.choice(((), None))
        self.desk.heard(holder(who, version=self.told, roles=roles))

    def _of_any_queue(self, act):
        who = self.chance.choice(READERS)
        rows = self.desk.queue(who)
        for row in self.chance.sample(rows, min(1, len(rows))):
            act(who, row)


@pytest.mark.parametrize("fed", ["sqlite"], indirect=True)
def test_after_any_history_of_review_acts_an_earlier_day_is_what_it_was(desk):
    desk.joined(REVIEWER, SECOND, THIRD)
    office, then = Office(desk, seed=2), {}
    for _ in range(10):
        for _ in range(office.chance.randint(1, 5)):
            office.act()
        then[today(desk)] = {who.account: shown(desk, who) for who in READERS}
        desk.clock.advance(timedelta(days=1))
    said = str(then)
    for seen in ("'is_arbitration': True", "'arbitrated': 1", "'decision': 'return'"):
        assert seen in said, "the history is worth asking about"
    for day, pages in then.items():
        for who in READERS:
            again = shown(desk, who, day)
            assert {**pages[who.account], **{name: 404 for name in again if again[name] == 404}} == again, day


def test_an_installation_of_before_knows_holders_since_it_was_told_of_them_and_makes_up_nothing(desk):
    desk.joined(REVIEWER)
    desk.submitted(desk.opened())
    desk.queue(REVIEWER)
    desk.clock.advance(timedelta(days=1))
    desk.heard(holder(REVIEWER, version=2, roles=()))
    database = desk.app.store.database
    with database.writing() as session:
        for table in ("holder_versions", "holder_role_versions"):
            session.execute(text(f"DROP TABLE {table}"))
        session.commit()
    migrate_again(database, "services.assessment", "0018_holder_versions")
    (row,) = desk.told(INSPECTOR, "GET", f"/reviews/area?as_of={today(desk)}")["rows"]
    assert (row["reviewer_name"], row["to_hand_on"]) == ("shenhe同志", True)
    (row,) = desk.told(INSPECTOR, "GET", "/reviews/area?as_of=2026-03-05")["rows"]
    assert (row["reviewer"], row["to_hand_on"]) == ("shenhe", True)  # since the gateway told it
    desk.heard(holder(REVIEWER, version=3))
    assert desk.told(INSPECTOR, "GET", f"/reviews/area?as_of={today(desk)}")["to_hand_on"] == 0


def test_however_many_reviews_a_past_queue_takes_the_same_statements(desk):
    desk.joined(REVIEWER)
    statements, taken = [], []
    with desk.app.store.reading() as session:
        engine = session.get_bind().engine

    @event.listens_for(engine, "before_cursor_execute")
    def _(_connection, _cursor, statement, *_rest):
        statements.append(statement)

    day = today(desk)
    for number in range(3):
        desk.submitted(desk.begun(number))
        assert len(desk.queue(REVIEWER)) == number + 1
        statements.clear()
        assert desk.told(REVIEWER, "GET", f"/reviews?as_of={day}")["total"] == number + 1
        assert desk.told(INSPECTOR, "GET", f"/reviews/area?as_of={day}")["total"] == number + 1
        taken.append(sum("FROM" in statement for statement in statements))
    assert len(set(taken)) == 1
