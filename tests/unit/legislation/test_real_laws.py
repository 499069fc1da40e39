"""The 956 real files: each parses or is refused for a stable reason; what was counted by hand is what is read."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from kernel.errors import Invalid
from services.legislation.documents.rules import Collection, Kind, LawText, parse_law, read_text

LAWS = Path(__file__).parents[4] / "shared" / "data" / "laws"
KINDS = {
    "行政法": Kind.LAW,
    "诉讼与非诉讼程序法": Kind.LAW,
    "行政法规": Kind.ADMINISTRATIVE_REGULATION,
    "部门规章": Kind.DEPARTMENT_RULE,
    "地方性法规-重庆": Kind.LOCAL_REGULATION,
    "案例": Kind.CASE,
}

# A whole chapter in one line, of articles in the one and of chapters' names in the other.
RUN_TOGETHER = ("飞行基本规则(2007-10-18)", "重庆市各级人民代表大会常务委员会人事任免工作条例(2022-06-10)")


@pytest.fixture(scope="module")
def everything() -> dict[str, LawText | str]:
    """Every file by its path: the text read, or the code of the refusal."""
    if not LAWS.is_dir():
        pytest.skip(f"真实法律文本不在 {LAWS} / the real law texts are not there")
    outcome: dict[str, LawText | str] = {}
    for file in sorted(LAWS.rglob("*.md")):
        name = file.relative_to(LAWS).as_posix()
        try:
            text, _ = read_text(file.name, file.read_bytes())
            outcome[name] = parse_law(name, text, Collection(kind=KINDS[name.split("/")[0]]))
        except Invalid as refused:
            outcome[name] = refused.stable_code
    return outcome


@pytest.fixture(scope="module")
def laws(everything: dict[str, LawText | str]) -> dict[str, LawText]:
    """Those that were read, by the name of the file."""
    return {Path(name).stem: law for name, law in everything.items() if isinstance(law, LawText)}


def test_every_file_is_read_except_three_that_have_no_text(everything: dict[str, LawText | str]) -> None:
    refused = {name: code for name, code in everything.items() if isinstance(code, str)}
    assert len(everything) == 956
    assert refused == {
        "地方性法规-重庆/重庆市实施《农业技术推广法》办法(2016-09-29).md": "legislation.empty_body",
        "地方性法规-重庆/重庆市实施《国家赔偿法》办法(2012-09-27).md": "legislation.empty_body",
        "地方性法规-重庆/重庆市实施《母婴保健法》办法(2018-07-26).md": "legislation.empty_body",
    }


@pytest.mark.parametrize(
    ("file", "articles"),
    [
        ("行政处罚法(2021-01-22)", 86),
        ("行政复议法(2017-09-01)", 43),
        ("行政复议法(2023-09-01)", 90),
        ("行政许可法(2019-04-23)", 83),
        ("行政诉讼法(2017-06-27)", 103),
        ("行政强制法(2011-06-30)", 71),
        ("民事诉讼法(2021-12-24)", 291),
        ("民事诉讼法(2023-09-01)", 306),
        ("刑事诉讼法(2018-10-26)", 308),  # "第一百二十八 条侦查人员", an unnumbered 附则
        ("治安管理处罚法(2012-10-26)", 119),
        ("法规规章备案审查条例(2024-08-30)", 26),
        ("规章制定程序条例(2017-12-22)", 41),
        ("重大行政决策程序暂行条例(2019-04-20)", 44),
        ("优化营商环境条例(2019-10-22)", 72),
        ("机动车登记规定(2021-12-17)", 93),
        ("重庆市地方立法条例(2017-01-19)", 85),
        ("飞行基本规则(2007-10-18)", 124),  # one line a chapter
        ("彭水苗族土家族自治县城乡建设管理条例(2013-05-31)", 75),  # "第三十－条"
        ("重庆市合同格式条款监督条例(2010-07-30)", 28),  # "第十五条工商行政"
        ("专利法实施细则(2023-12-11)", 149),  # "附图说明" inside an article
        ("国务院关于口岸开放的若干规定(1985-09-18)", 0),
    ],
)
def test_the_articles_are_those_counted_by_hand(laws: dict[str, LawText], file: str, articles: int) -> None:
    law = laws[file]
    assert law.numbered_articles == articles
    numbers = [article.ref.number for article in law.articles if article.ref]
    assert numbers == list(range(1, articles + 1))


def test_no_law_has_a_gap_or_a_repeated_article(laws: dict[str, LawText]) -> None:
    assert [file for file, law in laws.items() if any("之后直接是" in note for note in law.notes)] == []
    for file, law in laws.items():
        keys = [article.key for article in law.articles]
        assert len(set(keys)) == len(keys), file


def test_all_articles_together(laws: dict[str, LawText]) -> None:
    assert sum(law.numbered_articles for law in laws.values()) == 42_480


def test_the_ten_cases_are_documents_without_articles(laws: dict[str, LawText]) -> None:
    cases = [law for law in laws.values() if law.kind is Kind.CASE]
    assert len(cases) == 10
    for case in cases:
        assert [article.label for article in case.articles] == ["基本案情", "裁判结果", "典型意义"]
        assert (case.numbered_articles, case.version) == (0, "")


def test_the_penalty_law_is_read_in_full(laws: dict[str, LawText]) -> None:
    law = laws["行政处罚法(2021-01-22)"]
    sixtieth = next(article for article in law.articles if article.key == "60")
    assert law.title == "中华人民共和国行政处罚法"
    assert law.issuing_body == "全国人民代表大会常务委员会"
    assert law.passed_on == date(2021, 1, 22)
    assert law.effect is not None
    assert law.effect.on == date(2021, 7, 15)
    assert sixtieth.chapter == "第五章 行政处罚的决定 第三节 普通程序"
    assert sixtieth.text == (
        "行政机关应当自行政处罚案件立案之日起九十日内作出行政处罚决定。法律、法规、规章另有规定的，从其规定。"
    )


def test_two_files_of_one_law_are_two_versions_of_one_document(laws: dict[str, LawText]) -> None:
    versions = Counter(law.title_key for law in laws.values())
    assert len(versions) == 906
    assert versions["道路运输条例"] == 3
    assert versions["行政复议法"] == 2


def test_a_repeal_names_documents_of_the_library(laws: dict[str, LawText]) -> None:
    assert laws["市场主体登记管理条例(2021-07-27)"].repeals == (
        "中华人民共和国公司登记管理条例",
        "中华人民共和国企业法人登记管理条例",
        "中华人民共和国合伙企业登记管理办法",
        "农民专业合作社登记管理条例",
        "企业法人法定代表人登记管理规定",
    )


def test_ministry_papers_in_the_folder_of_regulations_are_marked_for_a_check(
    laws: dict[str, LawText],
) -> None:
    marked = [file for file, law in laws.items() if any("请核对文件种类" in note for note in law.notes)]
    assert marked == [
        "互联网信息服务算法推荐管理规定(2021-11-16)",
        "国家机关、事业单位贯彻《国务院关于职工工作时间的规定》的实施办法(1995-05-01)",
        "工资支付暂行规定(1994-12-06)",
    ]


def test_no_word_of_any_text_is_lost(laws: dict[str, LawText]) -> None:
    """Every line below the heading stands, but for its number, in an article, a passage or a chapter's name."""
    files = {file.stem: file for file in LAWS.rglob("*.md")}
    for name, law in laws.items():
        if name in RUN_TOGETHER:
            continue
        text, _ = read_text(files[name].name, files[name].read_bytes())
        kept = "".join(article.chapter + article.label + article.text for article in law.articles)
        kept = bare(kept) + bare(law.title)
        for line in text.partition("<!-- INFO END -->")[2].splitlines():
            words = bare(line.lstrip("# "))
            end = words[-30:] if "条" in words[:8] else words
            assert end in kept, (name, line)


def bare(text: str) -> str:
    return "".join(text.split()).replace("中华人民共和国", "")
