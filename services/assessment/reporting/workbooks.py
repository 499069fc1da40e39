"""
Bulk self-report 批量填报: a workbook checked first, then confirmed by the digest of the same bytes, all rows or none.

Checking writes nothing but the report of the check; confirming writes every draft in one transaction, and if one of
them changed meanwhile, none. Evidence is added on the pages: a workbook carries words and numbers only.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select, update

from kernel.access.principal import Principal
from kernel.clock import SHANGHAI, local_date
from kernel.errors import Conflict, Invalid, NotFound, Problem
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from kernel.text import one_line
from services.assessment.framework.values import Framework, Node
from services.assessment.publication.closing import require_open
from services.assessment.reporting.model import REPORT_VERSIONS, REPORT_WORKBOOKS, REPORTS
from services.assessment.reporting.reach import own_unit
from services.assessment.reporting.records import (
    Head,
    begin,
    content_of,
    digest_of,
    head_row,
    version_row,
)
from services.assessment.reporting.rules import (
    STATE_WORDS,
    WRITABLE,
    Content,
    Value,
    asked,
    check_period,
    content_problems,
)
from services.assessment.reporting.service import Asked, Reports
from services.assessment.reporting.sheet import Fault, Line, OpenResult, read, template
from services.assessment.scoring.tallies import Assessed


class WorkbookHasFaults(Invalid):
    """The workbook was read and refused; `problems` name rows and columns."""

    code = "assessment.workbook_has_faults"
    message = "批量填报表有错误，未写入任何一行；请按提示逐行修改后重新上传。"


@dataclass(frozen=True, slots=True)
class WorkbookReport:
    """What the check of a workbook found; `state`: checked, refused or imported."""

    digest: str
    name: str
    period: str
    state: str
    rows: int
    faults: Sequence[Fault]


class Workbooks:
    """Bulk self-report by workbook."""

    def __init__(self, store: Store, reports: Reports) -> None:
        self._store = store
        self._reports = reports

    def blank(self, who: Principal, period: str) -> bytes:
        """The workbook of the unit's open results, an audited export. Raises NotFound, Invalid."""
        listed = self._reports.asked_of(who, period)
        waiting = [row for row in listed.rows if row.state in (*WRITABLE, "not_started")]
        with self._store.work() as work:
            rows = [self._open_result(work, row) for row in waiting]
            work.audit(who, "report.workbook_exported", f"units/{who.unit}/{listed.period}")
            work.commit()
        made_at: datetime = self._store.clock.now().astimezone(SHANGHAI)
        note = f"{listed.unit.name} {listed.period} {who.account} {made_at:%Y-%m-%d %H:%M}"
        return template(rows, note)

    def check(self, who: Principal, content: bytes, name: str, period: str) -> WorkbookReport:
        """Read and check a workbook; nothing of it is written. Raises Invalid, TooLarge, RuleViolation."""
        check_period(period, local_date(self._store.clock.now()), self._reports.limits)
        digest = hashlib.sha256(content).hexdigest()
        known = self._known(who, digest)
        if known is not None and known.state == "imported":
            if known.period != period:
                raise Conflict(
                    f"这份表格已写入 {known.period} 考核期，请重新下载 {period} 的表格填写。",
                    code="assessment.workbook_imported",
                )
            return _report(known)
        lines, faults = read(content)
        framework = self._reports.framework_of(period)
        with self._store.reading() as session:
            unit = own_unit(session, framework, who)
            wanted = _heads_of(framework, unit, period)
            heads: dict[str, Head] = {row["result"]: dict(row) for row in session.execute(wanted).mappings()}
        nodes = {node.code: node for _, node in asked(framework, unit.group)}
        faults += [fault for line in lines for fault in self._faults(line, nodes, heads)]
        if not lines and not faults:
            faults.append(Fault(1, "", "assessment.no_rows", "", "表中没有填写任何一项，请填写后上传。"))
        report = WorkbookReport(
            digest,
            one_line(name)[-200:],
            period,
            "refused" if faults else "checked",
            len(lines),
            faults[:200],
        )
        self._store.transact(lambda work: self._keep(work, who, report, lines if not faults else ()))
        return report

    def confirm(self, who: Principal, digest: str) -> WorkbookReport:
        """
        Write every draft of a checked workbook, all or none; confirming again gives the same report.

        Raises NotFound, WorkbookHasFaults, Conflict (a draft changed since the check).
        """
        return self._store.transact(lambda work: self._enter(work, who, digest))

    def _open_result(self, work: Work, row: Asked) -> OpenResult:
        method = row.result.method
        assert method is not None
        content = content_of(work.session, row.id, row.version)
        return OpenResult(row.result.code, row.result.title, method.text(), row.version, content)

    def _faults(self, line: Line, nodes: dict[str, Node], heads: dict[str, Head]) -> list[Fault]:
        node = nodes.get(line.result)
        if node is None or node.method is None:
            message = "本单位没有这项自报成果，请核对成果编码。"
            return [Fault(line.row, "成果编码", "assessment.unknown_result", line.result[:40], message)]
        head = heads.get(line.result)
        problem = _stands_in_the_way(head, line)
        if problem:
            return [Fault(line.row, "版本", problem.code, str(line.version), problem.message)]
        return [
            Fault(line.row, _COLUMN.get(found.path, "情况说明"), found.code, "", found.message)
            for found in content_problems(line.content, node.method, self._reports.limits)
        ]

    def _known(self, who: Principal, digest: str) -> Any:
        with self._store.reading() as session:
            return session.execute(select(REPORT_WORKBOOKS).where(*_place(who, digest))).one_or_none()

    def _keep(self, work: Work, who: Principal, report: WorkbookReport, lines: Sequence[Line]) -> None:
        values = {
            "name": report.name,
            "period": report.period,
            "state": report.state,
            "rows": report.rows,
            "faults": orjson.dumps([asdict(fault) for fault in report.faults]).decode(),
            "drafts": orjson.dumps([asdict(line) for line in lines]).decode(),
            "checked_by": who.account,
            "checked_at": work.clock.now(),
            "imported_at": None,
        }
        write_rows(
            work.session,
            REPORT_WORKBOOKS,
            [{"digest": report.digest, "unit": who.unit, **values}],
            keys=("digest", "unit"),
            on_conflict=dict.fromkeys(values, "replace"),
            only_if="old.state <> 'imported'",
        )
        work.audit(
            who, f"report.workbook_{report.state}", f"workbooks/{report.digest}", after_digest=report.digest
        )

    def _enter(self, work: Work, who: Principal, digest: str) -> WorkbookReport:
        row = work.session.execute(
            select(REPORT_WORKBOOKS).where(*_place(who, digest)).with_for_update()
        ).one_or_none()
        if row is None:
            raise NotFound("没有待确认的批量填报表，请先上传核对。", code="assessment.unknown_workbook")
        if row.state == "imported":
            return _report(row)
        if row.state == "refused":
            faults = _report(row).faults
            raise WorkbookHasFaults(
                problems=[Problem(f"{f.row}.{f.column}", f.code, f.message) for f in faults]
            )
        check_period(row.period, local_date(work.clock.now()), self._reports.limits)
        require_open(work.session, row.period)
        self._write(work, who, row.period, [_line(raw) for raw in orjson.loads(row.drafts)])
        imported = {"state": "imported", "imported_at": work.clock.now()}
        work.session.execute(update(REPORT_WORKBOOKS).where(*_place(who, digest)).values(**imported))
        work.audit(
            who,
            "report.workbook_imported",
            f"workbooks/{digest}",
            after_digest=digest,
            object_version=str(row.rows),
        )
        entered = work.session.execute(select(REPORT_WORKBOOKS).where(*_place(who, digest))).one()
        return _report(entered)

    def _write(self, work: Work, who: Principal, period: str, lines: Sequence[Line]) -> None:
        framework = self._reports.framework_of(period)
        unit = own_unit(work.session, framework, who)
        nodes = {node.code: node for _, node in asked(framework, unit.group)}
        due = self._reports.due_on(period)
        fresh = [
            head_row(framework, nodes[line.result], unit, period, due, work)
            for line in lines
            if line.result in nodes
        ]
        begin(work, fresh, who.account)
        wanted = _heads_of(framework, unit, period).order_by(REPORTS.c.id).with_for_update()
        heads = {row["result"]: dict(row) for row in work.session.execute(wanted).mappings()}
        problems = [
            Problem(f"{line.row}.版本", found.code, found.message)
            for line in lines
            if (found := _stands_in_the_way(heads.get(line.result), line))
        ]
        if problems:
            raise Conflict(
                "核对之后有填报被改动，未写入任何一行；请重新下载后再填。",
                code="assessment.workbook_outdated",
                problems=problems,
            )
        self._write_versions(work, who, [(heads[line.result], line) for line in lines])

    def _write_versions(self, work: Work, who: Principal, pairs: Sequence[tuple[Head, Line]]) -> None:
        at = work.clock.now()
        versions = []
        for head, line in pairs:
            before = content_of(work.session, head["id"], head["version"])
            content = Content(line.content.statement, line.content.value, before.evidence)
            if head["version"] == 0 or digest_of(content) != digest_of(before):
                versions.append(version_row(head["id"], head["version"] + 1, content, who.account, at))
        write_rows(work.session, REPORT_VERSIONS, versions)
        for row in versions:
            changes = {"version": row["version"], "changed_at": at}
            work.session.execute(update(REPORTS).where(REPORTS.c.id == row["report"]).values(**changes))


