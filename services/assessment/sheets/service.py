"""
What is done with sheets: handed out, filled in with marks, reasons and files, corrected with a reason.

Handing in makes one score fact a result, in the same transaction; handing in again corrects those facts, and both
versions stay; what an upheld objection corrected is replaced only by who says so. A third party sees the sheets it
was given and nothing else (R36). As of a past moment 截至 what was handed out, added and handed in until then is
there; who may see it is said of today.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Row, func, insert, select
from sqlalchemy.orm import Session

from contracts.findings import Evidence, Finding, Mode, Outcome
from contracts.roles import AUDIT_ADMIN, INSPECTOR
from kernel.access.principal import Principal
from kernel.clock import local_date
from kernel.errors import Conflict, NotFound, RuleViolation, TooLarge
from kernel.files.intake import Kept
from kernel.ids import is_id, new_id
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework
from services.assessment.objections.upheld import Held, Replacing, demand_said, held_by, note_replaced, told
from services.assessment.publication.closing import require_open
from services.assessment.ranking.known import end_of, framework_at, until
from services.assessment.reach import within
from services.assessment.reporting.reach import unit_names
from services.assessment.reporting.rules import check_begun
from services.assessment.reporting.scored import occurred_at
from services.assessment.scoring.model import LOG_HEAD
from services.assessment.scoring.own import PROBE_VERSION, OwnFact, append_own
from services.assessment.scoring.tallies import Assessed, assessed_units
from services.assessment.sheets.model import SHEET_FILES, SHEET_VERSIONS, SHEETS
from services.assessment.sheets.rules import (
    KINDS,
    Item,
    Kind,
    SheetFile,
    Version,
    check_items,
    check_not_own,
    check_results,
    check_still_asked,
)
from services.assessment.tables import UNITS

MOST_FILES = 50


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: who looks at which unit, until when."""

    id: str
    kind: Kind
    framework: str
    period: str
    unit: str
    unit_name: str
    results: tuple[str, ...]
    assignee: str
    due_on: date
    issued_at: datetime
    versions: int


