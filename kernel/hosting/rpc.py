"""
gRPC in the API process: the only importer of grpc (R43).

Every call needs a token in its metadata and a deadline of at most ten seconds; messages are bounded at 1 MiB.
Errors of the tree become status codes here. Domain code is synchronous and runs in threads.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, TypeVar

import grpc
from grpc import aio

from kernel.access.principal import Principal
from kernel.access.rules import demand
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
)
from kernel.storage import reach
from kernel.storage.work import Store
from kernel.telemetry.log import logger, trace_id

log = logger(__name__)

MAX_MESSAGE_BYTES = 1024 * 1024
MAX_DEADLINE_SECONDS = 10.0
OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_concurrent_streams", 100),
    ("grpc.http2.min_ping_interval_without_data_ms", 30_000),
    ("grpc.max_connection_idle_ms", 300_000),
]
STATUS: tuple[tuple[type[PlatformError], grpc.StatusCode], ...] = (
    (Invalid, grpc.StatusCode.INVALID_ARGUMENT),
    (NotSignedIn, grpc.StatusCode.UNAUTHENTICATED),
    (NotAllowed, grpc.StatusCode.PERMISSION_DENIED),
    (NotFound, grpc.StatusCode.NOT_FOUND),
    (RuleViolation, grpc.StatusCode.FAILED_PRECONDITION),
    (Conflict, grpc.StatusCode.ABORTED),
    (TemporaryError, grpc.StatusCode.UNAVAILABLE),
)
T = TypeVar("T")
Context = aio.ServicerContext[Any, Any]


class Guard:
    """Says who calls, and turns errors of the tree into status codes."""

    def __init__(self, verifier: Verifier, store: Store | None = None) -> None:
        self._verifier = verifier
        self._store = store

    async def call(
        self, context: Context, roles: Collection[str], act: Callable[[Principal], T], *, stream: bool = False
    ) -> T:
        """Run `act(principal)` in a thread for a caller who holds one of these roles."""
        principal: Principal | None = None
        try:
            principal = self._caller(context, stream=stream)
            demand(principal, roles)
            return await asyncio.to_thread(act, principal)
        except PlatformError as error:
            if isinstance(error, NotAllowed) and principal is not None and self._store is not None:
                action = act.__qualname__.split(".<locals>")[0]
                await asyncio.to_thread(self._store.record_denial, principal, action, "", error.stable_code)
            await refuse(context, error)
        except Exception as error:
            log.error("unexpected_rpc_error", error=repr(error), exc_info=error)
            await refuse(context, PlatformError())
        raise AssertionError("abort returned")

    def principal(self, context: Context, roles: Collection[str], *, stream: bool = False) -> Principal:
        """Who calls; raises NotSignedIn, NotAllowed, or Invalid when no deadline was set."""
        principal = self._caller(context, stream=stream)
        demand(principal, roles)
        return principal

    def _caller(self, context: Context, *, stream: bool) -> Principal:
        remaining = context.time_remaining()
        if not stream and (remaining is None or remaining > MAX_DEADLINE_SECONDS + 1):
            raise Invalid("调用必须设置不超过 10 秒的截止时间。", code="platform.deadline_required")
        metadata = dict(context.invocation_metadata() or ())
        header = str(metadata.get("authorization", ""))
        if not header.lower().startswith("bearer "):
            raise NotSignedIn()
        principal, _ = self._verifier.principal(header[7:])
        known = replace(principal, address=str(context.peer()), request=trace_id.get())
        reach.say(reach.of(known))
        return known


async def refuse(context: Context, error: PlatformError) -> None:
    """End the call with the status of an error of the tree."""
    status = next((code for kind, code in STATUS if isinstance(error, kind)), grpc.StatusCode.INTERNAL)
    await context.abort(status, f"{error.stable_code}: {error.text}")


class _Undecodable:
    """Stands for a request whose bytes could not be read."""


class _ReadFirst(aio.ServerInterceptor):
    """
    Answers INVALID_ARGUMENT to bytes that cannot be read; the library says INTERNAL, as if it were our bug.

    Streams of requests are not served by the platform, so only single requests are looked at.
    """

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_streaming:
            return handler
        read, changed = handler.request_deserializer, {}

        def reading(raw: bytes) -> Any:
            try:
                return raw if read is None else read(raw)
            except Exception:  # noqa: BLE001  (every parser has its own; the answer is the same)
                return _Undecodable()

        if handler.response_streaming:

            async def answering(request: Any, context: Any) -> Any:
                await _refuse_undecodable(request, context)
                async for answer in handler.unary_stream(request, context):
                    yield answer

            changed["unary_stream"] = answering
        else:

            async def answer(request: Any, context: Any) -> Any:
                await _refuse_undecodable(request, context)
                return await handler.unary_unary(request, context)

            changed["unary_unary"] = answer
        return handler._replace(request_deserializer=reading, **changed)


async def _refuse_undecodable(request: Any, context: Context) -> None:
    if isinstance(request, _Undecodable):
        await refuse(context, Invalid("请求无法按接口约定解码。", code="platform.undecodable"))


def new_server() -> aio.Server:
    """A gRPC server with the platform's limits."""
    return aio.server(options=OPTIONS, maximum_concurrent_rpcs=200, interceptors=[_ReadFirst()])


async def serve(server: aio.Server, address: str) -> int:
    """Bind and start; returns the port bound. Raises OSError when the port is taken."""
    port = server.add_insecure_port(address)
    if port == 0:
        raise OSError(f"gRPC cannot listen on {address}")
    await server.start()
    return port
