"""What the README says of a real installation is done here, word for word: keys, migration, processes in production."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from fazhi.services import NAMES
from tests.support.postgresql import PostgreSQL
from tests.support.processes import free_port
from tests.support.rabbitmq import RabbitMQ

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
START_SECONDS = 60


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQL, rabbitmq: RabbitMQ
) -> dict[str, str]:
    """The environment of every process: keys made by the README's own commands, databases migrated."""
    folder = tmp_path_factory.mktemp("installation")
    commands = re.findall(r"^(openssl .+|\(umask .+|mkdir .+|for s in .+)$", README, re.MULTILINE)
    assert len(commands) == 5
    for command in commands:
        subprocess.run(command, shell=True, check=True, cwd=folder, capture_output=True)  # noqa: S602
    for name in NAMES:
        postgresql.create_database(f"production_{name}")
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("FAZHI_")},
        "FAZHI_PRODUCTION": "true",
        "FAZHI_DATA": str(folder),
        "FAZHI_DATABASE_URL": postgresql.url_of("production_SERVICE").replace("SERVICE", "{service}"),
        "FAZHI_BROKER_URL": rabbitmq.add_vhost("production"),
        "FAZHI_IDENTITY_PUBLIC_KEY_FILE": str(folder / "identity.pub.pem"),
        "FAZHI_IDENTITY_KEY_FILE": str(folder / "identity.pem"),
        "FAZHI_PARTNER_KEY_FILE": str(folder / "partners.key"),
        "FAZHI_SOURCE_KEY_FILE": str(folder / "source-{service}.pem"),
        "FAZHI_SOURCE_PUBLIC_KEYS": str(folder / "sources"),
    }
    for _ in range(2):  # it may be run again
        done = subprocess.run(
            [sys.executable, "-m", "fazhi", "migrate"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return environment


@contextmanager
def started(command: list[str], environment: dict[str, str]) -> Iterator[str]:
    """A process of the platform that answers; stopped by SIGTERM, and it must end by itself."""
    port = free_port()
    own = {**environment, "FAZHI_PORT": str(port), "FAZHI_GRPC_PORT": str(free_port())}
    process = subprocess.Popen(
        [sys.executable, "-m", "fazhi", *command], env=own, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(process, port)
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], port: int) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        if process.poll() is not None:
            raise AssertionError(process.stderr.read() if process.stderr else "ended")
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"nothing answered on {port} within {START_SECONDS} s")


@pytest.mark.parametrize(
    "command",
    [
        ["gateway"],
        ["worker", "gateway"],
        ["api", "enforcement"],
        ["worker", "enforcement"],
        ["api", "assessment"],
    ],
)
def test_a_process_of_the_readme_starts_answers_and_ends_when_told(
    command: list[str], installation: dict[str, str]
) -> None:
    example = " ".join(command).replace("assessment", "enforcement")  # one stands for all five
    assert f"./fazhi {example}" in README
    environment = dict(installation)
    if "gateway" not in command:  # these private keys are the gateway's only
        del environment["FAZHI_IDENTITY_KEY_FILE"], environment["FAZHI_PARTNER_KEY_FILE"]
    if "assessment" not in command:
        del environment["FAZHI_SOURCE_PUBLIC_KEYS"]
    with started(command, environment) as address:
        assert httpx.get(f"{address}/healthz").status_code == 200
        assert "fazhi_" in httpx.get(f"{address}/metrics").text


def test_a_weak_setting_keeps_a_production_process_from_starting(installation: dict[str, str]) -> None:
    weak = {**installation, "FAZHI_COOKIE_SECURE": "false"}
    done = subprocess.run(
        [sys.executable, "-m", "fazhi", "api", "enforcement"],
        env=weak,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "FAZHI_COOKIE_SECURE" in done.stderr


def test_the_first_administrators_come_from_the_commands_and_can_sign_in(
    installation: dict[str, str], tmp_path: Path
) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text("\n".join(f"Chunfen-2027-{place}-yuan" for place in ("shan", "shui", "cao")))
    passwords.chmod(0o600)
    (load, establish) = re.findall(r"^\./fazhi ((?:units|accounts) .+?)(?:\s+#.*)?$", README, re.MULTILINE)
    fazhi(installation, ["demo", "--export", str(tmp_path), "--size", "county"], tmp_path)
    fazhi(installation, load.split(), tmp_path)
    fazhi(installation, [*establish.split(), "--passwords", str(passwords)], tmp_path)
    with started(["gateway"], installation) as address:
        signed = httpx.post(
            f"{address}/api/gateway/v1/sessions",
            json={"account": "xitong", "password": "Chunfen-2027-shan-yuan"},
        )
        assert signed.status_code == 201, signed.text
        assert [role["code"] for role in signed.json()["roles"]] == ["system_admin"]
        assert signed.json()["must_enrol"] is True


def fazhi(environment: dict[str, str], arguments: list[str], folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fazhi", *arguments],
        env={**environment, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "proto", ROOT / "src")))},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_no_demonstration_accounts(installation: dict[str, str]) -> None:
    with started(["gateway"], installation) as address:
        assert httpx.get(f"{address}/api/gateway/v1/demonstration").status_code == 404
