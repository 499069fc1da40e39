"""Registers 执法主体、人员、证件、权责清单: who may enforce what, and the few who may not any more."""

from collections.abc import Iterator
from datetime import date, timedelta

from fazhi.province.frame import Frame
from fazhi.province.kinds import PowerKind, powers_of
from fazhi.province.names import person
from fazhi.province.records import Body, Certificate, Officer, PowerItem
from fazhi.province.rng import Stream
from fazhi.province.tree import Seat

KINDS = ("penalty", "licence", "inspection")
_LAPSING = ("dwws", "gcza", "lczd", "szjc", "zrzd", "yjzd")  # entrusted organs whose term may have run out
_STATUSES = ("valid", "expired", "suspended", "revoked", "returned")
_WITHDRAWN = frozenset({"suspended", "revoked", "returned"})
_CORE = 2  # so many officers of every body have valid certificates, or its work could not be made lawful


def is_lapsed(frame: Frame, seat: Seat) -> bool:
    """In every county one entrusted organ acts on after its entrustment has run out."""
    chosen = Stream(frame.seed, "lapsed", seat.place.code).pick(_LAPSING)
    return seat.place.level == 3 and seat.unit.code == f"{seat.place.code}-{chosen}"


def body(frame: Frame, seat: Seat) -> Body:
    """The register entry of one enforcement body."""
    stream = frame.stream("body", seat.unit.code)
    lapsed = is_lapsed(frame, seat)
    confirmed = date(frame.year - 4, 1, 1) + timedelta(days=stream.below(900))
    until = None
    if seat.body_kind == "entrusted":
        until = date(frame.year - 1, 3, 31) if lapsed else date(frame.year + 2, 12, 31)
    return Body(
        unit=seat.unit.code,
        name=seat.unit.name,
        credit_code=seat.unit.credit_code,
        kind=seat.body_kind,
        principal=seat.unit.parent if seat.body_kind == "entrusted" else "",
        field=seat.unit.field,
        level=seat.unit.level,
        region_code=seat.unit.region_code,
        valid_from=seat.unit.valid_from,
        valid_to=until,
        confirmed_on=confirmed,
        mode="entered" if lapsed else frame.mode(seat),
    )


def officers(frame: Frame, seat: Seat) -> Iterator[Officer]:
    """All officers of one body."""
    stream = frame.stream("officers", seat.unit.code)
    bad = 4 if frame.fault_factor(seat) > 2000 else 1
    weights = (960, 15 * bad, 6, 4, 10)
    prefix = f"{seat.place.code[:2]}{seat.serial:04d}"
    for sequence in range(1, seat.officers + 1):
        status = "valid" if sequence <= _CORE else _STATUSES[stream.weighted(weights)]
        number = f"{prefix}{sequence:04d}"
        current = _certificate(frame, stream, seat, number, status, is_core=sequence <= _CORE)
        held: tuple[Certificate, ...] = (current,)
        if status == "valid" and stream.chance(80):
            held = (_predecessor(current), current)
        yield Officer(code=f"P{number}", name=person(stream), unit=seat.unit.code, certificates=held)


def _certificate(
    frame: Frame, stream: Stream, seat: Seat, number: str, status: str, *, is_core: bool
) -> Certificate:
    """Clean ones hold over every act of the year; expired ones had ended before the oldest of them began."""
    since = date(frame.year - 3, 1, 1) + timedelta(days=stream.below(700))
    if status == "expired":
        since = since.replace(year=since.year - 4, day=min(since.day, 28))
        until = date(frame.year - 1, 1, 1) + timedelta(days=stream.below(100))
    else:
        if status == "valid" and not is_core and stream.chance(40):
            since = frame.first + timedelta(days=stream.below(200))
        until = since.replace(year=since.year + 6, day=min(since.day, 28))
    ended = frame.first + timedelta(days=stream.below(150)) if status in _WITHDRAWN else None
    return Certificate(
        number=number,
        body=seat.unit.code,
        field=seat.unit.field,
        valid_from=since,
        valid_to=until,
        status=status,
        status_on=ended,
    )


def _predecessor(current: Certificate) -> Certificate:
    until = current.valid_from - timedelta(days=1)
    since = until.replace(year=until.year - 5, day=min(until.day, 28))
    return Certificate(
        number=current.number + "A",
        body=current.body,
        field=current.field,
        valid_from=since,
        valid_to=until,
        status="expired",
    )


class Staff:
    """Certificates of one body as its cases need them: good for the whole year, and expired before it."""

    def __init__(self, frame: Frame, seat: Seat) -> None:
        oldest_act = date(frame.year - 1, 4, 30)
        latest = [officer.certificates[-1] for officer in officers(frame, seat)]
        self.good = [c.number for c in latest if c.status == "valid" and c.valid_from <= oldest_act]
        self.expired = [c.number for c in latest if c.status == "expired"]


def power_kinds(seat: Seat) -> tuple[PowerKind, ...]:
    """What the body's list holds: the items of its field for each kind of act."""
    return tuple(item for kind in KINDS for item in items_of(seat, kind))


def items_of(seat: Seat, kind: str) -> tuple[PowerKind, ...]:
    """Its items for one kind of act."""
    return powers_of(seat.department, seat.unit.field, seat.unit.level, kind)


def power_items(seat: Seat) -> Iterator[PowerItem]:
    """The power list 权责清单 of one body."""
    for kind in power_kinds(seat):
        yield PowerItem(
            unit=seat.unit.code,
            code=kind.code,
            name=kind.title,
            kind=kind.kind,
            field=seat.unit.field,
            document=kind.document,
            article=kind.article,
            review=kind.review,
        )
