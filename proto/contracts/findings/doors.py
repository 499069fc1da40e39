"""Doors of evidence 佐证材料 over HTTP: the list, one piece as it came, and a file to add; alike in every service."""

from typing import Annotated

from fastapi import APIRouter, Form, Response, UploadFile
from pydantic import BaseModel

from contracts.findings.papers import Papers
from contracts.findings.values import Evidence
from contracts.roles import BUSINESS, REPORTER, REVIEWER, UNIT_HEAD
from kernel.access.rules import allow
from kernel.clock import SHANGHAI
from kernel.hosting.api import Caller
from kernel.hosting.attachments import attachment


class EvidenceView(BaseModel):
    """A piece of evidence: digest, media type, name, and the path under which it is given out."""

    digest: str
    media_type: str
    name: str
    place: str


class ListedView(EvidenceView):
    """A piece in the list of a subject, with its own file name (empty for records), its bytes, and when it came."""

    file: str
    size: int
    recorded_at: str


def add_evidence_routes(routes: APIRouter, papers: Papers) -> None:
    """Routes under a subject: GET /{subject}/evidence, GET /{subject}/evidence/{digest}, POST /{subject}/files."""

    @routes.get("/{subject}/evidence")
    @allow(*BUSINESS)
    def listed(subject: str, who: Caller) -> list[ListedView]:
        """What was handed in about it, newest first."""
        return [
            ListedView(
                **_named(one.evidence),
                file=one.file,
                size=one.size,
                recorded_at=one.at.astimezone(SHANGHAI).isoformat(timespec="seconds"),
            )
            for one in papers.listed(who, subject)
        ]

    @routes.get("/{subject}/evidence/{digest}", response_class=Response)
    @allow(*BUSINESS)
    def piece(subject: str, digest: str, who: Caller) -> Response:
        """One piece as it came, as an attachment: its SHA-256 is the digest (R45)."""
        found = papers.read(who, subject, digest)
        return attachment(found.content, name=found.name, media_type=found.media_type)

    @routes.post("/{subject}/files", status_code=201)
    @allow(REPORTER, UNIT_HEAD, REVIEWER)
    def add(
        subject: str, who: Caller, file: UploadFile, material: Annotated[str, Form(max_length=50)]
    ) -> EvidenceView:
        """Add a file; PDF, OFD, DOCX, XLSX, JPG, PNG, CSV or TXT of at most 20 MB."""
        added = papers.add(who, subject, file.file, name=file.filename or "", material=material)
        return EvidenceView(**_named(added))


def _named(evidence: Evidence) -> dict[str, str]:
    return {
        "digest": evidence.digest,
        "media_type": evidence.media_type,
        "name": evidence.name,
        "place": evidence.place,
    }
