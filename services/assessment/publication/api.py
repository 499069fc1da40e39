"""Who may close periods and publish rankings, and what the public may fetch."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from contracts.roles import AUDIT_ADMIN, EVERYONE_SIGNED_IN, INSPECTOR, REVIEWER
from kernel.access.rules import allow, public
from kernel.clock import SHANGHAI
from kernel.errors import NotFound
from kernel.hosting.api import Caller
from kernel.hosting.validation import Body
from services.assessment.publication.closing import Closings, Period
from services.assessment.publication.keys import PublicKeys
from services.assessment.publication.rules import PUBLIC_FILES
from services.assessment.publication.service import Publication, Publications, Request
from services.assessment.ranking.api import Day

Reason = Annotated[str, Field(max_length=500)]
MEDIA = {"json": "application/json", "jsonl": "application/x-ndjson", "note": "text/plain; charset=utf-8"}


class PeriodAsk(Body):
    """Closing or reopening asked for, with the reason."""

    act: Literal["close_asked", "reopen_asked"]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Decision(Body):
    """What the second person says."""

    agreed: bool
    reason: Reason = ""


class PublicationAsk(Body):
    """Which ranking to publish."""

    period: str
    peer_group: Annotated[str, Field(max_length=50)]
    upto: str = ""
    note: Reason = ""


class PeriodView(BaseModel):
    """Where a period stands."""

    period: str
    closed: bool
    closed_at_seq: int | None
    waiting: str | None
    waiting_since: str | None
    asked_by: str | None
    late: int


class LateView(BaseModel):
    """An event that came after its period was closed."""

    seq: int
    event_id: str
    unit: str
    probe: str
    occurred_at: str
    received_at: str


class RequestView(BaseModel):
    """A ranking somebody asked to publish."""

    id: str
    period: str
    upto: str
    peer_group: str
    asked_by: str
    note: str
    asked_at: str
    state: Literal["asked", "refused", "confirmed", "published"]
    decided_by: str
    reason: str


class PublicationView(BaseModel):
    """A published ranking and the files by which it is checked."""

    id: str
    period: str
    upto: str
    peer_group: str
    framework: str
    at_seq: int
    published_at: str
    replaces: str | None
    files: list[str]


def router(closings: Closings, publications: Publications, keys: Callable[[], PublicKeys]) -> APIRouter:
    """Periods, requests, publications; the last also for the public."""
    router = APIRouter(tags=["publication"])
    _periods(router, closings)
    _requests(router, publications)
    _published(router, publications)

    @router.get("/public/keys")
    @public
    def public_keys() -> PublicKeys:
        """The public keys by which a published ranking is checked; to be trusted only as far as this page is."""
        return keys()

    return router


def _periods(router: APIRouter, closings: Closings) -> None:
    @router.get("/periods")
    @allow(*EVERYONE_SIGNED_IN)
    def periods(as_of: Day = None) -> list[PeriodView]:
        """Periods that were closed or reopened, newest first; as of a day, what was done until its end."""
        return [_period(period) for period in closings.periods(as_of)]

    @router.post("/periods/{period}/requests", status_code=201)
    @allow(INSPECTOR)
    def ask(period: str, body: PeriodAsk, who: Caller) -> dict[str, str]:
        """Ask to close or reopen a period."""
        return {"id": closings.ask(who, period, body.act, body.reason)}

    @router.post("/periods/{period}/decisions", status_code=204)
    @allow(INSPECTOR)
    def confirm(period: str, body: Decision, who: Caller) -> None:
        """Confirm or refuse what another person asked for."""
        closings.confirm(who, period, agreed=body.agreed, reason=body.reason)

    @router.get("/periods/{period}/late-facts")
    @allow(REVIEWER, INSPECTOR, AUDIT_ADMIN)
    def late(
        period: str,
        who: Caller,
        as_of: Day = None,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> list[LateView]:
        """Events about a closed period, of the caller's area, that came after it was closed."""
        return [
            LateView(
                seq=fact.seq,
                event_id=fact.event_id,
                unit=fact.unit,
                probe=fact.probe,
                occurred_at=_time(fact.occurred_at),
                received_at=_time(fact.received_at),
            )
            for fact in closings.late_facts(who, period, offset=offset, limit=limit, day=as_of)
        ]


