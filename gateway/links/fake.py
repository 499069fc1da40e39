"""
Partner fake 外部系统模拟: what the three fakes share. It signs and sends clues the way the real system must, takes
answers in, checks their signature and prints everything as JSON lines.

    python -m gateway.links.hotline.fake --gateway http://127.0.0.1:8000 --secret whsec_… --count 5 --seed 1
    python -m gateway.links.hotline.fake --broker amqp://hotline:…@127.0.0.1:5672/hotline --secret whsec_…

The same seed sends the same records, so a second run shows how repeats are answered. With `--answer-port` a small
server waits for answers at http://127.0.0.1:PORT/; over the bus they are fetched from the system's own queue.
"""

import argparse
import json
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from gateway.clues.letters import INBOX, outbox_of
from gateway.partners import signature
from kernel.bus.partner import PartySide
from kernel.clock import SHANGHAI
from kernel.ids import derived_id

Say = Callable[..., None]
Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the fake's clues happen; a fixed day, so that the same seed makes the same bytes."""

    regions: Sequence[str]
    units: Sequence[str]
    today: datetime

    def moment(self, draw: random.Random) -> str:
        """A moment within the last week, as the sender writes it."""
        at = self.today - timedelta(minutes=draw.randrange(60, 7 * 24 * 60))
        return at.astimezone(SHANGHAI).isoformat(timespec="seconds")

    def day(self, draw: random.Random) -> str:
        """A day within the last week."""
        return (self.today - timedelta(days=draw.randrange(1, 7))).astimezone(SHANGHAI).date().isoformat()


Make = Callable[[int, random.Random, Surroundings], Message]


def messages(
    system: str, make: Make, *, seed: int, count: int, around: Surroundings
) -> Iterator[tuple[str, bytes]]:
    """(message id, body) of each clue: the same for the same seed, count and surroundings."""
    for number in range(1, count + 1):
        draw = random.Random(f"{system}/{seed}/{number}")  # noqa: S311 - made-up data
        message = make(seed * 100_000 + number, draw, around)
        body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
        yield derived_id(system, str(seed), str(number), body.decode()), body


def run(system: str, make: Make, arguments: Sequence[str] | None = None) -> int:
    """The command line of one fake; returns how many clues were not taken."""
    options = _options(system, arguments)
    secret = signature.read_secret_text(options.secret)
    around = Surroundings(
        options.region.split(","), [u for u in options.unit.split(",") if u], _day(options.day)
    )
    sent = messages(system, make, seed=options.seed, count=options.count, around=around)
    server = _answer_server(options.answer_port, secret, _say) if options.answer_port is not None else None
    try:
        if options.broker:
            return _over_the_bus(system, options, secret, sent)
        refused = sum(
            not _post(options.gateway, system, secret, message_id, body) for message_id, body in sent
        )
        time.sleep(options.wait)
        return refused
    finally:
        if server is not None:
            server.shutdown()


def _post(gateway: str, system: str, secret: bytes, message_id: str, body: bytes) -> bool:
    headers = signature.sign(secret, message_id, datetime.now(UTC), body)
    headers |= {signature.SYSTEM_HEADER: system, "content-type": "application/json"}
    answer = httpx.post(f"{gateway}/api/gateway/v1/clues", content=body, headers=headers, timeout=30)
    _say("sent", status=answer.status_code, answer=answer.json())
    return answer.status_code == httpx.codes.ACCEPTED


def _over_the_bus(
    system: str, options: argparse.Namespace, secret: bytes, sent: Iterator[tuple[str, bytes]]
) -> int:
    side = PartySide(options.broker, inbox=INBOX, outbox=outbox_of(system))
    for message_id, body in sent:
        side.post(body, signature.sign(secret, message_id, datetime.now(UTC), body))
        _say("sent", message=message_id)
    for body, headers in side.answers(wait_seconds=options.wait):
        _say("answer", verified=verified(secret, headers, body), answer=json.loads(body))
    side.close()
    return 0


def verified(secret: bytes, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether an answer was signed by the platform with our secret, just now."""
    try:
        given = signature.read_headers(signature.lower_names(headers.items()))
        signature.demand_fresh(given, datetime.now(UTC))
    except (signature.Unsigned, signature.StaleSignature):
        return False
    return signature.fits(secret, given, body)


def _answer_server(port: int, secret: bytes, say: Say) -> ThreadingHTTPServer:
    class Answers(BaseHTTPRequestHandler):
        """Takes answers; one that is not signed is refused."""

        def do_POST(self) -> None:
            body = self.rfile.read(min(int(self.headers.get("content-length", "0")), 1024 * 1024))
            good = verified(secret, dict(self.headers.items()), body)
            self.send_response(204 if good else 401)
            self.end_headers()
            say("answer", verified=good, answer=json.loads(body) if good else None)

        def log_message(self, *_: Any) -> None:
            """Said as JSON lines instead."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say("listening", url=f"http://127.0.0.1:{server.server_port}/")
    return server


def _say(what: str, **values: Any) -> None:
    sys.stdout.write(json.dumps({"event": what, **values}, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI) if text else datetime.now(UTC)


def _options(system: str, arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"gateway.links.{system}.fake", description="Send clues as the outside system does."
    )
    parser.add_argument("--gateway", default="http://127.0.0.1:8000", help="where the gateway is")
    parser.add_argument(
        "--broker", default="", help="AMQP address of the system's own virtual host, instead of HTTP"
    )
    parser.add_argument("--secret", required=True, help="signing secret, whsec_…")
    parser.add_argument("--count", type=int, default=5, help="how many clues")
    parser.add_argument("--seed", type=int, default=1, help="the same seed sends the same clues")
    parser.add_argument("--day", default="", help="YYYY-MM-DD on which the clues are written; empty: now")
    parser.add_argument("--region", default="150102", help="division codes, separated by commas")
    parser.add_argument("--unit", default="", help="codes of units complained of, separated by commas")
    parser.add_argument("--answer-port", type=int, default=None, help="listen here for answers")
    parser.add_argument("--wait", type=float, default=0.0, help="seconds to wait for answers")
    return parser.parse_args(arguments)
