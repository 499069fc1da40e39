"""
HTTP of identity: sessions for browsers and programmes, accounts and grants for administrators; second factors are in
factor_api.py.

The session cookie holds the opaque id, the token cookie the signed token of five minutes; both are HttpOnly and
SameSite=Strict. The token cookie outlives its token, so that an API can say "expired" and the page renews.
"""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.responses import JSONResponse

from contracts.roles import AUDIT_ADMIN, EVERYONE_SIGNED_IN, SECURITY_ADMIN, SYSTEM_ADMIN, UNIT_HEAD
from gateway.identity.accounts import Accounts
from gateway.identity.demonstration import Demonstrations, DemonstrationView
from gateway.identity.locks import Locked
from gateway.identity.register import MAX_ROWS, AccountLine, GrantLine, Register
from gateway.identity.sessions import Me, Opened, Sessions
from kernel.access.rules import allow, public
from kernel.clock import SHANGHAI
from kernel.errors import NotSignedIn
from kernel.hosting.api import TOKEN_COOKIE, Caller, render_error
from kernel.hosting.validation import Body, WrittenDay

SESSION_COOKIE = "fazhi_session"
_Limit = Annotated[int, Query(ge=1, le=MAX_ROWS)]
_Offset = Annotated[int, Query(ge=0)]
Day = Annotated[date | None, Query(description="按该日结束时（北京时间）的情况")]


class SignIn(Body):
    """Name and password, the unit to act for when there are several, and the code of a second factor where there is one."""

    account: str = Field(max_length=100)
    password: str = Field(max_length=200)
    unit: str = Field("", max_length=100)
    code: str = Field("", max_length=50)


class PasswordChange(Body):
    """The password in force and the new one, and the code of a second factor where there is one."""

    account: str = Field(max_length=100)
    password: str = Field(max_length=200)
    new_password: str = Field(max_length=200)
    code: str = Field("", max_length=50)


class NewAccount(Body):
    """An account to be made."""

    account: str
    name: str = Field(min_length=1, max_length=100)
    unit: str
    password: str = Field(max_length=200)


class AccountState(Body):
    """Whether an account may sign in."""

    state: Literal["active", "disabled"]


class Transfer(Body):
    """The unit an account belongs to from now on."""

    unit: str = Field(min_length=1, max_length=100)


class NewGrant(Body):
    """A role on a unit proposed for an account, its first and last day (none: from the decision, without end), and why."""

    account: str
    role: str
    unit: str
    from_on: WrittenDay | None = None
    until_on: WrittenDay | None = None
    reason: str = Field("", max_length=200)


class Decision(Body):
    """Approve or refuse, and why."""

    approve: bool
    note: str = Field("", max_length=200)


class Cookies:
    """Names and attributes of the two cookies."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        self._session = f"__Host-{SESSION_COOKIE}" if secure else SESSION_COOKIE

    def session_of(self, request: Request) -> str:
        """The session id a browser sent; raises NotSignedIn."""
        value = request.cookies.get(self._session, "")
        if not value:
            raise NotSignedIn()
        return value

    def put(self, response: Response, opened: Opened) -> None:
        """Set both cookies; the session's only when it is new."""
        if opened.session:
            self._set(response, self._session, opened.session, "/")
        self._set(response, TOKEN_COOKIE, opened.token, "/api")

    def drop(self, response: Response) -> None:
        """Take both cookies away."""
        for name, path in ((self._session, "/"), (TOKEN_COOKIE, "/api")):
            response.delete_cookie(name, path, secure=self._secure, httponly=True, samesite="strict")

    def _set(self, response: Response, name: str, value: str, path: str) -> None:
        response.set_cookie(name, value, path=path, secure=self._secure, httponly=True, samesite="strict")


def session_router(
    sessions: Sessions, accounts: Accounts, demonstrations: Demonstrations, *, secure: bool
) -> APIRouter:
    """Routes of signing in and out."""
    router = APIRouter(tags=["sessions"])
    cookies = Cookies(secure=secure)

    @router.post("/sessions", status_code=201)
    @public
    def sign_in(body: SignIn, request: Request) -> Response:
        try:
            opened = sessions.sign_in(
                body.account,
                body.password,
                unit=body.unit,
                code=body.code,
                address=_address(request),
                request=request.state.request_id,
            )
        except Locked as locked:
            return too_many(locked, request)
        response = JSONResponse(shown_session(opened), 201)
        cookies.put(response, opened)
        return response

    @router.post("/sessions/renew")
    @public
    def renew(request: Request) -> Response:
        opened = sessions.renew(cookies.session_of(request))
        response = JSONResponse(shown_session(opened))
        cookies.put(response, opened)
        return response

    @router.get("/sessions/current")
    @allow(*EVERYONE_SIGNED_IN, lets_enrolling=True)
    def current(who: Caller) -> dict[str, Any]:
        return _me(sessions.current(who.session))

    @router.delete("/sessions/current", status_code=204)
    @allow(*EVERYONE_SIGNED_IN, lets_enrolling=True)
    def sign_out(who: Caller) -> Response:
        sessions.sign_out(who)
        response = Response(status_code=204)
        cookies.drop(response)
        return response

    @router.post("/passwords", status_code=204)
    @public
    def change_password(body: PasswordChange, request: Request) -> Response:
        try:
            accounts.change_password(
                body.account,
                body.password,
                body.new_password,
                code=body.code,
                address=_address(request),
                request=request.state.request_id,
            )
        except Locked as locked:
            return too_many(locked, request)
        return Response(status_code=204)

    @router.get("/demonstration")
    @public
    def demonstration() -> DemonstrationView:
        return demonstrations.shown()

    return router


