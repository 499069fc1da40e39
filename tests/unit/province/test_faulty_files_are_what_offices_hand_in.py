"""Faulty case files really carry the fault they name, where they say it is."""

import csv
import io
from datetime import date, timedelta

import pytest
from python_calamine import CalamineWorkbook
from stdnum.cn import uscc

from fazhi.province import CASE_FILE_FAULTS, Province, Row, faulty_case_file, headers
from kernel.calendar import WorkingCalendar

CSV_FAULTS = [fault for fault in CASE_FILE_FAULTS if "xlsx" not in fault]


def read(content: bytes, encoding: str = "utf-8-sig") -> list[Row]:
    return list(csv.DictReader(io.StringIO(content.decode(encoding), newline="")))


def test_the_same_file_has_the_same_bytes(county: Province) -> None:
    for fault in CASE_FILE_FAULTS:
        assert faulty_case_file(county, fault).content == faulty_case_file(Province(seed=1), fault).content


def test_the_gbk_file_is_not_utf8_and_says_the_same(county: Province) -> None:
    content = faulty_case_file(county, "gbk").content
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    assert read(content, "gbk") == read(faulty_case_file(county, "clean").content)


def test_the_workbook_says_the_same_as_the_csv(county: Province) -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(faulty_case_file(county, "clean_xlsx").content))
    head, *lines = book.get_sheet_by_index(0).to_python()
    assert [dict(zip(head, line, strict=True)) for line in lines] == read(
        faulty_case_file(county, "clean").content
    )


@pytest.mark.parametrize("fault", [f for f in CSV_FAULTS if f not in {"clean", "gbk", "missing_column"}])
def test_problems_stand_where_they_are_said_to_be(county: Province, fault: str) -> None:
    file, sound = faulty_case_file(county, fault), read(faulty_case_file(county, "clean").content)
    rows = read(file.content)
    assert not file.accepted
    for line, header, kind in file.problems:
        value = rows[line - 2][header]
        if kind == "enforcement.repeated_row":
            assert rows[line - 2] in sound
        elif kind == "enforcement.impossible_date":
            with pytest.raises(ValueError, match=r"day|month"):
                date.fromisoformat(value)
        elif kind == "enforcement.number_ruined":
            assert not uscc.is_valid(value)
        else:
            assert value not in {row[header] for row in sound}


def test_a_required_column_is_missing(county: Province) -> None:
    file = faulty_case_file(county, "missing_column")
    assert file.problems[0][1] not in read(file.content)[0]


def test_a_spreadsheet_number_lost_its_last_digits(county: Province) -> None:
    file = faulty_case_file(county, "ruined_ids_xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(file.content)).get_sheet_by_index(0).to_python()
    line, header, _ = file.problems[0]
    cell = rows[line - 1][rows[0].index(header)]
    assert isinstance(cell, float)
    assert f"{cell:.0f}" != "911501020012345678"


def test_stated_outcomes_are_those_of_the_law(county: Province) -> None:
    """The borders by hand: day 90 and 91, working day 7 and 8, yuan 3,000 and 3,001, working day 20 and 21."""
    file = faulty_case_file(county, "clean")
    rows, calendar = read(file.content), WorkingCalendar()
    stated = dict(file.expected)
    assert [row["决定书文号"] for row in rows] == list(stated)
    for row in rows:
        outcomes, made = stated[row["决定书文号"]], date.fromisoformat(row["决定日期"])
        published = date.fromisoformat(row["公示日期"])
        if "ENF-PUB-01" in outcomes:
            in_time = published <= calendar.working_days_after(made, 7).due_on
            assert outcomes["ENF-PUB-01"] == ("pass" if in_time else "fail")
        if "ENF-TIM-01" in outcomes and row["立案日期"]:
            in_time = made <= date.fromisoformat(row["立案日期"]) + timedelta(days=90)
            assert outcomes["ENF-TIM-01"] == ("pass" if in_time else "fail")
        if row["适用程序"] == "简易":
            assert outcomes["ENF-PRO-01"] == ("pass" if float(row["罚款金额（元）"]) <= 3000 else "fail")


def test_columns_of_the_clean_file_are_the_catalogs(county: Province) -> None:
    assert list(read(faulty_case_file(county, "clean").content)[0]) == list(headers().values())
