"""What every search index promises, asked of each engine alike."""

import random
from collections.abc import Callable, Iterator

import pytest

from kernel.errors import Invalid
from kernel.search import words
from kernel.search.port import Document, SearchIndex


def a_document(
    name: str, text: str, *, title: str = "", kind: str = "law", status: str = "in_force"
) -> Document:
    return Document(id=name, text={"text": text, "title": title}, keywords={"kind": kind, "status": status})


def ids(index: SearchIndex, phrase: str, **filters: list[str]) -> set[str]:
    return {row.id for row in index.search(phrase, filters).rows}


class TestWhatIsFound:
    @pytest.mark.parametrize(
        ("phrase", "found"),
        [
            ("处罚", {"a", "b"}),
            ("罚决", {"a"}),
            ("行政处罚决定", {"a"}),
            ("听", {"b"}),
            ("第60条", {"c"}),
            ("60", {"c"}),
            ("６０", {"c"}),
            ("2.5", {"d"}),
            ("pm2.5", {"d"}),
            ("ＰＭ", {"d"}),
            ("一九五〇年", {"e"}),
            ("决处", set()),
            ("6", set()),
        ],
    )
    def test_a_phrase_is_found_exactly_where_it_stands(
        self, index: SearchIndex, phrase: str, found: set[str]
    ) -> None:
        index.rebuild(
            [
                a_document("a", "行政机关应当自立案之日起九十日内作出行政处罚决定。"),
                a_document("b", "当事人要求听证的，适用本法；处罚从轻。"),
                a_document("c", "依照第60条办理，共160件。"),
                a_document("d", "控制PM2.5浓度"),
                a_document("e", "一九五○年公布"),
            ]
        )
        assert ids(index, phrase) == found

    def test_a_phrase_does_not_reach_across_punctuation(self, index: SearchIndex) -> None:
        index.rebuild([a_document("a", "给予处罚。决定公开")])
        assert ids(index, "处罚决定") == set()
        assert ids(index, "处罚。决定") == {"a"}

    def test_blanks_between_ideographs_do_not_hide_a_word(self, index: SearchIndex) -> None:
        index.rebuild([a_document("a", "第一章 总\u3000则\n为了规\u200b范")])
        assert ids(index, "总则") == {"a"}
        assert ids(index, "规范") == {"a"}

    def test_all_of_several_phrases_must_be_present_in_any_field(self, index: SearchIndex) -> None:
        index.rebuild(
            [a_document("a", "听证笔录", title="行政处罚法"), a_document("b", "听证笔录", title="行政许可法")]
        )
        assert ids(index, "听证 处罚") == {"a"}

    def test_nothing_is_found_for_an_empty_question(self, index: SearchIndex) -> None:
        index.rebuild([a_document("a", "处罚")])
        assert index.search("  ，。").total == 0

    def test_query_operators_are_ordinary_text(self, index: SearchIndex) -> None:
        index.rebuild([a_document("a", "处罚"), a_document("b", "许可")])
        assert ids(index, "处罚 OR 许可") == set()
        assert ids(index, "*") == set()
        assert ids(index, 'title:"处罚" AND (') == set()

    def test_recall_and_precision_are_exact_over_random_texts(self, index: SearchIndex) -> None:
        luck = random.Random(20261122)
        texts = {
            str(n): "".join(luck.choices("行政处罚许可听证复议法a1，", k=luck.randint(1, 40)))
            for n in range(300)
        }
        index.rebuild(a_document(name, text) for name, text in texts.items())
        for _ in range(60):
            phrase = "".join(luck.choices("行政处罚许可听证复议法", k=luck.choice([1, 2, 2, 3])))
            expected = {name for name, text in texts.items() if words.places(text, words.phrases(phrase))}
            hits = index.search(phrase, limit=100)
            assert hits.total == len(expected), phrase
            assert {row.id for row in hits.rows} <= expected


class TestSnippets:
    def test_the_words_found_are_marked_and_all_else_is_escaped(self, index: SearchIndex) -> None:
        index.rebuild([a_document("a", "对<b>处罚</b>不服的，可以申请复议；处罚明显不当的")])
        snippet = index.search("处罚").rows[0].snippet
        assert snippet == "对&lt;b&gt;<em>处罚</em>&lt;/b&gt;不服的，可以申请复议；<em>处罚</em>明显不当的"

    def test_a_long_text_is_cut_around_the_first_match(self, index: SearchIndex) -> None:
        index.rebuild([a_document("a", "前" * 500 + "处罚" + "后" * 500)])
        snippet = index.search("处罚").rows[0].snippet
        assert "<em>处罚</em>" in snippet
        assert snippet.startswith("…")
        assert snippet.endswith("…")
        assert len(snippet) < 150


