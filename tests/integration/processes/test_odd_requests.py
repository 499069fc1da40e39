"""Whatever is asked of any door of any service, on the database of production: an answer, never a fault of ours."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from fazhi.services import NAMES, build, package_of
from kernel.access.principal import Principal
from kernel.access.tokens import Issuer, Verifier, make_key
from kernel.clock import SystemClock
from kernel.hosting.api import build_api
from tests.support.migrated_once import migrate_or_copy
from tests.support.stores import postgresql_runtime

ROLES = frozenset(
    (
        "reporter",
        "unit_head",
        "reviewer",
        "inspector",
        "third_party",
        "system_admin",
        "security_admin",
        "audit_admin",
    )
)
ANYBODY = Principal(account="anybody", unit="15", unit_path="/15/", roles=ROLES)
NOBODY_HAS = "01900000-0000-7000-8000-000000000000"
# An id of 36 odd characters, a NUL, another script's digits, an address within the address, the ends of time.
ODD_TEXTS = ("-" * 36, "a\0b", "٣" * 36, "..", "%", "9999-12", "2026-02-30", "9999-12-31", "0001-01-01")
ODD_NUMBERS = ("-1", "0", str(2**31), str(2**63), "9" * 99, "1.5", "٣")
ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**31,
    2**63,
    10**19,
    "",
    "-" * 36,
    "9999-12-31",
    "0001-01-01",
    "𠮷" * 300,
    [],
    [{}],
    {},
)
AT_A_DOOR = 2
A_CODE = re.compile(r"[a-z0-9_]+\.[a-z0-9_.]+\Z")
HAN = re.compile("[\u4e00-\u9fff]")
Schema = Mapping[str, Any]


class Document:
    """What a service says of its own doors (OpenAPI)."""

    def __init__(self, said: Schema) -> None:
        self._said = said
        self._turns = {id(odd): cycle(odd) for odd in (ODD_TEXTS, ODD_NUMBERS, ODD_VALUES)}

    def requests(self) -> Iterator[tuple[str, str, Any]]:
        """Method, address and body: each door as it should be, then with one thing odd at a time."""
        for path, doors in self._said["paths"].items():
            for method, door in doors.items():
                yield from self._asked(path, method, door)

    def _asked(self, path: str, method: str, door: Schema) -> Iterator[tuple[str, str, Any]]:
        taken = door.get("parameters", [])
        plain = {one["name"]: NOBODY_HAS for one in taken if one["in"] == "path"}
        needed = {one["name"]: "2026" for one in taken if one["in"] == "query" and one.get("required")}
        content = door.get("requestBody", {}).get("content", {})
        body = self._example(content["application/json"]["schema"]) if "application/json" in content else None
        yield method, _address(path, plain, needed), body
        for one in taken:
            for odd in self._some(ODD_NUMBERS if "integer" in str(one["schema"]) else ODD_TEXTS):
                if one["in"] == "path":
                    yield method, _address(path, plain | {one["name"]: odd}, needed), body
                elif one["in"] == "query":
                    yield method, _address(path, plain, needed | {one["name"]: odd}), body
        if body is None:
            return
        yield method, _address(path, plain, needed), next(self._turns[id(ODD_VALUES)])
        for name in body if isinstance(body, dict) else ():
            yield method, _address(path, plain, needed), {**body, name: next(self._turns[id(ODD_VALUES)])}

    def _some(self, odd: tuple[Any, ...]) -> Iterator[Any]:
        """Each door meets a few of them in turn, and all doors together every one many times."""
        return islice(self._turns[id(odd)], AT_A_DOOR)

    def _example(self, schema: Schema) -> Any:
        if "$ref" in schema:
            schema = self._said["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        for choice in ("anyOf", "oneOf", "allOf"):
            if choice in schema:
                return self._example(schema[choice][0])
        if schema.get("type") == "object":
            return {name: self._example(one) for name, one in schema.get("properties", {}).items()}
        if schema.get("type") == "array":
            return [self._example(schema["items"])]
        text = "2026-11-01" if schema.get("format") == "date" else "证明" * schema.get("minLength", 1)
        return schema.get(
            "enum", [{"integer": 1, "number": 1, "boolean": True}.get(schema.get("type", ""), text)]
        )[0]


def _address(path: str, parts: Mapping[str, str], query: Mapping[str, str]) -> str:
    for name, value in parts.items():
        path = path.replace("{" + name + "}", quote(value, safe=""))
    return path + ("?" if query else "") + "&".join(f"{name}={quote(value)}" for name, value in query.items())


@pytest.mark.parametrize("name", NAMES)
def test_no_request_is_answered_with_a_fault(name: str, tmp_path: Path, postgresql_url: str) -> None:
    runtime = postgresql_runtime(tmp_path, postgresql_url)
    service = build(name, runtime)
    migrate_or_copy(service.app.store.database, package_of(name))
    make_key(tmp_path / "identity.pem")
    issuer = Issuer((tmp_path / "identity.pem").read_bytes(), SystemClock())
    api = build_api(
        name, service.title, service.routers(), Verifier(issuer.public_pem, SystemClock()), service.app.store
    )
    headers = {"authorization": f"Bearer {issuer.issue(ANYBODY)}"}
    faults: list[str] = []
    asked = 0

    async def ask_everything() -> None:
        nonlocal asked
        transport = httpx.ASGITransport(api, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://fazhi.test") as client:
            for method, address, body in Document(api.openapi()).requests():
                more = {} if method in ("get", "delete") else {"json": body}
                answer = await client.request(method, address, headers=headers, **more)
                asked += 1
                if not _is_in_order(answer):
                    faults.append(
                        f"{method} {address} {body!r:.200}: {answer.status_code} {answer.text[:200]}"
                    )

    asyncio.run(ask_everything())
    runtime.close()
    assert asked > 50
    assert faults == []


def _is_in_order(answer: httpx.Response) -> bool:
    """No fault of ours; and what is refused is refused with a stable code and words in Chinese."""
    if answer.status_code < 400:
        return True
    if answer.status_code >= 500:
        return False
    said = answer.json()
    return bool(A_CODE.match(said["code"]) and HAN.search(said["message"]))
