"""
What people do with cases: hand in a file (check, then confirm the same bytes), read cases, have them looked at.

Checking writes nothing but the report and the read rows; confirming enters all rows in one transaction with its
audit record. The probes follow in batches of their own: a case carries the day on which it wants to be looked
at, so a crash in between loses nothing (see looking.py). Reading a file is in reading.py, writing in entering.py.
"""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from contracts.roles import UNIT_HEAD
from kernel.access.principal import SYSTEM, Principal
from kernel.clock import local_date
from kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from kernel.ids import is_id
from kernel.storage.blobs import Blobs
from kernel.storage.reach import beyond
from kernel.storage.work import Store, Work
from services.enforcement.areas import within
from services.enforcement.cases.entering import Entry, enter_corrections, enter_new, forget_parts
from services.enforcement.cases.files.limits import check_size
from services.enforcement.cases.looking import CURRENT, facts_of, look_at_waiting
from services.enforcement.cases.model import CASES, FILES, PARTS, VERSIONS
from services.enforcement.cases.reading import Reading
from services.enforcement.cases.report import (
    CHECKED,
    CORRECTION,
    FORGOTTEN,
    IMPORTED,
    NEW,
    REFUSED,
    ImportReport,
)
from services.enforcement.cases.rules.columns import ColumnSet
from services.enforcement.cases.view import CaseDetail, case_detail
from services.enforcement.law import Law
from services.enforcement.tables import UNITS

MOST_ROWS = 200
LOOK_BATCH = 250
KEPT_UNCONFIRMED = timedelta(days=7)
Progress = Callable[[str, int], None]


class FileHasFaults(Invalid):
    """The file was read and refused; `problems` name rows and columns."""

    code = "enforcement.file_has_faults"
    message = "文件有错误，未导入任何一行；请按报告逐行修改后重新上传。"


