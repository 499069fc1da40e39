"""HTTP of self-reports: what a unit is asked for, one report, its evidence, and the workbook of many."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Response, UploadFile
from pydantic import BaseModel, Field

from contracts.roles import INSPECTOR, REPORTER, UNIT_HEAD
from kernel.access.rules import allow
from kernel.hosting.api import Caller
from kernel.hosting.attachments import attachment
from kernel.hosting.validation import Body
from services.assessment.ranking.api import Day
from services.assessment.reporting.evidence import EvidenceFiles
from services.assessment.reporting.rules import STATE_WORDS, Content, EvidenceItem, Value
from services.assessment.reporting.service import MOST_ROWS, Asked, Reports
from services.assessment.reporting.sheet import MOST_BYTES
from services.assessment.reporting.view import AskedView, ReportPage, ReportView, asked_row, report_view
from services.assessment.reporting.workbooks import WorkbookReport, Workbooks

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Period = Annotated[
    str, Query(pattern=r"^([0-9]{4}(-[0-9]{2})?)?$", description="考核期，如 2026；不写为本年度")
]
State = Literal["", "not_started", "draft", "submitted", "reviewing", "returned", "scored"]


class Opening(Body):
    """Which report to begin."""

    result: str = Field(max_length=64)
    period: str = Field(pattern=r"^[0-9]{4}(-[0-9]{2})?$")


class Opened(BaseModel):
    """The report that was begun."""

    id: str


class ValueBody(Body):
    """Numerator and denominator."""

    numerator: int = Field(ge=0, le=10**12)
    denominator: int = Field(ge=0, le=10**12)


class EvidenceBody(Body):
    """One piece of evidence by digest or by business object."""

    kind: Literal["file", "object"]
    reference: str = Field(max_length=200)


class Draft(Body):
    """A draft, and the version it was written over."""

    version: int = Field(ge=0)
    statement: str = Field(max_length=4000)
    value: ValueBody | None = None
    evidence: list[EvidenceBody] = Field(default_factory=list, max_length=50)


class Saved(BaseModel):
    """The newest version."""

    version: int


class Submission(Body):
    """Which version is handed in."""

    version: int = Field(ge=1)


class Withdrawal(Body):
    """Why a submission is taken back."""

    reasons: str = Field(default="", max_length=500)


class Moved(BaseModel):
    """Where a report stands now."""

    state: str
    state_text: str
    version: int
    round: int


class KeptView(BaseModel):
    """A file that was checked and kept."""

    digest: str
    media_type: str
    size: int
    name: str


class ObjectView(BaseModel):
    """A business object that may be named as evidence."""

    subject: str
    probe: str
    title: str
    outcome: str
    occurred_at: str


class FaultView(BaseModel):
    """One fault of a workbook."""

    row: int
    column: str
    code: str
    value: str
    message: str


class WorkbookView(BaseModel):
    """What the check of a workbook found."""

    digest: str
    name: str
    period: str
    state: str
    rows: int
    faults: list[FaultView]


def router(reports: Reports, files: EvidenceFiles, workbooks: Workbooks) -> APIRouter:
    """Routes of self-reports; the fixed paths come before those that take an id."""
    router = APIRouter(prefix="/reports", tags=["reports"])
    _lists(router, reports)
    _of_many(router, workbooks)
    _of_one(router, reports)
    _of_evidence(router, reports, files)
    return router


def _lists(router: APIRouter, reports: Reports) -> None:
    @router.get("", response_model=AskedView)
    @allow(REPORTER, UNIT_HEAD)
    def asked(
        who: Caller,
        *,
        period: Period = "",
        state: State = "",
        aspect: Annotated[str, Query(max_length=64)] = "",
        search: Annotated[str, Query(max_length=50)] = "",
        overdue: bool = False,
        as_of: Day = None,
    ) -> Any:
        """What the caller's unit is asked for, or was; counts are of everything, rows of what was looked for."""
        listed = reports.asked_of(who, period, reports.end_of(as_of))
        wanted = [
            row
            for row in listed.rows
            if (not state or row.state == state)
            and (not aspect or row.aspect.code == aspect)
            and (search in row.result.title or search in row.result.code)
            and (not overdue or _is_late(row, listed.today))
        ]
        return AskedView(
            period=listed.period,
            unit={"code": listed.unit.code, "name": listed.unit.name},
            framework={"id": listed.framework.id, "version": listed.framework.version},
            counts={name: sum(row.state == name for row in listed.rows) for name in STATE_WORDS},
            overdue=sum(_is_late(row, listed.today) for row in listed.rows),
            aspects=list(
                {
                    row.aspect.code: {"id": row.aspect.code, "title": row.aspect.title} for row in listed.rows
                }.values()
            ),
            rows=[asked_row(row, listed.today) for row in wanted],
        )

    @router.post("", response_model=Opened)
    @allow(REPORTER, UNIT_HEAD)
    def open_report(body: Opening, who: Caller) -> Any:
        return {"id": reports.open(who, body.result, body.period)}

    @router.get("/area", response_model=ReportPage)
    @allow(INSPECTOR)
    def area(
        who: Caller,
        period: Period = "",
        state: Literal["", "submitted", "reviewing", "returned", "scored"] = "",
        as_of: Day = None,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
    ) -> Any:
        """What units of the inspector's area handed in, or had."""
        at = reports.end_of(as_of)
        total, rows = reports.of_area(who, period=period, state=state, offset=offset, limit=limit, at=at)
        return {"total": total, "rows": rows}


