"""The three fakes as an operator runs them: programmes of their own, against a gateway that really listens."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import uvicorn
from sqlalchemy import select

from gateway.clues.model import AnswerRow, ClueRow
from gateway.http import routers
from gateway.partners.signature import secret_text
from kernel.access.tokens import Verifier, public_half
from kernel.hosting.api import build_api
from tests.support.gateway import PASSWORD, partner
from tests.support.processes import free_port

ROOT = Path(__file__).parents[3]


@pytest.fixture
def gateway_url(app, runtime):
    app.sessions.sign_in("xitong", PASSWORD, address="x")
    pem = (runtime.folder("keys") / "identity.pem").read_bytes()
    api = build_api("gateway", "网关", routers(app), Verifier(public_half(pem), runtime.clock), app.store)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(api, port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def fake(system: str, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", f"gateway.links.{system}.fake", *arguments],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}", "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen) -> list[dict]:
    out, _ = process.communicate(timeout=60)
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("system", ["hotline", "petition", "litigation"])
def test_its_clues_are_taken_and_a_second_run_gets_the_same_receipts(app, gateway_url, system):
    secret = secret_text(partner(app, system).secret)
    arguments = (
        "--gateway",
        gateway_url,
        "--secret",
        secret,
        "--count",
        "6",
        "--unit",
        "150102-scjg",
        "--day",
        "2026-11-01",
    )
    runs = [said(fake(system, *arguments)) for _ in range(2)]
    assert [line["status"] for line in runs[0]] == [202] * 6
    first, second = ([line["answer"]["receipt"] for line in run] for run in runs)
    assert first == second
    assert all(line["answer"]["duplicate"] for line in runs[1])


def test_it_hears_the_answers(app, gateway_url):
    port = free_port()
    sender = partner(app, "hotline", answer_url=f"http://127.0.0.1:{port}/", answer_networks="127.0.0.1/32")
    process = fake(
        "hotline", "--gateway", gateway_url, "--secret", secret_text(sender.secret), "--count", "12", "--seed", "5",
        "--answer-port", str(port), "--wait", "4",
    )  # fmt: skip
    ends = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < ends:
        app.answers.send_due()
        time.sleep(0.1)
    answers = [line for line in said(process) if line["event"] == "answer"]
    with app.store.reading() as session:
        returned = session.scalars(select(ClueRow).where(ClueRow.state == "returned")).all()
        delivered = session.scalars(select(AnswerRow).where(AnswerRow.state == "delivered")).all()
    assert len(answers) == len(returned) == len(delivered) > 0
    assert all(answer["verified"] for answer in answers)
    assert {answer["answer"]["回执编号"] for answer in answers} == {clue.receipt for clue in returned}
