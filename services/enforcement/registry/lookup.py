"""What the registers say on the day of an act, for many acts at once: one statement a register."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from services.enforcement.registry.model import BODIES, CERTIFICATES, OFFICERS, POWERS
from services.enforcement.registry.rules import (
    BodyOnDay,
    CertificateOnDay,
    PowerOnList,
    body_on,
    certificate_on,
)
from services.enforcement.tables import UNITS

_FULL_WIDTH = str.maketrans("()", "（）")


@dataclass(frozen=True, slots=True)
class Registers:
    """Register entries that concern a batch of acts."""

    bodies: Mapping[str, Row[Any]]
    fields: Mapping[str, str]
    certificates: Mapping[str, Sequence[Row[Any]]]
    powers: Mapping[tuple[str, str], PowerOnList]
    with_list: frozenset[str]

    def body(self, unit: str, day: date) -> BodyOnDay | None:
        """The body on a day; None when the unit is no registered body."""
        row = self.bodies.get(unit)
        if row is None:
            return None
        why = body_on(day, row.confirmed_on, row.valid_from, row.valid_to)
        return BodyOnDay(not why, row.field, row.principal, why, row.mode)

    def field(self, unit: str) -> str:
        """The unit's field of work 领域, from the register or else the directory."""
        row = self.bodies.get(unit)
        return str(row.field) if row is not None else self.fields.get(unit, "")

    def certificate(self, number: str, province: str, day: date) -> CertificateOnDay:
        """One certificate number on a day: the own province's first, a ministry's after it."""
        rows = self.certificates.get(number, ())
        mine = [row for row in rows if row.issuer == province or row.kind == "ministerial"]
        if not mine:
            return CertificateOnDay(number, why="证号不在执法人员名录中")
        row = min(mine, key=lambda each: each.issuer != province)
        why = certificate_on(day, row.valid_from, row.valid_to, row.status, row.status_on)
        return CertificateOnDay(
            number,
            holder=row.officer,
            is_auxiliary=row.staff == "auxiliary",
            is_valid=not why,
            field=row.field,
            why=why,
        )

    def power(self, units: Iterable[str], code: str) -> PowerOnList | None:
        """An item on the list of one of these units (the body and, when entrusted, its principal)."""
        return next((self.powers[unit, code] for unit in units if (unit, code) in self.powers), None)


def look_up(
    session: Session, units: Iterable[str], numbers: Iterable[str], codes: Iterable[str]
) -> Registers:
    """The register entries of these bodies, certificate numbers and item codes."""
    wanted = set(units)
    bodies = {row.unit: row for row in session.execute(select(BODIES).where(BODIES.c.unit.in_(wanted)))}
    fields = session.execute(
        select(UNITS.table.c.code, UNITS.table.c.field).where(UNITS.table.c.code.in_(wanted))
    )
    listed = wanted | {row.principal for row in bodies.values() if row.principal}
    certificates: dict[str, list[Row[Any]]] = {}
    held = (
        select(CERTIFICATES, OFFICERS.c.kind.label("staff"))
        .join(OFFICERS, OFFICERS.c.code == CERTIFICATES.c.officer)
        .where(CERTIFICATES.c.number.in_(set(numbers)))
    )
    for row in session.execute(held):
        certificates.setdefault(row.number, []).append(row)
    items = session.execute(select(POWERS).where(POWERS.c.unit.in_(listed), POWERS.c.code.in_(set(codes))))
    with_list = session.execute(select(POWERS.c.unit).where(POWERS.c.unit.in_(listed)).distinct()).scalars()
    return Registers(
        bodies,
        {row.code: row.field for row in fields},
        certificates,
        {(row.unit, row.code): PowerOnList(row.kind, row.field, row.review, row.document) for row in items},
        frozenset(with_list),
    )


def cited_in_lists(session: Session, documents: Iterable[str]) -> frozenset[str]:
    """Which of these documents (titles without 中华人民共和国) some body's power list names, with or without it."""
    forms = {
        f"{before}{shape}{after}": title
        for title in documents
        for shape in (title, title.translate(_FULL_WIDTH), f"中华人民共和国{title}")
        for before, after in (("", ""), ("《", "》"))
    }
    found = session.execute(select(POWERS.c.document).where(POWERS.c.document.in_(forms)).distinct())
    return frozenset(forms[document] for document in found.scalars())
