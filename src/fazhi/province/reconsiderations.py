"""
Administrative reconsideration 行政复议: the year's cases against each unit, on the clocks of the 2023 law.

Facts carry the fields of the common case model (ISO dates, working days as the law says): silence after five
working days counts as acceptance, so a blank `accepted_on` without a refusal is one. Cases still open on the
last day are pending, not late.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice
from typing import Any

from fazhi.province.case_file import case_key
from fazhi.province.cases import cases
from fazhi.province.days import on_or_after, working_days_after
from fazhi.province.frame import Frame
from fazhi.province.names import firm, person
from fazhi.province.records import Reconsideration, Truth
from fazhi.province.rng import Stream
from fazhi.province.tree import Seat, Tree

_SCALE = 260_000  # case weight of a unit for one reconsideration a year
_LINKABLE = (
    150  # the year's first cases of a body may be the act complained of; reading all would cost minutes
)
_SOURCES = ("window", "post", "online", "online", "forwarded")
_CORRECTED = ("RF03", "RF04", "RF04", "RF05", "RF06", "RF07")
_NOT_CORRECTED = ("RF08", "RF08", "RF08", "RF09", "RF12", "RF13", "RF13", "RF02")
_ENDED = ("RF12", "RF13", "RF02")
_GROUNDS = ("facts", "procedure", "wrong_law", "beyond_powers", "improper", "inaction")


def reconsideration_count(frame: Frame, seat: Seat) -> int:
    """Cases against one unit in the period: busy units have more, remainders fall by lot."""
    weight = seat.case_weight if seat.enforces else 0
    if seat.unit.kind == "government" and seat.unit.level == "county":
        weight = 3 * _SCALE
    left = frame.stream("reconsideration-count", seat.unit.code).below(_SCALE)
    return frame.scaled(weight // _SCALE) + (left < weight % _SCALE)


def review_unit(tree: Tree, seat: Seat) -> str:
    """The reviewing organ: the government above; for tax the upper tax office (Arts. 24, 27)."""
    if seat.department == "swj" and seat.place.parent:
        return f"{seat.place.parent}-swj"
    at = tree.by_code[seat.unit.parent or seat.unit.code]
    while at.unit.kind != "government" and not at.unit.name.endswith("行政公署"):
        at = tree.by_code[at.unit.parent]
    return at.unit.code


def reconsiderations(frame: Frame, tree: Tree, seat: Seat) -> Iterator[tuple[Reconsideration, list[Truth]]]:
    """The cases against one unit by day of receipt, with what was planted in each."""
    count = reconsideration_count(frame, seat)
    if not count:
        return
    stream = frame.stream("reconsiderations", seat.unit.code)
    acts = [
        (date.fromisoformat(row["决定日期"]), case_key(row))
        for row, _ in islice(cases(frame, seat), _LINKABLE)
        if row["案件类型"] == "处罚"
    ]
    reviewer = review_unit(tree, seat)
    for index, received in enumerate(sorted(frame.season.draw(stream) for _ in range(count)), start=1):
        number = (
            f"{tree.by_code[reviewer].place.short}复{seat.label or seat.place.short}〔{frame.year}〕{index}号"
        )
        yield _Matter(frame, seat, stream, number, reviewer, received).run(acts)


@dataclass
class _Matter:
    """One case on its way through the clocks."""

    frame: Frame
    seat: Seat
    stream: Stream
    number: str
    reviewer: str
    received: date
    truths: list[Truth] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def run(self, acts: list[tuple[date, str]]) -> tuple[Reconsideration, list[Truth]]:
        self._application(acts)
        if self.stream.chance(60):
            self._refused()
        else:
            self._examined()
        made = Reconsideration(
            number=self.number, review_unit=self.reviewer, respondent=self.seat.unit.code, facts=self.facts
        )
        return made, self.truths

    def _application(self, acts: list[tuple[date, str]]) -> None:
        stream = self.stream
        company = stream.chance(450)
        place = self.seat.place.short
        recent = [act for act in acts if 3 <= (self.received - act[0]).days <= 55]
        act_on, act = stream.pick(recent) if recent else (self.received - timedelta(days=20), "")
        self.facts.update(
            kind="reconsideration",
            source=stream.pick(_SOURCES),
            applicant_kind="organisation" if company else "person",
            applicant=firm(stream, place) if company else person(stream),
            act_kind="penalty" if act else stream.pick(("licence", "coercion", "information", "inaction")),
            act=act,
            act_on=_iso(act_on),
            document_review=stream.chance(20),
            received_on=_iso(self.received),
            procedure="simple" if stream.chance(220) else "ordinary",
            handlers=[f"FY{stream.between(1, 40):03d}", f"FY{stream.between(41, 80):03d}"],
            committee_consulted=stream.chance(80),
        )
        for name in (
            "accepted_on", "refused_on", "copied_on", "answered_on", "extended_on", "decided_on", "outcome",
            "served_on", "grounds", "perform_due_on", "performed_on",
        ):  # fmt: skip
            self.facts[name] = None
        self.facts.update(
            suspensions=[],
            hearing={"required": False, "notified_on": None, "held_on": None, "head_attended": None},
        )

    def _refused(self) -> None:
        day = working_days_after(self.received, self.stream.between(1, 4))
        if day <= self.frame.until:
            self.facts.update(refused_on=_iso(day), outcome="RF01", decided_on=_iso(day), served_on=_iso(day))

    def _examined(self) -> None:
        clock = self._accepted()
        if clock is None:
            return
        simple = self.facts["procedure"] == "simple"
        known = date.fromisoformat(self.facts["accepted_on"]) if self.facts["accepted_on"] else clock
        copied = working_days_after(known, self.stream.between(1, 2 if simple else 6))
        self._set("copied_on", copied)
        self._answered(copied, 5 if simple else 10)
        self._decided(clock, simple=simple)

    def _accepted(self) -> date | None:
        """
        Examined in five working days (Art. 30), silence is acceptance on the fifth.

        Answers the day the clock of the decision starts from: that fifth day for whoever was later than it.
        """
        fifth = working_days_after(self.received, 5)
        late = working_days_after(self.received, self.stream.between(7, 9))
        if late <= self.frame.until and self._strikes(25):
            self.facts["procedure"] = "ordinary"
            if self.stream.chance(500):
                self._plant("DIS-ACC-01", self.reviewer, "五个工作日内未作处理，视为受理")
            else:
                self._set("accepted_on", late)
                self._plant("DIS-ACC-01", self.reviewer, "收到申请五个工作日后才决定受理")
            return fifth
        day = working_days_after(self.received, self.stream.between(1, 4))
        self._set("accepted_on", day)
        return day if day <= self.frame.until else None

    def _answered(self, copied: date, limit: int) -> None:
        """答复: ten working days from the copy, five in the simple procedure (Arts. 48, 54)."""
        if working_days_after(copied, limit) < self.frame.until and self._strikes(50):
            if limit == 10 and self.stream.chance(600):
                self._set("answered_on", working_days_after(copied, limit + self.stream.between(1, 4)))
            self._plant("DIS-ANS-01", self.seat.unit.code, "被申请人逾期答复或者不答复")
        else:
            self._set("answered_on", working_days_after(copied, self.stream.between(2, limit - 1)))

    def _decided(self, accepted: date, *, simple: bool) -> None:
        """Thirty days, or sixty and thirty more if extended; suspended days do not count (Art. 62)."""
        limit = 30 if simple else 60
        days = self.stream.between(18, 27) if simple else self.stream.between(38, 56)
        late = False
        if not simple and self.stream.chance(120):
            self._set("extended_on", accepted + timedelta(days=50))
            self.facts.update(extended_days=30, extended_approved=True)
            limit, days = limit + 30, days + 30
        elif self._strikes(30):
            late, days = True, days + 60
        if not simple and self.stream.chance(50):
            suspended = self._suspended(accepted)
            limit, days = limit + suspended, days + suspended
        decided = accepted + timedelta(days=days)
        overdue = late and on_or_after(accepted + timedelta(days=limit)) < self.frame.until
        if decided > self.frame.until:
            why = "至今未决且已逾期" if overdue else "期限未满，尚未决定"
            self._plant("DIS-TIM-01", self.reviewer, why, "fail" if overdue else "not_due")
            return
        if late:
            self._plant("DIS-TIM-01", self.reviewer, "超过法定期限作出复议决定")
        self._concluded(decided)

    def _suspended(self, accepted: date) -> int:
        begin = accepted + timedelta(days=15)
        days = self.stream.between(10, 30)
        end = begin + timedelta(days=days)
        if end > self.frame.until:
            return 0
        self.facts["suspensions"] = [{"from": _iso(begin), "to": _iso(end), "reason": "SP08"}]
        return days

    def _concluded(self, decided: date) -> None:
        stream, unit = self.stream, self.seat.unit.code
        corrected = stream.chance(min(500, 110 * self.frame.fault_factor(self.seat) // 1000 + 30))
        outcome = stream.pick(_CORRECTED if corrected else _NOT_CORRECTED)
        self._set("decided_on", decided)
        self._set("served_on", min(self.frame.until, decided + timedelta(days=stream.below(6))))
        self.facts["outcome"] = outcome
        required = stream.chance(120) and self.facts["procedure"] == "ordinary"
        if required:
            self._heard(decided)
        if not corrected:
            return
        self.facts["grounds"] = stream.pick(_GROUNDS)
        self._plant("DIS-COR-01", unit, f"行政行为被纠正（{outcome}）")
        due = decided + timedelta(days=60)
        self.facts["perform_due_on"] = _iso(due)
        if due < self.frame.until and self._strikes(80):
            self._plant("DIS-PER-01", unit, "逾期未履行复议决定")
        elif due < self.frame.until:
            self._set("performed_on", decided + timedelta(days=stream.between(5, 50)))
        else:
            self._plant("DIS-PER-01", unit, "履行期限未满", "not_due")

    def _heard(self, decided: date) -> None:
        hearing = self.facts["hearing"]
        hearing["required"] = True
        if self._strikes(60):
            if self.facts["outcome"] not in _ENDED:  # what ended without judgement needed no hearing
                self._plant("DIS-HEA-01", self.reviewer, "重大疑难复杂案件应当听证而未听证")
            return
        hearing.update(
            notified_on=_iso(working_days_after(decided, -13)),
            held_on=_iso(working_days_after(decided, -6)),
            head_attended=self.stream.chance(800),
        )

    def _strikes(self, per_mille: int) -> bool:
        return self.stream.chance(min(500, per_mille * self.frame.fault_factor(self.seat) // 1000))

    def _set(self, name: str, day: date) -> None:
        self.facts[name] = _iso(day) if day <= self.frame.until else None

    def _plant(self, probe: str, unit: str, why: str, expected: str = "fail") -> None:
        self.truths.append(
            Truth(
                subject="reconsideration", key=self.number, probe=probe, expected=expected, unit=unit, why=why
            )
        )


def _iso(day: date) -> str:
    return day.isoformat()