def _requests(router: APIRouter, publications: Publications) -> None:
    @router.get("/publication-requests")
    @allow(REVIEWER, INSPECTOR, AUDIT_ADMIN)
    def requests(as_of: Day = None) -> list[RequestView]:
        """What was asked to be published, newest first, and what had become of it."""
        return [_request(request) for request in publications.requests(as_of=as_of)]

    @router.post("/publication-requests", status_code=201)
    @allow(INSPECTOR)
    def ask(body: PublicationAsk, who: Caller) -> dict[str, str]:
        """Ask to publish a ranking."""
        return {"id": publications.ask(who, body.period, body.upto, body.peer_group, body.note)}

    @router.post("/publication-requests/{request}/decision", status_code=204)
    @allow(INSPECTOR)
    def decide(request: str, body: Decision, who: Caller) -> None:
        """Confirm or refuse what another person asked for; the worker publishes within seconds."""
        publications.decide(who, request, agreed=body.agreed, reason=body.reason)

    @router.get("/publications/{publication}/events")
    @allow(INSPECTOR, AUDIT_ADMIN)
    def events(publication: str, who: Caller) -> StreamingResponse:
        """The events a publication rests on, exactly as logged: the part of the bundle that is not public."""
        publications.demand_whole(who)
        return _download(publications.events(publication), "events.jsonl")


def _published(router: APIRouter, publications: Publications) -> None:
    @router.get("/public/publications")
    @public
    def published(as_of: Day = None) -> list[PublicationView]:
        """Published rankings, newest first; as of a day, those published until its end."""
        return [_publication(one) for one in publications.published(as_of=as_of)]

    @router.get("/public/publications/{publication}")
    @public
    def one(publication: str) -> PublicationView:
        """A published ranking."""
        return _publication(publications.one(publication))

    @router.get("/public/publications/{publication}/files/{name}")
    @public
    def file(publication: str, name: str) -> Response:
        """A public file of the bundle, byte for byte as published."""
        if name not in PUBLIC_FILES:
            raise NotFound("数据包中没有这个文件，或不对公众开放。", code="assessment.unknown_file")
        content = publications.file(publication, name)
        return Response(content, media_type=MEDIA[name.rpartition(".")[2]])

    @router.get("/publications/{publication}/units")
    @allow(INSPECTOR, AUDIT_ADMIN)
    def units(publication: str, who: Caller) -> Response:
        """The units of the directory at the time of publication."""
        publications.demand_whole(who)
        return Response(publications.file(publication, "units.jsonl"), media_type=MEDIA["jsonl"])


def _download(parts: Iterator[bytes], name: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(parts, media_type=MEDIA["jsonl"], headers=headers)


def _period(found: Period) -> PeriodView:
    waiting = found.state.waiting
    return PeriodView(
        period=found.period,
        closed=found.state.closed_at_seq is not None,
        closed_at_seq=found.state.closed_at_seq,
        waiting=waiting.act if waiting else None,
        waiting_since=_time(found.changed_at) if waiting and found.changed_at else None,
        asked_by=waiting.account if waiting else None,
        late=found.late,
    )


def _request(found: Request) -> RequestView:
    state: Literal["asked", "refused", "confirmed", "published"] = "asked"
    if found.published_at is not None:
        state = "published"
    elif found.decision is not None:
        state = "confirmed" if found.decision else "refused"
    return RequestView(
        id=found.id,
        period=found.period,
        upto=found.upto,
        peer_group=found.peer_group,
        asked_by=found.account,
        note=found.note,
        asked_at=_time(found.asked_at),
        state=state,
        decided_by=found.decided_by,
        reason=found.reason,
    )


def _publication(found: Publication) -> PublicationView:
    return PublicationView(
        id=found.id,
        period=found.period,
        upto=found.upto,
        peer_group=found.peer_group,
        framework=found.framework,
        at_seq=found.at_seq,
        published_at=_time(found.published_at),
        replaces=found.replaces,
        files=list(PUBLIC_FILES),
    )


def _time(at: datetime) -> str:
    return at.astimezone(SHANGHAI).isoformat()
