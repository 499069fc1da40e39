"""
The door of a witness: POST /add-checkpoint (C2SP tlog-witness), GET /checkpoint?origin= and GET /healthz.

The second is ours: what this witness has last signed of a log, for whoever wants to compare. Plain HTTP from the
standard library; whoever puts it on a network puts TLS before it.
"""

import threading
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import orjson

from fazhi.witness.judgement import Judge, Verdict
from fazhi.witness.memory import Memory
from kernel.errors import PlatformError
from kernel.telemetry.log import logger

log = logger(__name__)

MAX_BODY_BYTES = 128 * 1024
PATIENCE_SECONDS = 10
AT_ONCE = 32


class WitnessServer(ThreadingHTTPServer):
    """Answers submissions; a few at a time."""

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], judge: Judge, memory: Memory, origins: Sequence[str]
    ) -> None:
        super().__init__(address, _Handler)
        self.judge = judge
        self.memory = memory
        self.origins = tuple(origins)
        self.places = threading.BoundedSemaphore(AT_ONCE)

    def health(self) -> bytes:
        """What this witness has seen, and whether any log told two stories."""
        evidence = self.memory.evidence()
        seen = {origin: bool(self.judge.last(origin)) for origin in self.origins}
        return orjson.dumps({"status": "alarm" if evidence else "ok", "logs": seen, "evidence": evidence})


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    timeout = PATIENCE_SECONDS
    protocol_version = "HTTP/1.1"
    server_version = "witness"
    sys_version = ""

    def do_POST(self) -> None:
        if urlsplit(self.path).path != "/add-checkpoint":
            self.close_connection = True  # the body was not read, and must not be taken for the next request
            self._answer(Verdict(HTTPStatus.NOT_FOUND))
            return
        if not self.server.places.acquire(blocking=False):
            self.close_connection = True
            self._answer(Verdict(HTTPStatus.SERVICE_UNAVAILABLE))
            return
        try:
            self._answer(self._judged())
        finally:
            self.server.places.release()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/healthz":
            self._answer(Verdict(HTTPStatus.OK, self.server.health().decode(), "application/json"))
            return
        origin = parse_qs(parts.query).get("origin", [""])[0]
        note = (
            self.server.judge.last(origin)
            if parts.path == "/checkpoint" and origin in self.server.origins
            else None
        )
        self._answer(Verdict(HTTPStatus.OK, str(note)) if note else Verdict(HTTPStatus.NOT_FOUND))

    def _judged(self) -> Verdict:
        length = self.headers.get("content-length", "")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            return Verdict(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE if length.isdigit() else HTTPStatus.LENGTH_REQUIRED
            )
        try:
            body = self.rfile.read(int(length)).decode()
            return self.server.judge.add_checkpoint(body)
        except UnicodeDecodeError:
            return Verdict(HTTPStatus.BAD_REQUEST)
        except (PlatformError, OSError) as error:
            # Its own memory cannot be read or written: it must not sign, whatever is asked.
            log.error("witness_cannot_remember", error=repr(error))
            return Verdict(HTTPStatus.INTERNAL_SERVER_ERROR)

    def _answer(self, verdict: Verdict) -> None:
        body = verdict.body.encode()
        self.send_response(verdict.status)
        self.send_header("content-type", verdict.media_type)
        self.send_header("content-length", str(len(body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not logged line by line; what matters is logged where it happens."""
