"""Doors: reconsideration cases and rates over HTTP."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, UploadFile
from pydantic import BaseModel, Field

from contracts.findings.doors import add_evidence_routes
from contracts.findings.papers import Papers
from contracts.roles import BUSINESS, INSPECTOR, REPORTER, UNIT_HEAD
from kernel.access.rules import allow
from kernel.clock import Clock, local_date
from kernel.errors import Invalid, Problem, TooLarge
from kernel.hosting.api import Caller
from kernel.hosting.validation import Body
from services.disputes.reconsideration import views
from services.disputes.reconsideration.intake import Intake
from services.disputes.reconsideration.rates import Rates
from services.disputes.reconsideration.register import Register
from services.disputes.reconsideration.service import Cases

MAX_FILE_BYTES = 20 * 1024 * 1024
Code = Annotated[str, Field(min_length=1, max_length=100)]


class OpenRequest(Body):
    """Register an application; `received` is its first step."""

    organ: Code
    number: Code
    respondent: Code
    received: dict[str, Any]
    applicant: Annotated[str, Field(max_length=500)] = ""
    applicant_kind: Annotated[str, Field(max_length=50)] = ""


class StepRequest(Body):
    """A step to record; `corrects` names the step it replaces, `id` makes repeating safe."""

    step: dict[str, Any]
    id: str = ""
    corrects: str = ""


class Opened(BaseModel):
    """A new case."""

    id: str


class StepView(BaseModel):
    """A step that was recorded."""

    id: str
    digest: str
    state: str


class ImportView(BaseModel):
    """What became of a file."""

    added: int
    known: int
    differing: list[str]


class CaseReference(BaseModel):
    """A case behind a rate."""

    id: str
    number: str


def case_routes(cases: Cases, intake: Intake, register: Register, papers: Papers, clock: Clock) -> APIRouter:
    """Routes under /reconsiderations."""
    routes = APIRouter(prefix="/reconsiderations", tags=["reconsiderations"])

    @routes.get("")
    @allow(*BUSINESS)
    def list_cases(
        who: Caller,
        organ: str = "",
        respondent: str = "",
        state: str = "",
        outcome: str = "",
        sort: str = "due_on",
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> views.ListView:
        page = register.page(
            who, organ=organ, respondent=respondent, state=state, outcome=outcome, sort=sort, offset=offset,
            limit=limit,
        )  # fmt: skip
        return views.list_view(page)

    @routes.get("/{case}")
    @allow(*BUSINESS)
    def one_case(case: str, who: Caller) -> views.CaseView:
        return views.case_view(register.one(who, case), register, local_date(clock.now()))

    @routes.post("", status_code=201)
    @allow(REPORTER, UNIT_HEAD)
    def open_case(request: OpenRequest, who: Caller) -> Opened:
        return Opened(
            id=cases.open(
                who,
                organ=request.organ,
                number=request.number,
                respondent=request.respondent,
                received=request.received,
                applicant=request.applicant,
                applicant_kind=request.applicant_kind,
            )
        )

    @routes.post("/{case}/steps", status_code=201)
    @allow(REPORTER, UNIT_HEAD)
    def record_step(case: str, request: StepRequest, who: Caller) -> StepView:
        done = cases.record(who, case, request.step, step_id=request.id, corrects=request.corrects)
        return StepView(id=done.step, digest=done.digest, state=done.state)

    @routes.post("/imports", status_code=201)
    @allow(REPORTER, UNIT_HEAD, INSPECTOR)
    def import_cases(file: UploadFile, who: Caller) -> ImportView:
        content = file.file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise TooLarge("文件超过 20 MB，请拆分后再上传。")
        report = intake.import_lines(who, content)
        return ImportView(added=report.added, known=report.known, differing=report.differing)

    add_evidence_routes(routes, papers)
    return routes


def rate_routes(rates: Rates) -> APIRouter:
    """Routes under /rates."""
    routes = APIRouter(prefix="/rates", tags=["rates"])

    @routes.get("")
    @allow(*BUSINESS)
    def all_rates(
        who: Caller, since: date, until: date, organ: str = "", respondent: str = ""
    ) -> list[views.RateView]:
        _check_period(since, until)
        figures = rates.figures(who, since=since, until=until, organ=organ, respondent=respondent)
        return [views.rate_view(figure) for figure in figures]

    @routes.get("/{rate}/cases")
    @allow(*BUSINESS)
    def cases_behind(
        rate: str,
        who: Caller,
        since: date,
        until: date,
        organ: str = "",
        respondent: str = "",
        part: Annotated[str, Query(pattern="^(numerator|denominator)$")] = "numerator",
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> list[CaseReference]:
        _check_period(since, until)
        found = rates.cases(
            who, rate, since=since, until=until, organ=organ, respondent=respondent,
            only_numerator=part == "numerator", offset=offset,
        )  # fmt: skip
        return [CaseReference(id=case_id, number=number) for case_id, number in found]

    return routes


def _check_period(since: date, until: date) -> None:
    if until < since:
        raise Invalid(problems=[Problem("until", "disputes.bad_period", "结束日期不能早于开始日期。")])
