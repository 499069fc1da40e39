"""
Edge of `fazhi up --distributed`: one address in front of many processes.

On Kubernetes the ingress does this; here a small forwarding application stands in, so that the distributed form
can be tried on one machine. It forwards and adds nothing; bodies stream both ways.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

HOP_BY_HOP = {"connection", "keep-alive", "te", "trailers", "transfer-encoding", "upgrade", "host"}


def edge(targets: Mapping[str, str], otherwise: str) -> Starlette:
    """Forward /api/<service>/ to that service's address, everything else to `otherwise`."""
    client = httpx.AsyncClient(timeout=httpx.Timeout(60.0, connect=3.0), follow_redirects=False)

    async def forward(request: Request) -> Response:
        parts = request.url.path.split("/", 3)
        service = parts[2] if len(parts) > 2 and parts[1] == "api" else ""
        address = targets.get(service, otherwise)
        headers = [(k, v) for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP]
        query = f"?{request.url.query}" if request.url.query else ""
        outgoing = client.build_request(
            request.method, f"{address}{request.url.path}{query}", headers=headers, content=request.stream()
        )
        try:
            answer = await client.send(outgoing, stream=True)
        except httpx.TransportError:
            return PlainTextResponse(f"服务 {service or '网关'} 暂时没有应答，请稍后再试。\n", 503)
        response = StreamingResponse(
            answer.aiter_raw(), answer.status_code, background=BackgroundTask(answer.aclose)
        )
        response.raw_headers = [(k, v) for k, v in answer.headers.raw if k.lower().decode() not in HOP_BY_HOP]
        return response

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await client.aclose()

    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(routes=[Route("/{path:path}", forward, methods=methods)], lifespan=lifespan)
