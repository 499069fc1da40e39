"""HTTP of objections: a unit's head files, two others answer; and the points in dispute beside a ranking."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response, UploadFile
from pydantic import BaseModel, Field

from contracts.findings import Outcome
from contracts.roles import INSPECTOR, REPORTER, REVIEWER, SCORE_READERS, STAFF, UNIT_HEAD
from kernel.access.rules import allow
from kernel.hosting.api import Caller
from kernel.hosting.attachments import attachment
from kernel.hosting.validation import Body
from services.assessment.objections.reading import MOST_ROWS, ObjectionReading, OneObjection
from services.assessment.objections.rules import ACT_WORDS, Answer
from services.assessment.objections.service import Objections
from services.assessment.ranking.api import Day, KnownBy
from services.assessment.ranking.rules import points_text
from services.assessment.rectification.views import (
    FactView,
    FileView,
    UnitName,
    fact_views,
    file_views,
    unit_name,
)

Words = Annotated[str, Field(min_length=1, max_length=2000)]


class NewObjection(Body):
    """Contesting an event of the log; `asked`: count it as met, or do not count it."""

    event: Annotated[str, Field(min_length=36, max_length=36)]
    asked: Literal["pass", "not_applicable"]
    grounds: Words


class Reason(Body):
    """A reason in words."""

    note: Words


class Draft(Body):
    """A drafted answer; `score_milli` only where it is partly upheld."""

    outcome: Literal["upheld", "partly", "rejected"]
    reasons: Words
    score_milli: Annotated[int, Field(ge=0, le=1000)] = 0


class ObjectionRow(BaseModel):
    """An objection 申诉 in a list."""

    id: str
    title: str
    unit: UnitName
    state: str
    asked: str
    outcome: str
    due_at: datetime | None
    is_overdue: bool
    filed_at: datetime
    closed_at: datetime | None


class ObjectionPage(BaseModel):
    """One page of objections."""

    total: int
    rows: list[ObjectionRow]


class DatumView(BaseModel):
    """The contested datum as the log has it."""

    id: str
    seq: int
    source: str
    probe: str
    outcome: str
    reason: str
    subject: str
    is_corrected: bool


class ReplacedView(BaseModel):
    """The event that knowingly replaced the correction of an upheld objection 取代, and why."""

    id: str
    seq: int
    received_at: datetime
    reason: str


class ObjectionView(ObjectionRow):
    """
    One objection with everything known of it; `can` is what the caller may do next.

    `replaced` is what stands in the place of its correction by now. `told_at` is when the service that owns the datum
    was told to correct it 已告知.
    """

    grounds: str
    filed_by: str
    supervisor: UnitName
    told_at: datetime | None
    correction: str | None
    replaced: ReplacedView | None
    datum: DatumView | None
    facts: list[FactView]
    files: list[FileView]
    can: list[str]


class ContestedView(BaseModel):
    """Points in dispute by unit, as decimals."""

    period: str
    framework: str
    peer_group: str
    units: dict[str, str]


Shown = Callable[..., ObjectionView]


def router(objections: Objections, reading: ObjectionReading) -> APIRouter:
    """Routes of objections."""
    router = APIRouter(tags=["objections"])

    def shown(who: Caller, objection: str, at: datetime | None = None) -> ObjectionView:
        found = reading.one(who, objection) if at is None else reading.one_then(who, objection, at)
        return _view(found, at or reading.now())

    _reading(router, reading, shown)
    _of_the_unit(router, objections, shown)
    _answering(router, objections, shown)
    return router


def _reading(router: APIRouter, reading: ObjectionReading, shown: Shown) -> None:
    @router.get("/objections")
    @allow(*STAFF)
    def page(
        who: Caller,
        state: Literal["", "filed", "accepted", "drafted", "correcting", "closed"] = "",
        unit: Annotated[str, Query(max_length=100)] = "",
        as_of: Day = None,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
    ) -> ObjectionPage:
        """Objections of the caller's area, what is due first before what is ended."""
        at = reading.end_of(as_of)
        total, rows, names = reading.page(who, state=state, unit=unit, offset=offset, limit=limit, at=at)
        now = at or reading.now()
        listed = [ObjectionRow(**_row(row, names, reading.title_of(row["probe"]), now)) for row in rows]
        return ObjectionPage(total=total, rows=listed)

    @router.get("/objections/{objection}")
    @allow(*STAFF)
    def one(objection: str, who: Caller, as_of: Day = None) -> ObjectionView:
        """One objection with its datum, its facts and what the caller may do next; as of a past day, nothing."""
        return shown(who, objection, reading.end_of(as_of))

    @router.get("/rankings/contested")
    @allow(*SCORE_READERS)
    def contested(
        peer_group: Annotated[str, Query(max_length=50)],
        known: KnownBy,
        period: Annotated[str, Query(pattern=r"^([0-9]{4})?$")] = "",
    ) -> ContestedView:
        """How many points of each unit of a ranking are in dispute, or were; units without any are left out."""
        found = reading.contested(period, peer_group, known)
        return ContestedView(
            period=found.period,
            framework=found.framework,
            peer_group=peer_group,
            units={unit: points_text(points) for unit, points in found.points.items()},
        )


