"""Every endpoint says who may knock, and says it with roles the platform has."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI

from contracts.roles import TITLES
from fazhi.identity import verifier
from fazhi.services import NAMES, build
from kernel.access.rules import public, rule_of
from kernel.hosting.api import UndeclaredEndpoint, build_api, refuse_undeclared, walk
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings

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
}


@pytest.fixture(scope="module")
def apis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, FastAPI]]:
    runtime = Runtime(Settings(data=tmp_path_factory.mktemp("data")))
    checks = verifier(runtime)
    yield {
        name: build_api(name, name, service.routers(), checks, service.app.store)
        for name in NAMES
        for service in [build(name, runtime)]
    }
    runtime.close()


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


def path(name: str, route: Any) -> str:
    prefix = f"/api/{name}/v1"
    return str(prefix + route.path.removeprefix(prefix))
