"""HTTP of surveys: set up and count for staff; one page for whoever holds a code."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form, Response, UploadFile
from pydantic import BaseModel, Field

from contracts.roles import AUDIT_ADMIN, INSPECTOR, REVIEWER
from kernel.access.rules import allow, public
from kernel.errors import NotFound
from kernel.files.intake import FileLimits, checked
from kernel.hosting.api import Caller
from kernel.hosting.attachments import attachment
from kernel.hosting.validation import Body, WrittenDay
from kernel.ids import new_id
from kernel.storage.blobs import Blobs
from kernel.text import clean_name, clean_text
from services.assessment.objections.upheld import Replacing
from services.assessment.ranking.api import Day
from services.assessment.surveys.rules import WAYS, Option, Question, Survey, Way
from services.assessment.surveys.service import Surveys

TABLES = FileLimits(kinds=("csv", "xlsx"))
Short = Annotated[str, Field(min_length=1, max_length=200)]


class OptionBody(Body):
    """One way to answer; marks in thousandths."""

    text: Short
    marks: int = Field(ge=0, le=1000)


class QuestionBody(Body):
    """One question and the result it measures."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,20}$")
    text: Short
    result: str = Field(max_length=64)
    options: list[OptionBody] = Field(max_length=10)


class SurveyBody(Body):
    """A survey to set up."""

    framework: str = Field(max_length=64)
    period: str = Field(pattern=r"^20[0-9]{2}$")
    title: Short
    way: Way
    opens_on: WrittenDay
    closes_on: WrittenDay
    questions: list[QuestionBody] = Field(max_length=100)


class CodesBody(Body):
    """How many codes for which unit."""

    unit: str = Field(max_length=100)
    count: int = Field(ge=1, le=5000)


class CountBody(Body):
    """What becomes of results that these upheld objections corrected: kept, or replaced with a reason."""

    keep: list[str] = Field(default_factory=list, max_length=1000)
    replace: list[str] = Field(default_factory=list, max_length=1000)
    reason: str = Field(default="", max_length=200)


class AnswersBody(Body):
    """A code, and the option chosen for every question."""

    code: str = Field(max_length=40)
    answers: dict[str, str] = Field(max_length=100)


class CodeBody(Body):
    """A code somebody was given."""

    code: str = Field(max_length=40)


class SurveyView(BaseModel):
    """A survey as staff sees it."""

    id: str
    framework: str
    period: str
    title: str
    way: str
    way_title: str
    opens_on: date
    closes_on: date
    questions: list[dict[str, Any]]
    answers: int | None = None
    progress: list[dict[str, Any]] | None = None


class Paper(BaseModel):
    """A survey as somebody with a code sees it: no marks, no results."""

    title: str
    unit: str
    closes_on: date
    questions: list[dict[str, Any]]


def router(surveys: Surveys, blobs: Blobs) -> APIRouter:
    """Surveys for staff and for the public."""
    router = APIRouter(tags=["surveys"])
    _for_staff(router, surveys)
    _files(router, surveys, blobs)
    _for_the_public(router, surveys)
    return router


def _for_staff(router: APIRouter, surveys: Surveys) -> None:
    @router.post("/surveys", status_code=201)
    @allow(REVIEWER, INSPECTOR)
    def set_up(body: SurveyBody, who: Caller) -> dict[str, str]:
        """Set a survey up."""
        questions = tuple(
            Question(
                q.id,
                clean_name(q.text),
                q.result,
                tuple(Option(clean_name(o.text), o.marks) for o in q.options),
            )
            for q in body.questions
        )
        survey = Survey(
            new_id(),
            body.framework,
            body.period,
            clean_name(body.title),
            body.way,
            body.opens_on,
            body.closes_on,
            questions,
        )
        return {"id": surveys.set_up(who, survey)}

    @router.get("/surveys")
    @allow(REVIEWER, INSPECTOR, AUDIT_ADMIN)
    def every(who: Caller, as_of: Day = None) -> list[SurveyView]:
        """Surveys with how many answers each has about units of the caller's area, newest first."""
        return [_view(survey, answers=answers) for survey, answers in surveys.every(who, as_of)]

    @router.get("/surveys/{survey}")
    @allow(REVIEWER, INSPECTOR, AUDIT_ADMIN)
    def one(survey: str, who: Caller, as_of: Day = None) -> SurveyView:
        """A survey and how it goes, unit by unit; now or on a past day."""
        found, progress = surveys.one(who, survey, as_of)
        return _view(found, progress=[asdict(unit) for unit in progress])

    @router.post("/surveys/{survey}/codes", status_code=201)
    @allow(REVIEWER, INSPECTOR)
    def codes(survey: str, body: CodesBody, who: Caller) -> dict[str, list[str]]:
        """One-time codes; shown this once."""
        return {"codes": surveys.issue_codes(who, survey, body.unit, body.count)}

    @router.post("/surveys/{survey}/count")
    @allow(REVIEWER, INSPECTOR)
    def count(survey: str, who: Caller, body: CountBody | None = None) -> dict[str, int]:
        """Make score facts of the answers there are; of what an upheld objection corrected, only as is said."""
        given = body or CountBody()
        reason = clean_text(given.reason, max_characters=200)
        return {"facts": surveys.count(who, survey, Replacing(given.keep, given.replace, reason))}


def _files(router: APIRouter, surveys: Surveys, blobs: Blobs) -> None:
    @router.post("/surveys/{survey}/files")
    @allow(REVIEWER, INSPECTOR)
    def take(
        survey: str, file: UploadFile, who: Caller, digest: Annotated[str, Form()] = ""
    ) -> dict[str, Any]:
        """Answers a third party collected; taken only when `digest` repeats that of the dry run of the same file."""
        kept = checked(file.file, file.filename or "", blobs, TABLES)
        return asdict(surveys.take_file(who, survey, kept, confirm=digest == kept.digest))

    @router.get("/surveys/{survey}/files/{digest}")
    @allow(REVIEWER, INSPECTOR, AUDIT_ADMIN)
    def content(survey: str, digest: str, who: Caller) -> Response:
        """A file of answers as it was handed in."""
        name, media_type = surveys.file_of(who, survey, digest)
        return attachment(blobs.get(digest), name=name, media_type=media_type)


def _for_the_public(router: APIRouter, surveys: Surveys) -> None:
    @router.post("/public/survey-paper")
    @public
    def paper(body: CodeBody) -> Paper:
        """The questions a code is for; by POST, so that no log ever holds the code."""
        survey, unit = surveys.by_code(body.code)
        if survey.way != "web":
            raise NotFound("测评码不正确，请核对后重新输入。", code="assessment.unknown_code")
        questions = [
            {"id": q.id, "text": q.text, "options": [option.text for option in q.options]}
            for q in survey.questions
        ]
        return Paper(title=survey.title, unit=unit, closes_on=survey.closes_on, questions=questions)

    @router.post("/public/survey-answers", status_code=201)
    @public
    def answer(body: AnswersBody) -> dict[str, str]:
        """Answers under a code, once."""
        surveys.answer(body.code, body.answers)
        return {"message": "感谢您的评价，已收到。"}


def _view(survey: Survey, **more: Any) -> SurveyView:
    written = asdict(survey) | {
        "way_title": WAYS[survey.way],
        "questions": [asdict(q) for q in survey.questions],
    }
    return SurveyView(**written, **more)
