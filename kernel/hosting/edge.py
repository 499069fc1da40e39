"""
Edge: what every request passes before a route sees it (R40).

Bodies are counted and timed while they are read, not believed; JSON must be UTF-8, finite, shallow, without
duplicate keys, NUL or lone surrogates, and addresses without controls. Headers are timed by kernel.hosting.serving. Every answer carries a request id, security headers, and is measured. Pure ASGI,
so that it costs nothing on streams.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import unquote_plus

from kernel.errors import Invalid, PlatformError, TooLarge, TooSlow
from kernel.ids import new_id
from kernel.storage import reach
from kernel.telemetry import metrics
from kernel.telemetry.log import trace_id
from kernel.text import has_controls

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

E = TypeVar("E", bound=Callable[..., Any])

MAX_JSON_BYTES = 1024 * 1024
MAX_UPLOAD_BYTES = 21 * 1024 * 1024
BODY_SECONDS = 30.0
UPLOAD_SECONDS = 300.0
MAX_DEPTH = 20
MAX_NODES = 10_000
WHOLE_NUMBERS = range(-(2**63), 2**63)  # what both databases hold

SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]


def raw_body(endpoint: E) -> E:
    """The endpoint takes the bytes as they came, verifies who sent them, and only then calls `check_json` (R29)."""
    endpoint.__raw_body__ = True  # type: ignore[attr-defined]
    return endpoint


def takes_raw_body(endpoint: object) -> bool:
    """Whether an endpoint is marked @raw_body."""
    return getattr(endpoint, "__raw_body__", False)


class Edge:
    """ASGI middleware around a service's routes; `raw` are the paths of @raw_body endpoints."""

    def __init__(
        self,
        app: App,
        service: str,
        render: Callable[[PlatformError, str], tuple[int, bytes]],
        raw: Collection[str] = (),
    ) -> None:
        self._app = app
        self._service = service
        self._render = render
        self._raw = frozenset(raw)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = new_id()
        scope.setdefault("state", {})["request_id"] = request
        trace_id.set(request)
        reach.say(reach.NOTHING)  # whoever asks was not identified yet
        started = time.perf_counter()
        status = 500

        async def answer(event: Event) -> None:
            nonlocal status
            if event["type"] == "http.response.start":
                status = event["status"]
                names = {name for name, _ in event["headers"]}
                extra = [pair for pair in SECURITY_HEADERS if pair[0] not in names]
                event["headers"] = [*event["headers"], *extra, (b"x-request-id", request.encode())]
            await send(event)

        try:
            checked = await _read_checked(scope, receive, self._raw)
            await self._app(scope, checked, answer)
        except PlatformError as error:
            code, body = self._render(error, request)
            headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
            await answer({"type": "http.response.start", "status": code, "headers": headers})
            await answer({"type": "http.response.body", "body": body})
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            metrics.REQUESTS.labels(self._service, route, str(status)).observe(time.perf_counter() - started)


async def _read_checked(scope: Scope, receive: Receive, raw: Collection[str]) -> Receive:
    # PostgreSQL takes no NUL, neither in what is looked for nor in the record of who was denied it.
    check_text(scope["path"])
    check_text(unquote_plus(scope["query_string"].decode("latin-1")))
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return receive
    headers = dict(scope["headers"])
    kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise Invalid("不接受压缩的请求正文，请直接发送原文。", code="platform.compressed_body")
    if kind == b"multipart/form-data":
        return _counted(receive, MAX_UPLOAD_BYTES)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _whole_body(receive, MAX_JSON_BYTES)
    except TimeoutError as error:
        raise TooSlow() from error
    # The framework reads every type that ends so as JSON, and an empty body as none.
    if kind.endswith(b"json") and body and scope["path"] not in raw:
        check_json(body)
    return _replayed(body, receive)


def _counted(receive: Receive, limit: int) -> Receive:
    seen = 0
    ends = asyncio.get_running_loop().time() + UPLOAD_SECONDS

    async def counting() -> Event:
        nonlocal seen
        try:
            async with asyncio.timeout_at(ends):
                event = await receive()
        except TimeoutError as error:
            raise TooSlow() from error
        seen += len(event.get("body", b""))
        if seen > limit:
            raise TooLarge(f"上传内容超过 {limit // 1024 // 1024} MB，请拆分后再传。")
        return event

    return counting


async def _whole_body(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise Invalid("请求在发送完之前中断。", code="platform.body_cut")
        parts.append(event.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise TooLarge(f"请求正文超过 {limit // 1024} KB，请拆分后再提交。")
        if not event.get("more_body"):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    handed = False

    async def replay() -> Event:
        nonlocal handed
        if handed:
            return await receive()
        handed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def check_json(body: bytes) -> Any:
    """Parse JSON the strict way; raises Invalid with a stable code."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid("请求正文不是 UTF-8 编码。", code="platform.not_utf8") from error
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_constant=_not_finite,
            parse_float=_finite,
            parse_int=_int,
        )
    except RecursionError as error:
        raise Invalid("请求内容嵌套过深。", code="platform.json_too_deep") from error
    except ValueError as error:
        raise Invalid("请求正文不是合法的 JSON。", code="platform.bad_json") from error
    _check_shape(value)
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Invalid("请求内容中有重复的字段名。", code="platform.duplicate_key")
    return result


def _not_finite(_text: str) -> Any:
    raise Invalid("数字必须是有限值。", code="platform.number_not_finite")


def _finite(text: str) -> Decimal:
    number = Decimal(text)
    if abs(number.adjusted()) > 30:
        raise Invalid("数字超出允许范围。", code="platform.number_out_of_range")
    return number


def _int(text: str) -> int:
    if len(text) > 20 or int(text) not in WHOLE_NUMBERS:
        raise Invalid("数字超出允许范围。", code="platform.number_out_of_range")
    return int(text)


def _check_shape(value: Any) -> None:
    waiting = [(value, 1)]
    nodes = 0
    while waiting:
        current, depth = waiting.pop()
        nodes += 1
        if depth > MAX_DEPTH:
            raise Invalid("请求内容嵌套过深。", code="platform.json_too_deep")
        if nodes > MAX_NODES:
            raise TooLarge("请求内容条目过多，请拆分后再提交。", code="platform.json_too_many_nodes")
        if isinstance(current, str):
            check_text(current)
        elif isinstance(current, dict):
            waiting.extend((key, depth + 1) for key in current)
            waiting.extend((entry, depth + 1) for entry in current.values())
        elif isinstance(current, list):
            waiting.extend((entry, depth + 1) for entry in current)


def check_text(text: str) -> None:
    """Refuse NUL, lone surrogates and control characters other than tab and line ends."""
    if has_controls(text):
        raise Invalid("文字中含有不可用的控制字符。", code="platform.bad_character")
