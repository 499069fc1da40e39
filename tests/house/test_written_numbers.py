"""Whole numbers of every address are ASCII digits, and every request body is a strict one (R40)."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from contracts.roles import TITLES
from fazhi.identity import verifier
from fazhi.services import NAMES, build
from kernel.access.principal import Principal
from kernel.access.tokens import Issuer
from kernel.hosting.api import build_api, walk
from kernel.hosting.runtime import Runtime
from kernel.hosting.validation import Body
from kernel.settings import Settings

NOT_PLAIN = ("1_0", "１２", "+5", " 5", "٣", "5.0", "0x5", "")


@pytest.fixture(scope="module")
def apis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[FastAPI, str]]]:
    """Every service's application, and the token of somebody who may do everything."""
    runtime = Runtime(Settings(data=tmp_path_factory.mktemp("data")))
    checks = verifier(runtime)
    issuer = Issuer((runtime.settings.data / "keys" / "identity.pem").read_bytes(), runtime.clock)
    token = issuer.issue(Principal(account="everybody", roles=frozenset(TITLES)))
    apis = {}
    for name in NAMES:
        service = build(name, runtime)
        service.migrate()
        apis[name] = (build_api(name, name, service.routers(), checks, service.app.store), token)
    yield apis
    runtime.close()


@pytest.mark.parametrize("name", NAMES)
def test_integers_of_an_address_are_written_in_ascii_digits(
    name: str, apis: dict[str, tuple[FastAPI, str]]
) -> None:
    api, token = apis[name]
    asked = list(integers_of(api.openapi()))
    assert asked
    for answer, text in asyncio.run(answers(api, token, asked)):
        assert answer.status_code == 422, answer.url
        fault = answer.json()["fields"][0]
        assert fault["code"] == "platform.int_parsing", answer.url
        assert "半角数字" in fault["message"]
        assert not text.strip() or text not in answer.text


@pytest.mark.parametrize("name", NAMES)
def test_integers_in_ascii_digits_are_taken(name: str, apis: dict[str, tuple[FastAPI, str]]) -> None:
    api, token = apis[name]
    for answer, _ in asyncio.run(answers(api, token, list(integers_of(api.openapi())), ("5",))):
        assert "platform.int_parsing" not in answer.text, answer.url


def test_every_request_model_is_strict(apis: dict[str, tuple[FastAPI, str]]) -> None:
    models = {
        field.field_info.annotation
        for api, _ in apis.values()
        for route in walk(api.routes)
        for field in route.dependant.body_params
        if isinstance(field.field_info.annotation, type)
        and issubclass(field.field_info.annotation, BaseModel)
    }
    assert len(models) > 10
    assert {model for model in models if not issubclass(model, Body)} == set()
    assert {
        m for m in models if m.model_config.get("extra") != "forbid" or not m.model_config.get("strict")
    } == set()


def integers_of(document: dict[str, Any]) -> Any:
    """Method, address and name of every integer of a query."""
    for address, methods in document["paths"].items():
        for method, operation in methods.items():
            for one in operation.get("parameters", ()):
                kinds = [one["schema"], *one["schema"].get("anyOf", ())]
                if one["in"] == "query" and any(kind.get("type") == "integer" for kind in kinds):
                    yield method, re.sub(r"\{[^}]+\}", "x", address), one["name"]


async def answers(
    api: FastAPI, token: str, asked: list[tuple[str, str, str]], texts: tuple[str, ...] = NOT_PLAIN
) -> list[tuple[httpx.Response, str]]:
    headers = {"authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
        return [
            (await client.request(method, address, params={parameter: text}), text)
            for method, address, parameter in asked
            for text in texts
        ]
