"""Doors: decisions over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, UploadFile
from pydantic import BaseModel, Field

from contracts.findings.doors import add_evidence_routes
from contracts.findings.papers import Papers
from contracts.roles import BUSINESS, INSPECTOR, REPORTER, UNIT_HEAD
from kernel.access.rules import allow
from kernel.errors import TooLarge
from kernel.hosting.api import Caller
from kernel.hosting.validation import Body
from services.decisions.procedures import views
from services.decisions.procedures.intake import Intake
from services.decisions.procedures.register import Register
from services.decisions.procedures.service import Procedures

MAX_FILE_BYTES = 20 * 1024 * 1024


class OpenRequest(Body):
    """Open the record of a decision."""

    unit: Annotated[str, Field(min_length=1, max_length=100)]
    number: Annotated[str, Field(min_length=1, max_length=100)]
    title: Annotated[str, Field(min_length=1, max_length=500)]


class StepRequest(Body):
    """A step to record; `corrects` names the step it replaces, `id` makes repeating safe."""

    step: dict[str, Any]
    id: str = ""
    corrects: str = ""


class Opened(BaseModel):
    """A new record."""

    id: str


class StepView(BaseModel):
    """A step that was recorded."""

    id: str
    digest: str
    phase: str


class ImportView(BaseModel):
    """What became of a file."""

    added: int
    known: int
    differing: list[str]


def router(procedures: Procedures, intake: Intake, register: Register, papers: Papers) -> APIRouter:
    """Routes under /decisions."""
    routes = APIRouter(prefix="/decisions", tags=["decisions"])

    @routes.get("")
    @allow(*BUSINESS)
    def list_decisions(
        who: Caller,
        unit: str = "",
        phase: str = "",
        band: str = "",
        sort: str = "decided_on",
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> views.ListView:
        page = register.page(who, unit=unit, phase=phase, band=band, sort=sort, offset=offset, limit=limit)
        return views.list_view(page)

    @routes.get("/{decision}")
    @allow(*BUSINESS)
    def one_decision(decision: str, who: Caller) -> views.DecisionView:
        return views.decision_view(register.one(who, decision))

    @routes.post("", status_code=201)
    @allow(REPORTER, UNIT_HEAD)
    def open_decision(request: OpenRequest, who: Caller) -> Opened:
        return Opened(id=procedures.open(who, request.unit, request.number, request.title))

    @routes.post("/{decision}/steps", status_code=201)
    @allow(REPORTER, UNIT_HEAD)
    def record_step(decision: str, request: StepRequest, who: Caller) -> StepView:
        done = procedures.record(who, decision, request.step, step_id=request.id, corrects=request.corrects)
        return StepView(id=done.step, digest=done.digest, phase=done.phase)

    @routes.post("/imports", status_code=201)
    @allow(REPORTER, UNIT_HEAD, INSPECTOR)
    def import_decisions(file: UploadFile, who: Caller) -> ImportView:
        content = file.file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise TooLarge("文件超过 20 MB，请拆分后再上传。")
        report = intake.import_lines(who, content)
        return ImportView(added=report.added, known=report.known, differing=report.differing)

    add_evidence_routes(routes, papers)
    return routes
