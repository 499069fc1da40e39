"""Shapes that several routes share: a document's name, a line of text from outside, a list of kinds."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel

from kernel.errors import Invalid
from kernel.hosting.edge import check_text
from services.legislation.documents.rules import read_kind


class DocumentName(BaseModel):
    """A document by id and title."""

    id: str
    title: str


def _line(text: str) -> str:
    check_text(text)
    return text


Line = Annotated[str, AfterValidator(_line)]
"""Text of an address or a form: what no database can keep (NUL, control characters) is refused, as in JSON."""


def read_kinds(text: str) -> list[str]:
    """Codes of the kinds that a comma-separated list names by code or official term."""
    kinds = []
    for part in filter(None, (part.strip() for part in text.replace("，", ",").split(","))):
        kind = read_kind(part)
        if kind is None:
            raise Invalid("不认识的文件种类，请从列表中选择。", code="legislation.unknown_kind")
        kinds.append(kind.value)
    return kinds
