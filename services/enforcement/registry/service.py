"""
What people do with the registers: load them in bulk, look them up, check a certificate in public.

A load is a stream of entries, written set-wise in batches of their own transactions: an interrupted load is run
again and changes nothing that was loaded. Entries are never deleted; a certificate that ends gets a status.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.clock import local_date
from kernel.errors import Conflict, Invalid, NotFound, Problem
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.enforcement.areas import within
from services.enforcement.registry.model import BODIES, CERTIFICATES, OFFICERS, POWERS
from services.enforcement.registry.rules import (
    BODY_KINDS,
    CERTIFICATE_KINDS,
    CERTIFICATE_STATES,
    POWER_KINDS,
    STAFF_KINDS,
    Body,
    Certificate,
    Officer,
    PowerItem,
    certificate_on,
)
from services.enforcement.tables import UNITS

BATCH = 2_000
MOST_ROWS = 200
T = TypeVar("T")
Progress = Callable[[int], None]
Page = tuple[int, list[dict[str, Any]]]


class CertificateTaken(Conflict):
    """Two officers cannot hold one certificate number of the same province."""

    code = "enforcement.certificate_taken"
    message = "执法证号已登记在其他人员名下，请核对证号和发证省份。"


class Registry:
    """The registers 名录 of one installation."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load_bodies(self, who: Principal, bodies: Iterable[Body], progress: Progress | None = None) -> int:
        """Enter or replace bodies 执法主体; returns how many. Raises Invalid on unknown kinds."""

        def write(work: Work, batch: Sequence[Body]) -> None:
            _demand("kind", BODY_KINDS, ((body.unit, body.kind) for body in batch))
            rows = [{**asdict(body), "loaded_at": work.clock.now()} for body in batch]
            _merge(work, BODIES, rows, ("unit",))

        return self._load(who, "bodies", bodies, write, progress)

    def load_officers(
        self, who: Principal, officers: Iterable[Officer], progress: Progress | None = None
    ) -> int:
        """
        Enter or replace officers 执法人员 with their certificates; returns how many officers.

        Raises CertificateTaken when a number of the same province already belongs to somebody else.
        """

        def write(work: Work, batch: Sequence[Officer]) -> None:
            now = work.clock.now()
            held = [(officer, certificate) for officer in batch for certificate in officer.certificates]
            _demand("kind", STAFF_KINDS, ((officer.code, officer.kind) for officer in batch))
            _demand("kind", CERTIFICATE_KINDS, ((each.number, each.kind) for _, each in held))
            _demand("status", CERTIFICATE_STATES, ((each.number, each.status) for _, each in held))
            people = [
                {"code": each.code, "name": each.name, "unit": each.unit, "kind": each.kind, "loaded_at": now}
                for each in batch
            ]
            _merge(work, OFFICERS, people, ("code",))
            _merge_certificates(work, [_certificate_row(officer, each, now) for officer, each in held])

        return self._load(who, "officers", officers, write, progress)

    def load_powers(
        self, who: Principal, items: Iterable[PowerItem], progress: Progress | None = None
    ) -> int:
        """Enter or replace power items 权责清单事项; returns how many."""

        def write(work: Work, batch: Sequence[PowerItem]) -> None:
            _demand("kind", POWER_KINDS, ((item.code, item.kind) for item in batch))
            rows = [{**asdict(item), "loaded_at": work.clock.now()} for item in batch]
            _merge(work, POWERS, rows, ("unit", "code"))

        return self._load(who, "powers", items, write, progress)

    def bodies(
        self, who: Principal, *, kind: str = "", query: str = "", offset: int = 0, limit: int = 50
    ) -> Page:
        """Bodies in the caller's area: total and one page, by unit code."""
        wanted = select(BODIES).where(within(who, BODIES.c.unit))
        if kind:
            wanted = wanted.where(BODIES.c.kind == kind)
        if query:
            wanted = wanted.where(BODIES.c.name.contains(query, autoescape=True))
        return self._page(wanted, (BODIES.c.unit,), offset, limit)

    def officers(
        self, who: Principal, *, unit: str = "", query: str = "", offset: int = 0, limit: int = 50
    ) -> Page:
        """Officers in the caller's area with their certificates: total and one page, by unit and code."""
        wanted = select(OFFICERS).where(within(who, OFFICERS.c.unit))
        if unit:
            wanted = wanted.where(OFFICERS.c.unit == unit)
        if query:
            wanted = wanted.where(OFFICERS.c.name.startswith(query, autoescape=True))
        total, people = self._page(wanted, (OFFICERS.c.unit, OFFICERS.c.code), offset, limit)
        with self._store.reading() as session:
            held = select(CERTIFICATES).where(CERTIFICATES.c.officer.in_([row["code"] for row in people]))
            for person in people:
                person["certificates"] = []
            by_code = {person["code"]: person for person in people}
            for row in session.execute(held.order_by(CERTIFICATES.c.number)).mappings():
                by_code[row["officer"]]["certificates"].append(dict(row))
        return total, people

    def powers(
        self, who: Principal, *, unit: str = "", kind: str = "", offset: int = 0, limit: int = 50
    ) -> Page:
        """Power items in the caller's area: total and one page, by unit and code."""
        wanted = select(POWERS).where(within(who, POWERS.c.unit))
        if unit:
            wanted = wanted.where(POWERS.c.unit == unit)
        if kind:
            wanted = wanted.where(POWERS.c.kind == kind)
        return self._page(wanted, (POWERS.c.unit, POWERS.c.code), offset, limit)

    def check_certificate(self, number: str, issuer: str = "") -> dict[str, Any]:
        """
        Public check of a shown certificate 亮证: name, unit and validity today, nothing else (行政处罚法 Art. 55).

        Raises NotFound; auxiliary staff have no enforcement certificate and are not found.
        """
        today = local_date(self._store.clock.now())
        wanted = (
            select(
                CERTIFICATES,
                OFFICERS.c.name,
                func.coalesce(BODIES.c.name, UNITS.table.c.name, "").label("unit"),
            )
            .join(OFFICERS, OFFICERS.c.code == CERTIFICATES.c.officer)
            .outerjoin(BODIES, BODIES.c.unit == CERTIFICATES.c.body)
            .outerjoin(UNITS.table, UNITS.table.c.code == CERTIFICATES.c.body)
            .where(CERTIFICATES.c.number == number, OFFICERS.c.kind == "officer")
        )
        if issuer:
            wanted = wanted.where(CERTIFICATES.c.issuer == issuer)
        with self._store.reading() as session:
            rows = session.execute(wanted.order_by(CERTIFICATES.c.valid_to.desc()).limit(1)).all()
        if not rows:
            raise NotFound("未查到该执法证号，请核对证件上的编号。", code="enforcement.unknown_certificate")
        row = rows[0]
        why = certificate_on(today, row.valid_from, row.valid_to, row.status, row.status_on)
        return {
            "number": row.number,
            "name": row.name,
            "unit": row.unit,
            "valid": not why,
            "reason": why,
            "valid_from": row.valid_from,
            "valid_to": row.valid_to,
        }

    def _load(
        self,
        who: Principal,
        register: str,
        entries: Iterable[T],
        write: Callable[[Work, Sequence[T]], None],
        progress: Progress | None,
    ) -> int:
        total = 0
        for batch in _batches(entries):
            self._store.transact(lambda work, batch=batch: write(work, batch))  # type: ignore[misc]
            total += len(batch)
            if progress is not None:
                progress(total)
        with self._store.work() as work:
            work.audit(who, f"registry.{register}_loaded", f"registry/{register}", object_version=str(total))
            work.commit()
        return total

    def _page(self, wanted: Select[Any], order: Sequence[Any], offset: int, limit: int) -> Page:
        with self._store.reading() as session:
            return _count_and_page(session, wanted, order, offset, min(limit, MOST_ROWS))


