"""HTTP of bulletins: make, list, download; and the data behind a published ranking."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from contracts.roles import AUDIT_ADMIN, INSPECTOR, REVIEWER, STAFF
from kernel.access.rules import allow
from kernel.clock import SHANGHAI
from kernel.hosting.api import Caller
from kernel.hosting.attachments import attachment
from kernel.hosting.validation import Body
from services.assessment.bulletins.rules import KINDS, Kind
from services.assessment.bulletins.service import Bulletins, Kept
from services.assessment.ranking.api import Day

MEDIA = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class BulletinBody(Body):
    """Which publication to make a bulletin of."""

    publication: str
    kind: Kind


def router(bulletins: Bulletins) -> APIRouter:
    """Bulletins for staff."""
    router = APIRouter(tags=["bulletins"])

    @router.post("/bulletins", status_code=201)
    @allow(REVIEWER, INSPECTOR)
    def make(body: BulletinBody, who: Caller) -> dict[str, Any]:
        """Make a monthly bulletin or yearly report."""
        return _view(bulletins.make(who, body.publication, body.kind))

    @router.get("/bulletins")
    @allow(*STAFF, AUDIT_ADMIN)
    def every(as_of: Day = None) -> list[dict[str, Any]]:
        """Bulletins, newest first; as of a day, those made until its end."""
        return [_view(kept) for kept in bulletins.every(as_of)]

    @router.get("/bulletins/{bulletin}/files/{form}")
    @allow(*STAFF, AUDIT_ADMIN)
    def file(bulletin: str, form: Literal["pdf", "docx"]) -> Response:
        """A bulletin as PDF or DOCX."""
        content, name = bulletins.file(bulletin, form)
        return attachment(content, name=name, media_type=MEDIA[form])

    @router.get("/publications/{publication}/workbook")
    @allow(REVIEWER, INSPECTOR, AUDIT_ADMIN)
    def data(publication: str, who: Caller) -> FileResponse:
        """Everything behind a published ranking as XLSX."""
        path = bulletins.data(who, publication)
        return FileResponse(
            path,
            media_type=MEDIA["xlsx"],
            filename=f"考核数据-{publication}.xlsx",
            background=BackgroundTask(path.unlink),
        )

    return router


def _view(kept: Kept) -> dict[str, Any]:
    return {
        "id": kept.id,
        "publication": kept.publication,
        "kind": kept.kind,
        "kind_title": KINDS[kept.kind],
        "title": kept.title,
        "pdf": kept.pdf,
        "docx": kept.docx,
        "made_by": kept.account,
        "made_at": kept.made_at.astimezone(SHANGHAI).isoformat(),
    }
