"""
Small case files with one known fault each, and one sound file whose findings are stated row by row.

They are what offices really hand in: saved in GBK, a column deleted, a row pasted twice, a code from another
system, 30 February, and eighteen-digit codes that a spreadsheet turned into numbers (it keeps fifteen digits).
`problems` names line (1 is the header), column and the code of the fault, as an import report does.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from fazhi.province.case_file import Value, headers, row_of
from fazhi.province.codes import firm_credit_code
from fazhi.province.days import working_days_after
from fazhi.province.kinds import PowerKind
from fazhi.province.province import Province
from fazhi.province.records import Row
from fazhi.province.registry import Staff, is_lapsed, power_kinds
from fazhi.province.tree import Seat
from fazhi.province.workbook import Cell, csv_bytes, xlsx_bytes


@dataclass(frozen=True, kw_only=True)
class CaseFile:
    """A case file with what an import must find in it."""

    fault: str
    name: str
    content: bytes
    body: str  # unit code of the body whose cases they are
    accepted: bool  # whether all rows may be taken in; if not, none may (R48)
    problems: tuple[tuple[int, str, str], ...] = ()  # line, header, code
    expected: tuple[tuple[str, dict[str, str]], ...] = ()  # case number, outcome by probe


def faulty_case_file(box: Province, fault: str) -> CaseFile:
    """
    One file with the named fault, for the first market-regulation office of the province.

    Faults: clean, clean_xlsx, gbk, missing_column, duplicate_row, unknown_code, impossible_date,
    ruined_ids_csv, ruined_ids_xlsx. Unknown names raise KeyError.
    """
    desk = _Desk(box)
    return _FAULTS[fault](desk)


class _Desk:
    """A clerk's desk: eight cases of one office, each made for one finding."""

    def __init__(self, box: Province) -> None:
        self.box = box
        self.seat = _office(box)
        items = power_kinds(self.seat)
        self.items: dict[str, PowerKind] = {item.kind: item for item in reversed(items)}
        self.officers = Staff(box.frame, self.seat).good[:2]
        self.day = working_days_after(box.frame.first + timedelta(days=100), 1)
        self.rows: list[Row] = []
        self.expected: list[tuple[str, dict[str, str]]] = []
        self._fill()

    def file(self, fault: str, content: bytes, suffix: str = "csv") -> CaseFile:
        """The sound file under a fault's name."""
        return CaseFile(
            fault=fault,
            name=f"双公示-{self.seat.unit.code}-{fault}.{suffix}",
            content=content,
            body=self.seat.unit.code,
            accepted=True,
            expected=tuple(self.expected),
        )

    def _fill(self) -> None:
        ordinary = _outcomes("pass", _PENALTY)
        self._case("penalty", {}, ordinary | {"ENF-PRO-01": "not_applicable"})
        self._case("penalty", {"published_on": self._after(7)}, ordinary)
        self._case("penalty", {"published_on": self._after(8)}, ordinary | {"ENF-PUB-01": "fail"})
        self._case("penalty", {"opened_on": self._before(90)}, ordinary)
        self._case("penalty", {"opened_on": self._before(91)}, ordinary | {"ENF-TIM-01": "fail"})
        self._case("penalty", {"officer_certificates": self.officers[:1]}, ordinary | {"ENF-OFF-01": "fail"})
        self._case("penalty", {"served_on": self._after(8)}, ordinary | {"ENF-TIM-02": "fail"})
        self._case("penalty", {"opened_on": None}, ordinary | {"ENF-TIM-01": "not_computable"})
        simple: dict[str, Value] = {
            "procedure": "simple", "fine_yuan": 3000, "opened_on": self.day, "notified_on": self.day,
            "served_on": self.day, "reviewed_on": None, "review_result": None, "discussed_on": None,
            "hearing_notified_on": None,
        }  # fmt: skip
        self._case("penalty", simple, {"ENF-PRO-01": "pass", "ENF-PUB-01": "pass"})
        self._case("penalty", simple | {"fine_yuan": 3001}, {"ENF-PRO-01": "fail", "ENF-PUB-01": "pass"})
        licence: dict[str, Value] = {"opened_on": working_days_after(self.day, -20)}
        self._case("licence", licence, {"ENF-TIM-04": "pass", "ENF-PUB-01": "pass"})
        inspection: dict[str, Value] = {"published_on": self._after(21)}
        self._case("inspection", inspection, {"ENF-PUB-02": "fail", "ENF-OFF-01": "pass"})

    def _after(self, days: int) -> date:
        return working_days_after(self.day, days)

    def _before(self, days: int) -> date:
        return self.day - timedelta(days=days)

    def _case(self, kind: str, changes: dict[str, Value], outcomes: dict[str, str]) -> None:
        unit, item = self.seat.unit, self.items[kind]
        number = f"{self.seat.label}试〔{self.day.year}〕{len(self.rows) + 1}号"
        draft: dict[str, Value] = {
            "kind": kind,
            "number": number,
            "party_name": f"{self.seat.place.short}样例商贸有限公司",
            "party_kind": "organisation",
            "party_code": firm_credit_code(self.seat.place.code[:6], 900_000 + len(self.rows)),
            "basis": f"《{item.document}》{item.article}",
            "decided_on": self.day,
            "body_name": unit.name,
            "body_code": unit.credit_code,
            "power_item": item.code,
            "opened_on": self._before(40),
            "officer_certificates": list(self.officers),
            "certificate_shown": "yes",
            "served_on": self._after(2),
            "published_on": self._after(3),
            "recording": ["text", "audio_visual"],
            "recording_required": "yes",
            "archived_on": self._after(9),
            "mode": "entered",
        }
        if kind == "penalty":
            draft |= {
                "cause": item.cause,
                "penalty_kinds": ["fine"],
                "fine_yuan": 200_000,
                "procedure": "ordinary",
                "notified_on": working_days_after(self.day, -10),
                "hearing_notified_on": working_days_after(self.day, -10),
                "reviewed_on": working_days_after(self.day, -3),
                "review_result": "passed",
                "discussed_on": working_days_after(self.day, -1),
            }
        self.rows.append(row_of(draft | changes))
        self.expected.append((number, outcomes))


