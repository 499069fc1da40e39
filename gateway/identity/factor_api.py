"""
HTTP of second factors 双因素: enrolling one's own, and removing a lost one by four eyes.

Nothing here shows a secret twice: the key is in the answer to the offer, recovery codes in that to the confirmation.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.encoders import jsonable_encoder
from pydantic import Field
from starlette.responses import JSONResponse

from contracts.roles import AUDIT_ADMIN, EVERYONE_SIGNED_IN, SECURITY_ADMIN, SYSTEM_ADMIN, UNIT_HEAD
from gateway.identity.api import Cookies, Day, Decision, shown_session, too_many
from gateway.identity.enrolment import Enrolment, FactorView
from gateway.identity.locks import Locked
from gateway.identity.register import MAX_ROWS
from gateway.identity.removals import RemovalLine, Removals
from kernel.access.rules import allow
from kernel.hosting.api import Caller
from kernel.hosting.validation import Body


class Beginning(Body):
    """The password once more, and a code where a factor is to be replaced."""

    password: str = Field(max_length=200)
    code: str = Field("", max_length=50)


class FirstCode(Body):
    """The code that shows that the key arrived."""

    code: str = Field(max_length=50)


class NewRemoval(Body):
    """Whose factor is lost, and how that is known."""

    account: str = Field(max_length=100)
    reason: str = Field(min_length=1, max_length=200)


def enrolment_router(enrolment: Enrolment, *, secure: bool) -> APIRouter:
    """Routes of one's own second factor; open to those who may do nothing else yet."""
    router = APIRouter(tags=["second factor"])
    cookies = Cookies(secure=secure)

    @router.get("/second-factor")
    @allow(*EVERYONE_SIGNED_IN, lets_enrolling=True)
    def view(who: Caller) -> FactorView:
        return enrolment.view(who)

    @router.post("/second-factor", status_code=201)
    @allow(*EVERYONE_SIGNED_IN, lets_enrolling=True)
    def begin(body: Beginning, who: Caller, request: Request) -> Response:
        try:
            offer = enrolment.begin(who, body.password, body.code)
        except Locked as locked:
            return too_many(locked, request)
        return _unkept(jsonable_encoder(offer), 201)

    @router.post("/second-factor/confirmation")
    @allow(*EVERYONE_SIGNED_IN, lets_enrolling=True)
    def confirm(body: FirstCode, who: Caller, request: Request) -> Response:
        try:
            enrolled = enrolment.confirm(who, body.code)
        except Locked as locked:
            return too_many(locked, request)
        response = _unkept(
            {"recovery_codes": enrolled.recovery_codes, "session": shown_session(enrolled.opened)}, 200
        )
        cookies.put(response, enrolled.opened)
        return response

    return router


def removal_router(removals: Removals) -> APIRouter:
    """Routes of removing somebody's lost factor."""
    router = APIRouter(tags=["second factor"])

    @router.get("/factor-removals")
    @allow(SYSTEM_ADMIN, SECURITY_ADMIN, AUDIT_ADMIN, UNIT_HEAD)
    def list_removals(
        who: Caller,
        as_of: Day = None,
        limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 100,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> list[RemovalLine]:
        return removals.page(who, limit=limit, offset=offset, day=as_of)

    @router.post("/factor-removals", status_code=201)
    @allow(SYSTEM_ADMIN, UNIT_HEAD)
    def propose(body: NewRemoval, who: Caller) -> dict[str, str]:
        return {"id": removals.propose(who, account=body.account, reason=body.reason)}

    @router.post("/factor-removals/{removal}/decision", status_code=204)
    @allow(SECURITY_ADMIN)
    def decide(removal: str, body: Decision, who: Caller) -> None:
        removals.decide(who, removal, approve=body.approve, note=body.note)

    return router


def _unkept(body: dict[str, Any], status: int) -> JSONResponse:
    return JSONResponse(body, status, {"cache-control": "no-store"})
