"""Whatever is thrown at the reader of texts, it reads or refuses; it never falls over."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import Invalid
from services.legislation.documents.rules import (
    Collection,
    Kind,
    parse_article,
    parse_law,
    read_text,
    title_key,
)

PIECES = st.sampled_from(
    [
        "# ", "## ", "第", "一", "十", "百", "之", "条", "款", "章", "节", "编", "附件", "附：", "总则", "附则", "。", "，",
        "《", "》", "〈", "（", "）", " ", "　", "\n", "\n\n", "2020年2月30日", "2021年1月22日", "国务院令第1号公布", "通过", "批准\n",
        "自2021年7月15日起施行", "同时废止", "<!-- INFO END -->", "第一条 ", "第二条 ", "第99999条 ", "－", "①", "𠮷", "\ud7ff",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=60).map("".join)


@given(TEXTS, st.sampled_from([None, *Kind]))
def test_any_text_is_read_or_refused(text: str, kind: Kind | None) -> None:
    with suppress(Invalid):
        law = parse_law("某某(2021-01-22).md", text, Collection(kind=kind))
        keys = [article.key for article in law.articles]
        assert keys
        assert len(set(keys)) == len(keys)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(Invalid):
        text = read_text("a.md", raw)[0]
        assert text.encode().decode() == text


@given(st.text(max_size=60))
def test_any_citation_is_read_or_not(text: str) -> None:
    ref = parse_article(text)
    assert ref is None or 1 <= ref.number <= 9999
    title_key(text)