def account_router(accounts: Accounts, register: Register) -> APIRouter:
    """Routes of accounts and grants."""
    router = APIRouter(tags=["accounts"])

    @router.get("/accounts")
    @allow(SYSTEM_ADMIN, SECURITY_ADMIN, AUDIT_ADMIN, UNIT_HEAD)
    def list_accounts(
        who: Caller,
        query: Annotated[str, Query(max_length=100)] = "",
        state: Literal["", "active", "disabled"] = "",
        as_of: Day = None,
        limit: _Limit = 100,
        offset: _Offset = 0,
    ) -> list[AccountLine]:
        """Accounts with the roles in force, now or at the end of a past day."""
        return register.accounts(who, query=query.strip(), state=state, day=as_of, limit=limit, offset=offset)

    @router.post("/accounts", status_code=201)
    @allow(SYSTEM_ADMIN)
    def create(body: NewAccount, who: Caller) -> dict[str, str]:
        accounts.create(who, account=body.account, name=body.name, unit=body.unit, password=body.password)
        return {"account": body.account}

    @router.post("/accounts/{account}/state", status_code=204)
    @allow(SYSTEM_ADMIN)
    def set_state(account: str, body: AccountState, who: Caller) -> None:
        accounts.set_state(who, account, body.state)

    @router.post("/accounts/{account}/unit", status_code=204)
    @allow(SYSTEM_ADMIN)
    def transfer(account: str, body: Transfer, who: Caller) -> None:
        accounts.transfer(who, account, body.unit)

    @router.get("/grants")
    @allow(SYSTEM_ADMIN, SECURITY_ADMIN, AUDIT_ADMIN, UNIT_HEAD)
    def list_grants(
        who: Caller,
        state: Literal["", "proposed", "active", "refused", "revoked"] = "",
        account: Annotated[str, Query(max_length=100)] = "",
        as_of: Day = None,
        limit: _Limit = 100,
        offset: _Offset = 0,
    ) -> list[GrantLine]:
        """Grants with what became of them, now or by the end of a past day."""
        return register.grants(who, state=state, account=account, day=as_of, limit=limit, offset=offset)

    @router.post("/grants", status_code=201)
    @allow(SYSTEM_ADMIN, UNIT_HEAD)
    def propose(body: NewGrant, who: Caller) -> dict[str, str]:
        return {"id": accounts.propose(who, **body.model_dump())}

    @router.post("/grants/{grant}/decision", status_code=204)
    @allow(SECURITY_ADMIN)
    def decide(grant: str, body: Decision, who: Caller) -> None:
        accounts.decide(who, grant, approve=body.approve, note=body.note)

    @router.delete("/grants/{grant}", status_code=204)
    @allow(SECURITY_ADMIN)
    def revoke(grant: str, who: Caller, note: Annotated[str, Query(max_length=200)] = "") -> None:
        accounts.revoke(who, grant, note=note)

    return router


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def too_many(error: Locked, request: Request) -> Response:
    """The answer to somebody locked out."""
    _, body = render_error(error, request.state.request_id)
    return Response(body, 429, {"retry-after": "900"}, media_type="application/json")


def shown_session(opened: Opened) -> dict[str, Any]:
    """A session as it is answered, with its token."""
    return {**_me(opened.me), "token": opened.token, "token_expires_at": _shown(opened.token_expires_at)}


def _me(me: Me) -> dict[str, Any]:
    known = asdict(me)
    return {
        "account": {"id": known["account"], "name": known["name"]},
        "unit": {"code": known["unit"], "name": known["unit_name"], "path": known["unit_path"]},
        "roles": [{"code": code, "title": title} for code, title in me.roles],
        "csrf": me.csrf,
        "must_enrol": me.must_enrol,
    }


def _shown(at: datetime) -> str:
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds")
