"""
API processes: the HTTP and gRPC side of one service, or of all of them in the embedded form.

Never imports nameko or eventlet. Both servers share one event loop; domain code runs in threads.
"""

import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from fazhi.identity import verifier
from fazhi.pages import Pages
from fazhi.services import Service
from kernel.hosting import rpc
from kernel.hosting.api import build_api, build_operations
from kernel.hosting.runtime import Runtime
from kernel.hosting.serving import ImpatientProtocol
from kernel.settings import Settings
from kernel.telemetry.log import logger

log = logger(__name__)

GRACE_SECONDS = 20
Lifespan = Callable[[], AbstractAsyncContextManager[None]]


class ByPrefix:
    """Sends /api/<service>/ to that service, the operations paths to theirs, the rest to the console."""

    def __init__(
        self, services: Mapping[str, ASGIApp], operations: ASGIApp, rest: ASGIApp, around: Lifespan
    ) -> None:
        self._services = services
        self._operations = operations
        self._rest = rest
        self._around = around

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(self._around, receive, send)
            return
        parts = scope["path"].split("/", 3)
        if len(parts) > 2 and parts[1] == "api" and parts[2] in self._services:
            await self._services[parts[2]](scope, receive, send)
        elif scope["path"] in ("/healthz", "/readyz", "/metrics") or scope["path"].startswith("/api/"):
            await self._operations(scope, receive, send)
        else:
            await self._rest(scope, receive, send)


async def _lifespan(around: Lifespan, receive: Receive, send: Send) -> None:
    await receive()
    try:
        async with around():
            await send({"type": "lifespan.startup.complete"})
            await receive()
    except Exception as error:
        log.error("start_failed", error=repr(error), exc_info=error)
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    await send({"type": "lifespan.shutdown.complete"})


def compose(
    runtime: Runtime, services: Sequence[Service], *, name: str, started: Callable[[], None] | None = None
) -> ASGIApp:
    """The application of a process that serves these services, with gRPC beside it while it lives."""
    checks = verifier(runtime)

    def ready() -> None:
        for service in services:
            service.app.store.database.ping()

    operations = build_operations(name, ready, runtime.settings.metrics_networks)
    apis = {
        service.name: build_api(service.name, service.title, service.routers(), checks, service.app.store)
        for service in services
    }

    @asynccontextmanager
    async def around() -> AsyncIterator[None]:
        server = rpc.new_server()
        for service in services:
            register = service.rpc()
            if register is not None:
                register(service.app, server, rpc.Guard(checks, service.app.store))
        settings = runtime.settings
        port = await rpc.serve(server, f"{settings.host}:{settings.rpc_port}")
        log.info("api_started", process=name, port=settings.port, grpc_port=port)
        if started is not None:
            started()
        try:
            yield
        finally:
            await server.stop(GRACE_SECONDS)

    return ByPrefix(apis, operations, Pages(runtime.settings.console), around)


def serve(app: Any, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; what is in flight is finished, at most twenty seconds."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=ImpatientProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=75,
        limit_concurrency=2000,
    )
    run_until_told(config)


def run_until_told(config: uvicorn.Config) -> None:
    """Run a server until SIGTERM or SIGINT and return, so that what runs behind it can end in order too."""
    server = uvicorn.Server(config)
    # uvicorn raises a taken signal again when it has finished; by then it means nothing more.
    for taken in (signal.SIGINT, signal.SIGTERM):
        signal.signal(taken, lambda *_: None)
    server.run()
    if not server.started:
        raise SystemExit(3)
