"""Builders for enforcement: a lawful case and its facts, rows and files of cases, valid unless a line differs."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

import xlsxwriter

from kernel.settings import Settings
from services.enforcement.cases.rules.basis import parse_bases
from services.enforcement.cases.rules.columns import ColumnSet
from services.enforcement.cases.rules.record import DATA_FIELDS, CaseRecord
from services.enforcement.law import KnownDocument, Law
from services.enforcement.probes.facts import CaseFacts
from services.enforcement.registry.rules import BodyOnDay, CertificateOnDay, PowerOnList

CATALOG = Settings().catalog
TODAY = date(2026, 11, 2)
BODY_CODE = "11150102XN00504666"
EVERYTHING = frozenset(DATA_FIELDS)
Row = dict[str, Any]


@lru_cache(maxsize=1)
def the_law() -> Law:
    """The law as the shipped catalog has it."""
    return Law.load(CATALOG)


@lru_cache(maxsize=1)
def the_columns() -> ColumnSet:
    """The columns as the shipped catalog has them."""
    return ColumnSet.load(CATALOG / "imports" / "enforcement_cases.yaml")


def a_penalty(**changes: Any) -> CaseRecord:
    """A lawful penalty by ordinary procedure, decided on Friday 13 March 2026, below the hearing amount."""
    lawful = CaseRecord(
        kind="penalty",
        number="新城市监罚〔2026〕7号",
        party_name="内蒙古某某商贸有限公司",
        party_kind="organisation",
        party_code="91150100MA0000007W",
        cause="经营标签不合规的食品",
        basis="《行政处罚法》第二十八条",
        penalty_kinds=("fine",),
        fine_yuan=Decimal(2000),
        decided_on=date(2026, 3, 13),
        body_name="新城区市场监督管理局",
        body_code=BODY_CODE,
        procedure="ordinary",
        power_item="MKT-1",
        opened_on=date(2026, 1, 12),
        officer_certificates=("15000001", "15000002"),
        certificate_shown="yes",
        notified_on=date(2026, 3, 2),
        reviewed_on=date(2026, 3, 10),
        review_result="passed",
        served_on=date(2026, 3, 16),
        published_on=date(2026, 3, 17),
        recording=("text",),
        recording_required="no",
        archived_on=date(2026, 3, 30),
        given=EVERYTHING,
    )
    return replace(lawful, **changes)


def a_major_penalty(**changes: Any) -> CaseRecord:
    """A lawful penalty of the hearing class: 200,000 yuan, hearing offered, reviewed, discussed."""
    major = {
        "fine_yuan": Decimal(200_000),
        "hearing_notified_on": date(2026, 3, 2),
        "discussed_on": date(2026, 3, 11),
    }
    return a_penalty(**{**major, **changes})


def a_simple_penalty(**changes: Any) -> CaseRecord:
    """A lawful penalty on the spot: 100 yuan from a citizen."""
    simple = {
        "procedure": "simple",
        "party_kind": "person",
        "party_name": "张某某",
        "party_code": "",
        "fine_yuan": Decimal(100),
        "opened_on": date(2026, 3, 13),
    }
    return a_penalty(**{**simple, **changes})


def a_licence(**changes: Any) -> CaseRecord:
    """A lawful licence, decided 14 working days after acceptance."""
    licence = {
        "kind": "licence",
        "procedure": "",
        "penalty_kinds": (),
        "fine_yuan": None,
        "opened_on": date(2026, 3, 2),
    }
    return a_penalty(**{**licence, **changes})


def an_inspection(**changes: Any) -> CaseRecord:
    """A lawful inspection on 13 March 2026."""
    inspection = {"kind": "inspection", "procedure": "", "penalty_kinds": (), "fine_yuan": None}
    return a_penalty(**{**inspection, "opened_on": date(2026, 3, 13), **changes})


def a_certificate(number: str, **changes: Any) -> CertificateOnDay:
    """A valid certificate of an officer of the market field."""
    valid = CertificateOnDay(number, holder=f"P{number}", is_valid=True, field="market")
    return replace(valid, **changes)


def facts(case: CaseRecord, **changes: Any) -> CaseFacts:
    """What the probes see of a case whose body, officers and item are all in order."""
    orderly = CaseFacts(
        case=case,
        law=the_law(),
        today=TODAY,
        field="market",
        body=BodyOnDay(True, "market", ""),
        certificates=tuple(a_certificate(number) for number in case.officer_certificates),
        power=PowerOnList(case.kind, "market", "major", "行政处罚法"),
        has_power_list=True,
        cited=parse_bases(case.basis),
        documents={"行政处罚法": KnownDocument("行政处罚法", 86, None)},
    )
    return replace(orderly, **changes)


def a_row(**changes: Any) -> Row:
    """A row of a case file by Chinese header: a lawful penalty; a change to None leaves the cell empty."""
    row: Row = {
        "案件类型": "处罚",
        "决定书文号": "新城市监罚〔2026〕7号",
        "行政相对人名称": "内蒙古某某商贸有限公司",
        "行政相对人类别": "法人及非法人组织",
        "行政相对人代码": "91150100MA0000007W",
        "违法行为类型": "经营标签不合规的食品",
        "处罚依据": "《行政处罚法》第二十八条",
        "处罚类别": "罚款",
        "罚款金额（元）": "2000",
        "决定日期": "2026-03-13",
        "决定机关": "新城区市场监督管理局",
        "决定机关统一社会信用代码": BODY_CODE,
        "适用程序": "普通",
        "权责清单事项编码": "MKT-1",
        "立案日期": "2026-01-12",
        "执法人员证号": "15000001、15000002",
        "是否亮证": "是",
        "处罚告知日期": "2026-03-02",
        "法制审核日期": "2026-03-10",
        "法制审核结论": "通过",
        "送达日期": "2026-03-16",
        "公示日期": "2026-03-17",
        "全过程记录": "文字",
        "是否应当音像记录": "否",
        "归档日期": "2026-03-30",
        "接入模式": "录入",
    }
    return {**row, **changes}


def rows_of(count: int, **changes: Any) -> list[Row]:
    """So many lawful rows with numbers of their own."""
    return [a_row(**{"决定书文号": f"新城市监罚〔2026〕{n}号", **changes}) for n in range(1, count + 1)]


def csv_file(rows: Sequence[Row], encoding: str = "utf-8-sig", headers: Sequence[str] = ()) -> bytes:
    """Rows as a CSV file."""
    out = io.StringIO()
    names = list(headers or rows[0])
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([_cell(row, name) for name in names] for row in rows)
    return out.getvalue().encode(encoding)


def xlsx_file(
    rows: Sequence[Row], *, raw: Mapping[tuple[int, int], Any] | None = None, title: str = ""
) -> bytes:
    """Rows as a workbook; `raw` puts a number or "=formula" into a cell (row and column counted from 0)."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet("案件")
        names = list(rows[0])
        top = 0
        if title:
            sheet.merge_range(0, 0, 0, 5, title)
            top = 1
        for column, name in enumerate(names):
            sheet.write_string(top, column, name)
        for number, row in enumerate(rows):
            for column, name in enumerate(names):
                sheet.write_string(top + number + 1, column, str(_cell(row, name)))
        for (line, column), value in (raw or {}).items():
            if isinstance(value, str) and value.startswith("="):
                sheet.write_formula(line, column, value, value=1)
            else:
                sheet.write(line, column, value)
    return out.getvalue()


def _cell(row: Row, name: str) -> Any:
    value = row.get(name)
    return "" if value is None else value
