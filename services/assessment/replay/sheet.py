"""The report as a workbook: one sheet a peer group, one of results without data. Text stays text (R47)."""

import io
from collections.abc import Iterable, Mapping
from typing import Any

import xlsxwriter

_HEADERS = (
    "单位代码", "单位名称", "原名次", "新名次", "名次变化", "原得分", "新得分", "原档", "新档", "原段", "新段", "主要原因",
)  # fmt: skip
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")


def workbook_of(summary: Iterable[Mapping[str, Any]], rows: Mapping[str, list[dict[str, Any]]]) -> bytes:
    """The bytes of the workbook; `rows` by peer group."""
    groups = list(summary)
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True})
        for group in groups:
            sheet = book.add_worksheet(_sheet_name(group["peer_group"]["title"]))
            sheet.freeze_panes(1, 2)
            sheet.set_column(0, 1, 24)
            sheet.set_column(11, 11, 80)
            sheet.write_row(0, 0, _HEADERS, bold)
            for number, row in enumerate(rows[group["peer_group"]["id"]], start=1):
                _write(sheet, number, row)
        sheet = book.add_worksheet("无数据的成果")
        sheet.write_row(0, 0, ("考核对象类别", "成果编码", "成果名称", "分值", "涉及单位数"), bold)
        number = 1
        for group in groups:
            for result in group["results_without_data"]:
                texts = (group["peer_group"]["title"], result["node"], result["title"], result["points"])
                for column, text in enumerate(texts):
                    sheet.write_string(number, column, safe(text))
                sheet.write_number(number, 4, result["units_waiting"])
                number += 1
    return out.getvalue()


def safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_RISKY) else text


def _write(sheet: Any, number: int, row: Mapping[str, Any]) -> None:
    before, after = row["before"] or {}, row["after"]
    sheet.write_string(number, 0, safe(row["unit"]["code"]))
    sheet.write_string(number, 1, safe(row["unit"]["name"]))
    numbers = (before.get("rank"), after["rank"], row["rank_change"])
    scores = (before.get("score"), after["score"])
    places = (before.get("tier"), after["tier"], before.get("band"), after["band"])
    for column, value in enumerate((*numbers, *scores, *places), start=2):
        if value is not None:
            sheet.write_number(number, column, float(value))
    why = "；".join(f"{reason['title']} {reason['change']}" for reason in row["reasons"] or ())
    sheet.write_string(number, 11, safe(why))


def _sheet_name(title: str) -> str:
    """A title as a sheet may be called: no marks that are forbidden there, 31 characters."""
    return "".join(mark for mark in title if mark not in "[]:*?/\\")[:31]
