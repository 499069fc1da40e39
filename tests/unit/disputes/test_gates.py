"""A step that the law does not allow now is refused with its article."""

from typing import Any

import pytest

from services.disputes.reconsideration.reading import read_step
from services.disputes.reconsideration.rules.gates import breaches
from services.disputes.reconsideration.rules.replay import Replay
from tests.support.disputes import Body, clocks, codes, course, played

EXTENDED: Body = {
    "kind": "extended",
    "on": "2026-04-20",
    "days": 30,
    "approved": True,
    "told_on": "2026-04-20",
}
SUSPENDED: Body = {"kind": "suspended", "on": "2026-04-10", "reason": "SP08"}
MARCH = "2026-03-05"


def refused(before: list[Body], body: Body, today: str = MARCH) -> list[str]:
    done = played(before, today)
    return [breach.code for breach in breaches(done.case, read_step(body, codes()), clocks(), done.kept)]


def test_every_step_of_the_course_passes() -> None:
    done = Replay()
    for body in course():
        step = read_step(body, codes())
        assert breaches(done.case, step, clocks(), done.kept) == []
        done.take(step, clocks())


def test_after_silence_an_application_is_not_refused_any_more() -> None:
    late = {"kind": "refused", "on": "2026-03-12"}
    assert refused(course(until="received"), late, "2026-03-12") == ["order"]
    assert refused(course(until="received"), late | {"on": "2026-03-11"}, "2026-03-11") == []


def test_material_is_asked_for_once() -> None:
    asked = {"kind": "material_asked", "on": "2026-03-06"}
    supplied = {"kind": "material_supplied", "on": "2026-03-09"}
    assert refused(
        [*course(until="received"), asked, supplied], asked | {"on": "2026-03-10"}, "2026-03-10"
    ) == ["asked_twice"]
    assert refused(course(until="received"), supplied) == ["not_asked"]


@pytest.mark.parametrize("kind", ["deemed_accepted", "abandoned"])
def test_what_silence_makes_is_not_entered_by_hand(kind: str) -> None:
    assert refused(course(until="received"), {"kind": kind, "on": "2026-03-11"}) == ["by_clock"]


class TestExtension:
    def test_once_in_the_ordinary_track_approved_and_told(self) -> None:
        assert refused(course(until="answered"), EXTENDED) == []
        assert refused([*course(until="answered"), EXTENDED], EXTENDED | {"on": "2026-04-21"}) == [
            "extension"
        ]

    @pytest.mark.parametrize(
        "fields", [{"days": 31}, {"approved": False}, {"approved": None}, {"told_on": None}]
    )
    def test_not_otherwise(self, fields: dict[str, Any]) -> None:
        assert refused(course(until="answered"), EXTENDED | fields) == ["extension"]

    def test_not_in_the_simple_track(self) -> None:
        assert refused(course(until="answered", accepted={"track": "simple"}), EXTENDED) == ["extension"]

    @pytest.mark.parametrize(("on", "expected"), [("2026-05-06", []), ("2026-05-07", ["extension"])])
    def test_not_after_the_period_is_over(self, on: str, expected: list[str]) -> None:
        assert refused(course(until="answered"), EXTENDED | {"on": on}) == expected


class TestSuspension:
    def test_one_at_a_time(self) -> None:
        assert refused(course(until="hearing_held"), SUSPENDED) == []
        assert refused([*course(until="hearing_held"), SUSPENDED], SUSPENDED | {"on": "2026-04-11"}) == [
            "suspended"
        ]
        assert refused(course(until="hearing_held"), {"kind": "resumed", "on": "2026-04-11"}) == [
            "not_suspended"
        ]

    def test_no_decision_while_it_lasts(self) -> None:
        before = [*course(until="hearing_held"), SUSPENDED]
        assert refused(before, course()[6]) == ["suspended"]

    def test_but_it_may_end_the_case(self) -> None:
        """终止: withdrawn meanwhile, or not resumed in sixty days (Art. 41)."""
        before = [*course(until="hearing_held"), SUSPENDED]
        assert refused(before, course()[6] | {"on": "2026-06-09", "outcome": "RF13"}) == []


@pytest.mark.parametrize("outcome", ["RF01", "RF11", "RF14"])
def test_some_outcomes_never_stand_alone(outcome: str) -> None:
    assert refused(course(until="hearing_held"), course()[6] | {"outcome": outcome}) == ["outcome"]


def test_no_service_without_a_decision_and_nothing_before_receipt() -> None:
    assert refused(course(until="hearing_held"), course()[7]) == ["order"]
    assert refused(course(until="received"), {"kind": "accepted", "on": "2026-03-03"}) == ["before_receipt"]


def test_a_decided_case_is_closed() -> None:
    assert refused(course(), {"kind": "answered", "on": "2026-05-04"}) == ["order"]
