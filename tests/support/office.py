"""A gateway as people use it over HTTP, with a clock that is moved, and second factors that are enrolled as they are."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from pyotp import TOTP
from sqlalchemy import select

from fazhi.services import build
from gateway.identity.totp import STEP_SECONDS
from kernel.access.tokens import Verifier, public_half
from kernel.clock import FixedClock
from kernel.hosting.api import build_api
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from tests.support.gateway import NOW, PASSWORD
from tests.support.http import Client

Ask = Callable[..., httpx.Response]
ROOT = "/api/gateway/v1"
STEP = timedelta(seconds=STEP_SECONDS)


class Office:
    """A gateway with its people, and what they do over HTTP."""

    def __init__(self, folder: Path, url: str, **given: Any) -> None:
        self.clock = FixedClock(NOW)
        settings = Settings(data=folder, database_url=url, cookie_secure=False, **given)
        self.runtime = Runtime(settings, self.clock)
        self.service = build("gateway", self.runtime)
        self.service.migrate()
        self.app = self.service.app
        self.app.partners.service_token("gateway", "gateway")  # makes the signing key
        pem = (self.runtime.folder("keys") / "identity.pem").read_bytes()
        self.checks = Verifier(public_half(pem), self.clock)
        self.api = build_api("gateway", "网关", self.service.routers(), self.checks, self.app.store)

    def browser(self, address: str = "10.0.0.1") -> Client:
        return Client(self.api, address)

    def sign_in(
        self, account: str, password: str = PASSWORD, code: str = "", browser: Client | None = None
    ) -> httpx.Response:
        body = {"account": account, "password": password} | ({"code": code} if code else {})
        return (browser or self.browser()).post(f"{ROOT}/sessions", json=body)

    def as_account(self, account: str, code: str = "", password: str = PASSWORD) -> SimpleNamespace:
        """Calls with a token of this account."""
        answer = self.sign_in(account, password, code)
        assert answer.status_code == 201, answer.text
        return SimpleNamespace(me=answer.json(), ask=self.with_token(answer.json()["token"]))

    def with_token(self, token: str) -> Ask:
        headers = {"authorization": f"Bearer {token}"}
        return lambda method, path, **more: self.browser().request(
            method, f"{ROOT}{path}", headers=headers, **more
        )

    def enrol(self, account: str, password: str = PASSWORD) -> tuple[str, dict[str, Any]]:
        """Enrol a factor; gives its key, what the confirmation answered, and lets the first code grow old."""
        ask = self.as_account(account, password=password).ask
        offer = ask("POST", "/second-factor", json={"password": password}).json()
        done = ask("POST", "/second-factor/confirmation", json={"code": self.code(offer["key"])})
        assert done.status_code == 200, done.text
        self.clock.advance(STEP)
        return offer["key"], done.json()

    def code(self, key: str, steps: int = 0) -> str:
        return TOTP(key).at(self.clock.now(), counter_offset=steps)

    def audited(self, action: str) -> list[tuple[str, str, str]]:
        table = self.app.store.spine.audit
        with self.app.store.reading() as session:
            rows = session.execute(select(table).where(table.c.action == action).order_by(table.c.seq))
            return [(row.actor, row.object, row.reason_code) for row in rows]


def enrolled(office: Office, account: str) -> Ask:
    """Calls of an account signed in with its code."""
    key, _ = office.enrol(account)
    ask: Ask = office.as_account(account, office.code(key)).ask
    office.clock.advance(STEP)
    return ask
