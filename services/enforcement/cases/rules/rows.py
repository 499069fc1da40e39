"""
One row into one case record, with every fault it has, and the checks between its cells.

What is unlawful is let in: the probes are there to find it. What cannot have happened (a decision before its
opening, an act in the future) is a fault of the file and lets nothing in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from services.enforcement.cases.rules.cells import BadCell, clean, read_cell
from services.enforcement.cases.rules.columns import Column, Header
from services.enforcement.cases.rules.faults import Fault, shown
from services.enforcement.cases.rules.persons import is_id_number, mask_name, mask_numbers
from services.enforcement.cases.rules.record import CaseRecord, Value, from_values

OLDEST = timedelta(days=3650)
EARLIEST = date(1990, 1, 1)
TOTALS = ("合计", "总计", "小计", "共计")
_PRIVATE = frozenset({"party_name", "party_code"})
_FREE_TEXT = ("cause", "facts", "content", "basis", "body_name")
_AFTER_DECISION = ("served_on", "published_on", "archived_on", "paid_on_spot_on")
_AFTER_OPENING = ("notified_on", "hearing_notified_on", "reviewed_on", "discussed_on", "decided_on")
_PAIRS = (("paid_on_spot_on", "handed_in_on"), ("hearing_asked_on", "hearing_held_on"))


def is_blank(cells: Sequence[object]) -> bool:
    """Whether a row has nothing in it."""
    return not any(str(cell).strip() for cell in cells)


def is_total(cells: Sequence[object]) -> bool:
    """Whether a row is a totals row 合计行: it is reported, never guessed to be a case."""
    first = next((str(cell).strip() for cell in cells if str(cell).strip()), "")
    return first.rstrip("：:").replace(" ", "") in TOTALS


class RowReader:
    """Reads the rows under one header, on one day."""

    def __init__(self, header: Header, today: date) -> None:
        self._columns = sorted(header.columns.items())
        self._headers = {column.field: column.header for column in header.columns.values()}
        self._lacking = header.lacking
        self._given = header.given
        self._today = today

    def read(self, row: int, cells: Sequence[object]) -> tuple[CaseRecord | None, list[Fault]]:
        """The record, or the faults; a record with faults is not handed out."""
        values: dict[str, Value] = {}
        faults: list[Fault] = []
        filled: set[str] = set()
        for position, column in self._columns:
            cell = clean(cells[position]) if position < len(cells) else ""
            if cell in ("", None):
                continue
            filled.add(column.field)
            try:
                values[column.field] = read_cell(column, cell)
            except BadCell as bad:
                faults.append(Fault(row, column.header, bad.code, _shown(column, cell), bad.message))
        faults.extend(self._unfilled(row, str(values.get("kind", "")), filled))
        if faults:
            return None, faults
        record = _without_persons(from_values(values, self._given))
        faults.extend(self._impossible(row, record))
        return (None if faults else record), faults

    def _unfilled(self, row: int, kind: str, filled: set[str]) -> Iterator[Fault]:
        for _, column in self._columns:
            if column.field not in filled and column.required in ("always", kind):
                message = f"“{column.header}”必须填写。"
                yield Fault(row, column.header, "enforcement.required", "", message)
        for column in self._lacking:
            if column.required == kind:
                message = f"缺少“{column.header}”一列，此类案件必须填写，请补上后重新上传。"
                yield Fault(row, column.header, "enforcement.missing_column", "", message)

    def _impossible(self, row: int, record: CaseRecord) -> Iterator[Fault]:
        for field, header in self._headers.items():
            day = getattr(record, field)
            if isinstance(day, date) and not EARLIEST <= day <= self._today:
                message = (
                    "日期晚于今天，尚未发生的不能录入。" if day > self._today else "日期过早，请核对年份。"
                )
                yield Fault(row, header, "enforcement.impossible_date", day.isoformat(), message)
        if record.decided_on < self._today - OLDEST:
            message = "决定日期在十年以前，不在受理范围内。"
            yield self._fault(row, "decided_on", "enforcement.too_old", record.decided_on, message)
        if record.opened_on is not None and record.decided_on < record.opened_on:
            message = f"决定日期早于立案（受理）日期 {record.opened_on}，请核对。"
            yield self._fault(
                row, "decided_on", "enforcement.decided_before_opening", record.decided_on, message
            )
        else:
            yield from self._before(row, record, "opened_on", _AFTER_OPENING)
        yield from self._before(row, record, "decided_on", _AFTER_DECISION)
        for first, then in _PAIRS:
            yield from self._before(row, record, first, (then,))

    def _before(self, row: int, record: CaseRecord, first: str, later: Sequence[str]) -> Iterator[Fault]:
        start = getattr(record, first)
        for field in later:
            day = getattr(record, field)
            if start is not None and day is not None and day < start:
                message = f"早于“{self._headers[first]}” {start}，请核对。"
                yield self._fault(row, field, "enforcement.dates_out_of_order", day, message)

    def _fault(self, row: int, field: str, code: str, value: date, message: str) -> Fault:
        return Fault(row, self._headers[field], code, value.isoformat(), message)


def _without_persons(record: CaseRecord) -> CaseRecord:
    """The record as it may be kept: no numbers of persons anywhere, their names masked."""
    changes: dict[str, str] = {}
    for name in _FREE_TEXT:
        text = getattr(record, name)
        if (masked := mask_numbers(text)) != text:
            changes[name] = masked
    if record.party_kind == "person":
        changes.update(party_code="", party_name=mask_name(record.party_name))
    elif is_id_number(record.party_code):
        changes["party_code"] = ""
    return replace(record, **changes) if changes else record  # type: ignore[arg-type]


def _shown(column: Column, cell: object) -> str:
    if column.field in _PRIVATE:
        text = shown(cell)
        return text[:1] + "*" * (len(text) - 1)
    return mask_numbers(shown(cell))