class Cases:
    """The cases 执法案件 of one installation."""

    def __init__(self, store: Store, blobs: Blobs, law: Law, columns: ColumnSet) -> None:
        self._store = store
        self._blobs = blobs
        self._law = law
        self._columns = columns

    # --- case files -------------------------------------------------------------------------------------

    def check_file(
        self,
        who: Principal,
        content: bytes,
        name: str,
        *,
        purpose: str = NEW,
        reason: str = "",
        progress: Progress | None = None,
    ) -> ImportReport:
        """
        Read and check a file 核验; nothing is entered. The report is kept, and the rows until confirmation.

        The same bytes once imported give the report of that time. Raises Invalid when the file cannot be read
        as a table at all, TooLarge above the limits.
        """
        check_size(len(content))
        digest = hashlib.sha256(content).hexdigest()
        if purpose == CORRECTION and not reason.strip():
            raise Invalid("更正须写明理由，请填写后重新上传。", code="enforcement.reason_missing")
        known = self._known_file(who, digest, purpose)
        if known is not None and known.state == IMPORTED:
            report = ImportReport.restored(known.report)
            report.already_imported = True
            return report
        report = ImportReport(digest, Path(name).name[:255], who.unit, purpose)
        with self._store.reading() as session:
            today = local_date(self._store.clock.now())
            reading = Reading(session, who, self._columns, today, report)
            reading.read(content, name, (lambda rows: progress("核验", rows)) if progress else None)
        report = report.closed()
        parts = reading.parts if report.state == CHECKED else []
        if parts:
            self._blobs.put(content)  # the file is the evidence of every finding about its cases
        self._store.transact(lambda work: self._keep(work, who, report, parts, reason))
        return report

    def confirm(self, who: Principal, digest: str, *, purpose: str = NEW) -> ImportReport:
        """
        Enter a checked file 导入: all rows or none, audited. Confirming again gives the same report.

        Raises NotFound (never checked, or forgotten after a week), FileHasFaults, CaseChanged, and NotAllowed
        when a correction is confirmed by whoever handed it in: a score is not corrected by one person (R26, R37).
        """
        return self._store.transact(lambda work: self._enter(work, who, digest, purpose))

    def import_file(self, who: Principal, path: Path, *, progress: Progress | None = None) -> ImportReport:
        """
        Check, confirm and look at a file in one go, for the command line; `progress(step, rows done)`.

        Returns the report when the file was refused: nothing is entered then.
        """
        check_size(path.stat().st_size)
        report = self.check_file(who, path.read_bytes(), path.name, progress=progress)
        if report.state == REFUSED:
            return report
        if not report.already_imported:
            report = self.confirm(who, report.digest)
        done = 0
        while looked := self.look_at_waiting():
            done += looked
            if progress is not None:
                progress("评查", done)
        return report

    def report(self, who: Principal, digest: str, *, purpose: str = NEW) -> ImportReport:
        """The report of a file this unit handed in. Raises NotFound."""
        known = self._known_file(who, digest, purpose)
        if known is None:
            raise _no_such_file()
        return ImportReport.restored(known.report)

    def content(self, who: Principal, digest: str) -> tuple[str, bytes]:
        """
        The file as it was handed in, with its name: the evidence behind findings.

        Raises NotFound unless every case of the file lies in the caller's area: one file may hold many units' cases.
        """
        with (
            self._store.reading() as session,
            beyond("a file is given out only if no other unit's case is in it", session),
        ):
            units = (
                select(CASES.c.unit)
                .join(VERSIONS, VERSIONS.c.case_id == CASES.c.id)
                .where(VERSIONS.c.file == digest)
            )
            seen = session.execute(units.where(within(who, CASES.c.unit)).limit(1)).first()
            foreign = session.execute(units.where(~within(who, CASES.c.unit)).limit(1)).first()
            name = session.execute(select(FILES.c.name).where(FILES.c.digest == digest).limit(1)).scalar()
        if seen is None or foreign is not None or name is None:
            raise NotFound(
                "没有这份案件文件，或其中有不属于您管辖范围的案件。", code="enforcement.unknown_file"
            )
        return name, self._blobs.get(f"sha256:{digest}")

    # --- reading ----------------------------------------------------------------------------------------

    def page(
        self,
        who: Principal,
        *,
        unit: str = "",
        kind: str = "",
        first: date | None = None,
        last: date | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> tuple[int, list[dict[str, Any]]]:
        """Cases in the caller's area, newest decision first: total and one page."""
        conditions = [within(who, CASES.c.unit)]
        if unit:
            conditions.append(CASES.c.unit == unit)
        if kind:
            conditions.append(CASES.c.kind == kind)
        if first is not None:
            conditions.append(CASES.c.decided_on >= first)
        if last is not None:
            conditions.append(CASES.c.decided_on <= last)
        names = UNITS.table
        wanted = (
            select(CASES, func.coalesce(names.c.name, "").label("unit_name"))
            .outerjoin(names, names.c.code == CASES.c.unit)
            .where(*conditions)
            .order_by(CASES.c.decided_on.desc(), CASES.c.id)
            .offset(offset)
            .limit(min(limit, MOST_ROWS))
        )
        with self._store.reading() as session:
            total = session.execute(select(func.count()).select_from(CASES).where(*conditions)).scalar_one()
            return total, [dict(row) for row in session.execute(wanted).mappings()]

    def one(self, who: Principal, case: str) -> CaseDetail:
        """One case with its fields, timeline and findings as of today. Raises NotFound outside the area."""
        with self._store.reading() as session:
            wanted = CURRENT.where(CASES.c.id == case, within(who, CASES.c.unit))
            row = session.execute(wanted).one_or_none() if is_id(case) else None
            if row is None:
                raise NotFound("未找到该案件，或不在您的管辖范围内。", code="enforcement.unknown_case")
            today = local_date(self._store.clock.now())
            facts = facts_of(session, self._law, [row], today)[0]
            history = session.execute(
                select(VERSIONS.c.version, VERSIONS.c.entered_at, VERSIONS.c.reason)
                .where(VERSIONS.c.case_id == case)
                .order_by(VERSIONS.c.version)
            ).all()
            return case_detail(session, row, facts, history, self._columns)

    # --- looking ----------------------------------------------------------------------------------------

    def look_at_waiting(self, limit: int = LOOK_BATCH) -> int:
        """Look at one batch of cases whose day has come; returns how many. Call again until it returns 0."""
        with beyond("cases are looked at when their day comes, whoever happens to ask for the next batch"):
            return self._store.transact(lambda work: look_at_waiting(work, self._law, limit))

    def look_again(self, who: Principal, *, unit: str = "") -> int:
        """Have every case of a unit, or all, looked at again: after a register was corrected."""

        def mark(work: Work) -> int:
            wanted = update(CASES).where(within(who, CASES.c.unit))
            if unit:
                wanted = wanted.where(CASES.c.unit == unit)
            result = work.session.connection().execute(wanted.values(look_on=local_date(work.clock.now())))
            work.audit(who, "cases.look_again", f"cases/{unit}", object_version=str(result.rowcount))
            return int(result.rowcount)

        return self._store.transact(mark)

    def forget_unconfirmed(self) -> int:
        """Drop the read rows of files nobody confirmed within a week; the reports stay."""

        def drop(work: Work) -> int:
            before = work.clock.now() - KEPT_UNCONFIRMED
            old = select(FILES).where(FILES.c.state == CHECKED, FILES.c.checked_at < before).limit(100)
            rows = work.session.execute(old).all()
            for row in rows:
                forget_parts(work, Entry(row.digest, row.unit, row.purpose, SYSTEM.account))
                place = (
                    FILES.c.digest == row.digest,
                    FILES.c.unit == row.unit,
                    FILES.c.purpose == row.purpose,
                )
                work.session.execute(update(FILES).where(*place).values(state=FORGOTTEN))
            return len(rows)

        return self._store.transact(drop)

    def _known_file(self, who: Principal, digest: str, purpose: str) -> Any:
        with self._store.reading() as session:
            return session.execute(select(FILES).where(*_place(digest, who.unit, purpose))).one_or_none()

    def _keep(
        self, work: Work, who: Principal, report: ImportReport, parts: list[bytes], reason: str
    ) -> None:
        place = (report.digest, report.unit, report.purpose)
        state = work.session.execute(select(FILES.c.state).where(*_place(*place)).with_for_update()).scalar()
        if state == IMPORTED:
            raise Conflict("该文件刚刚已由他人导入，请刷新后查看报告。", code="enforcement.already_imported")
        work.session.execute(delete(FILES).where(*_place(*place)))
        entry = Entry(*place, who.account)
        forget_parts(work, entry)
        key = {"digest": report.digest, "unit": report.unit, "purpose": report.purpose}
        values = {
            "name": report.name,
            "state": report.state,
            "report": report.stored(),
            "reason": reason.strip()[:500],
            "checked_by": who.account,
            "checked_at": work.clock.now(),
        }
        work.session.execute(insert(FILES).values(**key, **values))
        for number, body in enumerate(parts):
            work.session.execute(insert(PARTS).values(**key, part=number, body=body))
        work.audit(
            who, f"case_file.{report.state}", f"case_files/{report.digest}", after_digest=report.digest
        )

    def _enter(self, work: Work, who: Principal, digest: str, purpose: str) -> ImportReport:
        place = _place(digest, who.unit, purpose)
        file = work.session.execute(select(FILES).where(*place).with_for_update()).one_or_none()
        if file is None or file.state == FORGOTTEN:
            raise _no_such_file()
        report = ImportReport.restored(file.report)
        if file.state == IMPORTED:
            report.already_imported = True
            return report
        if file.state == REFUSED:
            raise FileHasFaults(problems=report.problems)
        entry = Entry(digest, who.unit, purpose, who.account, file.reason)
        if purpose == CORRECTION:
            _demand_second_person(who, file.checked_by)
            enter_corrections(work, entry)
        else:
            enter_new(work, entry)
        forget_parts(work, entry)
        report.state = IMPORTED
        now = work.clock.now()
        imported = {
            "state": IMPORTED,
            "report": report.stored(),
            "imported_by": who.account,
            "imported_at": now,
        }
        work.session.execute(update(FILES).where(*place).values(**imported))
        action = "case_file.corrections_imported" if purpose == CORRECTION else "case_file.imported"
        work.audit(who, action, f"case_files/{digest}", after_digest=digest, object_version=str(report.rows))
        return report


def _place(digest: str, unit: str, purpose: str) -> tuple[Any, ...]:
    return FILES.c.digest == digest, FILES.c.unit == unit, FILES.c.purpose == purpose


def _demand_second_person(who: Principal, handed_in_by: str) -> None:
    if who.account == handed_in_by or not who.has(UNIT_HEAD):
        raise NotAllowed(
            "更正会改变已计分的结果，须由本单位负责人（提交人以外的人员）确认。",
            code="enforcement.second_person",
        )


def _no_such_file() -> NotFound:
    return NotFound("没有待确认的文件，请先上传核验（核验结果保留七天）。", code="enforcement.unknown_file")
