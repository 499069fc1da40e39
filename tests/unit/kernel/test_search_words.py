"""Words: how a text is cut, so that every engine means the same by "contains"."""

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from kernel.search import words
from kernel.search.words import cut


def test_ideographs_digits_letters_and_punctuation_are_units() -> None:
    assert cut("依照第60条PM2.5，ＡＢ　一九五○年") == [
        *("依", "照", "第", "60", "条", "pm", "2", "¦", "5", "¦", "ab", "一", "九", "五", "〇", "年"),
    ]


def test_what_is_typed_becomes_phrases_without_punctuation_at_their_ends() -> None:
    assert words.phrases(" 《行政处罚法》 第６０条 ， ") == [
        ("行", "政", "处", "罚", "法"),
        ("第", "60", "条"),
    ]


def test_a_long_run_is_cut_so_that_no_engine_cuts_it_otherwise() -> None:
    assert [len(unit) for unit in cut("a" * 150)] == [64, 64, 22]


@given(st.text(max_size=80))
def test_units_stand_where_they_say(text: str) -> None:
    clean = words.clean(text)
    last = 0
    for unit in words.units(clean):
        assert last <= unit.start < unit.end <= len(clean)
        last = unit.end
    assert cut(clean) == [unit.word for unit in words.units(clean)]


@given(st.text(alphabet="行政处罚法a1，<&\n", max_size=40), st.text(alphabet="行政处罚法a1，", max_size=4))
def test_a_snippet_without_its_marks_is_the_text(text: str, query: str) -> None:
    clean = words.clean(text)
    shown = words.snippet(clean, words.phrases(query), width=1000)
    assert html.unescape(re.sub(r"</?em>", "", shown)) == clean


@given(
    st.text(alphabet="行政处罚法a1，", max_size=40), st.text(alphabet="行政处罚法a1", min_size=1, max_size=4)
)
def test_every_place_found_reads_as_what_was_asked(text: str, query: str) -> None:
    wanted = words.phrases(query)
    for left, right in words.places(text, wanted[:1]):
        assert "".join(wanted[0])[:1] == text[left]
        assert set(cut(text[left:right])) == set(wanted[0])
