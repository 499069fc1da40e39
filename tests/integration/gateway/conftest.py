import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from kernel.clock import SystemClock
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from tests.support.gateway import furnish
from tests.support.stores import built

PASSWORD = "geheim-und-lang"


@pytest.fixture(params=["sqlite", "postgresql"])
def runtime(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runtime]:
    """A runtime on each database in turn."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    settings = Settings(data=tmp_path, database_url=url, cookie_secure=False, second_factor="optional")
    made = Runtime(settings, SystemClock())
    yield made
    made.close()


@pytest.fixture
def app(runtime: Runtime):
    gateway = built(runtime, "gateway")
    furnish(gateway)
    return gateway


@pytest.fixture(scope="session")
def vhosts(rabbitmq, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """Partners' virtual hosts with the permissions of R31, made in one go: every call of rabbitmqctl costs a second."""
    names = [f"hotline{number}" for number in range(16)]
    digest = hashlib.sha256(b"salt" + PASSWORD.encode()).digest()
    definitions = {
        "vhosts": [{"name": name} for name in names],
        "users": [
            {
                "name": name,
                "password_hash": base64.b64encode(b"salt" + digest).decode(),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": "",
            }
            for name in names
        ],
        "permissions": [
            {
                "user": name,
                "vhost": name,
                "configure": "^$",
                "write": r"^clue\.in$",
                "read": r"^clue\.out\.hotline$",
            }
            for name in names
        ]
        + [
            {"user": "fazhi", "vhost": name, "configure": ".*", "write": ".*", "read": ".*"} for name in names
        ],
        "topic_permissions": [
            {"user": name, "vhost": name, "exchange": "clue.in", "write": f"^{name}$", "read": "^$"}
            for name in names
        ],
    }
    file = tmp_path_factory.mktemp("vhosts") / "definitions.json"
    file.write_text(json.dumps(definitions))
    file.parent.chmod(0o755)
    file.chmod(0o644)
    for folder in file.parents:
        if folder.owner() == file.owner() and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o001)
    rabbitmq.ctl("import_definitions", str(file))
    return iter(
        [
            SimpleNamespace(
                name=n, user=n, gateway_url=rabbitmq.url_of(n), partner_url=rabbitmq.url_of(n, n, PASSWORD)
            )
            for n in names
        ]
    )


@pytest.fixture
def vhost(vhosts: Iterator[SimpleNamespace]) -> SimpleNamespace:
    """A partner's own virtual host that nobody used before."""
    return next(vhosts)
