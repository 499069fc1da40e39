"""
The tree of a province: governments, departments, organs, townships, and which of them enforce the law.

It is always laid out whole, even for one county: numbers that must add up over the province (8,300 bodies,
127,000 officers) are split once, and a county's rows are the same rows in every size. Ten thousand seats
take well under a second. Registers of people and cases hang on it (registry.py, cases.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from fazhi.province.codes import unit_credit_code
from fazhi.province.divisions import Place, places
from fazhi.province.kinds import DepartmentKind, OrganKind, departments, organs
from fazhi.province.records import Unit
from fazhi.province.rng import Stream, shares

# Inner Mongolia's numbers (seed of the product); other provinces in proportion to their counties.
BODIES, OFFICERS, COUNTIES = 8300, 127_000, 108

_LEVELS = ("", "province", "city", "county", "township")
_TEAMS = {1: "总队", 2: "支队", 3: "大队"}
_ZONE_DEPARTMENTS = frozenset(("fgw", "cz", "ga", "rs", "zr", "st", "zj", "cg", "yj", "scjg", "swj", "xfjy"))
_WITHOUT_ENFORCEMENT = frozenset({"xf"})
_NUMBERED = ("jtzd", "jjzd", "cszd", "nmzd", "wjzd", "stzd", "wlzd", "yjzd", "zrzd", "lczd", "szjc", "ldjc")
_TOWN_OFFICES = (
    ("ga", "公安局", "派出所"),
    ("scjg", "市场监督管理局", "市场监督管理所"),
    ("swj", "税务局", "税务所"),
)
_EXTRA_WEIGHTS = {1: 40, 2: 70, 3: 18}
_OFFICER_WEIGHTS = {1: 250, 2: 430, 3: 100, 4: 80}
_CASE_WEIGHTS = {1: 50, 2: 100, 3: 100, 4: 100}
_SINCE = date(2019, 1, 1)
_DIGITS = "零一二三四五六七八九"


@dataclass(slots=True)
class Seat:
    """A unit, and what its registers need to know when it is an enforcement body."""

    unit: Unit
    place: Place
    department: str = ""  # code of the department kind it works for
    label: str = ""  # 机关代字 of its document numbers
    enforces: bool = False
    body_kind: str = "statutory"
    officer_weight: int = 0
    case_weight: int = 0
    mix: tuple[int, int, int] = (0, 0, 0)
    serial: int = 0  # running number among the bodies of the province
    officers: int = 0


class Tree:
    """All seats of a province, superiors first."""

    def __init__(self, seed: int, province: str, folder: Path | None = None) -> None:
        self.places = {place.code: place for place in places(province, folder)}
        self.seats: list[Seat] = []
        self.by_code: dict[str, Seat] = {}
        counties = sum(1 for place in self.places.values() if place.level == 3)
        self.body_count = BODIES * counties // COUNTIES
        self.officer_count = OFFICERS * counties // COUNTIES
        self._seed = seed
        self._build()

    def under(self, code: str) -> Iterator[Seat]:
        """A unit and everything below it."""
        mark = f"/{code}/"
        return (seat for seat in self.seats if mark in seat.unit.path)

    def _build(self) -> None:
        for place in self.places.values():
            if place.level < 4:
                self._government(place)
                self._departments(place)
            else:
                self._township(place)
        self._organs()
        self._number()

    def _government(self, place: Place) -> None:
        if place.is_zone:
            name = place.name if place.name.endswith("管委会") else place.name + "管理委员会"
        else:
            name = place.full_name + ("行政公署" if place.is_dispatched else "人民政府")
        kind = "dispatched" if place.is_dispatched else "government"
        self._seat(place, place.code, name, kind, place.parent, field="general")

    def _departments(self, place: Place) -> None:
        for kind in departments():
            title = kind.names[place.level - 1]
            if not title or (place.is_zone and kind.code not in _ZONE_DEPARTMENTS):
                continue
            seat = self._seat(
                place, f"{place.code}-{kind.code}", self._department_name(place, kind), "department", place.code,
                field=kind.field,
            )  # fmt: skip
            seat.department, seat.mix = kind.code, kind.mix
            seat.label = place.short + ("公积" if kind.code == "gjj" else title[:2])
            seat.enforces = kind.code not in _WITHOUT_ENFORCEMENT
            seat.officer_weight, seat.case_weight = kind.officers, kind.cases
        if not place.is_zone:
            self._dissolved(place)

    def _department_name(self, place: Place, kind: DepartmentKind) -> str:
        title = kind.names[place.level - 1]
        above = self.places.get(place.parent)
        if title.endswith("分局") and place.level == 3 and above is not None:
            return f"{above.full_name}{title[:-2]}局{place.name}分局"
        if title.endswith("分中心") and above is not None:
            return f"{above.full_name}{title[:-3]}{place.name}分中心"
        return place.full_name + title

    def _dissolved(self, place: Place) -> None:
        """乡村振兴局 was merged into agriculture: dated lineage that registers must follow."""
        self._seat(
            place, f"{place.code}-xczx", place.full_name + "乡村振兴局", "department", place.code,
            field="agriculture", since=date(2021, 6, 1), until=date(2024, 3, 31), successor=f"{place.code}-nm",
        )  # fmt: skip

    def _township(self, place: Place) -> None:
        ending = "办事处" if place.name.endswith("街道") else "人民政府"
        name = place.full_name if place.is_dispatched else place.full_name + ending
        kind = "dispatched" if place.is_dispatched else "township"
        seat = self._seat(place, place.code, name, kind, place.parent, field="urban")
        seat.enforces = not place.is_dispatched
        ending = "街" if place.name.endswith("街道") else place.name[-1]
        seat.label = f"{self.places[place.parent].short}{place.short}{ending}政"
        seat.officer_weight, seat.case_weight, seat.mix = 7, 8, (80, 5, 15)

    def _organs(self) -> None:
        """Organs below departments fill the register up to its size, better staffed levels more."""
        spots = [place for place in self.places.values() if place.level < 4]
        fixed = sum(1 for seat in self.seats if seat.enforces)
        weights = [4 if place.is_zone else _EXTRA_WEIGHTS[place.level] for place in spots]
        for place, count in zip(spots, shares(max(0, self.body_count - fixed), weights), strict=True):
            possible = self._possible_organs(place)
            for _ in range(count):
                next(possible)

    def _possible_organs(self, place: Place) -> Iterator[Seat]:
        present = [kind for kind in organs() if f"{place.code}-{kind.department}" in self.by_code]
        for kind in present:
            yield self._organ(place, kind, 0)
        if place.level == 3 and not place.is_zone:
            yield from self._town_offices(place)
        teams = [kind for code in _NUMBERED for kind in present if kind.code == code] or present
        for number in range(1, 10_000):
            for kind in teams:
                yield self._organ(place, kind, number)

    def _organ(self, place: Place, kind: OrganKind, number: int) -> Seat:
        name = place.full_name + kind.suffix + (_TEAMS[place.level] if kind.is_team else "")
        below = {1: "支队", 2: "大队", 3: "中队"}[place.level]
        code = f"{place.code}-{kind.code}" + (f"-{number:02d}" if number else "")
        seat = self._below_department(
            place, code, kind.department, name + (f"第{_chinese(number)}{below}" if number else "")
        )
        seat.label = f"{place.short}{kind.suffix.replace('公安局交通警察', '公交')[:2]}执{number or ''}"
        seat.body_kind = kind.kind
        seat.officer_weight = kind.officers // 2 if number else kind.officers
        seat.case_weight = kind.cases // 2 if number else kind.cases
        return seat

    def _town_offices(self, place: Place) -> Iterator[Seat]:
        """派出所、市场监督管理所、税务所: authorised by statute to act in their own name."""
        towns = [
            town for town in self.places.values() if town.parent == place.code and not town.is_dispatched
        ]
        for department, bureau, office in _TOWN_OFFICES:
            if f"{place.code}-{department}" not in self.by_code:
                continue
            for town in towns:
                code = f"{place.code}-{department}-{town.code[6:]}"
                name = f"{place.full_name}{bureau}{town.short}{office}"
                seat = self._below_department(place, code, department, name)
                seat.label = f"{place.short}{town.short}{bureau[0]}所"
                seat.body_kind, seat.officer_weight, seat.case_weight = "authorised", 6, 10
                yield seat

    def _below_department(self, place: Place, code: str, department: str, name: str) -> Seat:
        above = self.by_code[f"{place.code}-{department}"]
        seat = self._seat(place, code, name, "authorised", above.unit.code, field=above.unit.field)
        seat.department, seat.mix, seat.enforces = department, above.mix, True
        return seat

    def _seat(
        self, place: Place, code: str, name: str, kind: str, parent: str, *, field: str = "",
        since: date = _SINCE, until: date | None = None, successor: str = "",
    ) -> Seat:  # fmt: skip
        path = (self.by_code[parent].unit.path if parent else "/") + code + "/"
        prefix = "12" if kind == "authorised" else "11"
        unit = Unit(
            code=code,
            name=name,
            kind=kind,
            level=_LEVELS[place.level],
            parent=parent,
            path=path,
            region_code=place.region_code,
            credit_code=unit_credit_code(prefix, place.code[:6], len(self.seats) + 1),
            field=field,
            valid_from=since,
            valid_to=until,
            successor=successor,
            version=2 if successor else 1,
        )
        seat = Seat(unit, place)
        self.seats.append(seat)
        self.by_code[code] = seat
        return seat

    def _number(self) -> None:
        """Give every body its running number, its officers (three at least) and its share of cases."""
        bodies = [seat for seat in self.seats if seat.enforces]
        weights = []
        for serial, seat in enumerate(bodies, start=1):
            jitter = Stream(self._seed, "size", seat.unit.code)
            seat.serial = serial
            seat.case_weight *= _CASE_WEIGHTS[seat.place.level] * jitter.between(70, 130)
            weights.append(seat.officer_weight * _OFFICER_WEIGHTS[seat.place.level] * jitter.between(70, 130))
        spare = self.officer_count - 3 * len(bodies)
        for seat, extra in zip(bodies, shares(spare, weights), strict=True):
            seat.officers = 3 + extra


def _chinese(number: int) -> str:
    """一 to 九十九; plain digits beyond."""
    if number > 99:
        return str(number)
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else ("十" if tens == 1 else _DIGITS[tens] + "十")
    return head + (_DIGITS[ones] if ones else "")
