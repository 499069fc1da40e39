"""HTTP of cases and case files. Uploads are read to the end of the limit, never further."""

import re
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Response, UploadFile
from pydantic import BaseModel

from contracts.roles import BUSINESS, REPORTER, REVIEWER, UNIT_HEAD
from kernel.access.rules import allow
from kernel.errors import Invalid
from kernel.hosting.api import Caller
from kernel.hosting.attachments import attachment
from services.enforcement.cases.files.limits import MAX_FILE_BYTES
from services.enforcement.cases.looking import media_type_of
from services.enforcement.cases.report import REFUSED, STATE_WORDS, ImportReport
from services.enforcement.cases.service import MOST_ROWS, Cases, FileHasFaults

Purpose = Annotated[Literal["new", "correction"], Query()]
_DIGEST = re.compile(r"[0-9a-f]{64}")


class FaultView(BaseModel):
    """One fault of a case file."""

    row: int
    column: str
    code: str
    value: str
    message: str


class NoticeView(BaseModel):
    """One notice about a case file."""

    code: str
    message: str


class ReportView(BaseModel):
    """The report of a case file."""

    digest: str
    name: str
    purpose: str
    state: str
    state_text: str
    already_imported: bool
    rows: int
    units: int
    unchanged: int
    kinds: dict[str, int]
    first_decided_on: str
    last_decided_on: str
    fault_count: int
    faults: list[FaultView]
    notices: list[NoticeView]


class CaseRow(BaseModel):
    """A case in a list."""

    id: str
    unit: str
    unit_name: str
    kind: str
    number: str
    decided_on: date
    mode: str
    version: int
    entered_at: datetime


class CasePage(BaseModel):
    """One page of cases."""

    total: int
    rows: list[CaseRow]


class Waiting(BaseModel):
    """How many cases wait to be looked at again."""

    waiting: int


class CaseView(BaseModel):
    """One case with everything known of it."""

    id: str
    title: str
    kind: str
    unit: dict[str, str]
    version: int
    fields: list[dict[str, str]]
    timeline: list[dict[str, str]]
    findings: list[dict[str, Any]]
    versions: list[dict[str, Any]]


def router(cases: Cases) -> APIRouter:
    """Routes of cases and case files."""
    router = APIRouter(tags=["cases"])

    @router.get("/cases", response_model=CasePage)
    @allow(*BUSINESS)
    def page(
        who: Caller,
        *,
        unit: Annotated[str, Query(max_length=100)] = "",
        kind: Literal["", "penalty", "licence", "inspection"] = "",
        period: Annotated[str, Query(pattern=r"^(\d{4}(-\d{2})?)?$")] = "",
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
    ) -> Any:
        first, last = days_of(period)
        total, rows = cases.page(
            who, unit=unit, kind=kind, first=first, last=last, offset=offset, limit=limit
        )
        return {"total": total, "rows": rows}

    @router.get("/cases/{case}", response_model=CaseView)
    @allow(*BUSINESS)
    def one(case: str, who: Caller) -> Any:
        return asdict(cases.one(who, case))

    @router.post("/cases/look-again", response_model=Waiting)
    @allow(REVIEWER)
    def look_again(who: Caller, unit: Annotated[str, Query(max_length=100)] = "") -> Any:
        return {"waiting": cases.look_again(who, unit=unit)}

    @router.post("/case-files", response_model=ReportView)
    @allow(REPORTER, UNIT_HEAD)
    def hand_in(
        who: Caller,
        file: UploadFile,
        dry_run: bool = True,  # noqa: FBT001, FBT002 - a query parameter
        purpose: Purpose = "new",
        reason: Annotated[str, Form(max_length=500)] = "",
    ) -> Any:
        content = file.file.read(MAX_FILE_BYTES + 1)
        report = cases.check_file(who, content, file.filename or "", purpose=purpose, reason=reason)
        if dry_run or report.already_imported:
            return view(report)
        if report.state == REFUSED:
            raise FileHasFaults(problems=report.problems)
        return view(_confirmed(cases, who, report.digest, purpose))

    @router.post("/case-files/{digest}/confirm", response_model=ReportView)
    @allow(REPORTER, UNIT_HEAD)
    def confirm(digest: str, who: Caller, purpose: Purpose = "new") -> Any:
        return view(_confirmed(cases, who, checked_digest(digest), purpose))

    @router.get("/case-files/{digest}", response_model=ReportView)
    @allow(REPORTER, UNIT_HEAD)
    def report(digest: str, who: Caller, purpose: Purpose = "new") -> Any:
        return view(cases.report(who, checked_digest(digest), purpose=purpose))

    @router.get("/case-files/{digest}/content", response_class=Response)
    @allow(*BUSINESS)
    def content(digest: str, who: Caller) -> Response:
        """The file as it was handed in, as an attachment: a browser saves it and shows nothing of it (R45)."""
        name, content = cases.content(who, checked_digest(digest))
        return attachment(content, name=name, media_type=media_type_of(name))

    return router


def _confirmed(cases: Cases, who: Any, digest: str, purpose: str) -> ImportReport:
    """Enter the file, and look at the first batch at once: small files are scored when the answer arrives."""
    report = cases.confirm(who, digest, purpose=purpose)
    cases.look_at_waiting()
    return report


def view(report: ImportReport) -> dict[str, Any]:
    """A report as JSON."""
    return {**asdict(report), "state_text": STATE_WORDS.get(report.state, report.state)}


def checked_digest(digest: str) -> str:
    """A SHA-256 in lower-case hex, or Invalid."""
    if _DIGEST.fullmatch(digest) is None:
        raise Invalid("文件摘要应为 64 位十六进制字符。", code="enforcement.bad_digest")
    return digest


def days_of(period: str) -> tuple[date | None, date | None]:
    """First and last day of a year "2026" or month "2026-03"; no bounds when empty."""
    if not period:
        return None, None
    try:
        year, month = int(period[:4]), int(period[5:] or 0)
        if not month:
            return date(year, 1, 1), date(year, 12, 31)
        following = date(year + month // 12, month % 12 + 1, 1)
        return date(year, month, 1), date.fromordinal(following.toordinal() - 1)
    except ValueError as wrong:
        raise Invalid("期间应写成 2026 或 2026-03。", code="enforcement.bad_period") from wrong
