"""
A gateway as deploy/k8s starts it: the manifest's settings, secrets as files, a database role that is no superuser,
and an entry in front whose word on who calls is believed.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.support.manifests import ROOT, environment, pods
from tests.support.postgresql import PostgreSQL
from tests.support.processes import free_port

STRANGER, NEIGHBOUR = "203.0.113.7", "203.0.113.8"
START_SECONDS = 60


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQL) -> Iterator[httpx.Client]:
    """The gateway's API process, answering; it must end by itself."""
    folder = tmp_path_factory.mktemp("mounted")
    subprocess.run([ROOT / "deploy" / "secrets.sh", folder], check=True, capture_output=True)
    secrets = folder / "fazhi-gateway"
    (secrets / "database-url").write_text(role_and_database(postgresql, folder))
    for file in secrets.iterdir():
        file.chmod(0o400)  # ours, so ours alone; there they are root's and 0440
    (pod,) = [each for each in pods() if each.manifest.name == "gateway-api"]
    said = environment(pod.containers[0])
    own = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FAZHI_")},
        **{name: mounted(value, folder) for name, value in said.items() if name != "SSL_CERT_FILE"},
        "FAZHI_HOST": "127.0.0.1",
        "FAZHI_PORT": str(free_port()),
        "FAZHI_GRPC_PORT": str(free_port()),
        # The entry is this machine here, as it is the network of the pods there.
        "FORWARDED_ALLOW_IPS": "127.0.0.0/8",
        "FAZHI_METRICS_NETWORKS": "127.0.0.0/8",
    }
    fazhi = [sys.executable, "-m", "fazhi"]
    subprocess.run([*fazhi, "migrate", "gateway"], env=own, check=True, capture_output=True)
    process = subprocess.Popen([*fazhi, *pod.containers[0]["args"]], env=own, stderr=subprocess.DEVNULL)
    try:
        # 127.0.0.2: the address that is believed only because the settings say so.
        entry = httpx.HTTPTransport(local_address="127.0.0.2")
        with httpx.Client(base_url=f"http://127.0.0.1:{own['FAZHI_PORT']}", transport=entry) as client:
            wait_until_ready(client)
            yield client
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()


def role_and_database(server: PostgreSQL, folder: Path) -> str:
    """The address of a new database, for a role that owns it and nothing else."""
    password = (folder / "postgres-gateway" / "password").read_text()
    with psycopg.connect(server.url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as admin:
        admin.execute(f"CREATE ROLE entry_gateway LOGIN NOSUPERUSER PASSWORD '{password}'")
        admin.execute("CREATE DATABASE entry_gateway OWNER entry_gateway")
    url = make_url(server.url).set(username="entry_gateway", password=password, database="entry_gateway")
    return url.render_as_string(hide_password=False)


def mounted(value: str, folder: Path) -> str:
    places = {"/etc/fazhi/secrets": "fazhi-gateway", "/etc/fazhi/trust": "fazhi-trust", "/data": "data"}
    for there, here in places.items():
        if value.startswith(there):
            return value.replace(there, str(folder / here), 1)
    return value


def wait_until_ready(client: httpx.Client) -> None:
    ends = time.monotonic() + START_SECONDS
    while True:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < ends, "the gateway did not become ready"
        time.sleep(0.2)


def try_password(client: httpx.Client, source: str) -> str:
    answer = client.post(
        "/api/gateway/v1/sessions",
        json={"account": "nobody", "password": "not-the-password"},
        headers={"x-forwarded-for": source},
    )
    return answer.json()["code"]


def test_the_pods_network_reads_the_metrics_and_whoever_comes_by_the_entry_does_not(
    gateway: httpx.Client,
) -> None:
    assert gateway.get("/metrics").status_code == 200
    by_entry = gateway.get("/metrics", headers={"x-forwarded-for": STRANGER})
    assert by_entry.status_code >= 400
    assert "fazhi_" not in by_entry.text


def test_who_guesses_passwords_locks_out_himself_and_not_everybody_behind_the_entry(
    gateway: httpx.Client,
) -> None:
    for _ in range(5):
        assert try_password(gateway, STRANGER) == "identity.wrong_credentials"
    assert try_password(gateway, STRANGER) == "identity.locked"
    assert try_password(gateway, NEIGHBOUR) == "identity.wrong_credentials"


def test_a_caller_cannot_choose_his_own_address(gateway: httpx.Client) -> None:
    """What the entry adds stands last; what the caller wrote before it is not believed."""
    answer = gateway.get("/metrics", headers={"x-forwarded-for": f"127.0.0.1, {STRANGER}"})
    assert answer.status_code >= 400
