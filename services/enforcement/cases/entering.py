"""Entering cases 入库: the read rows of a confirmed file become cases and versions, all of them or none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, tuple_

from kernel.clock import local_date
from kernel.errors import Conflict
from kernel.ids import derived_id
from kernel.storage.setwise import write_rows
from kernel.storage.work import Work
from services.enforcement.cases.model import CASES, PARTS, VERSIONS
from services.enforcement.cases.reading import Read, unpack


class CaseChanged(Conflict):
    """Between check and confirmation somebody else entered or corrected the same case."""

    code = "enforcement.case_changed"
    message = "核验之后有案件已由他人导入或更正，请重新上传文件核验。"


@dataclass(frozen=True, slots=True)
class Entry:
    """Who enters which file, and why (a correction needs a reason)."""

    digest: str
    unit: str
    purpose: str
    account: str
    reason: str = ""


def enter_new(work: Work, entry: Entry) -> int:
    """Write the new cases of a file; returns how many. Raises CaseChanged when one is there already."""
    total = 0
    for reads in _parts(work, entry):
        rows = [_case_row(work, read) for read in reads]
        written = write_rows(
            work.session,
            CASES,
            rows,
            keys=("unit", "kind", "number_key"),
            on_conflict="nothing",
            returning=("id",),
        )
        if len(written) != len(rows):
            raise CaseChanged()
        versions = [_version_row(entry, row, read) for row, read in zip(rows, reads, strict=True)]
        write_rows(work.session, VERSIONS, versions)
        total += len(rows)
    return total


def enter_corrections(work: Work, entry: Entry) -> int:
    """
    Write new versions of cases that are there; the former versions stay. Returns how many.

    Raises CaseChanged when a case is no longer as it was when the file was checked.
    """
    total = 0
    for reads in _parts(work, entry):
        known = _known(work, reads)
        if any(read.key not in known or known[read.key].digest != read.former for read in reads):
            raise CaseChanged()
        rows = []
        for read in reads:
            row = _case_row(work, read)
            former = known[read.key]
            rows.append({**row, "version": former.version + 1, "looked_version": former.looked_version})
        replaced = ("number", "decided_on", "mode", "version", "digest", "look_on")
        write_rows(
            work.session,
            CASES,
            rows,
            keys=("unit", "kind", "number_key"),
            on_conflict=dict.fromkeys(replaced, "replace"),
        )
        write_rows(
            work.session,
            VERSIONS,
            [_version_row(entry, row, read) for row, read in zip(rows, reads, strict=True)],
        )
        total += len(rows)
    return total


def forget_parts(work: Work, entry: Entry) -> None:
    """Drop the read rows of a file that is dealt with."""
    work.session.execute(delete(PARTS).where(*_of(entry)))


def _parts(work: Work, entry: Entry) -> Iterator[list[Read]]:
    numbers = (
        work.session.execute(select(PARTS.c.part).where(*_of(entry)).order_by(PARTS.c.part)).scalars().all()
    )
    for number in numbers:
        wanted = select(PARTS.c.body).where(*_of(entry), PARTS.c.part == number)
        yield unpack(work.session.execute(wanted).scalar_one())


def _of(entry: Entry) -> tuple[Any, ...]:
    return PARTS.c.digest == entry.digest, PARTS.c.unit == entry.unit, PARTS.c.purpose == entry.purpose


def _known(work: Work, reads: Sequence[Read]) -> dict[tuple[str, str, str], Any]:
    keys = tuple_(CASES.c.unit, CASES.c.kind, CASES.c.number_key)
    wanted = select(CASES).where(keys.in_([read.key for read in reads])).with_for_update()
    return {(row.unit, row.kind, row.number_key): row for row in work.session.execute(wanted)}


def _case_row(work: Work, read: Read) -> dict[str, Any]:
    unit, kind, number = read.key
    now = work.clock.now()
    return {
        "id": derived_id("enforcement/cases", unit, kind, number),
        "unit": unit,
        "kind": kind,
        "number_key": number,
        "number": read.record.number,
        "decided_on": read.record.decided_on,
        "mode": read.record.mode,
        "version": 1,
        "digest": read.record.digest,
        "looked_version": 0,
        "look_on": local_date(now),
        "entered_at": now,
    }


def _version_row(entry: Entry, row: dict[str, Any], read: Read) -> dict[str, Any]:
    return {
        "case_id": row["id"],
        "version": row["version"],
        "record": read.record.stored().decode(),
        "digest": row["digest"],
        "file": entry.digest,
        "entered_by": entry.account,
        "reason": entry.reason,
        "entered_at": row["entered_at"],
    }
