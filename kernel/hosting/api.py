"""
API processes: FastAPI around a service's routes. Never imports nameko or eventlet.

`build_api` refuses to start when an endpoint declares no access rule. Errors of the tree become HTTP here and
nowhere else; a refused attempt of somebody signed in is written to the audit table.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from kernel.access.principal import ANONYMOUS, Principal
from kernel.access.rules import public, rule_of
from kernel.access.tokens import Verifier
from kernel.errors import (
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    NotSignedIn,
    PlatformError,
    RuleViolation,
    TemporaryError,
    TooLarge,
    TooSlow,
)
from kernel.hosting.edge import Edge, takes_raw_body
from kernel.hosting.idempotency import AnswerKeeper, Replayed, keyed, replay
from kernel.hosting.integers import plain_integers
from kernel.hosting.measuring import readers
from kernel.hosting.validation import problems_of
from kernel.storage import reach
from kernel.storage.work import Store
from kernel.telemetry import metrics
from kernel.telemetry.log import logger

log = logger(__name__)

TOKEN_COOKIE = "fazhi_token"  # noqa: S105  (a name, no secret)
CSRF_HEADER = "x-fazhi-csrf"
STATUS: tuple[tuple[type[PlatformError], int], ...] = (
    (TooLarge, 413),
    (TooSlow, 408),
    (Invalid, 422),
    (NotSignedIn, 401),
    (NotAllowed, 403),
    (NotFound, 404),
    (RuleViolation, 409),
    (Conflict, 409),
    (TemporaryError, 503),
)


def status_of(error: PlatformError) -> int:
    """The HTTP status of an error of the tree."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def render_error(error: PlatformError, request: str) -> tuple[int, bytes]:
    """An error as status and JSON body; never echoes raw input."""
    fields = [{"path": p.path, "code": p.code, "message": p.message} for p in error.problems[:200]]
    body = {"code": error.stable_code, "message": error.text, "fields": fields, "request_id": request}
    return status_of(error), orjson.dumps(body)


class UndeclaredEndpoint(Exception):
    """An endpoint says nothing about who may knock; the process must not start."""


def build_api(
    service: str, title: str, routers: Sequence[APIRouter], verifier: Verifier, store: Store | None
) -> FastAPI:
    """The application of one service, under /api/<service>/v1, with its OpenAPI beside."""
    prefix = f"/api/{service}"
    app = FastAPI(
        title=title,
        version="1",
        openapi_url=f"{prefix}/openapi.json",
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(_authorise(verifier)), Depends(plain_integers), Depends(keyed)],
    )
    for router in routers:
        app.include_router(router, prefix=f"{prefix}/v1")
    app.state.store = store
    app.add_exception_handler(Replayed, replay)
    if store is not None:
        app.add_middleware(AnswerKeeper, store=store)
    return _dressed(app, service, prefix)


