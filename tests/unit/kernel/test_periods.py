"""Periods read from a file: which row is in force, when it ends, and what a pause does to it."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.calendar import WorkingCalendar
from kernel.catalog import CatalogInvalid
from kernel.errors import NotFound
from kernel.periods import Period, Periods

CALENDAR = WorkingCalendar()
CLOCKS = Path(__file__).parents[3] / "catalog/clocks"
BASIS = ("某法", "2020-01-01", "第一条")
days = st.dates(date(2005, 1, 1), date(2026, 6, 1))


def on(text):
    return date.fromisoformat(text)


def a_period(count, unit, *, extension=0, roll_forward=False):
    return Period("p", "期限", count, unit, extension, roll_forward, on("2020-01-01"), None, BASIS)


class TestEnds:
    @pytest.mark.parametrize(
        ("period", "start", "end"),
        [
            (a_period(7, "working"), "2026-02-11", "2026-02-27"),
            (a_period(90, "calendar"), "2026-07-05", "2026-10-03"),
            (a_period(60, "calendar", roll_forward=True), "2026-08-02", "2026-10-08"),
            (a_period(6, "month"), "2025-08-31", "2026-02-28"),
            (a_period(2, "year"), "2024-02-29", "2026-02-28"),
        ],
    )
    def test_each_unit_ends_where_the_law_says(self, period, start, end):
        assert period.ends(on(start), CALENDAR).due_on == on(end)

    def test_an_extension_adds_its_days(self):
        period = a_period(60, "calendar", extension=30)
        assert period.ends(on("2026-03-02"), CALENDAR, extended=True).due_on == on("2026-05-31")

    def test_the_words_say_the_unit(self):
        assert a_period(7, "working").words == "7个工作日"
        assert a_period(3, "month").words == "3个月"


class TestPauses:
    def test_a_pause_of_ten_days_moves_the_end_by_ten_days(self):
        period = a_period(60, "calendar")
        # From 2 March: 1 May; paused from 10 to 20 March: 11 May.
        deadline = period.ends(on("2026-03-02"), CALENDAR, pauses=[(on("2026-03-10"), on("2026-03-20"))])
        assert deadline.due_on == on("2026-05-11")

    def test_rolling_is_done_once_after_the_pauses(self):
        period = a_period(60, "calendar", roll_forward=True)
        # Paused a day: the plain end 1 October becomes 2 October, in the holidays until 7 October.
        deadline = period.ends(on("2026-08-02"), CALENDAR, pauses=[(on("2026-08-10"), on("2026-08-11"))])
        assert deadline.due_on == on("2026-10-08")

    def test_a_pause_after_the_end_changes_nothing(self):
        period = a_period(10, "calendar")
        start = on("2026-03-02")
        late = [(on("2026-03-12"), on("2026-04-01"))]
        assert period.ends(start, CALENDAR, pauses=late).due_on == on("2026-03-12")

    @given(days, st.integers(1, 60), st.integers(0, 30), st.integers(0, 40))
    def test_working_days_within_a_pause_are_not_counted(self, start, count, after, length):
        period = a_period(count, "working")
        stopped = start + timedelta(days=after)
        resumed = stopped + timedelta(days=length)
        plain = period.ends(start, CALENDAR).due_on
        due_on = period.ends(start, CALENDAR, pauses=[(stopped, resumed)]).due_on
        if stopped >= plain:
            assert due_on == plain
            return
        lost = CALENDAR.working_days_between(stopped, resumed)
        assert CALENDAR.working_days_between(start, due_on) == count + lost


FILE = """\
clocks:
  - {id: a, title: 旧, days: 6, unit: month, from: received, basis: {document: 法, version: v, article: 一}, valid_from: 2018-01-01, valid_to: 2026-02-28}
  - {id: a, title: 新, days: 3, unit: month, from: received, basis: {document: 法, version: v, article: 一}, valid_from: 2026-03-01}
"""


class TestFiles:
    @pytest.mark.parametrize("name", ["disputes", "enforcement", "legislation"])
    def test_the_shipped_files_are_sound(self, name):
        periods = Periods.load(CLOCKS / f"{name}.yaml")
        for period in periods:
            assert period.ends(on("2026-05-18"), CALENDAR).due_on > on("2026-05-18")

    def test_the_row_of_the_day_is_used(self, tmp_path):
        file = tmp_path / "c.yaml"
        file.write_text(FILE, "utf-8")
        periods = Periods.load(file)
        assert periods.in_force("a", on("2026-02-28")).title == "旧"
        assert periods.in_force("a", on("2026-03-01")).title == "新"
        assert periods.in_force("a", on("2010-01-01")).title == "旧"

    def test_a_period_that_ran_out_or_never_was_is_not_guessed(self, tmp_path):
        file = tmp_path / "c.yaml"
        file.write_text(
            FILE.replace("valid_from: 2026-03-01", "valid_from: 2026-03-01, valid_to: 2026-03-31"), "utf-8"
        )
        periods = Periods.load(file)
        with pytest.raises(NotFound, match=r"period\.not_in_force"):
            periods.in_force("a", on("2026-05-01"))
        with pytest.raises(NotFound, match=r"period\.unknown"):
            periods.in_force("b", on("2026-05-01"))

    @pytest.mark.parametrize(
        ("right", "wrong", "code"),
        [
            ("days: 3", "days: 0", "period.days"),
            ("days: 3", "days: true", "period.days"),
            (
                "unit: month, from: received, basis: {document: 法, version: v, article: 一}, valid_from: 2026",
                "unit: week, from: received, basis: {document: 法, version: v, article: 一}, valid_from: 2026",
                "period.unit",
            ),
            ("valid_from: 2026-03-01", "valid_from: 2026-02-01", "period.overlap"),
            ("valid_from: 2026-03-01", "valid_from: soon", "period.dates"),
            ("title: 新", "title: ''", "period.text"),
        ],
    )
    def test_a_fault_names_its_line(self, tmp_path, right, wrong, code):
        file = tmp_path / "c.yaml"
        file.write_text(FILE.replace(right, wrong), "utf-8")
        with pytest.raises(CatalogInvalid) as refused:
            Periods.load(file)
        assert [(p.path, p.code) for p in refused.value.problems] == [(f"{file}:3", code)]
