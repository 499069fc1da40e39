"""Many clerks at once: every step is taken once, in a log without gaps."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

from kernel.errors import Conflict
from tests.integration.decisions.conftest import OFFICE, Desk
from tests.support.decisions import COURSE, GOVERNMENT

CLERKS = 6


def test_steps_recorded_at_the_same_time_keep_their_order_and_none_is_lost(desk: Desk) -> None:
    decision = desk.open()
    desk.run(decision, until="started")
    desk.record(decision, COURSE["asked_finance"])
    before = len(desk.app.register.one(OFFICE, decision).log)
    bodies = [COURSE["asked_finance"] | {"unit": f"u{number}"} for number in range(CLERKS)]
    with ThreadPoolExecutor(CLERKS) as pool:
        list(pool.map(lambda body: desk.app.procedures.record(OFFICE, decision, body), bodies))
    log = desk.app.register.one(OFFICE, decision).log
    assert [entry.seq for entry in log] == list(range(1, before + CLERKS + 1))
    assert len({entry.digest for entry in log[before:]}) == CLERKS


def test_one_number_is_given_once_however_many_ask(desk: Desk) -> None:
    def ask(_: int) -> str:
        try:
            return desk.app.procedures.open(OFFICE, GOVERNMENT, "9号", "方案")
        except Conflict as refused:
            return refused.stable_code

    with ThreadPoolExecutor(CLERKS) as pool:
        answers = list(pool.map(ask, range(CLERKS)))
    assert answers.count("decisions.number_taken") == CLERKS - 1
    with desk.app.store.reading() as session:
        assert session.execute(text("SELECT count(*) FROM procedures")).scalar_one() == 1
