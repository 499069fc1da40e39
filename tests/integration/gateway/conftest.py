from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from kernel.clock import SystemClock
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from tests.support.gateway import furnish
from tests.support.stores import built

_numbers = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def runtime(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runtime]:
    """A runtime on each database in turn."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    made = Runtime(Settings(data=tmp_path, database_url=url, cookie_secure=False), SystemClock())
    yield made
    made.close()


@pytest.fixture
def app(runtime: Runtime):
    gateway = built(runtime, "gateway")
    furnish(gateway)
    return gateway


@pytest.fixture
def vhost(rabbitmq) -> SimpleNamespace:
    """A partner's own virtual host, with the permissions of R31 and a user for each side."""
    number = next(_numbers)
    name, user = f"hotline-{number}", f"hotline{number}"
    gateway_url = rabbitmq.add_vhost(name)
    rabbitmq.ctl("add_user", user, "geheim-" + "x" * 12)
    rabbitmq.ctl("set_permissions", "--vhost", name, user, "^$", r"^clue\.in$", r"^clue\.out\.hotline$")
    rabbitmq.ctl("set_topic_permissions", "--vhost", name, user, "clue.in", f"^{user}$", "^$")
    return SimpleNamespace(
        name=name, user=user, gateway_url=gateway_url, partner_url=rabbitmq.url_of(name, user, "geheim-" + "x" * 12)
    )
