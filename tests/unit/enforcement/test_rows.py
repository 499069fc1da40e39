"""Cells and rows of a case file: what is read, and what is refused with which code."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enforcement.cases.rules.basis import article_number, parse_bases
from services.enforcement.cases.rules.columns import Header
from services.enforcement.cases.rules.faults import Fault
from services.enforcement.cases.rules.persons import is_id_number, mask_numbers
from services.enforcement.cases.rules.record import CaseRecord, number_key
from services.enforcement.cases.rules.rows import RowReader
from tests.support.enforcement import (
    BODY_CODE,
    TODAY,
    a_major_penalty,
    a_row,
    a_simple_penalty,
    the_columns,
    the_law,
)


def read(**changes: Any) -> tuple[CaseRecord | None, list[Fault]]:
    row = a_row(**changes)
    header = the_columns().match(1, list(row))
    assert isinstance(header, Header)
    cells = ["" if value is None else value for value in row.values()]
    return RowReader(header, TODAY).read(2, cells)


def record(**changes: Any) -> CaseRecord:
    found, faults = read(**changes)
    assert found is not None, faults
    return found


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("案件类型", "奖励", "enforcement.unknown_code"),
        ("案件类型", None, "enforcement.required"),
        ("处罚类别", "罚款、没收家产", "enforcement.unknown_code"),
        ("违法行为类型", None, "enforcement.required"),
        ("决定日期", "2026-02-30", "enforcement.impossible_date"),
        ("决定日期", "2026年13月1日", "enforcement.impossible_date"),
        ("决定日期", "去年春天", "enforcement.bad_date"),
        ("决定日期", 46094.0, "enforcement.bad_date"),
        ("决定日期", "2026-11-03", "enforcement.impossible_date"),
        ("决定日期", "2012-03-13", "enforcement.too_old"),
        ("决定日期", "2026-01-11", "enforcement.decided_before_opening"),
        ("立案日期", "1899-12-30", "enforcement.impossible_date"),
        ("处罚告知日期", "2026-01-02", "enforcement.dates_out_of_order"),
        ("送达日期", "2026-03-12", "enforcement.dates_out_of_order"),
        ("公示日期", "2026-03-01", "enforcement.dates_out_of_order"),
        ("归档日期", "2027-03-30", "enforcement.impossible_date"),
        ("决定机关统一社会信用代码", "1.11501E+17", "enforcement.number_ruined"),
        ("决定机关统一社会信用代码", 111501020050466600.0, "enforcement.number_ruined"),
        ("执法人员证号", 1500000112345678.0, "enforcement.number_ruined"),
        ("行政相对人代码", "9.11501E+17", "enforcement.number_ruined"),
        ("行政相对人代码", "91150100MA0000007W0", "enforcement.too_long"),
        ("罚款金额（元）", "两千", "enforcement.bad_amount"),
        ("罚款金额（元）", "-5", "enforcement.bad_amount"),
        ("罚款金额（元）", "NaN", "enforcement.bad_amount"),
        ("罚款金额（元）", "1e400", "enforcement.bad_amount"),
        ("处罚依据", "《" + "长" * 1000 + "》", "enforcement.too_long"),
        ("违法事实", "有\x00看不见的字", "enforcement.bad_character"),
    ],
)
def test_a_bad_cell_is_named_with_row_column_and_code(column: str, cell: Any, code: str) -> None:
    found, faults = read(**{column: cell})
    assert found is None
    assert (2, code) in {(fault.row, fault.code) for fault in faults}
    fault = next(fault for fault in faults if fault.code == code)
    assert fault.column
    assert fault.message.endswith("。")


def test_every_fault_of_a_row_is_told_at_once() -> None:
    _, faults = read(**{"案件类型": "奖励", "决定日期": "昨天", "罚款金额（元）": "很多"})
    assert [fault.code for fault in faults] == [
        "enforcement.unknown_code",
        "enforcement.bad_amount",
        "enforcement.bad_date",
    ]


@pytest.mark.parametrize(
    "cell",
    ["2026-03-13", "2026/3/13", "2026.03.13", "2026年3月13日", "20260313", "2026-03-13 00:00:00", 20260313.0,
     date(2026, 3, 13), datetime(2026, 3, 13, 9, 30)],  # noqa: DTZ001 - as a workbook hands it over
)  # fmt: skip
def test_days_are_read_the_way_people_write_them(cell: Any) -> None:
    assert record(决定日期=cell).decided_on == date(2026, 3, 13)


@pytest.mark.parametrize("cell", ["2000", "2,000.00", "２０００", 2000, 2000.0, "2000元"])
def test_amounts_are_read_the_way_people_write_them(cell: Any) -> None:
    assert record(**{"罚款金额（元）": cell}).fine_yuan == Decimal(2000)


def test_lists_are_split_at_any_mark_and_counted_once() -> None:
    assert record(执法人员证号="15000001；15000002,15000001").officer_certificates == ("15000001", "15000002")


@pytest.mark.parametrize(
    ("column", "cell", "field", "value"),
    [
        ("决定机关统一社会信用代码", "１１１５０１０２ＸＮ００５０４６６６", "body_code", BODY_CODE),
        ("决定机关统一社会信用代码", "11150102 xn00504666", "body_code", BODY_CODE),
        ("行政相对人代码", "91150100ma0000007w", "party_code", "91150100MA0000007W"),
        ("执法人员证号", "１５０００００１、1500 0002", "officer_certificates", ("15000001", "15000002")),
    ],
)
def test_numbers_are_read_in_any_width_and_case(column: str, cell: str, field: str, value: Any) -> None:
    assert getattr(record(**{column: cell}), field) == value


def test_a_numeric_cell_that_kept_its_digits_is_text() -> None:
    assert record(执法人员证号=15000001.0).officer_certificates == ("15000001",)


@pytest.mark.parametrize("column", ["适用程序", "处罚类别", "违法行为类型"])
def test_what_a_penalty_must_state_needs_its_column(column: str) -> None:
    """A penalty of a file without the column was taken in as one by ordinary procedure, or of no kind at all."""

    def found(**changes: Any) -> list[str]:
        row = {name: cell for name, cell in a_row(**changes).items() if name != column}
        header = the_columns().match(1, list(row))
        assert header is not None
        assert not header.faults
        cells = ["" if value is None else value for value in row.values()]
        return [fault.code for fault in RowReader(header, TODAY).read(2, cells)[1]]

    assert found() == ["enforcement.missing_column"]
    assert found(案件类型="检查") == []


class TestPersons:
    ID = "15000019001231123X"

    def test_their_code_is_dropped_and_their_name_masked(self) -> None:
        kept = record(行政相对人类别="自然人", 行政相对人名称="欧阳小明", 行政相对人代码=self.ID)
        assert (kept.party_code, kept.party_name) == ("", "欧阳某某")

    def test_a_citizen_number_is_kept_nowhere(self) -> None:
        kept = record(
            行政相对人代码=self.ID,
            违法事实=f"张三（{self.ID}）于当日，电话13812345678",
            违法行为类型=f"持{self.ID}经营",
        )
        assert self.ID not in kept.stored().decode()
        assert "13812345678" not in kept.stored().decode()

    def test_a_report_shows_neither_name_nor_number(self) -> None:
        _, faults = read(行政相对人类别="自然人", 行政相对人代码=self.ID + "9")
        assert not any(self.ID[:10] in fault.value for fault in faults)

    def test_credit_codes_are_no_citizen_numbers(self) -> None:
        assert not is_id_number("111500000000000194")
        assert mask_numbers("统一社会信用代码111500000000000194") == "统一社会信用代码111500000000000194"


class TestNumbers:
    @pytest.mark.parametrize(
        "written", ["新罚[2026]7号", "新罚（２０２６）7号", "新罚 〔2026〕 7号", "新罚【2026】7号"]
    )
    def test_brackets_and_width_do_not_make_another_case(self, written: str) -> None:
        assert number_key(written) == number_key("新罚〔2026〕7号")


class TestBases:
    def test_documents_and_articles_are_told_apart(self) -> None:
        cited = parse_bases(
            "《中华人民共和国食品安全法》第一百二十二条第一款、第一百二十四条；《广告法（2021修正）》第55条"
        )
        assert [(c.document, c.article, c.number) for c in cited] == [
            ("食品安全法", "第一百二十二条", 122),
            ("食品安全法", "第一百二十四条", 124),
            ("广告法", "第55条", 55),
        ]

    @pytest.mark.parametrize(
        "text", ["《水法》第三十四、三十六条", "《水法》第34，36条", "《水法》第３４条及第３６条"]
    )
    def test_several_articles_under_one_mark_are_each_cited(self, text: str) -> None:
        assert [cited.number for cited in parse_bases(text)] == [34, 36]

    @pytest.mark.parametrize(
        "text",
        [
            "《实施〈反外国制裁法〉的规定》第三条",
            "《实施《中华人民共和国反外国制裁法》的规定》第三条",
            "《实施<反外国制裁法>的规定》第三条",
            "《处方药与非处方药分类管理办法(试行)》第三条",
            "《处方药与非处方药分类管理办法（试行）》第三条",
        ],
    )
    def test_marks_inside_a_title_and_their_width_do_not_make_another_document(self, text: str) -> None:
        (cited,) = parse_bases(text)
        assert cited.document in the_law().documents

    def test_paragraphs_and_items_are_not_articles(self) -> None:
        text = "《水法》第三十四条第一、二款，第三十六条第一款第（一）、（三）项和第四项"
        assert [cited.number for cited in parse_bases(text)] == [34, 36]

    @pytest.mark.parametrize(
        ("text", "number"), [("十", 10), ("二十一", 21), ("一百零七", 107), ("一千二百", 1200)]
    )
    def test_numbers(self, text: str, number: int) -> None:
        assert article_number(text) == number

    @given(st.text(alphabet="《》第条之一二十百零〇7、；（）法 ", max_size=80))
    def test_whatever_is_written_only_titles_in_marks_are_documents(self, text: str) -> None:
        for cited in parse_bases(text):
            assert "《" not in cited.document
            assert (cited.number > 0) == bool(cited.article) or set(cited.article) & set("零〇")


@pytest.mark.parametrize("case", [a_major_penalty(), a_simple_penalty(), a_simple_penalty(fine_yuan=None)])
def test_a_record_survives_storage(case: CaseRecord) -> None:
    assert CaseRecord.restored(case.stored()) == case
    assert CaseRecord.restored(case.stored()).digest == case.digest


class TestHeader:
    def test_names_match_with_stars_blanks_and_other_brackets(self) -> None:
        header = the_columns().match(
            1, ["*案件类型", " 决定书 文号", "罚款金额(元)", "决定日期：", "检查机关"]
        )
        assert header is not None
        assert header.given == {"kind", "number", "fine_yuan", "decided_on", "body_name"}

    def test_missing_repeated_and_unknown_columns_are_told(self) -> None:
        names = [name for name in a_row() if name != "处罚依据"]
        header = the_columns().match(1, [*names, "决定日期", "备注"])
        assert header is not None
        assert {fault.code for fault in header.faults} == {
            "enforcement.missing_column",
            "enforcement.repeated_column",
        }
        assert [notice.code for notice in header.notices] == ["enforcement.ignored_column"]
