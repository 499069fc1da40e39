"""One file in, one dated version out - or a reason."""

from datetime import date

import pytest

from kernel.errors import Invalid
from services.legislation.documents.rules import Collection, Kind, LawText, parse_law

ANY = Collection(kind=Kind.ADMINISTRATIVE_REGULATION)
HEAD = "# 某某条例\n2020年1月2日 中华人民共和国国务院令第700号公布\n<!-- INFO END -->\n"


def parsed(
    body: str, *, head: str = HEAD, name: str = "某某条例(2020-01-02).md", of: Collection = ANY
) -> LawText:
    return parse_law(name, head + body, of)


class TestArticles:
    def test_paragraphs_items_and_chapters_belong_to_their_article(self) -> None:
        law = parsed(
            "## 第一章 总 则\n第一条 为了规范。\n第二条 有下列情形之一的：\n（一）甲；\n（二）乙。\n前款所称丙。\n"
            "## 第二章 罚则\n### 第一节 一般规定\n第三条 处罚。\n"
        )
        first, second, third = law.articles
        assert [article.key for article in law.articles] == ["1", "2", "3"]
        assert (first.chapter, third.chapter) == ("第一章 总则", "第二章 罚则 第一节 一般规定")
        assert second.paragraph(1) == "有下列情形之一的：\n（一）甲；\n（二）乙。"
        assert second.paragraph(2) == "前款所称丙。"
        assert second.paragraph(3) is None

    def test_inserted_articles_keep_their_branch(self) -> None:
        law = parsed("第十条 甲。\n第十条之一 乙。\n第十条之二 丙。\n第十一条 丁。\n")
        assert [article.key for article in law.articles] == ["10", "10-1", "10-2", "11"]

    def test_a_line_that_begins_with_a_reference_is_no_article(self) -> None:
        law = parsed("第一条 甲。\n第二条规定的事项，从其规定。\n第二条 乙。\n第一条 又提到第一条。\n")
        assert [article.key for article in law.articles] == ["1", "2"]
        assert law.articles[0].paragraphs == ("甲。", "第二条规定的事项，从其规定。")
        assert law.notes

    def test_a_missing_blank_or_a_torn_number_does_not_hide_an_article(self) -> None:
        law = parsed("第一条 甲。\n第二条国务院主管。\n第三 条 丙。\n第四条\n丁。\n")
        assert [article.text for article in law.articles] == ["甲。", "国务院主管。", "丙。", "丁。"]

    def test_a_chapter_flowed_into_one_line_is_taken_apart(self) -> None:
        law = parsed("第一条 甲。 第二条 乙。 乙二。 第三条 丙。\n")
        assert [article.paragraphs for article in law.articles] == [("甲。",), ("乙。", "乙二。"), ("丙。",)]

    def test_a_table_of_contents_gives_chapters_their_numbers(self) -> None:
        law = parsed(
            "## 第一章 总 则\n## 第二章 规划管理\n总 则\n第一条 甲。\n规划管理\n第二条 乙。\n规划管理\n"
        )
        assert [article.chapter for article in law.articles] == ["第一章 总则", "第二章 规划管理"]
        assert law.articles[1].paragraphs == ("乙。", "规划管理")

    def test_an_attachment_is_kept_and_is_no_article(self) -> None:
        law = parsed("第一条 甲。\n附件：\n收费表\n第一条 表中的话。\n")
        assert [(article.key, article.label) for article in law.articles] == [("1", "第一条"), ("a1", "附件")]
        assert law.numbered_articles == 1

    def test_a_gap_in_the_numbers_is_noted(self) -> None:
        assert parsed("第一条 甲。\n第三条 丙。\n").notes == ("第一条之后直接是第三条",)

    def test_a_text_without_articles_keeps_its_sections_as_passages(self) -> None:
        law = parsed("## 一、原则\n甲。\n## 二、机构\n乙。\n")
        assert [(article.label, article.ref) for article in law.articles] == [
            ("一、原则", None),
            ("二、机构", None),
        ]
        assert law.numbered_articles == 0