def build_operations(name: str, ready: Callable[[], None], networks: str) -> FastAPI:
    """Health, readiness and metrics of a process; every other path is answered as not found."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(operations_router(name, ready, networks))
    return _dressed(app, name, "")


def _dressed(app: FastAPI, service: str, prefix: str) -> FastAPI:
    """The application behind the edge, with the error tree turned into HTTP."""
    refuse_undeclared(app)
    app.add_exception_handler(PlatformError, _platform_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)
    raw = {
        f"{prefix}/v1{r.path.removeprefix(f'{prefix}/v1')}"
        for r in walk(app.routes)
        if takes_raw_body(r.endpoint)
    }
    app.add_middleware(Edge, service=service, render=render_error, raw=raw)
    return app


def refuse_undeclared(app: FastAPI) -> None:
    """Raise UndeclaredEndpoint when a route declares no access rule."""
    for route in walk(app.routes):
        if rule_of(route.endpoint) is None:
            raise UndeclaredEndpoint(f"{route.path} declares neither @allow(...) nor @public")


def walk(routes: Sequence[Any]) -> list[APIRoute]:
    """Every API route, inside included routers too."""
    found: list[APIRoute] = []
    for route in routes:
        if isinstance(route, APIRoute):
            found.append(route)
        else:
            nested = getattr(route, "routes", None) or getattr(
                getattr(route, "original_router", None), "routes", None
            )
            found.extend(walk(nested or []))
    return found


def caller(request: Request) -> Principal:
    """Who is asking; anonymous on public endpoints when nobody signed in."""
    principal: Principal = request.state.principal
    return principal


Caller = Annotated[Principal, Depends(caller)]


def _authorise(verifier: Verifier) -> Callable[[Request], Awaitable[None]]:
    async def authorise(request: Request) -> None:
        endpoint = request.scope.get("endpoint")
        rule = rule_of(endpoint)
        if rule is None:
            raise NotAllowed()
        principal = _identify(request, verifier, demanded=not rule.is_public)
        request.state.principal = principal or ANONYMOUS
        reach.say(reach.of(request.state.principal))
        rule.check(principal)

    return authorise


def _identify(request: Request, verifier: Verifier, *, demanded: bool) -> Principal | None:
    header = request.headers.get("authorization", "")
    # Whatever else the header says, it is the cookie that is believed.
    by_cookie = header[:7].lower() != "bearer "
    token = request.cookies.get(TOKEN_COOKIE, "") if by_cookie else header[7:]
    if not token:
        return None
    try:
        principal, csrf = verifier.principal(token)
    except NotSignedIn:
        if demanded:
            raise
        return None
    known = replace(
        principal,
        address=request.client.host if request.client else "",
        request=request.state.request_id,
    )
    if by_cookie and request.method not in ("GET", "HEAD") and request.headers.get(CSRF_HEADER) != csrf:
        if not demanded:
            return None
        request.state.principal = known
        raise NotAllowed("页面已过期，请刷新后重试。", code="identity.csrf")
    return known


async def _record_denial(request: Request, error: NotAllowed) -> None:
    """Write down who was refused what, whether by the route's rule or by the service (R50)."""
    store: Store | None = getattr(request.app.state, "store", None)
    principal: Principal = getattr(request.state, "principal", ANONYMOUS)
    if store is None or principal == ANONYMOUS:
        return
    path = request.scope["path"]
    await run_in_threadpool(
        store.record_denial, principal, f"{request.method} {path}", path, error.stable_code
    )


async def _platform_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PlatformError)
    if isinstance(error, NotAllowed):
        await _record_denial(request, error)
    status, body = render_error(error, request.state.request_id)
    headers = {"retry-after": "5"} if status == 503 else {}
    return Response(body, status, headers, media_type="application/json")


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return await _platform_error(request, Invalid(problems=problems_of(error.errors())))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, PlatformError):  # the framework hides what the edge raised in mid-body
        return await _platform_error(request, error.__cause__)
    kind = {
        400: Invalid(),
        404: NotFound("没有这个地址，请核对后再试。", code="platform.unknown_address"),
        405: Invalid("此地址不支持该操作。", code="platform.method_not_allowed"),
    }
    shown = kind.get(error.status_code, PlatformError())
    _, body = render_error(shown, request.state.request_id)
    return Response(body, error.status_code, error.headers, media_type="application/json")


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("unexpected_error", path=request.url.path, error=repr(error), exc_info=error)
    return await _platform_error(request, PlatformError())


def operations_router(service: str, ready: Callable[[], None], networks: str) -> APIRouter:
    """GET /healthz (alive), /readyz (own database answers, R55) and /metrics (known networks only)."""
    router = APIRouter()
    may_read = readers(networks)

    @router.get("/healthz", include_in_schema=False)
    @public
    def healthz() -> dict[str, str]:
        return {"status": "ok", "service": service}

    @router.get("/readyz", include_in_schema=False)
    @public
    def readyz() -> Response:
        try:
            ready()
        except PlatformError as error:
            body = {"status": "unavailable", "service": service, "code": error.stable_code}
            return Response(orjson.dumps(body), 503, media_type="application/json")
        return Response(orjson.dumps({"status": "ready", "service": service}), media_type="application/json")

    @router.get("/metrics", include_in_schema=False)
    @public
    def exposition(request: Request) -> Response:
        if may_read(request.client.host if request.client else ""):
            return Response(metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")
        return Response(status_code=404)

    return router