def _of_many(router: APIRouter, workbooks: Workbooks) -> None:
    @router.get("/workbook", response_class=Response)
    @allow(REPORTER, UNIT_HEAD)
    def blank(who: Caller, period: Period = "") -> Response:
        """The workbook of the unit's open results."""
        return attachment(workbooks.blank(who, period), name="指标填报.xlsx", media_type=XLSX)

    @router.post("/workbooks", response_model=WorkbookView)
    @allow(REPORTER, UNIT_HEAD)
    def check(
        who: Caller, file: UploadFile, period: Annotated[str, Form(pattern=r"^[0-9]{4}(-[0-9]{2})?$")]
    ) -> Any:
        """Check a workbook; nothing of it is written until it is confirmed."""
        content = file.file.read(MOST_BYTES + 1)
        return _workbook(workbooks.check(who, content, file.filename or "", period))

    @router.post("/workbooks/{digest}/confirm", response_model=WorkbookView)
    @allow(REPORTER, UNIT_HEAD)
    def confirm(digest: str, who: Caller) -> Any:
        return _workbook(workbooks.confirm(who, digest))


def _of_one(router: APIRouter, reports: Reports) -> None:
    @router.get("/{report}", response_model=ReportView)
    @allow(REPORTER, UNIT_HEAD, INSPECTOR)
    def one(
        report: str, who: Caller, version: Annotated[int, Query(ge=0, le=1_000_000)] = 0, as_of: Day = None
    ) -> Any:
        """One report; `version` shows an older one; as of a past day nothing can be done with it."""
        return report_view(reports.one(who, report, version, reports.end_of(as_of)), reports.limits)

    @router.post("/{report}/draft", response_model=Saved)
    @allow(REPORTER, UNIT_HEAD)
    def save(report: str, body: Draft, who: Caller) -> Any:
        value = Value(body.value.numerator, body.value.denominator) if body.value else None
        evidence = tuple(EvidenceItem(item.kind, item.reference) for item in body.evidence)
        return {"version": reports.save(who, report, body.version, Content(body.statement, value, evidence))}

    @router.post("/{report}/submission", response_model=Moved)
    @allow(UNIT_HEAD)
    def submit(report: str, body: Submission, who: Caller) -> Any:
        return _moved(reports.submit(who, report, body.version))

    @router.post("/{report}/withdrawal", response_model=Moved)
    @allow(UNIT_HEAD)
    def withdraw(report: str, body: Withdrawal, who: Caller) -> Any:
        return _moved(reports.withdraw(who, report, body.reasons))


def _of_evidence(router: APIRouter, reports: Reports, files: EvidenceFiles) -> None:
    @router.post("/{report}/files", response_model=KeptView)
    @allow(REPORTER, UNIT_HEAD)
    def add_file(report: str, file: UploadFile, who: Caller) -> Any:
        head = reports.writable(who, report)
        return asdict(files.add(who, head, file.file, file.filename or ""))

    @router.get("/{report}/files/{digest}", response_class=Response)
    @allow(REPORTER, UNIT_HEAD, INSPECTOR)
    def file(report: str, digest: str, who: Caller, as_of: Day = None) -> Response:
        """A file as it was handed in, as an attachment."""
        item = reports.evidence_item(who, report, digest, reports.end_of(as_of))
        return attachment(files.content(item), name=item.name, media_type=item.media_type)

    @router.get("/{report}/objects", response_model=list[ObjectView])
    @allow(REPORTER, UNIT_HEAD)
    def objects(report: str, who: Caller, search: Annotated[str, Query(max_length=100)] = "") -> Any:
        """Business objects of the unit that the platform knows already."""
        return [asdict(found) for found in reports.objects(who, report, search)]


def _is_late(row: Asked, today: date) -> bool:
    return row.state in ("not_started", "draft", "returned") and row.due_on < today


def _moved(head: Any) -> dict[str, Any]:
    return {
        "state": head["state"],
        "state_text": STATE_WORDS[head["state"]],
        "version": head["version"],
        "round": head["round"],
    }


def _workbook(report: WorkbookReport) -> dict[str, Any]:
    return asdict(report)
