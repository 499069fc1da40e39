"""`fazhi up` uses the servers it says it uses, whatever else this machine's variables name (R53)."""

from pathlib import Path

import pytest

from fazhi import distributed
from kernel.settings import Settings

GIVEN = {
    "database_url": "postgresql+psycopg://a:b@here/fazhi_{service}",
    "owner_url": "postgresql+psycopg://o:b@here/fazhi_{service}",
    "broker_url": "amqp://a:b@here/",
}


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets of another installation, named by file."""
    for name in GIVEN:
        path = tmp_path / name
        path.write_text("scheme://user:word@elsewhere/x")
        path.chmod(0o600)
        monkeypatch.setenv(f"FAZHI_{name.upper()}_FILE", str(path))


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("owner", [False, True])
def test_files_of_another_installation_are_left_out(tmp_path, monkeypatch, owner):
    settings = Settings().model_copy(update={**GIVEN, "data": tmp_path})
    surroundings = distributed.surroundings(settings, as_owner=owner)
    monkeypatch.setattr("os.environ", surroundings)
    found = Settings()
    assert (found.database_url, found.broker_url) == (GIVEN["database_url"], GIVEN["broker_url"])
    assert found.owner_url == (GIVEN["owner_url"] if owner else "")
    assert found.data == tmp_path