def _of_the_unit(router: APIRouter, objections: Objections, shown: Shown) -> None:
    @router.post("/objections", status_code=201)
    @allow(UNIT_HEAD)
    def file(body: NewObjection, who: Caller) -> ObjectionView:
        """Contest a datum of the caller's own unit."""
        return shown(who, objections.file(who, body.event, asked=body.asked, grounds=body.grounds))

    @router.post("/objections/{objection}/files", status_code=201)
    @allow(UNIT_HEAD, REPORTER)
    def hand_in(objection: str, file: UploadFile, who: Caller) -> FileView:
        """Hand in a file as proof."""
        kept = objections.hand_in(who, objection, file.file, file.filename or "")
        place = f"/api/assessment/v1/objections/{objection}/files/{kept.digest}"
        return FileView(
            digest=kept.digest, media_type=kept.media_type, name=kept.name, size=kept.size, place=place
        )

    @router.get("/objections/{objection}/files/{digest}")
    @allow(*STAFF)
    def handed_in(objection: str, digest: str, who: Caller) -> Response:
        """The bytes of a piece of proof, to be saved."""
        content, held = objections.handed_in(who, objection, digest)
        return attachment(content, name=held["name"], media_type=held["media_type"])

    @router.post("/objections/{objection}/withdrawal")
    @allow(UNIT_HEAD)
    def withdraw(objection: str, body: Reason, who: Caller) -> ObjectionView:
        """Take an objection back before it is answered."""
        objections.withdraw(who, objection, body.note)
        return shown(who, objection)


def _answering(router: APIRouter, objections: Objections, shown: Shown) -> None:
    @router.post("/objections/{objection}/acceptance")
    @allow(INSPECTOR, REVIEWER)
    def accept(objection: str, who: Caller) -> ObjectionView:
        """Take an objection up."""
        objections.accept(who, objection)
        return shown(who, objection)

    @router.post("/objections/{objection}/refusal")
    @allow(INSPECTOR, REVIEWER)
    def refuse(objection: str, body: Reason, who: Caller) -> ObjectionView:
        """Refuse an objection, with the reason."""
        objections.refuse(who, objection, body.note)
        return shown(who, objection)

    @router.post("/objections/{objection}/draft")
    @allow(INSPECTOR, REVIEWER)
    def draft(objection: str, body: Draft, who: Caller) -> ObjectionView:
        """Draft the answer."""
        objections.draft(who, objection, Answer(body.outcome, body.reasons, body.score_milli))
        return shown(who, objection)

    @router.post("/objections/{objection}/confirmation")
    @allow(INSPECTOR, REVIEWER)
    def confirm(objection: str, who: Caller) -> ObjectionView:
        """Confirm the drafted answer, as the second person; it takes effect at once."""
        objections.confirm(who, objection)
        return shown(who, objection)

    @router.post("/objections/{objection}/return")
    @allow(INSPECTOR, REVIEWER)
    def send_back(objection: str, body: Reason, who: Caller) -> ObjectionView:
        """Do not confirm the drafted answer, with the reason."""
        objections.send_back(who, objection, body.note)
        return shown(who, objection)


def _row(row: Any, names: Any, title: str, now: datetime) -> dict[str, Any]:
    due_at = row["due_at"]
    return {
        "id": row["id"],
        "title": title,
        "unit": unit_name(row["unit"], names),
        "state": row["state"],
        "asked": row["asked"],
        "outcome": row["outcome"],
        "due_at": due_at,
        "is_overdue": due_at is not None and due_at <= now,
        "filed_at": row["filed_at"],
        "closed_at": row["closed_at"],
    }


def _view(one: OneObjection, now: datetime) -> ObjectionView:
    row, datum, replaced = one.row, one.datum, one.replaced
    return ObjectionView(
        **_row(row, one.names, one.title, now),
        grounds=row["grounds"],
        filed_by=row["filed_by"],
        supervisor=unit_name(row["supervisor"], one.names),
        told_at=next((fact.at for fact in one.facts if fact.detail.get("told")), None),
        correction=row["correction"],
        replaced=None
        if replaced is None
        else ReplacedView(
            id=replaced.event_id,
            seq=replaced.seq,
            received_at=replaced.received_at,
            reason=replaced.leaf["reason"],
        ),
        datum=None
        if datum is None
        else DatumView(
            id=datum.event_id,
            seq=datum.seq,
            source=datum.source,
            probe=datum.probe,
            outcome=Outcome(datum.outcome).name.lower(),
            reason=datum.leaf["reason"],
            subject=datum.leaf["subject"],
            is_corrected=datum.is_corrected,
        ),
        facts=fact_views(one.facts, one.names, ACT_WORDS),
        files=file_views(one.facts, f"/api/assessment/v1/objections/{row['id']}/files"),
        can=list(one.can),
    )
