"""A year of enforcement cases 行政执法案件, body by body; how one case is made is in case_office.py."""

from collections.abc import Iterator

from fazhi.province.case_office import CaseOffice
from fazhi.province.days import is_working_day
from fazhi.province.frame import Frame
from fazhi.province.penalties import penalty
from fazhi.province.permits import inspection, licence
from fazhi.province.records import Row, Truth
from fazhi.province.tree import Seat

_SCALE = 9000  # case weight of a body for one case a year
_MAKERS = (penalty, licence, inspection)


def case_count(frame: Frame, seat: Seat) -> int:
    """How many cases the body has in the period."""
    return frame.scaled(seat.case_weight // _SCALE)


def cases(frame: Frame, seat: Seat) -> Iterator[tuple[Row, list[Truth]]]:
    """The cases of one body by day of decision, with what was planted in each."""
    count = case_count(frame, seat)
    if not count:
        return
    office = CaseOffice(frame, seat)
    for decided in sorted(office.decision_day() for _ in range(count)):
        if is_working_day(decided):
            yield _MAKERS[office.stream.weighted(seat.mix)](office, decided)
        else:
            yield penalty(office, decided)
