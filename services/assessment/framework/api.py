"""Doors: versions of frameworks, their difference and files, drafts, proposals and decisions over HTTP."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response, UploadFile
from pydantic import BaseModel, Field

from contracts.roles import EVERYONE_SIGNED_IN, INSPECTOR, REVIEWER
from kernel.access.rules import allow
from kernel.clock import SHANGHAI
from kernel.errors import Problem
from kernel.hosting.api import Caller
from kernel.hosting.attachments import attachment
from kernel.hosting.validation import Body
from services.assessment.framework.changes import MOST_BYTES, FrameworkChanges
from services.assessment.framework.comparing import Change
from services.assessment.framework.overview import FrameworkOverview, ProposalLine, VersionLine
from services.assessment.framework.service import Frameworks
from services.assessment.framework.workbook import workbook_of
from services.assessment.framework.writing import document_of, yaml_of
from services.assessment.ranking.api import Day

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
VersionName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,19}$")]
Note = Annotated[str, Field(max_length=500)]
Year = Annotated[int, Field(ge=2000, le=2100)]


class VersionView(BaseModel):
    """A version of a framework, with its state."""

    id: str
    version: str
    title: str
    year: int
    state: str
    digest: str
    draft: str
    source: str
    made_by: str
    made_at: str
    years: list[int]


class ProposalView(BaseModel):
    """A proposal and its answer; `approved` null while it waits."""

    id: str
    act: str
    framework: str
    version: str
    draft: str
    year: int
    note: str
    proposed_by: str
    proposed_at: str
    approved: bool | None
    decided_by: str
    decided_at: str | None
    decision_note: str


class ChangeView(BaseModel):
    """One difference of two versions."""

    kind: str
    code: str
    title: str
    group: str
    before: str
    after: str
    sentence: str


class DifferenceView(BaseModel):
    """The differences of two versions; `against` is empty where there is nothing to compare with."""

    against: str
    changes: list[ChangeView]


class ProblemView(BaseModel):
    """One fault of a file: line or cell, code, what to do."""

    path: str
    code: str
    message: str


class DraftView(BaseModel):
    """What became of a file handed in."""

    draft: str
    framework: str
    version: str
    title: str
    counts: dict[str, int]
    problems: list[ProblemView]
    against: str
    changes: list[ChangeView]


class CopyRequest(Body):
    """A new draft from a published version."""

    framework: Name
    version: VersionName
    new_version: VersionName
    year: Year


class ProposalRequest(Body):
    """What is asked: publish a draft, put a version in force for a year, retire a version."""

    act: Literal["publish", "in_force", "retire"]
    draft: Annotated[str, Field(max_length=36)] = ""
    framework: Annotated[str, Field(max_length=64)] = ""
    version: Annotated[str, Field(max_length=20)] = ""
    year: Annotated[int, Field(ge=0, le=2100)] = 0
    note: Note = ""


class DecisionRequest(Body):
    """The answer of the second person."""

    approved: bool
    note: Note = ""


class Made(BaseModel):
    """The id of what was made."""

    id: str


def router(frameworks: Frameworks, changes: FrameworkChanges, overview: FrameworkOverview) -> APIRouter:
    """Routes under /frameworks, /framework_drafts and /framework_proposals."""
    routes = APIRouter(tags=["frameworks"])
    _version_routes(routes, frameworks, changes, overview)
    _draft_routes(routes, changes)
    _proposal_routes(routes, changes, overview)
    return routes


def _version_routes(
    routes: APIRouter, frameworks: Frameworks, changes: FrameworkChanges, overview: FrameworkOverview
) -> None:
    @routes.get("/frameworks")
    @allow(*EVERYONE_SIGNED_IN)
    def list_versions(who: Caller) -> list[VersionView]:
        """Every version with its state; drafts for reviewers and inspectors only."""
        return [_version(line) for line in overview.versions(drafts=who.has(REVIEWER, INSPECTOR))]

    @routes.get("/frameworks/{framework}/{version}")
    @allow(*EVERYONE_SIGNED_IN)
    def one_version(framework: str, version: str) -> dict[str, Any]:
        """A published version as its document: the tree with points by peer group."""
        return document_of(frameworks.get(framework, version))

    @routes.get("/frameworks/{framework}/{version}/difference")
    @allow(*EVERYONE_SIGNED_IN)
    def difference(
        framework: str, version: str, against: Annotated[str, Query(max_length=20)]
    ) -> DifferenceView:
        """What a version changes about another, as data and as sentences."""
        found = changes.compare(framework, against, version)
        return DifferenceView(against=f"{framework}@{against}", changes=[_change(one) for one in found])

    @routes.get("/frameworks/{framework}/{version}/file", response_class=Response)
    @allow(*EVERYONE_SIGNED_IN)
    def file(framework: str, version: str, form: Literal["yaml", "xlsx"] = "yaml") -> Response:
        """A published version as a file that can be mended and handed in again."""
        return _file(document_of(frameworks.get(framework, version)), form)


def _draft_routes(routes: APIRouter, changes: FrameworkChanges) -> None:
    @routes.post("/framework_drafts")
    @allow(REVIEWER)
    def hand_in(
        who: Caller,
        file: UploadFile,
        dry_run: bool = True,  # noqa: FBT001, FBT002 - a query parameter
    ) -> DraftView:
        """Check a YAML or XLSX file; kept as a draft unless it is a dry run."""
        content = file.file.read(MOST_BYTES + 1)
        report = changes.hand_in(who, file.filename or "", content, dry_run=dry_run)
        found = report.framework
        return DraftView(
            draft=report.draft,
            framework=found.id if found else "",
            version=found.version if found else "",
            title=found.title if found else "",
            counts={level: found.count(level) for level in found.levels} if found else {},
            problems=[_problem(problem) for problem in report.problems],
            against=report.against,
            changes=[_change(one) for one in report.changes],
        )

    @routes.post("/framework_drafts/copies", status_code=201)
    @allow(REVIEWER)
    def copy(request: CopyRequest, who: Caller) -> Made:
        """A new draft that says what a published version says."""
        made = changes.copy(who, request.framework, request.version, request.new_version, request.year)
        return Made(id=made)

    @routes.get("/framework_drafts/{draft}")
    @allow(REVIEWER, INSPECTOR)
    def one_draft(draft: str) -> dict[str, Any]:
        """A draft as its document."""
        return document_of(changes.draft(draft)[1])

    @routes.get("/framework_drafts/{draft}/difference")
    @allow(REVIEWER, INSPECTOR)
    def draft_difference(draft: str) -> DifferenceView:
        """What a draft changes about the version published last."""
        against, found = changes.changes_of_draft(draft)
        return DifferenceView(against=against, changes=[_change(one) for one in found])

    @routes.get("/framework_drafts/{draft}/file", response_class=Response)
    @allow(REVIEWER, INSPECTOR)
    def draft_file(draft: str, form: Literal["yaml", "xlsx"] = "yaml") -> Response:
        """A draft as a file."""
        return _file(document_of(changes.draft(draft)[1]), form)


def _proposal_routes(routes: APIRouter, changes: FrameworkChanges, overview: FrameworkOverview) -> None:
    @routes.get("/framework_proposals")
    @allow(REVIEWER, INSPECTOR)
    def list_proposals(
        framework: Annotated[str, Query(max_length=64)] = "", as_of: Day = None
    ) -> list[ProposalView]:
        """What was proposed, those that wait first, now or on a past day."""
        return [_proposal(line) for line in overview.proposals(framework, as_of)]

    @routes.post("/framework_proposals", status_code=201)
    @allow(REVIEWER)
    def propose(request: ProposalRequest, who: Caller) -> Made:
        """Ask for a publication, for putting in force, for retirement; another person decides."""
        if request.act == "publish":
            return Made(id=changes.propose_publication(who, request.draft, request.note))
        if request.act == "in_force":
            return Made(
                id=changes.propose_in_force(
                    who, request.framework, request.version, request.year, request.note
                )
            )
        return Made(id=changes.propose_retirement(who, request.framework, request.version, request.note))

    @routes.post("/framework_proposals/{proposal}/decision", status_code=204)
    @allow(REVIEWER, INSPECTOR)
    def decide(proposal: str, request: DecisionRequest, who: Caller) -> None:
        """Answer a proposal; a yes needs another person than those who wrote and proposed."""
        changes.decide(who, proposal, request.note, approved=request.approved)


def _file(document: dict[str, Any], form: Literal["yaml", "xlsx"]) -> Response:
    name = f"{document['id']}-{document['version']}.{form}"
    if form == "xlsx":
        return attachment(workbook_of(document), name=name, media_type=XLSX)
    return attachment(yaml_of(document).encode(), name=name, media_type="application/yaml")


def _time(at: datetime) -> str:
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds")


def _version(line: VersionLine) -> VersionView:
    return VersionView(
        id=line.id,
        version=line.version,
        title=line.title,
        year=line.year,
        state=line.state,
        digest=line.digest,
        draft=line.draft,
        source=line.source,
        made_by=line.made_by,
        made_at=_time(line.made_at),
        years=list(line.years),
    )


def _proposal(line: ProposalLine) -> ProposalView:
    return ProposalView(
        id=line.id,
        act=line.act,
        framework=line.framework,
        version=line.version,
        draft=line.draft,
        year=line.year,
        note=line.note,
        proposed_by=line.proposed_by,
        proposed_at=_time(line.proposed_at),
        approved=line.approved,
        decided_by=line.decided_by,
        decided_at=_time(line.decided_at) if line.decided_at else None,
        decision_note=line.decision_note,
    )


def _change(change: Change) -> ChangeView:
    return ChangeView(
        kind=change.kind,
        code=change.code,
        title=change.title,
        group=change.group,
        before=change.before,
        after=change.after,
        sentence=change.sentence,
    )


def _problem(problem: Problem) -> ProblemView:
    return ProblemView(path=problem.path, code=problem.code, message=problem.message)
