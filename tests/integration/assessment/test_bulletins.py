"""A bulletin says what was published, in files an office can read, print and go on writing in."""

import io
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from docx import Document
from openpyxl import load_workbook
from pypdf import PdfReader

from contracts.findings import Outcome
from kernel.clock import local_date
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.storage.setwise import write_rows
from services.assessment.warnings.model import WARNINGS
from tests.support.publications import ASKS, County


@pytest.fixture
def county(fed):
    return County(fed)


@pytest.fixture
def published(county):
    county.seal()
    return county.publish()


def test_the_pdf_says_every_place_and_carries_its_fonts(county, published):
    kept = county.app.bulletins.make(ASKS, published, "monthly")
    content, name = county.app.bulletins.file(kept.id, "pdf")
    pages = PdfReader(io.BytesIO(content)).pages
    words = "".join(page.extract_text() for page in pages).replace("\n", "")
    assert name == f"{kept.title}.pdf"
    for part in ("150102-scjg局", "完整名次", "存证账本前18条", "1个独立见证方"):
        assert part in words.replace(" ", ""), words
    fonts = [font.get_object() for page in pages for font in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert {"/FontFile2", "/FontFile3"} & set(descriptor)


def test_as_of_a_day_only_what_was_published_and_made_by_then_is_listed(county, published):
    kept = county.app.bulletins.make(ASKS, published, "monthly")
    today = local_date(county.app.store.clock.now())
    for day, seen in ((today, True), (today - timedelta(days=1), False)):
        assert [one.id for one in county.app.bulletins.every(day)] == [kept.id] * seen
        assert [one.id for one in county.app.publications.published(as_of=day)] == [published] * seen


def test_the_docx_has_the_chart_and_the_whole_table(county, published):
    kept = county.app.bulletins.make(ASKS, published, "yearly")
    content, _ = county.app.bulletins.file(kept.id, "docx")
    document = Document(io.BytesIO(content))
    assert [cell.text for cell in document.tables[0].columns[3].cells][1:] == [
        "150102-scjg局",
        "150102-sf局",
        "150102-jt局",
    ]
    assert any(name.startswith("word/media/") for name in zipfile.ZipFile(io.BytesIO(content)).namelist())


def test_what_was_warned_of_in_january_is_not_in_the_report_of_the_year_before(county):
    with county.app.store.work() as work:
        same = {"unit": "150102-sf", "kind": "line", "node": "A1", "framework": "f@1", "year": "2026"}
        same |= {"at_seq": 1, "title": "方面", "seen": "{}", "order_id": None}
        days = [datetime(2026, 12, 31, 15, 59, tzinfo=UTC), datetime(2026, 12, 31, 16, 0, tzinfo=UTC)]
        rows = [{**same, "id": new_id(), "raised_at": day} for day in days]
        write_rows(work.session, WARNINGS, rows)
        work.commit()
    county.app.store.clock.set(datetime(2027, 2, 1, tzinfo=UTC))
    county.seal()
    kept = county.app.bulletins.make(ASKS, county.publish(), "yearly")
    content, _ = county.app.bulletins.file(kept.id, "docx")
    words = [paragraph.text for paragraph in Document(io.BytesIO(content)).paragraphs]
    assert any(text.startswith("考核期内发出预警 1 次") for text in words), words


def test_made_again_it_says_the_same_though_more_has_come_since(county, published):
    first = county.app.bulletins.make(ASKS, published, "monthly")
    county.finds("150102-scjg", "later", Outcome.FAIL)
    second = county.app.bulletins.make(ASKS, published, "monthly")
    texts = [
        "".join(
            page.extract_text()
            for page in PdfReader(io.BytesIO(county.app.bulletins.file(one.id, "pdf")[0])).pages
        )
        for one in (first, second)
    ]
    assert texts[0] == texts[1]


def test_the_workbook_has_everything_behind_the_ranking_and_it_adds_up(county, published):
    path = county.app.bulletins.data(ASKS, published)
    book = load_workbook(path, read_only=True)
    ranking = list(book["排名"].iter_rows(min_row=2, values_only=True))
    results = list(book["成果得分"].iter_rows(min_row=2, values_only=True))
    assert [row[1] for row in ranking] == ["150102-scjg", "150102-sf", "150102-jt"]
    for _, unit, _, score, *_ in ranking:
        parts = sum(
            int(row[8].replace(".", "")) * 10 ** (6 - len(row[8].partition(".")[2]))
            for row in results
            if row[0] == unit
        )
        assert parts == int(score.partition(".")[0]) * 10**6 + int(score.partition(".")[2].ljust(6, "0"))
    assert {row[1] for row in book["计数"].iter_rows(min_row=2, values_only=True)} == {"ENF-TIM-01"}
    path.unlink()


def test_an_unknown_bulletin_is_not_found(county):
    for bulletin, form in (("nope", "pdf"), ("0198aaaa-0000-7000-8000-000000000000", "docx")):
        with pytest.raises(NotFound):
            county.app.bulletins.file(bulletin, form)
