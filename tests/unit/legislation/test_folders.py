"""What a folder's name says of the files below it."""

from pathlib import Path

import pytest

from kernel.catalog import CatalogInvalid
from services.legislation.documents.folders import Collections
from services.legislation.documents.rules import Collection, Kind

CATALOG = Path(__file__).parents[3] / "catalog" / "legislation" / "collections.yaml"


@pytest.mark.parametrize(
    ("path", "collection"),
    [
        ("laws/行政法/行政处罚法(2021-01-22).md", Collection(kind=Kind.LAW)),
        ("行政法规/某某条例.md", Collection(kind=Kind.ADMINISTRATIVE_REGULATION)),
        ("laws/部门规章/公安部/某某规定.md", Collection(kind=Kind.DEPARTMENT_RULE, issuing_body="公安部")),
        ("laws/部门规章/某某规定.md", Collection(kind=Kind.DEPARTMENT_RULE)),
        ("laws/地方性法规-重庆/某某条例.md", Collection(kind=Kind.LOCAL_REGULATION)),
        ("laws/案例/行政协议诉讼/甲诉乙.md", Collection(kind=Kind.CASE)),
        ("别处/某某.md", Collection()),
        ("某某.md", Collection()),
    ],
)
def test_the_most_special_row_wins(path: str, collection: Collection) -> None:
    assert Collections.load(CATALOG).of(path) == collection


def test_an_unknown_kind_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "id: c\nversion: 1\nfolders:\n  - {folder: 甲, kind: menu}\n", encoding="utf-8"
    )
    with pytest.raises(CatalogInvalid) as refused:
        Collections.load(tmp_path / "c.yaml")
    assert refused.value.problems[0].path.endswith("c.yaml:4")