class Sheets:
    """The sheets of an installation."""

    def __init__(self, store: Store, frameworks: Frameworks) -> None:
        self._store = store
        self._frameworks = frameworks

    def hand_out(
        self,
        who: Principal,
        kind: Kind,
        period: str,
        units: Sequence[str],
        results: Sequence[str],
        assignee: str,
        due_on: date,
    ) -> list[str]:
        """One sheet a unit for the same person. Raises Invalid, NotFound for a unit out of the caller's reach."""
        framework = self._frameworks.in_force(int(period))
        with self._store.work() as work:
            require_open(work.session, period)
            rows = []
            for unit in self._reached(work.session, framework, who, units):
                check_results(framework, unit.group.id, results)
                rows.append(
                    {
                        "id": new_id(),
                        "kind": kind,
                        "framework": framework.id,
                        "period": period,
                        "unit": unit.code,
                        "results": orjson.dumps(results).decode(),
                        "assignee": assignee,
                        "due_on": due_on,
                        "issued_by": who.account,
                        "issued_at": work.clock.now(),
                    }
                )
            write_rows(work.session, SHEETS, rows)
            for row in rows:
                work.audit(who, "sheet.handed_out", f"sheets/{row['id']}")
            work.commit()
        return [str(row["id"]) for row in rows]

    def end_of(self, day: date | None) -> datetime | None:
        """The moment as of which a past day is shown; None for now. Raises Invalid."""
        return end_of(self._store.clock, day)

    def mine(self, who: Principal, at: datetime | None = None) -> list[Sheet]:
        """The sheets this caller may see (of those handed out until a moment), those due first."""
        with self._store.reading() as session:
            theirs = SHEETS.c.assignee == who.account
            if who.has(INSPECTOR, AUDIT_ADMIN):
                theirs |= within(who, SHEETS.c.unit)
            wanted = select(SHEETS).where(theirs, until(SHEETS.c.issued_at, at))
            wanted = wanted.order_by(SHEETS.c.due_on, SHEETS.c.id)
            rows = session.execute(wanted.limit(2000)).all()
            return [sheet for sheet, path in self._read(session, rows, at) if _may_see(who, sheet, path)]

    def one(
        self, who: Principal, sheet: str, at: datetime | None = None
    ) -> tuple[Sheet, Framework, list[Version], list[SheetFile]]:
        """A sheet with what was handed in (until a moment). Raises NotFound."""
        with self._store.reading() as session:
            found, _ = self._seen(session, who, sheet, at)
            year = int(found.period)
            framework = (
                self._frameworks.in_force(year)
                if at is None
                else framework_at(session, self._frameworks, at, year)
            )
            return found, framework, _versions(session, sheet, at), _files(session, sheet, at)

    def add_file(self, who: Principal, sheet: str, kept: Kept) -> None:
        """Note a checked file as belonging to a sheet of the caller's."""
        with self._store.work() as work:
            self._own(work.session, who, sheet)
            if len(_files(work.session, sheet)) >= MOST_FILES:
                raise TooLarge(
                    f"一张查验单最多 {MOST_FILES} 份材料，请合并后上传。", code="assessment.too_many_files"
                )
            row = {**asdict(kept), "sheet": sheet, "account": who.account, "added_at": work.clock.now()}
            write_rows(work.session, SHEET_FILES, [row], keys=("sheet", "digest"), on_conflict="nothing")
            work.audit(who, "sheet.file_added", f"sheets/{sheet}", after_digest=kept.digest[-64:])
            work.commit()

    def file(self, who: Principal, sheet: str, digest: str, at: datetime | None = None) -> SheetFile:
        """A file of a sheet the caller may see (that was there at a moment). Raises NotFound."""
        with self._store.reading() as session:
            self._seen(session, who, sheet, at)
            found = next((file for file in _files(session, sheet, at) if file.digest == digest), None)
        if found is None:
            raise NotFound("没有这份文件，请从列表中选择。", code="assessment.unknown_file")
        return found

    def hand_in(
        self,
        who: Principal,
        sheet: str,
        version: int,
        items: Sequence[Item],
        reason: str,
        replaces: Sequence[str] = (),
    ) -> int:
        """
        Hand in marks over the version that was read; returns the new version.

        A result that an upheld objection corrected meanwhile stays as it is where its mark is not changed, and is
        replaced where `replaces` names the objection. Raises Invalid, Conflict, RuleViolation, CorrectionHeld.
        """
        with self._store.work() as work:
            found, path = self._own(work.session, who, sheet)
            check_not_own(who.own_unit, path)
            check_items(found.results, items)
            require_open(work.session, found.period)
            check_begun(found.period, local_date(work.clock.now()))
            if found.versions != version:
                raise Conflict("查验单已有新的版本，请刷新后再提交。", code="assessment.stale_version")
            if version and len(reason.strip()) < 2:
                raise RuleViolation("更正已提交的查验单须写明理由。", code="assessment.reason_missing")
            events = self._tell(work, who, found, items, Replacing(replaced=replaces, reason=reason))
            work.session.execute(
                insert(SHEET_VERSIONS).values(
                    sheet=sheet,
                    version=version + 1,
                    items=orjson.dumps([asdict(item) for item in items]).decode(),
                    events=orjson.dumps(events).decode(),
                    reason=reason,
                    account=who.account,
                    handed_in_at=work.clock.now(),
                )
            )
            work.audit(who, "sheet.handed_in", f"sheets/{sheet}", object_version=str(version + 1))
            work.commit()
        return version + 1

    def _tell(
        self, work: Work, who: Principal, sheet: Sheet, items: Sequence[Item], said: Replacing
    ) -> dict[str, str]:
        """The score facts of these marks, those of the version before corrected; result -> event."""
        framework = self._frameworks.in_force(int(sheet.period))
        check_still_asked(framework, items)
        before = _events(work.session, sheet.id)
        # What an objection corrects at the same moment is known only under the lock that facts are numbered by.
        work.session.execute(select(LOG_HEAD.c.size).with_for_update())
        found = held_by(work.session, before.values())
        held = {result: found[event] for result, event in before.items()}
        set_aside = _set_aside(items, _versions(work.session, sheet.id), held, said)
        demand_said(work.session, who, {(sheet.unit, result): held[result] for result in set_aside}, said)
        evidence = tuple(
            Evidence(
                file.digest,
                file.media_type,
                file.name,
                f"/api/assessment/v1/sheets/{sheet.id}/files/{file.digest}",
            )
            for file in _files(work.session, sheet.id)
        )
        fresh = [
            item
            for item in items
            if item.result in set_aside or item.result not in held or not held[item.result].objection
        ]
        now = work.clock.now()
        facts = [_fact(sheet, framework, item, evidence, held.get(item.result), said, now) for item in fresh]
        note_replaced(work, who, (held[result] for result in set_aside), said)
        events = dict(zip((item.result for item in fresh), append_own(work, facts), strict=True))
        return before | events

    def _reached(
        self, session: Session, framework: Framework, who: Principal, units: Sequence[str]
    ) -> list[Assessed]:
        found = [unit for unit in assessed_units(session, framework, units) if who.reaches(unit.path)]
        if missing := set(units) - {unit.code for unit in found}:
            raise NotFound(
                f"没有可查验的单位：{'、'.join(sorted(missing))[:200]}。", code="assessment.unknown_unit"
            )
        return found

    def _read(
        self, session: Session, rows: Sequence[Row[Any]], at: datetime | None = None
    ) -> list[tuple[Sheet, str]]:
        """Sheets with the names of then, and where their units stand today."""
        asked = select(UNITS.table).where(UNITS.table.c.code.in_({row.unit for row in rows}))
        paths = {row.code: row.path for row in session.execute(asked)}
        names = unit_names(session, {row.unit for row in rows}, at)
        handed_in = (
            select(SHEET_VERSIONS.c.sheet, func.max(SHEET_VERSIONS.c.version))
            .where(
                SHEET_VERSIONS.c.sheet.in_([row.id for row in rows]),
                until(SHEET_VERSIONS.c.handed_in_at, at),
            )
            .group_by(SHEET_VERSIONS.c.sheet)
        )
        versions = {str(sheet): version for sheet, version in session.execute(handed_in)}
        return [
            (
                Sheet(
                    id=str(row.id),
                    kind=row.kind,
                    framework=row.framework,
                    period=row.period,
                    unit=row.unit,
                    unit_name=names.get(row.unit, row.unit),
                    results=tuple(orjson.loads(row.results)),
                    assignee=row.assignee,
                    due_on=row.due_on,
                    issued_at=row.issued_at,
                    versions=versions.get(str(row.id), 0),
                ),
                paths.get(row.unit, ""),
            )
            for row in rows
        ]

    def _seen(
        self, session: Session, who: Principal, sheet: str, at: datetime | None = None
    ) -> tuple[Sheet, str]:
        wanted = select(SHEETS).where(SHEETS.c.id == sheet, until(SHEETS.c.issued_at, at))
        rows = session.execute(wanted).all() if is_id(sheet) else []
        for found, path in self._read(session, rows, at):
            if _may_see(who, found, path):
                return found, path
        raise NotFound("没有这张查验单，请从列表中选择。", code="assessment.unknown_sheet")

    def _own(self, session: Session, who: Principal, sheet: str) -> tuple[Sheet, str]:
        found, path = self._seen(session, who, sheet)
        if found.assignee != who.account:
            raise RuleViolation("只有被指派的人可以填写这张查验单。", code="assessment.not_assigned")
        return found, path


