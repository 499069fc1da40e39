"""Working days and the ends of periods, against the notices of the State Council office."""

import time
from datetime import date, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.calendar import CalendarInvalid, CalendarYear, WorkingCalendar, load_years
from kernel.catalog import CatalogInvalid

CALENDAR = WorkingCalendar()
days = st.dates(date(2004, 1, 1), date(2030, 12, 31))
some = st.integers(1, 300)


def on(text):
    return date.fromisoformat(text)


class TestKnownDays:
    @pytest.mark.parametrize(
        "day",
        ["2026-02-14", "2026-02-28", "2026-01-04", "2026-05-09", "2026-09-20", "2026-10-10"],
    )
    def test_make_up_weekends_of_2026_are_working_days(self, day):
        assert on(day).weekday() >= 5
        assert CALENDAR.is_working_day(on(day))

    @pytest.mark.parametrize("day", ["2026-02-16", "2026-02-23", "2026-10-01", "2026-10-07", "2026-01-02"])
    def test_holidays_of_2026_on_weekdays_are_not(self, day):
        assert on(day).weekday() < 5
        assert not CALENDAR.is_working_day(on(day))

    def test_the_spring_festival_of_2026_stretches_seven_working_days_to_nineteen(self):
        # From Wednesday 11 February: 12, 13, 14 (make-up), then 24, 25, 26, 27 February.
        deadline = CALENDAR.working_days_after(on("2026-02-11"), 7)
        assert deadline.due_on == on("2026-02-27")
        assert not deadline.provisional

    def test_five_working_days_over_the_national_day_of_2026(self):
        # From Tuesday 29 September: 30; then 8, 9, 10 (make-up), 12 October.
        assert CALENDAR.working_days_after(on("2026-09-29"), 5).due_on == on("2026-10-12")

    def test_ninety_calendar_days_end_where_they_end(self):
        deadline = CALENDAR.calendar_days_after(on("2026-07-05"), 90)
        assert deadline.due_on == on("2026-10-03")
        assert not deadline.provisional

    def test_a_last_day_on_a_holiday_rolls_only_where_the_rule_says_so(self):
        start = on("2026-08-02")
        assert CALENDAR.calendar_days_after(start, 60).due_on == on("2026-10-01")
        assert CALENDAR.calendar_days_after(start, 60, roll_forward=True).due_on == on("2026-10-08")

    def test_a_make_up_saturday_does_not_roll(self):
        assert CALENDAR.calendar_days_after(on("2026-02-13"), 1, roll_forward=True).due_on == on("2026-02-14")

    def test_six_months_from_the_end_of_august_end_with_february(self):
        assert CALENDAR.months_after(on("2026-08-31"), 6).due_on == on("2027-02-28")

    def test_a_year_of_months_is_a_year(self):
        assert CALENDAR.months_after(on("2025-11-22"), 12).due_on == on("2026-11-22")

    def test_every_published_day_is_what_the_library_says(self):
        every = (date(2004, 1, 1) + timedelta(days=n) for n in range(8401))
        assert [d for d in every if CALENDAR.is_working_day(d) != chinese_calendar.is_workday(d)] == []


class TestProvisional:
    def test_a_deadline_within_2026_is_final(self):
        assert not CALENDAR.working_days_after(on("2026-12-21"), 7).provisional

    def test_a_deadline_reaching_into_2027_is_provisional_and_counts_weekends_only(self):
        # 29, 30, 31 December; then 1, 4, 5, 6 January, for no notice of 2027 is known.
        deadline = CALENDAR.working_days_after(on("2026-12-28"), 7)
        assert deadline.due_on == on("2027-01-06")
        assert deadline.provisional

    def test_calendar_days_need_no_notice(self):
        assert not CALENDAR.calendar_days_after(on("2026-11-22"), 90).provisional

    def test_rolling_in_an_unpublished_year_needs_one(self):
        assert CALENDAR.calendar_days_after(on("2026-11-22"), 60, roll_forward=True).provisional

    def test_a_published_notice_makes_it_final_and_changes_the_version(self):
        notice = CalendarYear(
            2027, "1", frozenset({on("2027-01-01"), on("2027-01-02"), on("2027-01-03")}), frozenset()
        )
        before = CALENDAR.working_days_after(on("2026-12-28"), 7)
        after = WorkingCalendar([notice]).working_days_after(on("2026-12-28"), 7)
        assert after.due_on == on("2027-01-07")
        assert not after.provisional
        assert after.calendar_version != before.calendar_version
        assert before.due_on == on("2027-01-06"), "a deadline is a value; a later notice does not move it"

    def test_a_regional_holiday_adds_to_a_year_and_does_not_publish_it(self):
        region = CalendarYear(2027, "1", frozenset({on("2027-01-04")}), frozenset(), region="150000")
        deadline = WorkingCalendar([region]).working_days_after(on("2026-12-28"), 7)
        assert deadline.due_on == on("2027-01-07")
        assert deadline.provisional


