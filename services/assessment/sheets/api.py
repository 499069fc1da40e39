"""HTTP of sheets: hand out, fill in, add files, read; a third party sees only what it was given."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Response, UploadFile
from pydantic import BaseModel, Field

from contracts.roles import AUDIT_ADMIN, INSPECTOR, REVIEWER, THIRD_PARTY
from kernel.access.rules import allow
from kernel.clock import SHANGHAI
from kernel.files.intake import checked
from kernel.hosting.api import Caller
from kernel.hosting.attachments import attachment
from kernel.hosting.validation import Body, WrittenDay
from kernel.storage.blobs import Blobs
from kernel.text import clean_text
from services.assessment.ranking.api import Day
from services.assessment.sheets.rules import KINDS, Item, Kind
from services.assessment.sheets.service import Sheet, Sheets

LOOKERS = (REVIEWER, INSPECTOR, THIRD_PARTY)


class HandOutBody(Body):
    """Which units somebody is to look at, and what to mark."""

    kind: Kind
    period: str = Field(pattern=r"^20[0-9]{2}$")
    units: list[str] = Field(min_length=1, max_length=500)
    results: list[str] = Field(min_length=1, max_length=100)
    assignee: str = Field(min_length=1, max_length=100)
    due_on: WrittenDay


class ItemBody(Body):
    """Marks for one result in thousandths."""

    result: str = Field(max_length=64)
    marks: int = Field(ge=0, le=1000)
    reasons: str = Field(max_length=500)


class HandInBody(Body):
    """The whole sheet, over the version that was read; `replaces`: upheld objections whose corrections it replaces."""

    version: int = Field(ge=0)
    items: list[ItemBody] = Field(max_length=100)
    reason: str = Field(default="", max_length=500)
    replaces: list[str] = Field(default_factory=list, max_length=100)


class SheetView(BaseModel):
    """A sheet in a list."""

    id: str
    kind: str
    kind_title: str
    period: str
    unit: str
    unit_name: str
    assignee: str
    due_on: date
    issued_at: str
    versions: int
    results: int


class SheetPage(SheetView):
    """A sheet with its results, versions and files."""

    asked: list[dict[str, str]]
    handed_in: list[dict[str, Any]]
    files: list[dict[str, Any]]


def router(sheets: Sheets, blobs: Blobs) -> APIRouter:
    """Sheets for inspectors and third parties."""
    router = APIRouter(prefix="/sheets", tags=["sheets"])

    @router.post("", status_code=201)
    @allow(INSPECTOR)
    def hand_out(body: HandOutBody, who: Caller) -> dict[str, list[str]]:
        """Hand out one sheet a unit."""
        made = sheets.hand_out(
            who, body.kind, body.period, body.units, body.results, body.assignee, body.due_on
        )
        return {"ids": made}

    @router.get("")
    @allow(*LOOKERS, AUDIT_ADMIN)
    def mine(who: Caller, as_of: Day = None) -> list[SheetView]:
        """The sheets the caller may see, those due first; now or on a past day."""
        return [SheetView(**_view(sheet)) for sheet in sheets.mine(who, sheets.end_of(as_of))]

    @router.get("/{sheet}")
    @allow(*LOOKERS, AUDIT_ADMIN)
    def one(sheet: str, who: Caller, as_of: Day = None) -> SheetPage:
        """A sheet with what was handed in."""
        found, framework, versions, files = sheets.one(who, sheet, sheets.end_of(as_of))
        nodes = ((code, framework.node(code)) for code in found.results)
        return SheetPage(
            **_view(found),
            asked=[{"result": code, "title": node.title if node else code} for code, node in nodes],
            handed_in=[
                asdict(version) | {"handed_in_at": version.handed_in_at.astimezone(SHANGHAI).isoformat()}
                for version in versions
            ],
            files=[asdict(file) for file in files],
        )

    @router.post("/{sheet}/versions", status_code=201)
    @allow(*LOOKERS)
    def hand_in(sheet: str, body: HandInBody, who: Caller) -> dict[str, int]:
        """Hand the sheet in, or correct it with a reason."""
        items = [
            Item(item.result, item.marks, clean_text(item.reasons, max_characters=500)) for item in body.items
        ]
        reason = clean_text(body.reason, max_characters=500)
        return {"version": sheets.hand_in(who, sheet, body.version, items, reason, body.replaces)}

    @router.post("/{sheet}/files", status_code=201)
    @allow(*LOOKERS)
    def add_file(sheet: str, file: UploadFile, who: Caller) -> dict[str, Any]:
        """Add a report or photograph."""
        sheets.one(who, sheet)
        kept = checked(file.file, file.filename or "", blobs)
        sheets.add_file(who, sheet, kept)
        return asdict(kept)

    @router.get("/{sheet}/files/{digest}")
    @allow(*LOOKERS, AUDIT_ADMIN)
    def file(sheet: Annotated[str, Field()], digest: str, who: Caller, as_of: Day = None) -> Response:
        """A file of a sheet, as it was handed in."""
        found = sheets.file(who, sheet, digest, sheets.end_of(as_of))
        return attachment(blobs.get(digest), name=found.name, media_type=found.media_type)

    return router


def _view(sheet: Sheet) -> dict[str, Any]:
    shown = ("id", "kind", "period", "unit", "unit_name", "assignee", "due_on", "versions")
    return {name: getattr(sheet, name) for name in shown} | {
        "kind_title": KINDS[sheet.kind],
        "issued_at": sheet.issued_at.astimezone(SHANGHAI).isoformat(),
        "results": len(sheet.results),
    }
