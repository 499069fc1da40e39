"""One law, one article - however people spell them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.legislation.documents.rules import ArticleRef, parse_article, short_title, title_key
from services.legislation.documents.rules.names import number, numeral


class TestTitles:
    @pytest.mark.parametrize(
        "spelling",
        [
            "行政处罚法",
            "中华人民共和国行政处罚法",
            "《中华人民共和国行政处罚法》",
            " 《行政 处罚法》 ",
            "行政处罚法(2021年修订)",
            "行政处罚法（2021-01-22）",
            "〈行政处罚法〉",
        ],
    )
    def test_every_spelling_of_a_title_has_one_key(self, spelling: str) -> None:
        assert title_key(spelling) == "行政处罚法"

    def test_a_title_inside_a_title_is_no_reason_to_differ(self) -> None:
        assert title_key("重庆市实施《中华人民共和国国家赔偿法》办法") == title_key(
            "重庆市实施国家赔偿法办法"
        )

    @pytest.mark.parametrize("other", ["行政处罚法（试行）", "行政处罚法实施条例"])
    def test_another_document_has_another_key(self, other: str) -> None:
        assert title_key(other) != title_key("行政处罚法")

    def test_lawyers_drop_the_name_of_the_state(self) -> None:
        assert short_title("中华人民共和国行政处罚法") == "行政处罚法"
        assert (
            short_title("重庆市实施《中华人民共和国工会法》办法") == "重庆市实施《中华人民共和国工会法》办法"
        )


class TestArticles:
    @pytest.mark.parametrize(
        ("cited", "ref"),
        [
            ("第六十条", ArticleRef(60)),
            ("第60条", ArticleRef(60)),
            ("60", ArticleRef(60)),
            ("６０", ArticleRef(60)),
            (" 第 六十 条 ", ArticleRef(60)),
            ("第六十条之一", ArticleRef(60, 1)),
            ("60-1", ArticleRef(60, 1)),
            ("第一百二十条之二", ArticleRef(120, 2)),
            ("第三十三条第二款", ArticleRef(33, 0, 2)),
            ("第三十三条第一款第（三）项", ArticleRef(33, 0, 1, 3)),
            ("第三十三条第三项", ArticleRef(33, 0, 0, 3)),
        ],
    )
    def test_articles_are_read_as_people_cite_them(self, cited: str, ref: ArticleRef) -> None:
        assert parse_article(cited) == ref

    @pytest.mark.parametrize(
        "text", ["", "第条", "第零条", "0", "总则", "第六十条、第六十一条", "第99999条", "六十x"]
    )
    def test_what_is_no_single_article_is_not_guessed(self, text: str) -> None:
        assert parse_article(text) is None

    def test_the_key_and_the_official_spelling(self) -> None:
        assert (ArticleRef(60, 1).key, ArticleRef(60, 1, 2).label) == ("60-1", "第六十条之一")

    @given(st.integers(1, 9999))
    def test_every_number_is_written_and_read_back(self, value: int) -> None:
        assert number(numeral(value)) == value
        assert parse_article(f"第{numeral(value)}条") == ArticleRef(value)

    @pytest.mark.parametrize(
        ("value", "written"),
        [(10, "十"), (16, "十六"), (110, "一百一十"), (308, "三百零八"), (1010, "一千零一十")],
    )
    def test_numerals_are_written_as_statutes_print_them(self, value: int, written: str) -> None:
        assert numeral(value) == written

    def test_a_dash_that_stands_for_one_is_read(self) -> None:
        assert number("三十－") == 31