class TestProperties:
    @given(days, some)
    def test_the_nth_working_day_has_n_working_days_up_to_it(self, day, n):
        due_on = CALENDAR.working_days_after(day, n).due_on
        assert CALENDAR.is_working_day(due_on)
        assert CALENDAR.working_days_between(day, due_on) == n

    @given(days, st.integers(0, 60))
    def test_counting_day_by_day_agrees_with_the_table(self, day, span):
        end = day + timedelta(days=span)
        counted = sum(CALENDAR.is_working_day(day + timedelta(days=i)) for i in range(1, span + 1))
        assert CALENDAR.working_days_between(day, end) == counted
        assert CALENDAR.working_days_between(end, day) == -counted

    @given(days, some, some)
    def test_two_periods_in_a_row_are_one(self, day, first, second):
        middle = CALENDAR.working_days_after(day, first).due_on
        assert (
            CALENDAR.working_days_after(middle, second).due_on
            == CALENDAR.working_days_after(day, first + second).due_on
        )

    @given(days, some)
    def test_rolling_forward_moves_to_the_next_working_day_and_never_back(self, day, n):
        plain = CALENDAR.calendar_days_after(day, n).due_on
        rolled = CALENDAR.calendar_days_after(day, n, roll_forward=True).due_on
        assert CALENDAR.is_working_day(rolled)
        assert rolled >= plain
        assert CALENDAR.working_days_between(plain, rolled) == (rolled != plain)

    @given(days, some)
    def test_final_means_that_no_unpublished_day_was_counted(self, day, n):
        deadline = CALENDAR.working_days_after(day, n)
        assert deadline.provisional == (deadline.due_on.year > 2026)


def test_a_hundred_thousand_deadlines_take_under_two_seconds(capsys):
    start = on("2026-03-05")
    began = time.perf_counter()
    for number in range(100_000):
        CALENDAR.working_days_after(start, 1 + number % 90)
    seconds = time.perf_counter() - began
    with capsys.disabled():
        print(f"\n100,000 deadlines: {seconds:.2f} s")  # noqa: T201
    assert seconds < 2


class TestRefusals:
    @pytest.mark.parametrize("n", [-1, 10**9])
    def test_a_period_that_cannot_be_is_refused_in_words(self, n):
        with pytest.raises(CalendarInvalid, match=r"calendar\."):
            CALENDAR.working_days_after(on("2026-01-05"), n)
        with pytest.raises(CalendarInvalid, match=r"calendar\."):
            CALENDAR.calendar_days_after(on("2026-01-05"), n)
        with pytest.raises(CalendarInvalid, match=r"calendar\."):
            CALENDAR.months_after(on("2026-01-05"), n)

    @pytest.mark.parametrize("day", ["2069-12-31", "9999-12-31"])
    def test_a_period_that_leaves_the_calendar_is_refused_in_words(self, day):
        for reckon in (CALENDAR.working_days_after, CALENDAR.calendar_days_after, CALENDAR.months_after):
            with pytest.raises(CalendarInvalid, match=r"calendar\.outside"):
                reckon(on(day), 5)

    def test_a_day_outside_the_calendar_is_refused(self):
        with pytest.raises(CalendarInvalid):
            CALENDAR.is_working_day(on("1950-01-01"))


YEAR_FILE = """\
year: 2027
version: 1
source: {document: 通知, number: 国办发明电〔2026〕1号, published_on: 2026-11-05}
holidays:
  - {name: 元旦, from: 2027-01-01, to: 2027-01-03}
working_days:
  - 2027-01-09
"""


class TestYearFiles:
    def test_a_year_file_is_read(self, tmp_path):
        (tmp_path / "2027.yaml").write_text(YEAR_FILE, "utf-8")
        (year,) = load_years(tmp_path)
        calendar = WorkingCalendar([year])
        assert 2027 in calendar.published
        assert calendar.is_working_day(on("2027-01-09"))
        assert not calendar.is_working_day(on("2027-01-01"))

    @pytest.mark.parametrize(
        ("wrong", "right", "code", "line"),
        [
            ("2027-01-02", "2027-01-09", "calendar.both", 7),
            ("2027-01-11", "2027-01-09", "calendar.weekday", 7),
            ("2028-06-03", "2027-01-09", "calendar.other_year", 7),
            ("to: 2026-12-31", "to: 2027-01-03", "calendar.holidays", 4),
            ("document: ''", "document: 通知", "calendar.source", 3),
            ("year: 20270", "year: 2027", "calendar.year", 1),
        ],
    )
    def test_a_wrong_year_file_is_refused_with_its_line(self, tmp_path, wrong, right, code, line):
        file = tmp_path / "2027.yaml"
        file.write_text(YEAR_FILE.replace(right, wrong), "utf-8")
        with pytest.raises(CatalogInvalid) as refused:
            load_years(tmp_path)
        assert (f"{file}:{line}", code) in [(p.path, p.code) for p in refused.value.problems]

    def test_a_year_in_two_files_is_refused(self, tmp_path):
        for name in ("2027.yaml", "2027-b.yaml"):
            (tmp_path / name).write_text(YEAR_FILE, "utf-8")
        with pytest.raises(CatalogInvalid) as refused:
            load_years(tmp_path)
        assert [p.code for p in refused.value.problems] == ["calendar.twice"]

    def test_no_folder_means_no_extra_years(self, tmp_path):
        assert load_years(tmp_path / "none") == ()
