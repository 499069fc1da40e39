"""
Kinds of texts 文件种类 that the library holds, and how to tell one from its heading when nobody says it.

Ranks and filing duties hang on the kind (立法法 2023, 法规规章备案审查条例 Art. 2), so a guess is made only from
words that leave no doubt; otherwise the person who imports the text must say it. Autonomous and separate regulations
自治条例、单行条例 are filed like local regulations (Art. 4) and stand among them. Codes: catalog/codes/legislation.yaml.
"""

from enum import StrEnum

from services.legislation.documents.rules.heading import Heading


class Kind(StrEnum):
    """Kind of a document 文件种类; the value is the stable code, `term` the official one."""

    LAW = "law"
    ADMINISTRATIVE_REGULATION = "administrative_regulation"
    DEPARTMENT_RULE = "department_rule"
    LOCAL_REGULATION = "local_regulation"
    LOCAL_RULE = "local_rule"
    JUDICIAL_INTERPRETATION = "judicial_interpretation"
    NORMATIVE_DOCUMENT = "normative_document"
    CASE = "case"

    @property
    def term(self) -> str:
        """Official Chinese term."""
        return _TERMS[self]


_TERMS = {
    Kind.LAW: "法律",
    Kind.ADMINISTRATIVE_REGULATION: "行政法规",
    Kind.DEPARTMENT_RULE: "部门规章",
    Kind.LOCAL_REGULATION: "地方性法规",
    Kind.LOCAL_RULE: "地方政府规章",
    Kind.JUDICIAL_INTERPRETATION: "司法解释",
    Kind.NORMATIVE_DOCUMENT: "行政规范性文件",
    Kind.CASE: "案例",
}
_DEPARTMENT_ENDINGS = ("部", "委员会", "总局", "署", "局", "办公室", "银行", "会")


def read_kind(text: str) -> Kind | None:
    """The kind that a code or an official term names."""
    wanted = text.strip()
    return next((kind for kind in Kind if wanted in (kind.value, kind.term)), None)


def guess_kind(heading: Heading) -> Kind | None:
    """The kind that the heading leaves no doubt about, else None."""
    body, number = heading.issuing_body, heading.number
    signs = (
        (Kind.LAW, body.startswith("全国人民代表大会")),
        (Kind.LOCAL_REGULATION, "人民代表大会" in body),
        (Kind.JUDICIAL_INTERPRETATION, body.startswith(("最高人民法院", "最高人民检察院"))),
        (Kind.ADMINISTRATIVE_REGULATION, body.startswith("国务院") and "办公厅" not in body),
        (Kind.LOCAL_RULE, body.endswith("人民政府") and "令第" in number),
        (Kind.DEPARTMENT_RULE, body.endswith(_DEPARTMENT_ENDINGS) and "令第" in number),
    )
    return next((kind for kind, shown in signs if shown), None)