class TestHeading:
    def test_number_body_and_days_come_from_the_acts(self) -> None:
        law = parsed(
            "第一条 甲。\n第二条 本条例自2020年3月1日起施行。\n",
            head="# 中华人民共和国某某条例\n2019年12月4日 国务院第74次常务会议通过\n"
            "2020年1月2日 中华人民共和国国务院令第722号公布\n<!-- INFO END -->\n",
        )
        assert (law.issuing_body, law.number) == ("国务院", "国务院令第722号")
        assert (law.passed_on, law.promulgated_on) == (date(2019, 12, 4), date(2020, 1, 2))
        assert law.short_title == "某某条例"

    @pytest.mark.parametrize(
        ("line", "body", "number"),
        [
            ("1996年10月3日 中华人民共和国交通部令第8号发布", "交通部", "交通部令第8号"),
            ("1989年1月1日 公安部、外交部、交通部发布", "公安部、外交部、交通部", ""),
            (
                "2021年1月22日 第十三届全国人民代表大会常务委员会第二十五次会议修订",
                "全国人民代表大会常务委员会",
                "",
            ),
            (
                "2010年7月23日 重庆市第三届人民代表大会常务委员会第十八次会议《关于修改〈某某条例〉的决定》第一次修正",
                "重庆市人民代表大会常务委员会",
                "",
            ),
            ("2008年7月17日 经人力资源和社会保障部第6次部务会议通过", "人力资源和社会保障部", ""),
            ("２０１２年１２月１９日 中华人民共和国公安部令第１２５号发布", "公安部", "公安部令第125号"),
        ],
    )
    def test_the_issuing_body_is_found(self, line: str, body: str, number: str) -> None:
        law = parsed("第一条 甲。\n", head=f"# 某某规定\n{line}\n<!-- INFO END -->\n")
        assert (law.issuing_body, law.number) == (body, number)

    @pytest.mark.parametrize(
        ("line", "kind"),
        [
            ("2021年1月22日 第十三届全国人民代表大会常务委员会第二十五次会议修订", Kind.LAW),
            ("2020年1月2日 中华人民共和国国务院令第722号公布", Kind.ADMINISTRATIVE_REGULATION),
            ("2020年1月2日 公安部令第159号公布", Kind.DEPARTMENT_RULE),
            ("2010年7月23日 重庆市第三届人民代表大会常务委员会第十八次会议通过", Kind.LOCAL_REGULATION),
            (
                "2013年1月1日 彭水苗族土家族自治县第十六届人民代表大会第三次会议通过",
                Kind.LOCAL_REGULATION,
            ),
            ("2023年10月23日 内蒙古自治区人民政府令第262号公布", Kind.LOCAL_RULE),
        ],
    )
    def test_the_kind_is_guessed_where_the_heading_leaves_no_doubt(self, line: str, kind: Kind) -> None:
        law = parsed("第一条 甲。\n", head=f"# 某某规定\n{line}\n<!-- INFO END -->\n", of=Collection())
        assert law.kind is kind

    def test_a_rule_that_calls_itself_a_regulation_is_marked(self) -> None:
        law = parsed("第一条 甲。\n", of=Collection(kind=Kind.LOCAL_RULE))
        assert [note for note in law.notes if "第七条" in note]


class TestEffect:
    def test_a_later_day_in_the_text_is_the_day_of_effect(self) -> None:
        effect = parsed("第一条 本条例自2020年3月1日起施行。\n").effect
        assert effect is not None
        assert (effect.on, effect.assumed) == (date(2020, 3, 1), False)

    def test_the_day_of_an_earlier_version_is_not_that_of_the_amended_one(self) -> None:
        effect = parsed("第一条 本条例自1990年3月1日起施行。\n").effect
        assert effect is not None
        assert (effect.on, effect.assumed) == (date(2020, 1, 2), True)

    def test_on_promulgation_means_the_day_of_the_version(self) -> None:
        effect = parsed("第一条 本条例自公布之日起施行。\n").effect
        assert effect is not None
        assert (effect.on, effect.assumed) == (date(2020, 1, 2), False)

    def test_thirty_days_after_promulgation_are_counted(self) -> None:
        effect = parsed("第一条 本条例自公布之日起三十日后施行。\n").effect
        assert effect is not None
        assert effect.on == date(2020, 2, 1)

    def test_titles_repealed_as_a_whole_are_named(self) -> None:
        law = parsed(
            "第九条 自2020年3月1日起施行。1990年国务院发布的《甲条例》和《中华人民共和国乙办法》同时废止。\n"
            "第十条 1988年发布的《某某条例》同时废止。\n第十一条 《丙规定》不再执行。\n"
        )
        assert law.repeals == ("甲条例", "中华人民共和国乙办法")


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "text", "of", "code"),
        [
            (
                "a(2020-01-02).md",
                "# 标题\n2020年1月2日 国务院令第1号公布\n<!-- INFO END -->\n",
                ANY,
                "legislation.empty_body",
            ),
            ("a(2020-01-02).md", "第一条 没有标题。\n", ANY, "legislation.no_title"),
            ("a(2020-01-02).md", "#\n第一条 甲。\n", ANY, "legislation.no_title"),
            ("a.md", "# 标题\n<!-- INFO END -->\n第一条 甲。\n", ANY, "legislation.date_missing"),
            ("a(2021-02-30).md", "# 标题\n<!-- INFO END -->\n第一条 甲。\n", ANY, "legislation.bad_date"),
            (
                "a(2020-01-02).md",
                "# 标题\n<!-- INFO END -->\n第一条 甲。\n",
                Collection(),
                "legislation.kind_unknown",
            ),
        ],
    )
    def test_the_reason_has_a_stable_code(self, name: str, text: str, of: Collection, code: str) -> None:
        with pytest.raises(Invalid) as refused:
            parse_law(name, text, of)
        assert refused.value.stable_code == code

    def test_a_case_needs_no_date_and_has_no_articles(self) -> None:
        law = parsed(
            "## 基本案情\n甲。\n## 裁判结果\n乙。\n",
            head="# 甲诉乙案\n<!-- INFO END -->\n",
            name="甲诉乙案.md",
            of=Collection(kind=Kind.CASE),
        )
        assert (law.version, law.effect, law.numbered_articles) == ("", None, 0)
        assert [article.label for article in law.articles] == ["基本案情", "裁判结果"]


class TestContent:
    def test_the_same_text_in_another_encoding_has_the_same_digest(self) -> None:
        one = parsed("第一条 甲。\n\n第二条 乙。\n")
        other = parsed("第一条　甲。\n第二条  乙。\n\n\n")
        assert one.content_sha256 == other.content_sha256

    def test_one_changed_character_changes_the_digest(self) -> None:
        assert parsed("第一条 甲。\n").content_sha256 != parsed("第一条 乙。\n").content_sha256
