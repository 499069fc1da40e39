"""
Write catalog/codes/basis_documents.yaml: titles of published laws with the number of their last article.

    python scripts/basis_documents.py ../shared/data/laws > catalog/codes/basis_documents.yaml

Enforcement looks up cited bases in it. Of several versions of a law the newest is taken; judicial cases and one
province's local regulations are left out, a province adds its own lines. What another text of the folder repeals
(《……》同时废止) carries the day on which that text took effect.
"""

import re
import sys
from pathlib import Path

from kernel.errors import Invalid
from services.enforcement.cases.rules.basis import article_number, title_of
from services.legislation.documents.rules import Collection, Kind, parse_law

LEFT_OUT = ("案例", "地方性法规-重庆")
NAME = re.compile(r"(?P<title>.+?)\((?P<version>\d{4}-\d{2}-\d{2})\)$")
ARTICLE = re.compile(r"^\s*第([零〇一二三四五六七八九十百千]+)条", re.MULTILINE)


REVISED_SINCE = ("治安管理处罚法",)  # revised 2025-06-27, in force 2026-01-01
# Laws that are cited in enforcement and whose text is not in the folder, or only in an older version. With 0
# articles only the title is looked up; their last article is not claimed without the text.
WITHOUT_TEXT = (
    *(
        "民法典",
        "公司法",
        "劳动法",
        "劳动合同法",
        "消费者权益保护法",
        "电子商务法",
        "反不正当竞争法",
        "反垄断法",
    ),
    *(
        "产品质量法",
        "个人信息保护法",
        "数据安全法",
        "网络安全法",
        "商标法",
        "专利法",
        "著作权法",
        "社会保险法",
    ),
    *("特种设备安全法", "农产品质量安全法", "种子法", "招标投标法", "治安管理处罚法", "劳动争议调解仲裁法"),
    *(
        "安全生产法",
        "森林法",
        "草原法",
        "渔业法",
        "建筑法",
        "统计法",
        "动物防疫法",
        "烟草专卖法",
        "邮政法",
        "刑法",
    ),
    *("税收征收管理法", "广告法", "价格法", "证券法", "保险法", "商业银行法", "拍卖法", "旅游法"),
)


def last_article(text: str) -> int:
    """The number of the last article: numbers only rise by one, references at the start of a line do not."""
    last = 0
    for found in ARTICLE.findall(text):
        if article_number(found) == last + 1:
            last += 1
    return last


def repeals(path: Path) -> dict[str, str]:
    """Titles that a text repeals as a whole, with the day on which it took effect."""
    try:
        law = parse_law(path.name, path.read_text(encoding="utf-8"), Collection(kind=Kind.LAW))
    except Invalid:
        return {}
    return {title_of(title): law.effect.on.isoformat() for title in law.repeals if law.effect is not None}


def main(folder: Path) -> None:
    """Print the file."""
    newest: dict[str, tuple[str, int]] = {}
    ended: dict[str, str] = {}
    for path in sorted(folder.rglob("*.md")):
        name = NAME.match(path.stem)
        if name is None or path.relative_to(folder).parts[0] in LEFT_OUT:
            continue
        for title, day in repeals(path).items():
            ended[title] = min(day, ended.get(title, day))
        title = title_of(name["title"])
        if title not in newest or newest[title][0] < name["version"]:
            newest[title] = (name["version"], last_article(path.read_text(encoding="utf-8")))
    for title in WITHOUT_TEXT:
        if title not in newest or title in REVISED_SINCE:
            newest[title] = ("", 0)
    print(
        "# Documents that may be cited as a basis 执法依据, with the number of their last article (0: not numbered)."
    )
    print(
        "# Made by scripts/basis_documents.py from the published texts; a province adds its own regulations."
    )
    print("# repealed_on: since that day it can be no basis. Titles without 中华人民共和国.")
    print("id: basis_documents\nversion: 1\ndocuments:")
    for title, (version, articles) in sorted(newest.items()):
        since = f", repealed_on: {ended[title]}" if ended.get(title, "") >= (version or "9999") else ""
        print(f'  - {{title: "{title}", version: "{version}", articles: {articles}{since}}}')


if __name__ == "__main__":
    main(Path(sys.argv[1]))
