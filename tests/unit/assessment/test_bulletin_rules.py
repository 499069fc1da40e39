"""Every figure of a bulletin is a published one, or a mean of published ones to the digit that is shown."""

import pytest

from services.assessment.bulletins.rules import Line, weakest


def line(*aspects):
    return Line("15", "甲", 1, None, 1, "80.0000", "1.0000", 0, "0.0000", aspects, {})


@pytest.mark.parametrize(
    ("scores", "mean"),
    [
        (("59.9600", "60.0400"), "60.0"),  # not 59.9: nothing is cut off before the mean is taken
        (("59.9600",), "60.0"),
        (("59.9499", None), "59.9"),
        (("100.0000", "99.9000"), "100.0"),
        (("0.0000",), "0.0"),
    ],
)
def test_the_mean_of_an_aspect_is_rounded_once(scores, mean):
    assert weakest([line(("A1", "方面", score)) for score in scores]) == (("方面", mean),)


def test_two_aspects_of_one_name_are_two():
    lines = [line(("A1", "方面", "10.0000"), ("A2", "方面", "90.0000"))]
    assert weakest(lines) == (("方面", "10.0"), ("方面", "90.0"))
