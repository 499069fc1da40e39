"""What every door over HTTP refuses and how it says so, asked of a real server over a real socket."""

import json
import socket
import threading
import time
from contextlib import contextmanager

import httpx
import pytest
import structlog
import uvicorn
from fastapi import APIRouter, UploadFile
from pydantic import Field
from sqlalchemy import select

from kernel.access.principal import Principal
from kernel.access.rules import allow, public
from kernel.access.tokens import Issuer, Verifier, make_key
from kernel.clock import SystemClock
from kernel.errors import NotAllowed, Unavailable
from kernel.hosting import edge, serving
from kernel.hosting.api import build_api, build_operations
from kernel.hosting.validation import Body
from kernel.storage.db import open_database
from kernel.telemetry.log import configure
from tests.support.processes import free_port
from tests.support.toy import Toy

SECRET = "机密-不得回显-8f3a"


class Order(Body):
    count: int
    name: str = Field("", max_length=5)


def routes():
    router = APIRouter()

    @router.post("/orders")
    @public
    def order(body: Order) -> dict[str, object]:
        return {"count": body.count, "name": body.name}

    @router.get("/orders")
    @public
    def orders(limit: int = 10) -> int:
        return limit

    @router.post("/files")
    @public
    def file(file: UploadFile) -> int:
        return len(file.file.read())

    @router.get("/inspected")
    @allow("inspector")
    def inspected() -> None:
        raise NotAllowed(code="toy.own_unit")

    @router.get("/away")
    @public
    def away() -> None:
        raise Unavailable()

    @router.get("/broken")
    @public
    def broken() -> None:
        raise KeyError(SECRET)

    return router


@contextmanager
def served(app):
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, http=serving.ImpatientProtocol, log_config=None, access_log=False)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    configure(level="CRITICAL")
    key = tmp_path_factory.mktemp("keys") / "key.pem"
    make_key(key)
    verifier = Verifier(Issuer(key.read_bytes(), SystemClock()).public_pem, SystemClock())
    with served(build_api("toy", "toy", [routes()], verifier, None)) as address:
        yield address
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("role", "code"), [("reporter", "identity.not_allowed"), ("inspector", "toy.own_unit")]
)
def test_a_denial_is_recorded_whoever_denies(tmp_path, role, code):
    make_key(tmp_path / "key.pem")
    issuer = Issuer((tmp_path / "key.pem").read_bytes(), SystemClock())
    toy = Toy(open_database(f"sqlite:///{tmp_path / 'toy.db'}"))
    token = issuer.issue(Principal(account="li", unit="15", roles=frozenset({role}), session="ab" * 32))
    with served(
        build_api("toy", "toy", [routes()], Verifier(issuer.public_pem, SystemClock()), toy.store)
    ) as address:
        answer = httpx.get(f"{address}/api/toy/v1/inspected", headers={"authorization": f"Bearer {token}"})
        assert httpx.get(f"{address}/api/toy/v1/inspected").status_code == 401
    with toy.store.reading() as session:
        (row,) = session.execute(select(toy.spine.audit)).fetchall()
    toy.store.database.close()
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert (row.actor, row.actor_unit, row.roles, row.result, row.reason_code) == (
        "li",
        "15",
        role,
        "denied",
        code,
    )
    assert (row.action, row.object) == ("GET /api/toy/v1/inspected", "/api/toy/v1/inspected")
    assert (row.address, row.request) == ("127.0.0.1", answer.headers["x-request-id"])


def post(address, body, kind="application/json"):
    content = body if isinstance(body, bytes) else body.encode()
    return httpx.post(f"{address}/api/toy/v1/orders", content=content, headers={"content-type": kind})


