"""Statutory periods: working and calendar days, boundary days, suspension, extension, silence."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.calendar import CalendarYear, WorkingCalendar
from services.disputes.reconsideration.codes import load_clocks
from services.disputes.reconsideration.rules.deadlines import (
    ACCEPTANCE,
    ANSWER,
    COPY,
    DECIDE,
    OPINION,
    SUPPLY,
    Clocks,
    running,
)
from tests.support.disputes import CATALOG, COURSE, clocks, codes, course, played


def due(bodies: list[dict[str, object]], clock: str, today: str = "2026-03-05") -> str:
    return played(bodies, today).kept[clock].due_on.isoformat()


def received(on: str) -> dict[str, object]:
    return {"kind": "received", "on": on}


class TestFiveWorkingDaysToExamine:
    @pytest.mark.parametrize(
        ("on", "last_day"),
        [
            ("2026-03-04", "2026-03-11"),
            ("2026-03-06", "2026-03-13"),
            # The holiday lasts from 15 to 23 February; Saturdays 14 and 28 February are worked.
            ("2026-02-10", "2026-02-24"),
            ("2026-02-13", "2026-02-27"),
            ("2026-02-14", "2026-02-28"),
            ("2026-02-24", "2026-03-02"),
            ("2026-04-30", "2026-05-11"),  # 1-5 May are holidays, Saturday 9 May is worked
        ],
    )
    def test_over_holidays_and_make_up_saturdays(self, on: str, last_day: str) -> None:
        assert due([received(on)], ACCEPTANCE, on) == last_day

    def test_material_asked_for_starts_them_anew_once_supplied(self) -> None:
        asked = [
            received("2026-03-04"),
            {"kind": "material_asked", "on": "2026-03-06"},
            {"kind": "material_supplied", "on": "2026-03-16"},
        ]
        assert due(asked[:2], SUPPLY) == "2026-03-20"
        assert due(asked, ACCEPTANCE, "2026-03-17") == "2026-03-23"


class TestSilence:
    def test_makes_acceptance_when_the_fifth_day_is_over_and_not_before(self) -> None:
        assert played([received("2026-03-04")], "2026-03-11").case.state == "received"
        done = played([received("2026-03-04")], "2026-03-12")
        assert done.case.state == "accepted"
        assert [(step.kind, step.on.isoformat()) for step, _ in done.taken][1] == (
            "deemed_accepted",
            "2026-03-11",
        )

    def test_the_period_to_decide_runs_from_the_fifth_day(self) -> None:
        assert due([received("2026-03-04")], DECIDE, "2026-04-01") == "2026-05-11"  # 10 May is a Sunday

    def test_a_late_acceptance_does_not_move_it(self) -> None:
        late = [received("2026-03-04"), {"kind": "accepted", "on": "2026-03-16"}]
        assert due(late, DECIDE, "2026-04-01") == "2026-05-11"

    def test_no_material_in_ten_working_days_abandons_the_application(self) -> None:
        asked = [received("2026-03-04"), {"kind": "material_asked", "on": "2026-03-06"}]
        assert played(asked, "2026-03-20").case.state == "awaiting_material"
        assert played(asked, "2026-03-21").case.state == "abandoned"

    def test_asking_for_material_stops_the_five_days(self) -> None:
        asked = [received("2026-03-04"), {"kind": "material_asked", "on": "2026-03-06"}]
        assert played(asked, "2026-03-13").case.state == "awaiting_material"

    def test_a_refusal_in_time_prevents_it(self) -> None:
        refused = [received("2026-03-04"), {"kind": "refused", "on": "2026-03-11"}]
        assert played(refused, "2026-06-01").case.state == "refused"

    def test_a_provisional_deadline_makes_no_fact(self) -> None:
        done = played([received("2026-12-30")], "2027-01-20")
        assert done.kept[ACCEPTANCE].provisional
        assert done.case.state == "received"


class TestPeriodsOfTheProcedure:
    @pytest.mark.parametrize(
        ("track", "copy", "answer", "decide"),
        [
            ("ordinary", "2026-03-17", "2026-03-24", "2026-05-06"),  # 5 May 2026 is a holiday
            ("simple", "2026-03-11", "2026-03-17", "2026-04-07"),  # 5 and 6 April are holidays
        ],
    )
    def test_by_track(self, track: str, copy: str, answer: str, decide: str) -> None:
        steps = course(until="copy_received", accepted={"track": track})
        assert (due(steps, COPY), due(steps, ANSWER), due(steps, DECIDE)) == (copy, answer, decide)

    def test_turning_ordinary_gives_sixty_days(self) -> None:
        steps = [
            *course(until="accepted", accepted={"track": "simple"}),
            {"kind": "track_changed", "on": "2026-03-25"},
        ]
        assert due(steps, DECIDE) == "2026-05-06"

    def test_an_opinion_letter_has_sixty_days(self) -> None:
        steps = [*course(), {"kind": "opinion_received", "on": "2026-05-06"}]
        assert due(steps, OPINION) == "2026-07-06"  # 5 July is a Sunday


SUSPENDED = [
    {"kind": "suspended", "on": "2026-03-20", "reason": "SP08"},
    {"kind": "resumed", "on": "2026-03-30"},
]
EXTENDED = {"kind": "extended", "on": "2026-04-20", "days": 30, "approved": True, "told_on": "2026-04-20"}


class TestSuspensionIsNotExtension:
    def test_while_suspended_no_period_to_decide_runs(self) -> None:
        done = played([*course(until="answered"), SUSPENDED[0]], "2026-08-01")
        assert done.case.state == "suspended"
        assert DECIDE not in [open_due.clock for open_due in running(done.case, done.kept)]

    def test_suspended_days_are_added(self) -> None:
        assert due([*course(until="answered"), *SUSPENDED], DECIDE) == "2026-05-15"

    def test_an_extension_adds_thirty_days(self) -> None:
        assert due([*course(until="answered"), EXTENDED], DECIDE) == "2026-06-04"

    def test_both_add_up(self) -> None:
        steps = [*course(until="answered"), *SUSPENDED, EXTENDED]
        assert due(steps, DECIDE) == "2026-06-15"  # 14 June is a Sunday

    def test_an_extension_without_approval_adds_nothing(self) -> None:
        steps = [*course(until="answered"), EXTENDED | {"approved": False}]
        assert due(steps, DECIDE) == "2026-05-06"

    def test_three_reasons_end_a_suspension_after_sixty_days(self) -> None:
        for reason, ends in (
            ("SP01", True),
            ("SP02", True),
            ("SP04", True),
            ("SP03", False),
            ("SP09", False),
        ):
            steps = [*course(until="answered"), {"kind": "suspended", "on": "2026-03-25", "reason": reason}]
            assert ("reconsideration.suspension_ends" in played(steps).kept) is ends, reason


def test_a_kept_deadline_is_not_moved_by_a_later_calendar() -> None:
    kept = played([received("2026-12-30")], "2026-12-30").kept[ACCEPTANCE]
    assert kept.provisional
    published = CalendarYear(
        2027, "1", frozenset({date(2027, 1, 1), date(2027, 1, 2), date(2027, 1, 3)}), frozenset()
    )
    rows = [row for rows in clocks()._rows.values() for row in rows]
    later = Clocks(rows, WorkingCalendar([published]), codes().ends_after_60_days)
    case = played([received("2026-12-30")], "2026-12-30").case
    settled = later.again(case, kept)
    assert (kept.due_on, settled.due_on) == (date(2027, 1, 6), date(2027, 1, 7))
    assert not settled.provisional


def test_the_catalog_has_every_clock_that_a_case_needs() -> None:
    assert load_clocks(CATALOG, codes()).row(DECIDE, "ordinary", date(2026, 1, 1)).days == 60


DAYS = st.dates(date(2026, 1, 1), date(2026, 8, 31))


@given(DAYS, st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=200, deadline=None)
def test_a_suspension_never_shortens_the_period(start: date, wait: int, length: int) -> None:
    base = [received(start.isoformat()), {"kind": "accepted", "on": start.isoformat()}]
    begin = date.fromordinal(start.toordinal() + wait)
    end = date.fromordinal(begin.toordinal() + length)
    pause = [
        {"kind": "suspended", "on": begin.isoformat(), "reason": "SP08"},
        {"kind": "resumed", "on": end.isoformat()},
    ]
    plain = played(base, start.isoformat()).kept[DECIDE].due_on
    paused = played([*base, *pause], start.isoformat()).kept[DECIDE].due_on
    assert (paused - plain).days >= length - 10  # a holiday at either end may be rolled over
    assert paused >= date.fromordinal(start.toordinal() + 60 + length)


@given(DAYS)
@settings(max_examples=200, deadline=None)
def test_silence_falls_on_a_working_day_five_working_days_on(start: date) -> None:
    done = played([received(start.isoformat())], "2026-12-01")
    deemed = done.taken[1][0]
    calendar = clocks().calendar
    assert deemed.kind == "deemed_accepted"
    assert calendar.is_working_day(deemed.on)
    assert calendar.working_days_between(start, deemed.on) == 5


def test_the_course_of_these_tests_is_in_order() -> None:
    assert [body["on"] for body in COURSE.values()] == sorted(body["on"] for body in COURSE.values())


def test_before_the_first_row_the_first_row_answers_whatever_the_law_says_later() -> None:
    """A case of 2023 handed in after the law changed again was judged by its latest numbers."""
    now = clocks().row(DECIDE, "ordinary", date(2026, 3, 4))
    changed = replace(now, days=45, valid_from=date(2027, 1, 1), valid_to=None)
    both = Clocks([replace(now, valid_to=date(2026, 12, 31)), changed], WorkingCalendar(), frozenset())
    days = [both.row(DECIDE, "ordinary", date(year, 6, 1)).days for year in (2023, 2026, 2027)]
    assert days == [60, 60, 45]
