"""A day of a request body is written one way (R40)."""

from datetime import date

import pytest
from pydantic import ValidationError

from kernel.hosting.validation import Body, WrittenDay, problems_of


class Filed(Body):
    on: WrittenDay
    until: WrittenDay | None = None


def test_a_day_is_written_in_ascii_digits_with_hyphens():
    assert Filed(on="2026-03-01", until=None).on == date(2026, 3, 1)


@pytest.mark.parametrize(
    "written",
    [
        "２０２６-03-01",
        "2026-3-1",
        "20260301",
        "2026-03-01T00:00:00",
        "2026-02-30",
        1772323200,
        20260301,
        True,
        "",
    ],
)
def test_every_other_way_is_refused_in_chinese_without_an_echo(written):
    with pytest.raises(ValidationError) as refused:
        Filed(on=written)
    (problem,) = problems_of(refused.value.errors())
    assert (problem.path, problem.code) == ("on", "platform.date_type")
    assert problem.message == "此项应为日期，如 2026-03-01。"