def test_a_good_body_passes_and_supplementary_characters_survive(address):
    answer = post(address, '{"count": 3, "name": "𠮷䶮"}')
    assert answer.status_code == 200
    assert answer.json() == {"count": 3, "name": "𠮷䶮"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"count": NaN}', "platform.number_not_finite"),
        ('{"count": 1e400}', "platform.number_out_of_range"),
        (f'{{"count": {"9" * 5000}}}', "platform.number_out_of_range"),
        (f'{{"count": {2**63}}}', "platform.number_out_of_range"),
        ('{"count": 1, "count": 2}', "platform.duplicate_key"),
        ('{"count": 1}'.encode("utf-16"), "platform.not_utf8"),
        (b'{"count": 1, "name": "\xff"}', "platform.not_utf8"),
        ('\ufeff{"count": 1}', "platform.bad_json"),
        ('{"count": 1, "name": "\\ud800"}', "platform.bad_character"),
        ('{"count": 1, "name": "\\u0000"}', "platform.bad_character"),
        ('{"count": 1, "\\ud800": 1}', "platform.bad_character"),
        ('{"count": １２}', "platform.bad_json"),
        ("[" * 30 + "]" * 30, "platform.json_too_deep"),
        ("[" * 100_000, "platform.json_too_deep"),
        ("{" + ",".join(f'"k{n}": 1' for n in range(11_000)) + "}", "platform.json_too_many_nodes"),
        ("{", "platform.bad_json"),
        (b'{"name": "' + b"x" * 1_100_000 + b'"}', "platform.too_large"),
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "application/vnd.toy+json"])
def test_what_is_not_strict_json_is_refused_with_a_stable_code(address, body, code, kind):
    answer = post(address, body, kind)
    assert answer.json()["code"] == code
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize(
    ("body", "place", "code", "words"),
    [
        ({"count": 1, "weight": SECRET}, "body.weight", "platform.extra_forbidden", "不认识这个字段"),
        ({"count": 1, SECRET: 1}, "body.?", "platform.extra_forbidden", "不认识这个字段"),
        ({"count": True}, "body.count", "platform.int_type", "应为整数"),
        ({"count": 1.5}, "body.count", "platform.int_type", "应为整数"),
        ({"count": "１２"}, "body.count", "platform.int_type", "应为整数"),
        ({"count": SECRET}, "body.count", "platform.int_type", "应为整数"),
        ({"count": 1, "name": SECRET}, "body.name", "platform.string_too_long", "至多 5 个字符"),
        ({}, "body.count", "platform.missing", "缺少此项"),
    ],
)
def test_a_body_that_breaks_its_declaration_is_told_where_in_chinese_and_never_echoed(
    address, body, place, code, words
):
    answer = post(address, json.dumps(body))
    (fault,) = answer.json()["fields"]
    assert answer.status_code == 422
    assert (fault["path"], fault["code"]) == (place, code)
    assert words in fault["message"]
    assert SECRET not in answer.text


def test_digits_that_are_not_ascii_are_no_numbers_in_a_query(address):
    for text in ("１２", "٣"):
        assert httpx.get(f"{address}/api/toy/v1/orders", params={"limit": text}).status_code == 422


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**99])
def test_whole_numbers_that_no_database_holds_are_refused_in_a_query(address, number):
    answer = httpx.get(f"{address}/api/toy/v1/orders", params={"limit": number})
    assert (answer.status_code, answer.json()["fields"][0]["code"]) == (422, "platform.number_out_of_range")


@pytest.mark.parametrize(
    "address_of", ["orders?limit=1&q=a%00b", "orders?%1b=1", "orders%00", "inspected?q=%C2%85"]
)
def test_an_address_with_control_characters_is_refused_before_anything_reads_it(address, address_of):
    """PostgreSQL takes no NUL: what got past here was a fault of the server, and a denial left no record."""
    answer = httpx.get(f"{address}/api/toy/v1/{address_of}")
    assert (answer.status_code, answer.json()["code"]) == (422, "platform.bad_character")