def _may_see(who: Principal, sheet: Sheet, path: str) -> bool:
    """Who was given it, and inspectors and auditors of the area."""
    return sheet.assignee == who.account or (who.has(INSPECTOR, AUDIT_ADMIN) and who.reaches(path))


def _versions(session: Session, sheet: str, at: datetime | None = None) -> list[Version]:
    handed_in = SHEET_VERSIONS.c.sheet == sheet, until(SHEET_VERSIONS.c.handed_in_at, at)
    query = select(SHEET_VERSIONS).where(*handed_in).order_by(SHEET_VERSIONS.c.version)
    return [
        Version(
            row.version,
            tuple(Item(**item) for item in orjson.loads(row.items)),
            row.reason,
            row.account,
            row.handed_in_at,
        )
        for row in session.execute(query)
    ]


def _set_aside(
    items: Sequence[Item], versions: Sequence[Version], held: Mapping[str, Held], said: Replacing
) -> set[str]:
    """Results whose upheld corrections these marks would set aside: the mark is another one, or it is said so."""
    last = versions[-1].items if versions else ()
    return {
        item.result
        for item in items
        if (one := held.get(item.result)) is not None
        and one.objection
        and (item not in last or said.replaces(one))
    }


def _events(session: Session, sheet: str) -> dict[str, str]:
    query = (
        select(SHEET_VERSIONS.c.events)
        .where(SHEET_VERSIONS.c.sheet == sheet)
        .order_by(SHEET_VERSIONS.c.version.desc())
        .limit(1)
    )
    written = session.execute(query).scalar_one_or_none()
    found: dict[str, str] = orjson.loads(written) if written else {}
    return found


def _files(session: Session, sheet: str, at: datetime | None = None) -> list[SheetFile]:
    added = SHEET_FILES.c.sheet == sheet, until(SHEET_FILES.c.added_at, at)
    query = select(SHEET_FILES).where(*added).order_by(SHEET_FILES.c.added_at)
    return [SheetFile(row.digest, row.name, row.media_type, row.size) for row in session.execute(query)]


def _fact(
    sheet: Sheet,
    framework: Framework,
    item: Item,
    evidence: tuple[Evidence, ...],
    held: Held | None,
    said: Replacing,
    now: datetime,
) -> OwnFact:
    node = framework.node(item.result)
    assert node is not None  # _tell saw to it
    return OwnFact(
        unit=sheet.unit,
        subject=f"assessment/sheets/{sheet.id}",
        mode=Mode.EXTERNAL,
        corrects=held.event if held else "",
        finding=Finding(
            probe=framework.collected_as(node),
            probe_version=PROBE_VERSION,
            outcome=Outcome.PASS if item.marks == 1000 else Outcome.FAIL,
            score_milli=item.marks,
            occurred_at=occurred_at(sheet.period, now),
            basis=node.basis,
            evidence=evidence,
            reason=told(f"{KINDS[sheet.kind]}：{item.reasons}"[:200], held, said),
        ),
    )
