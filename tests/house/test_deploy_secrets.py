"""deploy/secrets.sh makes exactly what the manifests mount, strong enough for production, and changes nothing twice."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy.engine import make_url

from fazhi.services import NAMES
from fazhi.sources import demand_source_keys
from gateway.partners.vault import Vault, read_root
from kernel.access.keyring import KeyFolder, read_ring
from kernel.hosting.runtime import Runtime
from kernel.ledger.note import NoteSigner
from kernel.settings import Settings
from tests.support.manifests import ROOT, environment, manifests, pods, public_keys

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="缺少 openssl / no openssl")

KEEPERS = [name for name in NAMES if name != "gateway"]  # whose originals lie sealed in its own database


def run(folder: Path) -> None:
    subprocess.run([ROOT / "deploy" / "secrets.sh", folder], check=True, capture_output=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets") / "made"
    run(folder)
    return folder


def mounted() -> dict[str, set[str]]:
    """Secret -> keys that some pod mounts from it."""
    found: dict[str, set[str]] = {}
    for pod in pods():
        for volume in pod.spec["volumes"]:
            if "secret" in volume:
                keys = {item["key"] for item in volume["secret"]["items"]}
                found.setdefault(volume["secret"]["secretName"], set()).update(keys)
    return found


def test_every_mounted_key_is_made_and_no_other(made):
    folders = {
        folder.name: {file.name for file in folder.iterdir()}
        for folder in made.glob("fazhi-*")
        if folder.name != "fazhi-trust"
    }
    assert folders == mounted()


def test_only_the_owner_may_read_any_of_it(made):
    assert {path.stat().st_mode & 0o777 for path in made.rglob("*") if path.is_file()} == {0o600}


@pytest.mark.parametrize("name", NAMES)
def test_a_service_starts_with_it_in_production(made, name, monkeypatch):
    (worker,) = [pod for pod in pods() if pod.manifest.name == f"{name}-worker"]
    for variable, value in environment(worker.containers[0]).items():
        if variable.startswith("FAZHI_"):
            inside = value.replace("/etc/fazhi/secrets", str(made / f"fazhi-{name}"))
            inside = inside.replace("/etc/fazhi/publication", str(made / "fazhi-publication"))
            monkeypatch.setenv(variable, inside.replace("/etc/fazhi/trust", str(made / "fazhi-trust")))
    settings = Settings()
    database = make_url(settings.database_url_of(name))
    assert (database.username, database.database) == (f"fazhi_{name}", f"fazhi_{name}")
    assert database.password == (made / f"postgres-{name}" / "password").read_text()
    assert database.query["sslmode"] == "verify-full"
    assert settings.broker_url.startswith("amqps://")
    assert (settings.identity_key_file is not None) == (name == "gateway")
    demand_source_keys(Runtime(settings), name)


@pytest.mark.parametrize("name", KEEPERS)
def test_whoever_takes_evidence_keeps_it_outside_its_pod_with_a_key_of_its_own(made, name):
    """A pod's own folder ends with the pod, and its neighbours do not see it."""
    (api,) = [pod for pod in pods() if pod.manifest.name == f"{name}-api"]
    assert environment(api.containers[0])["FAZHI_BLOBS_URL_FILE"] == "/etc/fazhi/secrets/blobs-url"
    url = urlsplit((made / f"fazhi-{name}" / "blobs-url").read_text().strip())
    assert (url.scheme, url.username, url.path) == ("https", f"fazhi-{name}", "/fazhi-evidence")
    assert url.password == (made / "passwords" / f"blobs-{name}").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_service_is_migrated_with_it_by_another_role(made, name):
    url = make_url((made / f"fazhi-{name}-owner" / "owner-url").read_text().strip())
    assert (url.username, url.database) == (f"fazhi_{name}_migrate", f"fazhi_{name}")
    assert url.password == (made / f"postgres-{name}-migrate" / "password").read_text()
    assert (made / f"postgres-{name}-migrate" / "username").read_text() == url.username
    assert url.query["sslmode"] == "verify-full"