def test_compressed_bodies_are_refused(address):
    answer = httpx.post(f"{address}/api/toy/v1/orders", content=b"x", headers={"content-encoding": "gzip"})
    assert answer.json()["code"] == "platform.compressed_body"


def test_the_declared_length_is_not_believed(address):
    def stream():
        for _ in range(30):
            yield b"x" * 65536

    answer = httpx.post(f"{address}/api/toy/v1/orders", content=stream())
    assert answer.status_code == 413


def test_an_upload_is_counted_while_it_comes(address):
    answer = httpx.post(f"{address}/api/toy/v1/files", files={"file": b"x" * (22 * 1024 * 1024)}, timeout=30)
    assert answer.status_code == 413


def test_unknown_addresses_and_methods_are_answered_in_chinese(address):
    lost = httpx.get(f"{address}/api/toy/v1/nothing")
    assert (lost.status_code, lost.json()["code"]) == (404, "platform.unknown_address")
    for method in ("DELETE", "OPTIONS", "PATCH"):
        wrong = httpx.request(method, f"{address}/api/toy/v1/orders")
        assert (wrong.status_code, wrong.json()["code"]) == (405, "platform.method_not_allowed")
        assert wrong.headers["allow"]
    assert httpx.head(f"{address}/api/toy/v1/orders").status_code == 405


def test_every_answer_carries_a_request_id_and_may_not_be_sniffed_or_framed(address):
    for answer in (httpx.get(f"{address}/api/toy/v1/orders"), httpx.get(f"{address}/api/toy/v1/nothing")):
        assert answer.headers["x-request-id"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"


def test_a_neighbour_that_is_away_is_503_with_the_time_to_come_back(address):
    answer = httpx.get(f"{address}/api/toy/v1/away")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_a_bug_is_500_without_a_word_of_its_inside(address):
    answer = httpx.get(f"{address}/api/toy/v1/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "platform.error")
    assert SECRET not in answer.text


def raw(address):
    host, port = address.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    connection.settimeout(5)
    return connection


def test_a_client_that_never_finishes_its_headers_is_cut_off(address, monkeypatch):
    monkeypatch.setattr(serving, "HEADER_SECONDS", 0.5)
    for first in (b"", b"GET /api/toy/v1/orders HTTP/1.1\r\nhost: x\r\nx-slow: "):
        with raw(address) as slow:
            slow.sendall(first)
            assert slow.recv(1000) == b""


def test_a_second_request_on_the_same_connection_is_timed_too(address, monkeypatch):
    monkeypatch.setattr(serving, "HEADER_SECONDS", 0.5)
    with raw(address) as slow:
        slow.sendall(b"GET /api/toy/v1/orders HTTP/1.1\r\nhost: x\r\n\r\n")
        answer = b""
        while not answer.endswith(b"\r\n\r\n10"):
            answer += slow.recv(4000)
        slow.sendall(b"GET /api")
        assert slow.recv(4000) == b""


def test_a_body_that_trickles_in_is_refused_in_time(address, monkeypatch):
    monkeypatch.setattr(edge, "BODY_SECONDS", 0.5)
    with raw(address) as slow:
        slow.sendall(b"POST /api/toy/v1/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
        assert b"408" in slow.recv(4000)


def test_readiness_asks_the_own_database_and_health_asks_nobody():
    def away():
        raise Unavailable(code="platform.database_away")

    with served(build_operations("toy", away, "127.0.0.0/8")) as address:
        assert httpx.get(f"{address}/healthz").status_code == 200
        assert httpx.get(f"{address}/readyz").json()["code"] == "platform.database_away"
        assert "fazhi_request_seconds" in httpx.get(f"{address}/metrics").text
        assert httpx.get(f"{address}/api/nobody/v1/x").json()["code"] == "platform.unknown_address"
    with served(build_operations("toy", away, "10.0.0.0/8")) as address:
        assert httpx.get(f"{address}/metrics").status_code == 404
