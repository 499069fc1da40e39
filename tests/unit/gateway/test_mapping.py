"""Whatever an outside system sends, the mapping either reads it or names the fault; it never stumbles."""

import json
from contextlib import suppress
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.links import fields
from gateway.links.fake import Surroundings, messages
from gateway.links.fields import Fault
from gateway.links.hotline.fake import order
from gateway.links.link import Link, load_links
from gateway.links.litigation.fake import judgment
from gateway.links.mapping import BadClue, MappedClue, read_clue
from gateway.links.petition.fake import piece
from kernel.catalog import CatalogInvalid
from kernel.errors import Invalid
from kernel.hosting.edge import check_json
from tests.support.gateway import NOW, hotline_order

CATALOG = Path(__file__).parents[3] / "catalog"
LINKS = load_links(CATALOG)
FAKES = {"hotline": order, "petition": piece, "litigation": judgment}
AROUND = Surroundings(["150102"], ["150102-scjg"], NOW)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def read(link: Link, message: object) -> MappedClue:
    return read_clue(link, message, now=NOW, hashed=lambda value: f"hash of {len(value)}")


def outcome_of(link: Link, message: object) -> MappedClue | BadClue:
    try:
        return read(link, message)
    except BadClue as error:
        return error


@pytest.mark.parametrize("system", sorted(LINKS))
class TestEveryLink:
    def test_reads_what_its_fake_sends(self, system):
        kinds = set()
        for _, body in messages(system, FAKES[system], seed=7, count=60, around=AROUND):
            kinds.add(read(LINKS[system], check_json(body)).kind)
        assert kinds - {""}

    def test_the_same_seed_sends_the_same_bytes(self, system):
        def first():
            return list(messages(system, FAKES[system], seed=3, count=5, around=AROUND))

        assert first() == first()
        assert first() != list(messages(system, FAKES[system], seed=4, count=5, around=AROUND))

    @settings(max_examples=150, deadline=None)
    @given(data=st.data())
    def test_any_value_in_any_field_is_read_or_refused_with_a_code(self, system, data):
        link = LINKS[system]
        ((_, body),) = messages(system, FAKES[system], seed=1, count=1, around=AROUND)
        message = check_json(body)
        for name in data.draw(st.lists(st.sampled_from(sorted(link.names)), min_size=1, max_size=4)):
            message[name] = data.draw(ANYTHING)
        outcome = outcome_of(link, message)
        if isinstance(outcome, BadClue):
            assert outcome.problems
            assert all(problem.code.startswith("clues.") and problem.message for problem in outcome.problems)
        else:
            assert outcome.external_id
            assert outcome.title == outcome.title.strip() != ""
            assert len(outcome.digest()) == 64

    @settings(max_examples=100, deadline=None)
    @given(message=ANYTHING)
    def test_any_message_at_all_is_refused_in_order(self, system, message):
        with pytest.raises(BadClue):
            read(LINKS[system], message)

    @settings(max_examples=200, deadline=None)
    @given(data=st.data())
    def test_mutilated_bytes_are_refused_in_order(self, system, data):
        ((_, body),) = messages(system, FAKES[system], seed=1, count=1, around=AROUND)
        at = data.draw(st.integers(0, len(body) - 1))
        length = data.draw(st.integers(0, 8))
        broken = body[:at] + data.draw(st.binary(max_size=8)) + body[at + length :]
        with suppress(Invalid):  # anything else would be a stumble
            read(LINKS[system], check_json(broken))