_PENALTY = (
    "ENF-SUB-01", "ENF-SUB-02", "ENF-OFF-01", "ENF-OFF-02", "ENF-OFF-03", "ENF-PRO-03", "ENF-PRO-05",
    "ENF-REV-01", "ENF-REV-03", "ENF-TIM-01", "ENF-TIM-02", "ENF-PUB-01", "ENF-REC-01", "ENF-REC-02",
    "ENF-REC-03",
)  # fmt: skip


def _outcomes(outcome: str, probes: tuple[str, ...]) -> dict[str, str]:
    return dict.fromkeys(probes, outcome)


def _office(box: Province) -> Seat:
    """The first market-regulation office in reach: it has items of every kind."""
    for body in box.bodies():
        seat = box.tree.by_code[body.unit]
        if seat.department == "scjg" and not is_lapsed(box.frame, seat):
            return seat
    raise KeyError("no market-regulation office in this province")


def _columns() -> list[str]:
    return list(headers().values())


def _clean(desk: _Desk) -> CaseFile:
    return desk.file("clean", csv_bytes(_columns(), desk.rows))


def _clean_xlsx(desk: _Desk) -> CaseFile:
    cells = [[row[header] for header in _columns()] for row in desk.rows]
    return desk.file("clean_xlsx", xlsx_bytes(_columns(), cells), "xlsx")


def _gbk(desk: _Desk) -> CaseFile:
    """Saved by an older office program: must be read, not refused."""
    return desk.file("gbk", csv_bytes(_columns(), desk.rows, "gbk"))


def _missing_column(desk: _Desk) -> CaseFile:
    header = headers()["decided_on"]
    kept = [name for name in _columns() if name != header]
    file = desk.file("missing_column", csv_bytes(kept, desk.rows))
    return _refused(file, (1, header, "enforcement.missing_column"))


def _duplicate_row(desk: _Desk) -> CaseFile:
    rows = [*desk.rows, desk.rows[0]]
    file = desk.file("duplicate_row", csv_bytes(_columns(), rows))
    return _refused(file, (len(rows) + 1, headers()["number"], "enforcement.repeated_row"))


def _unknown_code(desk: _Desk) -> CaseFile:
    kind, party = headers()["kind"], headers()["party_kind"]
    rows = [dict(row) for row in desk.rows]
    rows[1][kind], rows[2][party] = "行政裁决", "外星人"
    file = desk.file("unknown_code", csv_bytes(_columns(), rows))
    return _refused(file, (3, kind, "enforcement.unknown_code"), (4, party, "enforcement.unknown_code"))


def _impossible_date(desk: _Desk) -> CaseFile:
    decided, served = headers()["decided_on"], headers()["served_on"]
    rows = [dict(row) for row in desk.rows]
    rows[0][decided], rows[3][served] = f"{desk.day.year}-02-30", f"{desk.day.year}-13-01"
    file = desk.file("impossible_date", csv_bytes(_columns(), rows))
    return _refused(
        file, (2, decided, "enforcement.impossible_date"), (5, served, "enforcement.impossible_date")
    )


def _ruined_ids_csv(desk: _Desk) -> CaseFile:
    """What is left when a spreadsheet opened the CSV and saved it again."""
    party, body = headers()["party_code"], headers()["body_code"]
    rows = [dict(row) for row in desk.rows]
    rows[1][party], rows[4][body] = "9.1150102E+17", "111501020067218000"
    file = desk.file("ruined_ids_csv", csv_bytes(_columns(), rows))
    return _refused(file, (3, party, "enforcement.number_ruined"), (6, body, "enforcement.number_ruined"))


def _ruined_ids_xlsx(desk: _Desk) -> CaseFile:
    """A number cell instead of text: the last three digits are gone for good."""
    header = headers()["party_code"]
    cells: list[list[Cell]] = [[row[name] for name in _columns()] for row in desk.rows]
    cells[1][_columns().index(header)] = 911501020012345678.0
    file = desk.file("ruined_ids_xlsx", xlsx_bytes(_columns(), cells), "xlsx")
    return _refused(file, (3, header, "enforcement.number_ruined"))


def _refused(file: CaseFile, *problems: tuple[int, str, str]) -> CaseFile:
    return replace(file, accepted=False, problems=problems, expected=())


_FAULTS: dict[str, Callable[[_Desk], CaseFile]] = {
    "clean": _clean,
    "clean_xlsx": _clean_xlsx,
    "gbk": _gbk,
    "missing_column": _missing_column,
    "duplicate_row": _duplicate_row,
    "unknown_code": _unknown_code,
    "impossible_date": _impossible_date,
    "ruined_ids_csv": _ruined_ids_csv,
    "ruined_ids_xlsx": _ruined_ids_xlsx,
}
CASE_FILE_FAULTS = tuple(_FAULTS)
