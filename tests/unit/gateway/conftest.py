import shutil
from pathlib import Path

import pytest

from fazhi.services import Service
from gateway.app import Gateway, build
from kernel.access.tokens import Verifier, public_half
from kernel.clock import FixedClock
from kernel.hosting.api import build_api
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from tests.support.gateway import NOW, PASSWORD, Sender, furnish, partner
from tests.support.http import Client
from tests.support.stores import built


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