def _count_and_page(
    session: Session, wanted: Select[Any], order: Sequence[Any], offset: int, limit: int
) -> Page:
    total = session.execute(select(func.count()).select_from(wanted.subquery())).scalar_one()
    rows = session.execute(wanted.order_by(*order).offset(offset).limit(limit)).mappings()
    return total, [dict(row) for row in rows]


def _batches(entries: Iterable[T]) -> Iterator[list[T]]:
    stream = iter(entries)
    while batch := list(islice(stream, BATCH)):
        yield batch


def _merge(work: Work, table: Any, rows: Sequence[dict[str, Any]], keys: tuple[str, ...]) -> None:
    unique = {tuple(row[key] for key in keys): row for row in rows}
    replaced = {name: "replace" for name in rows[0] if name not in keys} if rows else {}
    write_rows(work.session, table, list(unique.values()), keys=keys, on_conflict=replaced)  # type: ignore[arg-type]


def _merge_certificates(work: Work, rows: Sequence[dict[str, Any]]) -> None:
    """A number stays with the officer who holds it: another one's is refused, with all of the batch."""
    unique: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        known = unique.setdefault((row["number"], row["issuer"]), row)
        if known["officer"] != row["officer"]:
            raise _taken([row["number"]])
        unique[row["number"], row["issuer"]] = row
    keys = ("number", "issuer")
    replaced = {name: "replace" for name in rows[0] if name not in keys} if rows else {}
    written = write_rows(
        work.session,
        CERTIFICATES,
        list(unique.values()),
        keys=keys,
        on_conflict=replaced,  # type: ignore[arg-type]
        only_if="old.officer = excluded.officer",
        returning=keys,
    )
    refused = unique.keys() - {(row.number, row.issuer) for row in written}
    if refused:
        raise _taken(sorted(number for number, _ in refused))


def _taken(numbers: Sequence[str]) -> CertificateTaken:
    return CertificateTaken(
        problems=[
            Problem(number, CertificateTaken.code, "该证号已登记在其他人员名下。") for number in numbers[:200]
        ]
    )


def _certificate_row(officer: Officer, certificate: Certificate, now: Any) -> dict[str, Any]:
    row = asdict(certificate)
    row["issuer"] = certificate.issuer or certificate.body[:2]
    return {**row, "officer": officer.code, "loaded_at": now}


def _demand(path: str, allowed: tuple[str, ...], found: Iterable[tuple[str, str]]) -> None:
    problems = [
        Problem(
            f"{name}.{path}",
            "enforcement.unknown_code",
            f"“{code[:40]}”不在代码表中，可用：{'、'.join(allowed)}。",
        )
        for name, code in found
        if code not in allowed
    ]
    if problems:
        raise Invalid(
            "名录中有不在代码表中的值，请改正后重新导入。",
            code="enforcement.unknown_code",
            problems=problems[:200],
        )