_COLUMN = {"value": "分子", "value.numerator": "分子", "value.denominator": "分母"}


def _stands_in_the_way(head: Head | None, line: Line) -> Problem | None:
    """Why a line may not be written over a report as it is now."""
    if head is None:
        return None
    if head["state"] not in WRITABLE:
        return Problem("", "assessment.report_state", f"该项{STATE_WORDS[head['state']]}，不能修改。")
    if head["version"] != line.version:
        message = f"该项已有第 {head['version']} 版，表中是第 {line.version} 版；请重新下载后再填。"
        return Problem("", "assessment.report_changed", message)
    return None


def _heads_of(framework: Framework, unit: Assessed, period: str) -> Any:
    return select(REPORTS).where(
        REPORTS.c.framework == framework.id, REPORTS.c.unit == unit.code, REPORTS.c.period == period
    )


def _place(who: Principal, digest: str) -> tuple[Any, ...]:
    return REPORT_WORKBOOKS.c.digest == digest, REPORT_WORKBOOKS.c.unit == who.unit


def _line(raw: dict[str, Any]) -> Line:
    value = raw["content"]["value"]
    content = Content(raw["content"]["statement"], Value(**value) if value else None)
    return Line(raw["row"], raw["result"], raw["version"], content)


def _report(row: Any) -> WorkbookReport:
    faults = [Fault(**raw) for raw in orjson.loads(row.faults)]
    return WorkbookReport(row.digest, row.name, row.period, row.state, row.rows, faults)