def test_the_keys_fit_together(made):
    private = read_ring((made / "fazhi-gateway" / "identity.pem").read_bytes())
    public = read_ring((made / "fazhi-trust" / "identity.pub.pem").read_bytes())
    assert [each.kid for each in private.keys] == [each.kid for each in public.keys]
    vault = Vault(read_root(made / "fazhi-gateway" / "partners.key"))
    assert vault.open("x", vault.seal("x", b"secret")) == b"secret"


@pytest.mark.parametrize("name", NAMES)
def test_a_source_signs_with_a_key_of_its_own_since_it_was_made(made, name):
    (private,) = read_ring((made / f"fazhi-{name}" / "source.pem").read_bytes()).keys
    (public,) = read_ring((made / "fazhi-trust" / f"source-{name}.pub.pem").read_bytes()).keys
    assert (public.kid, public.active_from, public.key.is_private) == (
        private.kid,
        private.active_from,
        False,
    )
    assert timedelta(0) <= datetime.now(UTC) - private.active_from < timedelta(minutes=10)


def test_the_sources_of_an_upgraded_installation_begin_to_sign_when_they_are_told_to(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCES_SIGN_FROM", "2030-01-01T00:00:00Z")
    run(tmp_path)
    rings = KeyFolder(tmp_path / "fazhi-trust", "source")
    assert rings.names == tuple(sorted(NAMES))
    starts = {key.active_from for name in NAMES for key in rings.ring(name).keys}
    assert starts == {datetime(2030, 1, 1, tzinfo=UTC)}


@pytest.mark.parametrize("name", NAMES)
def test_whoever_compares_enters_every_database_by_one_role(made, name):
    url = (made / "fazhi-reconcile" / "database-url").read_text().strip()
    database = make_url(Settings(database_url=url).database_url_of(name))
    assert (database.username, database.database) == ("fazhi_reconcile", f"fazhi_{name}")
    assert database.password == (made / "postgres-reconcile" / "password").read_text()
    assert database.query["sslmode"] == "verify-full"


def signers(name: str) -> dict[str, tuple[str, str]]:
    """File of fazhi-trust -> (name of the key, file of its private half), by the ledger's name."""
    return {
        "ledger.pub": (name, "fazhi-assessment/ledger.pem"),
        "publication.pub": (f"{name}/publication", "fazhi-publication/publication.pem"),
        **{
            f"audit-{service}.pub": (
                f"{name.partition('/')[0]}/audit/{service}",
                f"fazhi-{service}/audit.pem",
            )
            for service in NAMES
        },
    }


def test_every_public_key_is_that_of_its_private_one_under_the_name_the_platform_signs_with(
    made, tmp_path, monkeypatch
):
    (settings,) = [each for each in manifests("ConfigMap") if each.name == "fazhi-settings"]
    monkeypatch.setenv("LEDGER_ORIGIN", "fazhi.example.gov.cn/assessment")
    run(tmp_path / "named")
    for folder, name in (
        (made, settings.body["data"]["FAZHI_LEDGER_ORIGIN"]),
        (tmp_path / "named", "fazhi.example.gov.cn/assessment"),
    ):
        known = {
            file: str(NoteSigner.read(name, folder / key).key) for file, (name, key) in signers(name).items()
        }
        found = {path.name: path.read_text() for path in (folder / "fazhi-trust").glob("*.pub")}
        assert found == known


def test_every_public_key_a_process_is_given_is_made(made):
    given = {key for pod in pods() for container in pod.containers for key in public_keys(container).values()}
    assert given == {path.name for path in (made / "fazhi-trust").glob("*.pub")}


def test_no_password_is_used_twice(made):
    passwords = [path.read_text() for path in made.glob("postgres-*/password")]
    passwords += [path.read_text() for path in made.glob("passwords/*")]
    assert len(passwords) == 2 * len(NAMES) + 1 + 2 + len(KEEPERS)
    assert len(set(passwords)) == len(passwords)
    assert min(map(len, passwords)) >= 48


def test_running_it_again_changes_nothing(made):
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    run(made)
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before
