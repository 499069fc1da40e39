"""Signing keys are rotated and revoked while API processes run and are asked, and no request feels it (R53)."""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time

import httpx
import pytest
from joserfc import jwt

from kernel.access.keyring import read_ring
from kernel.access.tokens import make_key, public_half
from tests.support.gateway import PASSWORD, furnish
from tests.support.processes import free_port
from tests.support.stores import built, sqlite_runtime

EFFECT_SECONDS = 10


@pytest.fixture
def installation(tmp_path):
    """A data folder with accounts and keys: the private ones for the gateway, the public ones for everybody."""
    runtime = sqlite_runtime(tmp_path / "data")
    furnish(built(runtime, "gateway"))
    built(runtime, "services.legislation")
    runtime.close()
    private = tmp_path / "identity.pem"
    make_key(private)
    (tmp_path / "identity.pub.pem").write_bytes(public_half(private.read_bytes()))
    return tmp_path


def environment(folder, **more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FAZHI_")}
    return {
        **kept,
        "FAZHI_DATA": str(folder / "data"),
        "FAZHI_COOKIE_SECURE": "false",
        "FAZHI_SECOND_FACTOR": "optional",
        "FAZHI_IDENTITY_PUBLIC_KEY_FILE": str(folder / "identity.pub.pem"),
        **more,
    }


class Api:
    """One API process."""

    def __init__(self, folder, service, **more):
        port = free_port()
        more = {"FAZHI_PORT": str(port), "FAZHI_GRPC_PORT": str(free_port()), **more}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "fazhi", "api", service],
            env=environment(folder, **more),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)

    def wait(self):
        ends = time.monotonic() + 90
        while time.monotonic() < ends:
            assert self.process.poll() is None
            try:
                if self.client.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError("not ready")

    def asked(self, path, token):
        return self.client.get(path, headers={"authorization": f"Bearer {token}"}).status_code


@pytest.fixture
def processes(installation):
    gateway = Api(installation, "gateway", FAZHI_IDENTITY_KEY_FILE=str(installation / "identity.pem"))
    other = Api(installation, "legislation")
    try:
        gateway.wait()
        other.wait()
        yield gateway, other
        for each in (gateway, other):
            each.process.send_signal(signal.SIGTERM)
            assert each.process.wait(30) == 0
    finally:
        for each in (gateway, other):
            each.process.kill()
            each.client.close()


def keys(folder, *words):
    """`fazhi keys ...` as the operator runs it."""
    more = {"FAZHI_IDENTITY_KEY_FILE": str(folder / "identity.pem")}
    done = subprocess.run(
        [sys.executable, "-m", "fazhi", "keys", *words],
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def sign_in(gateway):
    answer = gateway.client.post("/api/gateway/v1/sessions", json={"account": "ducha", "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return answer.json()["token"]


def kid(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["kid"]


OWN = "/api/gateway/v1/sessions/current"
ELSEWHERE = "/api/legislation/v1/documents"


def until(wanted, said):
    """Seconds until `said()` is `wanted`; fails after ten."""
    started = time.monotonic()
    while said() != wanted:
        assert time.monotonic() - started < EFFECT_SECONDS
        time.sleep(0.1)
    return time.monotonic() - started


def test_a_key_is_rotated_and_the_old_one_revoked_while_requests_go_on(installation, processes):
    gateway, other = processes
    old = sign_in(gateway)
    assert other.asked(ELSEWHERE, old) == 200
    answers, stop = [], threading.Event()

    def ask():
        with httpx.Client(base_url=other.client.base_url, timeout=30) as client:
            while not stop.is_set():
                for token in tokens:
                    headers = {"authorization": f"Bearer {token}"}
                    answers.append(client.get(ELSEWHERE, headers=headers).status_code)

    tokens = [old]
    asking = threading.Thread(target=ask)
    asking.start()
    try:
        keys(installation, "rotate", "--after", "0")
        until(True, lambda: kid(sign_in(gateway)) != kid(old))
        new = sign_in(gateway)
        tokens.append(new)
        assert kid(new) != kid(old)
        assert (other.asked(ELSEWHERE, old), other.asked(ELSEWHERE, new)) == (200, 200)
        assert (gateway.asked(OWN, old), gateway.asked(OWN, new)) == (200, 200)
        time.sleep(1.5)
    finally:
        stop.set()
        asking.join()
    assert len(answers) > 20
    assert set(answers) == {200}

    keys(installation, "revoke", kid(old))
    until(401, lambda: other.asked(ELSEWHERE, old))
    until(401, lambda: gateway.asked(OWN, old))
    assert (other.asked(ELSEWHERE, new), gateway.asked(OWN, new)) == (200, 200)
    assert [each.process.poll() for each in processes] == [None, None]


def test_a_forged_key_name_opens_nothing(processes, tmp_path):
    gateway, other = processes
    make_key(tmp_path / "stranger.pem")
    stranger = read_ring((tmp_path / "stranger.pem").read_bytes()).keys[0].key
    real = sign_in(gateway)
    claims = {
        "aud": "fazhi",
        "sub": "ducha",
        "unit": "15",
        "path": "/15/",
        "roles": ["inspector"],
        "sid": "x",
    }
    claims |= {"csrf": "", "iat": int(time.time()), "exp": int(time.time()) + 300}
    forged = jwt.encode({"alg": "Ed25519", "kid": kid(real)}, claims, stranger, algorithms=["Ed25519"])
    assert other.asked(ELSEWHERE, forged) == 401
