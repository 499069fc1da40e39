"""The register of normative documents over HTTP: makers enter and change, their superiors read."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from contracts.findings.doors import add_evidence_routes
from contracts.findings.papers import Papers
from contracts.roles import BUSINESS, REPORTER, REVIEWER, UNIT_HEAD
from kernel.access.rules import allow
from kernel.hosting.api import Caller
from kernel.hosting.validation import Body, WrittenDay
from services.legislation.drafting.model import NormativeDocument
from services.legislation.drafting.rules import REVIEW_RESULTS
from services.legislation.drafting.service import Entry, Register
from services.legislation.shapes import Line


class EntryForm(Body):
    """One normative document as its maker enters it."""

    unit: str = Field(max_length=100)
    number: str = Field(max_length=100)
    title: str = Field(max_length=200)
    kind: str = Field("其他", max_length=20)
    comment_opened_on: WrittenDay | None = None
    comment_closed_on: WrittenDay | None = None
    reviewed_on: WrittenDay | None = None
    review_result: str = Field("", max_length=30)
    deliberated_on: WrittenDay | None = None
    signed_on: WrittenDay
    registration: str = Field("", max_length=100)
    published_on: WrittenDay | None = None
    effective_on: WrittenDay | None = None
    filed_on: WrittenDay | None = None
    expires_on: WrittenDay | None = None
    repealed_on: WrittenDay | None = None

    def entry(self) -> Entry:
        """The same, as the service takes it."""
        return Entry(**self.model_dump())


class ChangeForm(EntryForm):
    """A changed entry with the version the person saw."""

    version: int = Field(ge=1)

    def entry(self) -> Entry:
        """The same, as the service takes it."""
        return Entry(**self.model_dump(exclude={"version"}))


class Labelled(BaseModel):
    """One field shown to people."""

    label: str
    value: str


class Moment(BaseModel):
    """One step with its day, empty while it has not happened."""

    label: str
    on: date | None


class DocumentDetail(BaseModel):
    """One entry as the explanation page shows the subject of a finding."""

    id: str
    title: str
    version: int
    fields: list[Labelled]
    timeline: list[Moment]


class RegisterRow(BaseModel):
    """One entry in the list."""

    id: str
    unit: str
    number: str
    title: str
    signed_on: date
    published_on: date | None
    filed_on: date | None
    file_by: date | None
    expires_on: date | None


class RegisterPage(BaseModel):
    """A page of the register."""

    total: int
    rows: list[RegisterRow]


def router(register: Register, papers: Papers) -> APIRouter:
    """Routes of the register."""
    router = APIRouter(prefix="/normative-documents", tags=["normative-documents"])

    @router.get("")
    @allow(*BUSINESS)
    def entries(
        who: Caller, title: Annotated[Line, Query(max_length=200)] = "", offset: int = 0, limit: int = 50
    ) -> RegisterPage:
        """Entries of the units within reach, youngest first."""
        total, rows = register.documents(who, title=title, offset=offset, limit=limit)
        return RegisterPage(total=total, rows=[_row(row) for row in rows])

    @router.get("/{document}")
    @allow(*BUSINESS)
    def entry(document: str, who: Caller) -> DocumentDetail:
        """One entry."""
        return _detail(register.one(who, document))

    @router.post("", status_code=201)
    @allow(REPORTER, UNIT_HEAD, REVIEWER)
    def enter(form: EntryForm, who: Caller) -> DocumentDetail:
        """Enter a document."""
        return _detail(register.enter(who, form.entry()))

    @router.put("/{document}")
    @allow(REPORTER, UNIT_HEAD, REVIEWER)
    def change(document: str, form: ChangeForm, who: Caller) -> DocumentDetail:
        """Replace the facts of an entry."""
        return _detail(register.change(who, document, form.entry(), version=form.version))

    add_evidence_routes(router, papers)
    return router


def _row(document: NormativeDocument) -> RegisterRow:
    return RegisterRow(
        id=document.id,
        unit=document.unit,
        number=document.number,
        title=document.title,
        signed_on=document.signed_on,
        published_on=document.published_on,
        filed_on=document.filed_on,
        file_by=document.file_by,
        expires_on=document.expires_on,
    )


def _detail(document: NormativeDocument) -> DocumentDetail:
    fields = (
        ("文号", document.number),
        ("文种", document.kind),
        ("制定机关", document.unit),
        ("统一登记号", document.registration or "未登记"),
        ("合法性审核结论", REVIEW_RESULTS.get(document.review_result, document.review_result)),
    )
    timeline = (
        ("公开征求意见开始", document.comment_opened_on),
        ("公开征求意见结束", document.comment_closed_on),
        ("合法性审核", document.reviewed_on),
        ("集体审议", document.deliberated_on),
        ("签发", document.signed_on),
        ("公布", document.published_on),
        ("施行", document.effective_on),
        ("备案", document.filed_on),
        ("备案期限届满", document.file_by),
        ("最近一次被引用", document.used_on),
        ("有效期届满", document.expires_on),
        ("废止", document.repealed_on),
    )
    return DocumentDetail(
        id=document.id,
        title=document.title,
        version=document.version,
        fields=[Labelled(label=label, value=value) for label, value in fields],
        timeline=[Moment(label=label, on=on) for label, on in timeline],
    )
