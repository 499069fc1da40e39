"""Text that looks the same is the same, once it passed the door (R41)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import Invalid
from kernel.text import (
    clean_id,
    clean_name,
    clean_text,
    decoded,
    has_foreign_digits,
    has_undefined,
    has_unseen,
    one_line,
    visible,
)

UNSEEN = "\u200b\u200d\u202e\u2066\ufeff\u00ad"
any_text = st.text(st.characters(codec="utf-8"), max_size=60)


def cleaned(text):
    try:
        return clean_name(text)
    except Invalid:
        return None


@given(any_text)
def test_cleaning_twice_changes_nothing(text):
    once = cleaned(text)
    assert once is None or cleaned(once) == once


@given(any_text)
def test_composed_and_decomposed_forms_become_one(text):
    assert cleaned(unicodedata.normalize("NFD", text)) == cleaned(unicodedata.normalize("NFC", text))


@given(st.text("甲乙𠮷䶮ab", min_size=1, max_size=20), st.sampled_from(UNSEEN), st.integers(0, 20))
def test_what_cannot_be_seen_makes_no_second_name_and_no_id(text, unseen, place):
    disguised = text[:place] + unseen + text[place:]
    assert clean_name(disguised) == clean_name(text)
    with pytest.raises(Invalid):
        clean_id("a" + disguised)


@pytest.mark.parametrize("name", ["𠮷野家", "龚䶮", "㐂", "阿不都热依木·买买提", "葛\U000e0100"])
def test_rare_characters_of_real_names_survive(name):
    assert clean_name(name) == name


def test_length_is_counted_in_characters_and_in_bytes():
    assert clean_text("𠮷" * 10, max_characters=10) == "𠮷" * 10
    for limits in ({"max_characters": 9}, {"max_characters": 10, "max_bytes": 39}):
        with pytest.raises(Invalid) as refused:
            clean_text("𠮷" * 10, **limits)
        assert refused.value.stable_code == "platform.text_too_long"


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x85", "\x9b", "\ud800"])
def test_controls_and_lone_surrogates_are_refused(character):
    with pytest.raises(Invalid) as refused:
        clean_text(f"甲{character}乙", max_characters=10)
    assert refused.value.stable_code == "platform.bad_character"


@pytest.mark.parametrize("text", ["", "１２", "a b", "a\n", "-a", "рetition", "a\u202eb", "x" * 101])
def test_ids_are_plain_or_refused(text):
    with pytest.raises(Invalid):
        clean_id(text)


@given(any_text)
def test_visible_text_carries_nothing_unseen_and_stays_so(text):
    once = visible(text)
    assert not has_unseen(once)
    assert visible(once) == once
    assert one_line(one_line(text)) == one_line(text)


def test_what_hid_between_two_characters_lets_them_be_composed():
    assert visible("e\u200b\u0301") == "é"


def test_a_name_of_which_nothing_can_be_seen_is_refused():
    with pytest.raises(Invalid) as refused:
        clean_name("\u200b \u3000")
    assert refused.value.stable_code == "platform.empty_name"


@pytest.mark.parametrize("text", ["１２", "٣", "第१条"])
def test_digits_of_other_scripts_and_widths_are_noticed(text):
    assert has_foreign_digits(text)
    assert not has_foreign_digits("第12条")


@pytest.mark.parametrize("character", ["\ue000", "\U000e0fff", "\ud800"])
def test_undefined_and_private_characters_are_noticed(character):
    assert has_undefined(f"甲{character}")
    assert not has_undefined("甲𠮷䶮")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_is_read_in_either_encoding(encoding):
    assert decoded("内\u200b政发〔2026〕𠮷1号".encode(encoding), code="x.encoding") == "内政发〔2026〕𠮷1号"


def test_a_file_in_neither_encoding_is_refused_with_the_callers_code():
    with pytest.raises(Invalid) as refused:
        decoded(b"\xff\xff\xff", code="x.encoding")
    assert refused.value.stable_code == "x.encoding"


def test_plain_ids_pass_unchanged():
    assert clean_id("clue/2026-03.0001_a") == "clue/2026-03.0001_a"
