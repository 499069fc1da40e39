"""
Answers under proof: results on their way to an outside system that is away, then unwell, then slow, then well.

The gateway sends from a process of its own that is killed with the schedulers. What the receiver took over is
written down here: every answer must have arrived at least once, always under its own id and with the same body.
"""

import socket
import threading
import time
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select

from contracts.directory.v1.directory_pb2 import UnitKind, UnitLevel
from fazhi.prove.clocks import ShiftedClock
from fazhi.services import build
from gateway.clues.model import AnswerRow
from gateway.directory.rules import UnitState
from gateway.partners.signature import read_secret_text, sign
from kernel.access.files import replace_file
from kernel.access.principal import SYSTEM
from kernel.hosting.background import repeat
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from kernel.telemetry.log import configure

HOTLINE = "hotline"
# Shares of the run from which the receiver behaves so; the clock jumps at the same shares, so answers come due then.
UNWELL_SHARE = 0.5
MOODS = ((0.0, "away"), (UNWELL_SHARE, "unwell"), (0.75, "slow"), (0.9, "well"))
COUNTY = UnitState(
    code="150102",
    name="新城区人民政府",
    kind=UnitKind.UNIT_KIND_GOVERNMENT,
    level=UnitLevel.UNIT_LEVEL_COUNTY,
    parent="",
    region_code="150102",
    valid_from="2019-01-01",
)
SLOW_SECONDS = 1.0
SEND_SECONDS = 1.0


class Receiver:
    """
    The outside system, in a process of its own: it reads its mood from a file and writes down what it took over.

    Not a thread: the processes under proof are forked, and a fork must not find somebody else's lock held.
    """

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/answers"
        self.mood, self.log = folder / "mood", folder / "taken"
        self.log.touch()
        self._has_refused = False
        self._mood = ""
        self.behave(0.0)

    def behave(self, share: float) -> None:
        """Behave as the plan says for this share of the run, but be unwell until that was noticed by somebody."""
        mood = next(mood for since, mood in reversed(MOODS) if share >= since)
        if share > UNWELL_SHARE and not self._has_refused:
            self._has_refused = "unwell" in self.log.read_text()
            mood = mood if self._has_refused else "unwell"
        if mood != self._mood:
            self._mood = mood
            replace_file(self.mood, mood.encode())  # never read half written, which would be no mood at all

    def seen(self) -> list[tuple[str, str, str]]:
        """(mood, id, digest of the body) of every delivery, in order."""
        lines = (line.split() for line in self.log.read_text().splitlines())
        return [(mood, answer, digest) for mood, answer, digest in lines]


def receive(receiver: Receiver) -> None:
    """Be the outside system until killed."""
    while receiver.mood.read_text() == "away":
        time.sleep(0.05)
    turn = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            mood = receiver.mood.read_text()
            if mood == "slow":
                time.sleep(SLOW_SECONDS)
            with turn, receiver.log.open("a") as log:
                log.write(f"{mood} {self.headers['webhook-id']} {sha256(body).hexdigest()}\n")
            self.send_response(500 if mood == "unwell" else 204)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    ThreadingHTTPServer(("127.0.0.1", receiver.port), Handler).serve_forever()


def settings_of(url: str, folder: Path) -> Settings:
    """The settings of the gateway under proof."""
    return Settings(data=folder, database_url=url, database_pool=0)


def queue_some(runtime: Runtime, clock: ShiftedClock, receiver: Receiver, count: int) -> Any:
    """A gateway with a partner at the receiver's address and so many answers queued for it."""
    service = build("gateway", runtime)
    service.migrate()
    app = service.app
    app.directory.load([COUNTY])
    app.partners.register(
        SYSTEM, HOTLINE, title="热线", answer_url=receiver.url, answer_networks="127.0.0.0/8"
    )
    secret = read_secret_text(app.partners.add_key(SYSTEM, HOTLINE))
    for number in range(count):
        body = orjson.dumps(
            {
                "工单编号": f"P9-{number}",
                "工单标题": "感谢",
                "主要内容": "很好",
                "来电时间": clock.now().isoformat(timespec="seconds").replace("+00:00", "Z"),
                "行政区划代码": "150102",
                "来电类别": "表扬",
            }
        )
        headers = sign(secret, f"prove-{number}", clock.now(), body)
        headers = {**headers, "x-fazhi-system": HOTLINE, "content-type": "application/json"}
        app.intake.take(app.partners.authenticate(headers, body), body)
    return app


def send(url: str, folder: Path) -> None:
    """Send answers until killed."""
    configure(level="CRITICAL", process="prove.sender")
    app = build("gateway", Runtime(settings_of(url, folder), ShiftedClock(folder / "clock"))).app
    repeat("answer", SEND_SECONDS, lambda: app.answers.send_due(HOTLINE), threading.Event())


def waiting(app: Any) -> int:
    """How many answers have not been taken over yet."""
    with app.store.reading() as session:
        return len(session.execute(select(AnswerRow.id).where(AnswerRow.state != "delivered")).all())


def judge_answers(app: Any, receiver: Receiver) -> dict[str, int]:
    """What is true of the answers now; every counter but the first three must be none."""
    with app.store.reading() as session:
        queued = session.execute(select(AnswerRow.id, AnswerRow.body, AnswerRow.attempts)).all()
    bodies = {row.id: sha256(row.body.encode()).hexdigest() for row in queued}
    seen = receiver.seen()
    taken = {answer for mood, answer, _ in seen if mood != "unwell"}
    return {
        "answers": len(bodies),
        "answer_deliveries": sum(mood != "unwell" for mood, _, _ in seen),
        "answer_failures": sum(row.attempts - 1 for row in queued),
        "answers_lost": len(bodies.keys() - taken),
        "answers_unknown": sum(answer not in bodies for _, answer, _ in seen),
        "answers_changed": sum(bodies.get(answer, digest) != digest for _, answer, digest in seen),
    }
