"""
Writes that may be sent again: the header `Idempotency-Key` (R8).

A signed-in caller may give any write a key of its own making. The same key and the same request get the first
answer and nothing is done twice; the same key with another request is a conflict. Public endpoints have no caller
whose keys these could be and ignore the header; uploads are known by their content and refuse it. The key is taken
in the transaction of the act (kernel.storage.keys), the answer is kept after it and before it is sent.
"""

import hashlib
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from kernel.access.principal import Principal
from kernel.access.rules import rule_of
from kernel.errors import Invalid, PlatformError
from kernel.hosting.edge import App, Event, Receive, Scope, Send
from kernel.storage import keys
from kernel.storage.keys import MOST_ANSWER_BYTES, Answer, KeyedRequest
from kernel.storage.work import Store
from kernel.telemetry.log import logger
from kernel.text import clean_id

log = logger(__name__)

HEADER = "idempotency-key"
MOST_CHARACTERS = 64


class Replayed(Exception):
    """The request was answered before; what is raised carries the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


async def keyed(request: Request) -> None:
    """Look the key up before the endpoint runs. Raises Replayed, KeyReused, KeyInUse, Invalid."""
    keys.current.set(None)  # a caller in this process may send several requests in one context
    given = request.headers.getlist(HEADER)
    store: Store | None = request.app.state.store
    rule = rule_of(request.scope.get("endpoint"))
    if not given or store is None or request.method in ("GET", "HEAD") or rule is None or rule.is_public:
        return
    wanted = await _keyed_request(request, given)
    answer = await run_in_threadpool(_first_answer, store, wanted)
    if answer is not None:
        raise Replayed(answer)
    request.state.keyed = wanted
    keys.current.set(wanted)


async def _keyed_request(request: Request, given: list[str]) -> KeyedRequest:
    if len(given) > 1:
        raise Invalid("Idempotency-Key 只能写一次。", code="platform.bad_id")
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        raise Invalid(
            "上传的文件按内容识别重复，请去掉 Idempotency-Key 后再传。", code="platform.key_on_upload"
        )
    who: Principal = request.state.principal
    address = f"{request.method} {request.scope['path']}"
    told = (address.encode(), who.unit.encode(), request.scope["query_string"], await request.body())
    digest = hashlib.sha256(b"\x00".join(hashlib.sha256(part).digest() for part in told)).hexdigest()
    key = clean_id(given[0], max_characters=MOST_CHARACTERS)
    return KeyedRequest(who.account, key, address[:200], digest)


def _first_answer(store: Store, wanted: KeyedRequest) -> Answer | None:
    with store.reading() as session:
        return keys.first_answer(session, store.spine.idempotency, wanted)


async def replay(_request: Request, error: Exception) -> Response:
    """The first answer again, marked as such."""
    assert isinstance(error, Replayed)
    answer = error.answer
    headers = {"idempotent-replayed": "true"} | (
        {"content-type": answer.media_type} if answer.media_type else {}
    )
    return Response(answer.body, answer.status, headers)


class AnswerKeeper:
    """ASGI middleware that keeps the answers of keyed requests which committed something."""

    def __init__(self, app: App, store: Store) -> None:
        self._app = app
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts: list[bytes] = []
        start: Event = {}

        async def keeping(event: Event) -> None:
            if event["type"] == "http.response.start":
                start.update(event)
            elif event["type"] == "http.response.body":
                wanted: KeyedRequest | None = scope.get("state", {}).get("keyed")
                if wanted is not None and wanted.is_taken:
                    parts.append(event.get("body", b""))
                    if not event.get("more_body"):
                        await run_in_threadpool(self._keep, wanted, _answer(start, b"".join(parts)))
            await send(event)

        await self._app(scope, receive, keeping)

    def _keep(self, wanted: KeyedRequest, answer: Answer) -> None:
        """An answer that cannot be kept is no reason to hide it: whoever repeats is told that the key is in use."""
        if len(answer.body) > MOST_ANSWER_BYTES:
            return
        try:
            with self._store.work() as work:
                keys.keep_answer(work.session, self._store.spine.idempotency, wanted, answer)
                work.commit()
        except PlatformError as error:
            log.warning("answer_not_kept", route=wanted.route, error=repr(error))


def _answer(start: Any, body: bytes) -> Answer:
    media_type = next((value for name, value in start["headers"] if name.lower() == b"content-type"), b"")
    return Answer(start["status"], media_type.decode("latin-1"), body)
