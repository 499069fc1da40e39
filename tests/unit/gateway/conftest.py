import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.clues.v1.clues_pb2 import ClueProgressed
from contracts.topology import GATEWAY_PROGRESS
from fazhi.services import Service
from gateway.app import Gateway, build
from gateway.worker import GatewayWorker
from kernel.access.tokens import Verifier, public_half
from kernel.bus.inbound import Inbound
from kernel.bus.markers import subscriptions
from kernel.bus.port import Delivery
from kernel.clock import FixedClock, microseconds
from kernel.hosting.api import build_api
from kernel.hosting.runtime import Runtime
from kernel.ids import new_id
from kernel.messages import Message, Queue
from kernel.settings import Settings
from tests.support.gateway import NOW, PASSWORD, Sender, body_of, furnish, hotline_order, partner
from tests.support.http import Client
from tests.support.stores import built

ROOT = "/api/gateway/v1"


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with units and accounts, made once; every test works on a copy."""
    folder = tmp_path_factory.mktemp("gateway")
    runtime = Runtime(Settings(data=folder, cookie_secure=False, second_factor="optional"), FixedClock(NOW))
    app = built(runtime, "gateway")
    furnish(app)
    app.sessions.sign_in("xitong", PASSWORD, address="10.0.0.1")  # makes the signing key
    runtime.close()
    return folder


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def runtime(furnished: Path, tmp_path: Path, clock: FixedClock) -> Runtime:
    folder = tmp_path / "data"
    shutil.copytree(furnished, folder)
    return Runtime(Settings(data=folder, cookie_secure=False, second_factor="optional"), clock)


@pytest.fixture
def app(runtime: Runtime) -> Gateway:
    return build(runtime)


@pytest.fixture
def hotline(app: Gateway) -> Sender:
    return partner(app, "hotline")


@pytest.fixture
def http(app: Gateway, runtime: Runtime, clock: FixedClock) -> Client:
    pem = (runtime.settings.data / "keys" / "identity.pem").read_bytes()
    checks = Verifier(public_half(pem), clock)
    return Client(build_api("gateway", "网关", Service("gateway", app).routers(), checks, app.store))


@pytest.fixture
def as_account(http):
    """Calls with somebody's token, as a programme does."""

    def call(account: str):
        token = http.post(f"{ROOT}/sessions", json={"account": account, "password": PASSWORD}).json()["token"]
        http.cookies.clear()

        def request(method: str, path: str, **options):
            return http.request(
                method, f"{ROOT}{path}", headers={"authorization": f"Bearer {token}"}, **options
            )

        return request

    return call


@pytest.fixture
def deliver(app: Gateway) -> Callable[..., None]:
    """Hands a message to the worker's own subscription of a queue; again, as the broker does when it is not sure."""
    worker = GatewayWorker(app)
    doors = {
        subscription.queue: Inbound(app.store, subscription, getattr(worker, name))
        for name, subscription in subscriptions(worker)
    }

    def deliver(queue: Queue, message: Message, *, again: bool = False) -> None:
        for redelivered in (False, True) if again else (False,):
            doors[queue].take([Delivery(message, redelivered)])

    return deliver


@pytest.fixture
def progress(deliver):
    """Tells progress the way a dealing service does."""

    def tell(receipt: str, state: int, at=NOW, note: str = "", fact: str = "") -> None:
        body = ClueProgressed(
            id=fact or new_id(), receipt=receipt, state=state, note=note, subject="enforcement/clues/1",
            recorded_at_us=microseconds(at),
        ).SerializeToString()  # fmt: skip
        deliver(
            GATEWAY_PROGRESS, Message(id=new_id(), source="enforcement", name="clue_progressed.v1", body=body)
        )

    return tell


@pytest.fixture
def receipt(app: Gateway, hotline: Sender) -> str:
    body = body_of(hotline_order())
    return app.intake.take(app.partners.authenticate(hotline.signed(body, NOW), body), body).receipt