class TestFiltersAndPages:
    def test_a_filter_keeps_documents_with_one_of_its_values(self, index: SearchIndex) -> None:
        index.rebuild(
            [
                a_document("a", "处罚", kind="law"),
                a_document("b", "处罚", kind="rule"),
                a_document("c", "处罚", kind="case", status="repealed"),
            ]
        )
        assert ids(index, "处罚", kind=["law", "rule"]) == {"a", "b"}
        assert ids(index, "处罚", kind=["case"], status=["in_force"]) == set()

    def test_pages_together_hold_every_hit_once(self, index: SearchIndex) -> None:
        index.rebuild(a_document(str(n), "处罚" * (n % 5 + 1)) for n in range(25))
        pages = [index.search("处罚", offset=at, limit=10) for at in (0, 10, 20)]
        assert [page.total for page in pages] == [25, 25, 25]
        assert sorted(row.id for page in pages for row in page.rows) == sorted(str(n) for n in range(25))

    @pytest.mark.parametrize(
        ("offset", "limit", "code"),
        [
            (0, 101, "search.bad_page"),
            (0, 0, "search.bad_page"),
            (-1, 10, "search.bad_page"),
            (9_990, 20, "search.too_deep"),
        ],
    )
    def test_a_page_out_of_bounds_is_refused(
        self, index: SearchIndex, offset: int, limit: int, code: str
    ) -> None:
        with pytest.raises(Invalid) as refused:
            index.search("处罚", offset=offset, limit=limit)
        assert refused.value.stable_code == code

    def test_an_endless_question_is_refused(self, index: SearchIndex) -> None:
        with pytest.raises(Invalid) as refused:
            index.search("处罚" * 500)
        assert refused.value.stable_code == "search.phrase_too_long"


class TestChanges:
    def test_an_added_document_replaces_the_one_with_its_id(self, index: SearchIndex) -> None:
        index.add([a_document("a", "旧的处罚")])
        index.add([a_document("a", "新的许可"), a_document("b", "许可")])
        assert ids(index, "处罚") == set()
        assert ids(index, "许可") == {"a", "b"}
        assert index.count() == 2

    def test_a_removed_document_is_not_found(self, index: SearchIndex) -> None:
        index.add([a_document("a", "处罚"), a_document("b", "处罚")])
        index.remove(["a", "unknown"])
        assert ids(index, "处罚") == {"b"}
        assert index.count() == 1

    def test_an_index_never_filled_is_empty(self, index: SearchIndex) -> None:
        assert index.count() == 0
        assert index.search("处罚").total == 0
        index.remove(["a"])

    def test_the_old_index_answers_until_the_rebuild_is_complete(self, index: SearchIndex) -> None:
        index.add([a_document("old", "处罚")])
        seen_meanwhile = []

        def slowly() -> Iterator[Document]:
            for n in range(3):
                seen_meanwhile.append(ids(index, "处罚"))
                yield a_document(f"new{n}", "处罚")

        assert index.rebuild(slowly()) == 3
        assert seen_meanwhile == [{"old"}] * 3
        assert ids(index, "处罚") == {"new0", "new1", "new2"}

    def test_a_rebuild_that_fails_changes_nothing(self, index: SearchIndex) -> None:
        index.add([a_document("old", "处罚")])

        def broken() -> Iterator[Document]:
            yield a_document("new", "处罚")
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            index.rebuild(broken())
        assert ids(index, "处罚") == {"old"}

    def test_another_process_sees_a_rebuild_and_an_addition(
        self, reopened: Callable[[], SearchIndex]
    ) -> None:
        writer, reader = reopened(), reopened()
        writer.add([a_document("a", "处罚")])
        assert ids(reader, "处罚") == {"a"}
        writer.rebuild([a_document("b", "处罚")])
        assert ids(reader, "处罚") == {"b"}
        writer.add([a_document("c", "处罚")])
        assert ids(reader, "处罚") == {"b", "c"}