class TestSameness:
    @given(st.permutations(sorted(hotline_order())))
    def test_the_order_of_fields_does_not_matter(self, names):
        whole = hotline_order()
        shuffled = {name: whole[name] for name in names}
        assert read(LINKS["hotline"], shuffled).digest() == read(LINKS["hotline"], whole).digest()

    @given(
        st.text(alphabet="执法检查罚款投诉abc", min_size=1, max_size=20),
        st.text(alphabet="执法检查罚款投诉abc", min_size=1, max_size=20),
    )
    def test_other_text_is_other_content(self, one, other):
        first = read(LINKS["hotline"], hotline_order(主要内容=one)).digest()
        second = read(LINKS["hotline"], hotline_order(主要内容=other)).digest()
        assert (first == second) == (one == other)

    @pytest.mark.parametrize("field", ["信访日期", "限办时间"])
    @pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
    def test_the_first_and_the_last_day_of_all_are_days_out_of_range(self, field, day):
        """ "No deadline" is often written so; it stumbled, and was neither taken nor held."""
        ((_, body),) = messages("petition", piece, seed=1, count=1, around=AROUND)
        outcome = outcome_of(LINKS["petition"], {**check_json(body), field: day})
        assert isinstance(outcome, BadClue)
        assert [problem.code for problem in outcome.problems] == ["clues.time_out_of_range"]

    def test_an_alias_is_the_same_field(self):
        message = hotline_order(工单编号=None)
        message["order_no"] = "HT-2026-0001"
        assert read(LINKS["hotline"], message).digest() == read(LINKS["hotline"], hotline_order()).digest()

    def test_composed_and_decomposed_letters_are_one(self):
        composed, decomposed = "Zürich 执法", "Zu\u0308rich 执法"
        assert read(LINKS["hotline"], hotline_order(工单标题=composed)) == read(
            LINKS["hotline"], hotline_order(工单标题=decomposed)
        )


class TestKinds:
    @pytest.mark.parametrize(
        ("call_type", "title", "kind"),
        [
            ("投诉", "被乱罚款", "enforcement_complaint"),
            ("投诉", "无人管", "inaction"),
            ("咨询", "如何申请行政复议", "reconsideration"),
            ("求助", "物业纠纷", "dispute"),
            ("举报", "其他", "enforcement_complaint"),
            ("表扬", "其他", ""),
        ],
    )
    def test_the_first_rule_that_holds_decides(self, call_type, title, kind):
        assert (
            read(LINKS["hotline"], hotline_order(来电类别=call_type, 工单标题=title, 主要内容="略")).kind
            == kind
        )


class TestTimes:
    @given(st.integers(0, 300_000_000), st.integers(-840, 840))
    def test_a_moment_is_the_same_in_every_offset(self, seconds, minutes):
        at = NOW - timedelta(seconds=seconds)
        shown = at.astimezone(timezone(timedelta(minutes=minutes))).isoformat()
        assert fields.moment(shown) == at

    @pytest.mark.parametrize(
        "text",
        [
            "2026-11-19",
            "2026-11-19 16:20",
            "16:20",
            "1763",
            "2026-11-19T16:20:00+8",
            "2026-11-19T24:00:01+08:00",
            "２０２６-11-19T16:20:00+08:00",
        ],
    )
    def test_anything_less_is_refused(self, text):
        with pytest.raises(Fault):
            fields.moment(text)


class TestAgreements:
    def test_a_wrong_agreement_stops_the_start_with_file_and_line(self, tmp_path):
        text = (CATALOG / "links" / "hotline.yaml").read_text().replace("to: title,", "to: headline,")
        (tmp_path / "links").mkdir()
        (tmp_path / "links" / "hotline.yaml").write_text(text)
        with pytest.raises(CatalogInvalid) as caught:
            load_links(tmp_path)
        line = next(n for n, row in enumerate(text.splitlines(), 1) if "headline" in row)
        assert any(problem.path.endswith(f"hotline.yaml:{line}") for problem in caught.value.problems)

    def test_no_agreement_names_a_field_twice(self):
        for link in LINKS.values():
            names = [name for field in link.fields for name in field.names]
            assert len(names) == len(set(names))

    def test_answers_use_the_senders_words(self):
        for link in LINKS.values():
            assert json.dumps(link.answer_fields, ensure_ascii=False).count("编号") >= 1
