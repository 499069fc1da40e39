"""The console as static files: hashed names are cached for ever, everything else falls back to index.html."""

from pathlib import Path

from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)
NOT_BUILT = (
    "控制台尚未构建：请用 ./run 启动（首次会自动构建），或运行 scripts/console.sh。\n"
    "The console is not built yet: start with ./run, or run scripts/console.sh.\n"
)


class Pages:
    """ASGI application over the built console."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("", 405)
        index = self._folder / "index.html"
        if not index.is_file():
            return PlainTextResponse(NOT_BUILT, 503)
        wanted = (self._folder / scope["path"].lstrip("/")).resolve()
        found = wanted.is_file() and wanted.is_relative_to(self._folder)
        if not found and scope["path"].startswith("/assets/"):
            return PlainTextResponse("", 404)
        lasting = found and wanted != index and "assets" in wanted.parts
        return FileResponse(
            wanted if found else index,
            headers={
                "cache-control": "public, max-age=31536000, immutable" if lasting else "no-cache",
                "content-security-policy": POLICY,
                "x-content-type-options": "nosniff",
                "x-frame-options": "DENY",
                "referrer-policy": "same-origin",
            },
        )
