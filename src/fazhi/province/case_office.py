"""
One body at work: the draft of a case, its people, items and numbers, and the faults that befall it.

Every case is first made lawful with room to spare; then faults strike it with a chance that depends on how
good the unit is, and each is written down as a truth. So the failures a platform finds in these rows are
exactly the truths. Facts are those known on the last day: a step due later than that is not planted late.
The steps of each kind of act are in penalties.py and permits.py.
"""

from datetime import date

from fazhi.province.case_file import Value, case_key, row_of
from fazhi.province.codes import firm_credit_code
from fazhi.province.days import is_working_day, working_days_after
from fazhi.province.frame import Frame
from fazhi.province.kinds import PowerKind
from fazhi.province.names import firm, person, shop
from fazhi.province.records import Row, Truth
from fazhi.province.registry import KINDS, Staff, is_lapsed, items_of
from fazhi.province.rng import Stream
from fazhi.province.tree import Seat

_SEEN_IN_REPORTS = frozenset({"ENF-PUB-01", "ENF-PUB-02", "ENF-PRO-01", "ENF-DOC-01"})
_HOLIDAY_FIELDS = frozenset({"public_security", "urban", "transport"})
_UNKNOWN_BASES = (
    "《城市综合管理暂行规定》第九条",
    "《行政处罚法》第一百九十九条",
    "《市场交易管理试行办法》第十二条",
)
_NO_CODE = "person"


