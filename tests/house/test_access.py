"""Every endpoint says who may knock, and says it with roles the platform has."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import httpx
import pytest
from fastapi import APIRouter, FastAPI

from contracts.roles import TITLES
from fazhi.docs.numbers import files
from fazhi.identity import verifier
from fazhi.services import NAMES, build
from kernel.access.principal import Principal
from kernel.access.rules import public, rule_of
from kernel.access.tokens import Issuer
from kernel.hosting import rpc
from kernel.hosting.api import UndeclaredEndpoint, build_api, refuse_undeclared, walk
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings

ROOT = Path(__file__).parents[2]
# Endpoints that need no signing-in, each with the reason. A new public endpoint is a decision.
PUBLIC = {
    ("POST", "/api/gateway/v1/sessions"): "signing in",
    ("POST", "/api/gateway/v1/sessions/renew"): "the session cookie itself is checked",
    (
        "POST",
        "/api/gateway/v1/clues",
    ): "partners sign the body; the signature is checked before parsing (R29)",
    ("POST", "/api/gateway/v1/clues/{receipt}/follow"): "partners sign the receipt number",
    ("POST", "/api/gateway/v1/partners/tokens"): "partners sign the body; only their own system is answered",
    ("POST", "/api/gateway/v1/passwords"): "an expired password must be changed before it opens anything",
    ("GET", "/api/enforcement/v1/certificates/{number}"): "anybody may check a shown certificate (亮证)",
    ("GET", "/api/gateway/v1/demonstration"): "demonstration accounts; 404 in a real installation",
    ("GET", "/api/assessment/v1/ledger/checkpoint"): "size, roots and signatures: to be checked by anybody",
    ("GET", "/api/assessment/v1/ledger/tile/{path:path}"): "hashes only, never what was hashed",
    ("GET", "/api/assessment/v1/ledger/sm3/tile/{path:path}"): "hashes only, never what was hashed",
    ("GET", "/api/assessment/v1/ledger/proofs/inclusion"): "a proof only insiders can check is none",
    ("GET", "/api/assessment/v1/ledger/proofs/consistency"): "a proof only insiders can check is none",
    (
        "GET",
        "/api/assessment/v1/public/keys",
    ): "public keys; that they are the right ones must come from elsewhere",
    ("GET", "/api/assessment/v1/public/publications"): "published rankings are published",
    ("GET", "/api/assessment/v1/public/publications/{publication}"): "published rankings are published",
    (
        "GET",
        "/api/assessment/v1/public/publications/{publication}/files/{name}",
    ): "files by which anybody checks one",
    ("POST", "/api/assessment/v1/public/survey-paper"): "whoever holds a one-time code reads its questions",
    ("POST", "/api/assessment/v1/public/survey-answers"): "whoever holds a one-time code answers once",
}


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    opened = Runtime(Settings(data=tmp_path_factory.mktemp("data")))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def nobody(apis: dict[str, FastAPI], runtime: Runtime) -> str:
    """A good token of somebody who holds no role."""
    return Issuer((runtime.settings.data / "keys" / "identity.pem").read_bytes(), runtime.clock).issue(
        Principal(account="nobody")
    )


@pytest.fixture(scope="module")
def apis(runtime: Runtime) -> dict[str, FastAPI]:
    checks = verifier(runtime)
    apis = {}
    for name in NAMES:
        service = build(name, runtime)
        service.migrate()  # denials are recorded
        apis[name] = build_api(name, name, service.routers(), checks, service.app.store)
    return apis


@pytest.mark.parametrize("name", NAMES)
def test_every_endpoint_declares_a_rule_of_known_roles(name: str, apis: dict[str, FastAPI]) -> None:
    routes = walk(apis[name].routes)
    assert routes
    undeclared = [route.path for route in routes if rule_of(route.endpoint) is None]
    assert undeclared == []
    for route in routes:
        rule = rule_of(route.endpoint)
        assert rule is not None
        assert rule.roles <= set(TITLES), route.path


def test_public_endpoints_are_those_we_decided_on(apis: dict[str, FastAPI]) -> None:
    found = {
        (method, path(name, route))
        for name, api in apis.items()
        for route in walk(api.routes)
        if (rule := rule_of(route.endpoint)) is not None and rule.is_public
        for method in route.methods
    }
    assert found == set(PUBLIC)


@pytest.mark.parametrize("name", NAMES)
def test_every_closed_endpoint_refuses_the_nameless_and_those_without_a_role(
    name: str, apis: dict[str, FastAPI], nobody: str
) -> None:
    answers = asyncio.run(http_answers(name, apis[name], nobody))
    assert answers
    assert {place: codes for place, codes in answers.items() if codes != [401, 403]} == {}


async def http_answers(name: str, api: FastAPI, token: str) -> dict[str, list[int]]:
    found = {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://127.0.0.1") as client:
        for route in walk(api.routes):
            for method in sorted(route.methods):
                place = path(name, route)
                if (method, place) in PUBLIC:
                    continue
                address = re.sub(r"\{[^}]+\}", "x", place)
                found[f"{method} {place}"] = [
                    (
                        await client.request(
                            method, address, headers=headers, json={} if method != "GET" else None
                        )
                    ).status_code
                    for headers in ({}, {"authorization": f"Bearer {token}"})
                ]
    return found


def test_a_process_with_an_undeclared_endpoint_does_not_start() -> None:
    router = APIRouter()

    @router.get("/open")
    @public
    def declared() -> None: ...

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(router)
    refuse_undeclared(app)

    @router.get("/forgotten")
    def forgotten() -> None: ...

    spoiled = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    spoiled.include_router(router)
    with pytest.raises(UndeclaredEndpoint):
        refuse_undeclared(spoiled)


def test_every_grpc_method_refuses_the_nameless_and_those_without_a_role(tmp_path: Path) -> None:
    asked = asyncio.run(grpc_answers(tmp_path))
    assert len(asked) >= 6
    assert {
        method: codes for method, codes in asked.items() if codes != ["UNAUTHENTICATED", "PERMISSION_DENIED"]
    } == {}


async def grpc_answers(folder: Path) -> dict[str, list[str]]:
    """Of every method of the contracts: what a call without a token gets, and one with a token but no role."""
    runtime = Runtime(Settings(data=folder))
    server = rpc.new_server()
    guard = rpc.Guard(verifier(runtime))
    for name in NAMES:
        service = build(name, runtime)
        if (register := service.rpc()) is not None:
            register(service.app, server, guard)
    port = await rpc.serve(server, "127.0.0.1:0")
    key = (folder / "keys" / "identity.pem").read_bytes()
    token = Issuer(key, runtime.clock).issue(Principal(account="nobody"))
    found = {}
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        for file in files(ROOT):
            for service_type in file.service:
                for method in service_type.method:
                    place = f"/{file.package}.{service_type.name}/{method.name}"
                    codes = [
                        await code_of(channel, place, metadata, streams=method.server_streaming)
                        for metadata in ((), (("authorization", f"Bearer {token}"),))
                    ]
                    found[place] = codes
    await server.stop(None)
    runtime.close()
    return found


async def code_of(channel: Any, place: str, metadata: Any, *, streams: bool) -> str:
    try:
        if streams:
            async for _ in channel.unary_stream(place)(b"", timeout=5, metadata=metadata):
                pass
        else:
            await channel.unary_unary(place)(b"", timeout=5, metadata=metadata)
    except grpc.aio.AioRpcError as refused:
        return str(refused.code().name)
    return "OK"


def path(name: str, route: Any) -> str:
    prefix = f"/api/{name}/v1"
    return str(prefix + route.path.removeprefix(prefix))
