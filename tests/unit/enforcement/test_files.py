"""Files before they are rows: kind, encoding, limits, and workbooks that are not what they look like."""

import io
import zipfile
from datetime import date
from decimal import Decimal

import pytest
import xlsxwriter

from kernel.errors import Invalid, TooLarge
from services.enforcement.cases.files.limits import MAX_FILE_BYTES
from services.enforcement.cases.files.table import open_table
from services.enforcement.cases.rules.columns import Header
from services.enforcement.cases.rules.rows import RowReader
from tests.support.enforcement import TODAY, Row, a_row, csv_file, rows_of, the_columns, xlsx_file


def header_of(row: Row) -> Header:
    header = the_columns().match(1, list(row))
    assert header is not None
    return header


def repacked(data: bytes, changes: dict[str, bytes | None]) -> bytes:
    """A workbook with entries replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if entry.filename not in changes:
                new.writestr(entry.filename, old.read(entry.filename))
        for name, body in changes.items():
            if body is not None:
                new.writestr(name, body)
    return out.getvalue()


def sheet_of(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return package.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_every_usual_encoding_is_read(encoding: str) -> None:
    table = open_table(csv_file([a_row()], encoding), "案件.csv")
    rows = list(table.rows)
    assert rows[0][1] == list(a_row())
    assert rows[1][1][1] == "新城市监罚〔2026〕7号"
    assert table.is_lossless


def test_a_damaged_text_is_read_and_said_to_be_damaged() -> None:
    table = open_table(csv_file([a_row()], "gb18030") + b"\xff\xff\x80", "案件.csv")
    assert len(list(table.rows)) >= 2
    assert not table.is_lossless


@pytest.mark.parametrize("mark", ["\t", ";"])
def test_other_delimiters_are_seen(mark: str) -> None:
    text = csv_file([a_row()]).decode("utf-8-sig").replace(",", mark)
    assert len(next(iter(open_table(text.encode(), "案件.txt").rows))[1]) == len(a_row())


def test_a_quoted_line_break_keeps_the_row_numbers_of_the_file() -> None:
    rows = [a_row(违法事实="第一行\n第二行"), a_row()]
    numbers = [number for number, _ in open_table(csv_file(rows), "案件.csv").rows]
    assert numbers == [1, 2, 4]


def test_a_workbook_gives_the_same_cells_as_a_text() -> None:
    rows = rows_of(3)
    from_text = [cells for _, cells in open_table(csv_file(rows), "a.csv").rows]
    from_book = [cells for _, cells in open_table(xlsx_file(rows), "a.xlsx").rows]
    assert from_book == from_text


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "a.csv", "enforcement.empty_file"),
        (b"\n\n \n", "a.csv", "enforcement.empty_file"),
        (b"%PDF-1.7 ...", "a.pdf", "enforcement.wrong_file_type"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xls", "enforcement.wrong_file_type"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "a.csv", "enforcement.wrong_file_type"),
        (b"PK\x03\x04 no archive at all", "a.xlsx", "enforcement.broken_file"),
        (xlsx_file([a_row()]), "a.csv", "enforcement.wrong_file_type"),
        (xlsx_file([a_row()]), "a.xlsm", "enforcement.wrong_file_type"),
        (csv_file([a_row()]), "a.xlsx", "enforcement.wrong_file_type"),
        (xlsx_file([a_row()])[:-200], "a.xlsx", "enforcement.broken_file"),
        (repacked(xlsx_file([a_row()]), {"xl/vbaProject.bin": b"x"}), "a.xlsx", "enforcement.unsafe_file"),
        (repacked(xlsx_file([a_row()]), {"xl/externalLinks/e.xml": b"x"}), "a.xlsx", "enforcement.unsafe_file"),
        (repacked(xlsx_file([a_row()]), {"../evil": b"x"}), "a.xlsx", "enforcement.unsafe_file"),
        (repacked(xlsx_file([a_row()]), {"inner.zip": b"x"}), "a.xlsx", "enforcement.unsafe_file"),
        (repacked(xlsx_file([a_row()]), {"xl/workbook.xml": None}), "a.xlsx", "enforcement.wrong_file_type"),
        (repacked(xlsx_file([a_row()]), {"xl/workbook.xml": b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"}), "a.xlsx",
         "enforcement.unsafe_file"),
        (repacked(xlsx_file([a_row()]), {f"xl/many{n}.xml": b"x" for n in range(1001)}), "a.xlsx",
         "enforcement.unsafe_file"),
    ],
)  # fmt: skip
def test_what_is_no_case_file_is_refused_with_a_code(data: bytes, name: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        list(open_table(data, name).rows)
    assert refused.value.stable_code == code
    assert refused.value.text.endswith("。")


def test_a_file_above_the_limit_is_refused_before_it_is_looked_at() -> None:
    with pytest.raises(TooLarge) as refused:
        open_table(b"x" * (MAX_FILE_BYTES + 1), "a.csv")
    assert refused.value.stable_code == "enforcement.file_too_large"


class TestZipBombs:
    def test_declared_sizes_are_summed_before_anything_is_inflated(self) -> None:
        bomb = repacked(xlsx_file([a_row()]), {"xl/media/zeros.bin": b"\0" * 60_000_000})
        with pytest.raises(Invalid) as refused:
            open_table(bomb, "a.xlsx")
        assert refused.value.stable_code == "enforcement.zip_bomb"

    def test_declared_sizes_that_lie_are_found_while_inflating(self) -> None:
        data = bytearray(repacked(xlsx_file([a_row()]), {"xl/worksheets/sheet1.xml": b" " * 60_000_000}))
        directory = zipfile.ZipFile(io.BytesIO(bytes(data))).getinfo("xl/worksheets/sheet1.xml")
        true_size = directory.file_size.to_bytes(4, "little")
        lie = (1000).to_bytes(4, "little")
        data = data.replace(true_size, lie)
        with pytest.raises(Invalid) as refused:
            open_table(bytes(data), "a.xlsx")
        assert refused.value.stable_code in ("enforcement.zip_bomb", "enforcement.broken_file")


class TestRectangles:
    """A parser lays a sheet out in full: two far cells in a file of 5 KB would cost gigabytes."""

    @pytest.mark.parametrize(
        ("cells", "code"),
        [
            (b'<row r="20000"><c r="DZZ20000"><v>1</v></c></row>', "enforcement.too_many_columns"),
            (b"<row r=\"9\"><c r='BM9'><v>1</v></c></row>", "enforcement.too_many_columns"),
            (b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>', "enforcement.too_many_rows"),
            (b'<row r="9"><c r = "A100020"><v>1</v></c></row>', "enforcement.too_many_rows"),
            (b"<row/>" * 100_020, "enforcement.too_many_rows"),
            (b"<row><c><v>1</v></c></row>", "enforcement.unsafe_file"),
            (b'<row r="9"><c s="r=" r="A0"><v>1</v></c></row>', "enforcement.unsafe_file"),
        ],
    )
    def test_cells_far_out_are_refused_before_they_are_parsed(self, cells: bytes, code: str) -> None:
        data = xlsx_file(rows_of(2))
        sheet = sheet_of(data).replace(b"</sheetData>", cells + b"</sheetData>")
        with pytest.raises(Invalid) as refused:
            open_table(repacked(data, {"xl/worksheets/sheet1.xml": sheet}), "a.xlsx")
        assert refused.value.stable_code == code

    def test_a_sheet_cannot_hide_from_the_scan_behind_a_repeated_name(self) -> None:
        data = xlsx_file(rows_of(2))
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            book = package.read("xl/workbook.xml")
            relations = package.read("xl/_rels/workbook.xml.rels")
        evil = sheet_of(data).replace(
            b"</sheetData>", b'<row r="9"><c r="DZZ9"><v>1</v></c></row></sheetData>'
        )
        kind = b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"'
        changes: dict[str, bytes | None] = {
            "xl/evil.xml": evil,
            "xl/_rels/workbook.xml.rels": relations.replace(
                b"</Relationships>",
                b'<Relationship Id="rId99" ' + kind + b' Target="evil.xml"/></Relationships>',
            ),
        }
        for name, code in (("案件", "enforcement.broken_file"), ("其他", "enforcement.too_many_columns")):
            second = f'<sheets><sheet name="{name}" sheetId="9" r:id="rId99"/>'.encode()
            changes["xl/workbook.xml"] = book.replace(b"<sheets>", second)
            with pytest.raises(Invalid) as refused:
                open_table(repacked(data, changes), "a.xlsx")
            assert refused.value.stable_code == code

    def test_the_last_allowed_corner_is_let_in(self) -> None:
        data = xlsx_file(rows_of(2))
        corner = b'<row r="1000"><c r="BL1000"><v>1</v></c></row></sheetData>'
        sheet = sheet_of(data).replace(b"</sheetData>", corner)
        rows = list(open_table(repacked(data, {"xl/worksheets/sheet1.xml": sheet}), "a.xlsx").rows)
        assert (rows[-1][0], len(rows[-1][1])) == (1000, 64)


class TestOddWorkbooks:
    def test_date_cells_are_days_and_number_cells_stay_numbers(self) -> None:
        raw = {(1, 9): date(2026, 3, 13), (1, 8): 2000, (1, 15): 15000001}
        cells = list(open_table(xlsx_file([a_row()], raw=raw), "a.xlsx").rows)[1][1]
        record, faults = RowReader(header_of(a_row()), TODAY).read(2, cells)
        assert faults == []
        assert record is not None
        assert (record.decided_on, record.fine_yuan) == (date(2026, 3, 13), Decimal("2000.00"))
        assert record.officer_certificates == ("15000001",)

    def test_a_second_sheet_with_rows_is_refused_and_a_hidden_one_is_told(self) -> None:
        out = io.BytesIO()
        with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
            book.add_worksheet("一月").write_string(0, 0, "案件类型")
            book.add_worksheet("二月").write_string(0, 0, "案件类型")
        with pytest.raises(Invalid) as refused:
            open_table(out.getvalue(), "a.xlsx")
        assert refused.value.stable_code == "enforcement.many_sheets"
        out = io.BytesIO()
        with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
            book.add_worksheet("案件").write_string(0, 0, "案件类型")
            codes = book.add_worksheet("代码表")
            codes.write_string(0, 0, "处罚")
            codes.hide()
        assert open_table(out.getvalue(), "a.xlsx").hidden_sheets == ["代码表"]

    def test_formulas_are_found_wherever_they_stand(self) -> None:
        table = open_table(xlsx_file(rows_of(400), raw={(300, 8): "=1000+1000"}), "a.xlsx")
        assert table.oddities.formulas == ["I301"]

    def test_hidden_rows_are_found(self) -> None:
        data = xlsx_file(rows_of(3))
        hidden = sheet_of(data).replace(b'<row r="3"', b'<row hidden="1" r="3"')
        table = open_table(repacked(data, {"xl/worksheets/sheet1.xml": hidden}), "a.xlsx")
        assert table.oddities.hidden_rows == [3]

    def test_merged_cells_are_found(self) -> None:
        table = open_table(xlsx_file(rows_of(2), title="2026年行政处罚信息"), "a.xlsx")
        assert table.oddities.merged == ["A1:F1"]
