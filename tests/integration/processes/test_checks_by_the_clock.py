"""What deploy/k8s runs by the clock, run with the rights it has there: it compares and verifies, and changes nothing."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg import errors, sql
from sqlalchemy.engine import make_url

from contracts.topology import SCORED
from fazhi.reconcile import SOURCES
from fazhi.services import NAMES, build
from fazhi.told_and_logged import RESENT
from kernel.access.principal import Principal
from kernel.access.tokens import make_key
from kernel.hosting.runtime import Runtime
from kernel.ledger.note import NoteSigner
from kernel.settings import Settings
from tests.support.manifests import pods
from tests.support.postgresql import PostgreSQL

READER = "fazhi_reconcile"
ORIGIN = "fazhi.local/assessment"


def args_of(job: str) -> list[str]:
    """What the CronJob of this name runs."""
    (found,) = [
        pod.containers[0]["args"]
        for pod in pods()
        if (pod.manifest.kind, pod.manifest.name) == ("CronJob", job)
    ]
    return list(found)


class Province:
    """Six migrated databases with the roles of deploy/k8s, one password for all, and the role that reads them."""

    def __init__(self, server: PostgreSQL, data: Path) -> None:
        self._server = server
        self._data = data
        with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as admin:
            statement = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER PASSWORD {} IN ROLE pg_read_all_data")
            password = sql.Literal(make_url(server.url).password)
            admin.execute(statement.format(sql.Identifier(READER), password))
        for name in NAMES:
            server.create_separated(f"fazhi_{name}")
        done = self.run("fazhi_{service}", "migrate", FAZHI_OWNER_URL=self.address("fazhi_{service}_migrate"))
        assert done.returncode == 0, done.stderr

    def address(self, role: str, database: str = "fazhi_{service}") -> str:
        """Where a role enters; {service} stays to be replaced."""
        return self._server.url_of(database).replace("//fazhi:", f"//{role}:")

    def run(self, role: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A command as the container runs it, by a role."""
        settings = {"FAZHI_PRODUCTION": "true", "FAZHI_DATA": str(self._data), "COLUMNS": "200"}
        return subprocess.run(
            [sys.executable, "-m", "fazhi", *arguments],
            env={**os.environ, **settings, "FAZHI_DATABASE_URL": self.address(role), **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture(scope="module")
def province(postgresql, tmp_path_factory) -> Province:
    return Province(postgresql, tmp_path_factory.mktemp("data"))


def test_the_role_that_compares_reads_both_sides_of_every_source(province):
    done = province.run(READER, *args_of("reconcile"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("一致") == len(SOURCES)


@pytest.mark.parametrize("name", NAMES)
def test_the_role_that_compares_can_write_nothing(province, name):
    plain = province.address(READER, f"fazhi_{name}").replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        for statement in (
            "DELETE FROM outbox",
            "UPDATE outbox SET name = name",
            "CREATE TABLE mine (id int)",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement)


@pytest.mark.parametrize("name", NAMES)
def test_an_audit_log_is_read_again_with_its_service_s_role_and_a_public_key(province, name, tmp_path):
    make_key(tmp_path / "audit.pem")
    public = str(NoteSigner.read(f"fazhi.local/audit/{name}", tmp_path / "audit.pem").key)
    arguments = [public if one == "$(AUDIT_PUBLIC_KEY)" else one for one in args_of(f"verify-audit-{name}")]
    done = province.run(f"fazhi_{name}", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "与写入时一致" in done.stdout
    assert "未核对" not in done.stdout


def test_the_ledger_is_verified_by_its_public_key_alone(province, tmp_path):
    make_key(tmp_path / "ledger.pem")
    public = str(NoteSigner.read(ORIGIN, tmp_path / "ledger.pem").key)
    state = str(tmp_path / "state.json")
    hourly = [state if one.startswith("/verified/") else one for one in args_of("verify-ledger")]
    assert state in hourly
    unknown = province.run("fazhi_assessment", *hourly)
    assert unknown.returncode == 2, unknown.stdout  # without a key nothing is called good
    for arguments in (hourly, hourly, args_of("verify-ledger-whole")):
        done = province.run("fazhi_assessment", *arguments, FAZHI_LEDGER_PUBLIC_KEYS=public)
        assert done.returncode == 0, done.stdout + done.stderr


def test_what_was_lost_is_told_again_once_the_role_is_lent_the_rights_of_the_source_s_own(
    province, postgresql, tmp_path
):
    """As docs/deploying.md says; reading alone is not enough, and nobody owns anything for it."""

    def resend() -> None:
        runtime = Runtime(Settings(database_url=province.address(READER), data=tmp_path))
        store = build("disputes", runtime).app.store
        try:
            with store.work() as work:
                work.tell(SCORED, b"", headers={RESENT: "1"})
                work.audit(
                    Principal(account="operator"), "scored_events.resent", "scored_events/2026-11-22T02"
                )
                work.commit()
        finally:
            runtime.close()

    with psycopg.connect(postgresql.url.replace("+psycopg", ""), autocommit=True) as admin:
        with pytest.raises(Exception, match="denied"):
            resend()
        admin.execute(f"GRANT fazhi_disputes TO {READER}")
        resend()
        admin.execute(f"REVOKE fazhi_disputes FROM {READER}")
        with pytest.raises(Exception, match="denied"):
            resend()