class CaseDraft:
    """One case being made: its fields, and the faults that were put in."""

    def __init__(self, office: "CaseOffice", kind: str, decided: date) -> None:
        self.office = office
        self.stream = office.stream
        self.decided = decided
        self.fields: dict[str, Value] = {"kind": kind, "decided_on": decided}
        self.faults: list[tuple[str, str]] = []

    def strikes(self, probe: str, per_mille: int) -> bool:
        """Whether this fault befalls the case."""
        office = self.office
        if office.mode == "reported" and probe not in _SEEN_IN_REPORTS:
            return False
        return self.stream.chance(min(600, per_mille * office.factor // 1000))

    def plant(self, probe: str, why: str) -> None:
        """Write a fault down."""
        self.faults.append((probe, why))

    def on(self, field: str, day: date | None) -> None:
        """A step and its day; what lies beyond the last day was hurried and done by it."""
        self.fields[field] = None if day is None else min(day, self.office.frame.until)

    def late(self, field: str, limit: int, probe: str, why: str, *, most: int = 90) -> bool:
        """
        A step some working days after its limit, with a long tail up to `most`, or not done by the last day.

        Answers no if the limit is not over yet: then there is nothing late to plant. From a unit that only
        reports, a blank means nothing, so its late steps are dated.
        """
        until = self.office.frame.until
        if working_days_after(self.decided, limit) >= until:
            return False
        tail = self.stream.early(1, most) if self.stream.chance(300) else self.stream.early(1, min(15, most))
        day = working_days_after(self.decided, limit + tail)
        if day > until and self.office.mode == "reported":
            day = until
        self.fields[field] = day if day <= until else None
        self.plant(probe, why if day <= until else why + "（至今未办）")
        return True


class CaseOffice:
    """One body at work: its people, its items, its case numbers."""

    def __init__(self, frame: Frame, seat: Seat) -> None:
        self.frame, self.seat = frame, seat
        self.stream: Stream = frame.stream("cases", seat.unit.code)
        self.mode = "entered" if is_lapsed(frame, seat) else frame.mode(seat)
        self.factor = frame.fault_factor(seat) // (2 if self.mode == "real_time" else 1)
        self.staff = Staff(frame, seat)
        self.items = {kind: items_of(seat, kind) for kind in KINDS}
        self.place = seat.place.short
        self._numbers: dict[str, int] = {}

    def open(self, kind: str, decided: date) -> CaseDraft:
        """A draft with everything that does not depend on the kind of act."""
        draft = CaseDraft(self, kind, decided)
        unit = self.seat.unit
        draft.fields.update(body_name=unit.name, body_code=unit.credit_code, mode=self.mode)
        return draft

    def number(self, draft: CaseDraft, letter: str) -> None:
        """The next document number 文号 of this letter."""
        serial = self._numbers[letter] = self._numbers.get(letter, 0) + 1
        draft.fields["number"] = f"{self.seat.label}{letter}〔{draft.decided.year}〕{serial}号"

    def party(self, draft: CaseDraft, kind: str) -> None:
        """The other side 行政相对人; natural persons carry no code."""
        stream = self.stream
        if kind == "organisation":
            name = firm(stream, self.place)
        else:
            name = person(stream) if kind == _NO_CODE else shop(stream, self.place)
        code = "" if kind == _NO_CODE else firm_credit_code(self.seat.place.code[:6], stream.below(1_000_000))
        draft.fields.update(party_name=name, party_kind=kind, party_code=code)

    def item(self, draft: CaseDraft, kind: str) -> PowerKind:
        """The power item and its basis; seldom one that is not on the list or stands in no law."""
        item = self.stream.pick(self.items[kind])
        draft.fields["basis"] = f"《{item.document}》{item.article}"
        draft.fields["power_item"] = item.code
        if draft.strikes("ENF-SUB-02", 5):
            draft.fields["power_item"] = "WQ-CF-999"
            draft.plant("ENF-SUB-02", "事项不在本机关权责清单内")
        if draft.strikes("ENF-DOC-01", 4):
            draft.fields["basis"] = self.stream.pick(_UNKNOWN_BASES)
            draft.plant("ENF-DOC-01", "所引依据不存在")
        return item

    def people(self, draft: CaseDraft) -> None:
        """Two officers with valid certificates, shown on their own motion, unless a fault strikes."""
        pair = list(self.stream.pair(self.staff.good))
        if self.staff.expired and draft.strikes("ENF-OFF-02", 12):
            pair[0] = self.stream.pick(self.staff.expired)
            draft.plant("ENF-OFF-02", "执法人员证件在行为发生前已过期")
        if draft.strikes("ENF-OFF-01", 8):
            del pair[1:]
            draft.plant("ENF-OFF-01", "只有一名执法人员")
        draft.fields["officer_certificates"] = pair
        draft.fields["certificate_shown"] = "yes"
        if draft.strikes("ENF-OFF-03", 10):
            draft.fields["certificate_shown"] = "no"
            draft.plant("ENF-OFF-03", "未亮证")

    def published(self, draft: CaseDraft, limit: int, probe: str, per_mille: int) -> None:
        """公示: in time by a day at least, or late by days or months, or not at all."""
        first = 0 if is_working_day(draft.decided) else 1
        why = f"超过{limit}个工作日公示"
        if not (draft.strikes(probe, per_mille) and draft.late("published_on", limit, probe, why)):
            draft.on("published_on", working_days_after(draft.decided, self.stream.early(first, limit - 1)))

    def close(self, draft: CaseDraft) -> tuple[Row, list[Truth]]:
        """The finished row with its truths."""
        if is_lapsed(self.frame, self.seat):
            draft.plant("ENF-SUB-01", "委托期限届满后仍以委托机关名义执法")
        row = row_of(draft.fields)
        key = case_key(row)
        truths = [self._truth(key, probe, "fail", why) for probe, why in draft.faults]
        if not is_working_day(draft.decided):
            truths.append(self._truth(key, "", "odd", "节假日作出的决定"))
        return row, truths

    def _truth(self, key: str, probe: str, expected: str, why: str) -> Truth:
        return Truth(
            subject="enforcement_case",
            key=key,
            probe=probe,
            expected=expected,
            unit=self.seat.unit.code,
            why=why,
        )

    def decision_day(self) -> date:
        """A working day; the police and the like act on holidays now and then."""
        season = self.frame.season
        if self.seat.unit.field in _HOLIDAY_FIELDS and season.holidays and self.stream.chance(6):
            return self.stream.pick(season.holidays)
        return season.draw(self.stream)
