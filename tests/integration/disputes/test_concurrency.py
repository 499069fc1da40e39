"""Clocks and clerks at once: silence makes one fact, whoever records it."""

from concurrent.futures import ThreadPoolExecutor

from tests.integration.disputes.conftest import OFFICE, Desk
from tests.support.disputes import COURSE

HANDS = 4


def test_clocks_of_several_workers_make_one_fact_each(desk: Desk) -> None:
    cases = [desk.open(number=f"{number}号") for number in range(8)]
    desk.clock.set(desk.clock.now().replace(day=13))
    with ThreadPoolExecutor(HANDS) as pool:
        looked = list(pool.map(lambda _: desk.app.cases.keep_clocks(), range(HANDS)))
    assert sum(looked) == len(cases)
    for case in cases:
        kinds = [entry.step.kind for entry in desk.app.register.one(OFFICE, case).log]
        assert kinds == ["received", "deemed_accepted"]


def test_a_clerk_and_the_clock_do_not_make_it_twice(desk: Desk) -> None:
    case = desk.open()
    desk.clock.set(desk.clock.now().replace(day=13))
    body = COURSE["copy_received"] | {"on": "2026-03-13"}
    acts = [desk.app.cases.keep_clocks, lambda: desk.app.cases.record(OFFICE, case, body)]
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(act) for act in acts]:
            done.result()
    kinds = [entry.step.kind for entry in desk.app.register.one(OFFICE, case).log]
    assert kinds == ["received", "deemed_accepted", "copy_received"]
