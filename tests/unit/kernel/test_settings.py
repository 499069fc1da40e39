"""Secrets come from files nobody else reads, and production refuses what is weak (R53)."""

import pytest
from pydantic import ValidationError

from kernel.settings import Settings

GOOD = {
    "production": True,
    "database_url": "postgresql+psycopg://fazhi:kd8-Qw2m@db/fazhi",
    "broker_url": "amqps://fazhi:8sd-Jm3x@bus/fazhi",
}


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "broker"
    path.write_text("amqp://fazhi:from-a-file@bus/v\n")
    path.chmod(0o600)
    return path


def test_a_secret_is_read_from_its_file(secret, monkeypatch):
    monkeypatch.setenv("FAZHI_BROKER_URL_FILE", str(secret))
    assert Settings().broker_url == "amqp://fazhi:from-a-file@bus/v"


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o666])
def test_a_secret_others_may_read_or_change_is_refused(secret, monkeypatch, mode):
    secret.chmod(mode)
    monkeypatch.setenv("FAZHI_BROKER_URL_FILE", str(secret))
    with pytest.raises(PermissionError, match="chmod 640"):
        Settings()


def test_a_group_may_read_a_secret_as_kubernetes_mounts_them(secret, monkeypatch):
    secret.chmod(0o640)
    monkeypatch.setenv("FAZHI_BROKER_URL_FILE", str(secret))
    assert "from-a-file" in Settings().broker_url


def test_what_may_be_left_empty_is_left_empty_by_a_variable_without_a_value(monkeypatch):
    left = [name for name, field in Settings.model_fields.items() if field.default is None]
    assert {"identity_key_file", "audit_key_file", "ledger_witnesses_needed"} <= set(left)
    for name in left:
        monkeypatch.setenv(f"FAZHI_{name.upper()}", "")
    monkeypatch.setenv("FAZHI_METRICS_NETWORKS", "")  # where emptiness has a meaning of its own, it keeps it
    assert [getattr(Settings(), name) for name in left] == [None] * len(left)
    assert Settings().metrics_networks == ""


def test_good_settings_pass_in_production():
    assert Settings(**GOOD).production


@pytest.mark.parametrize(
    "weak",
    [
        {"broker_url": "amqp://guest:guest@bus/"},
        {"broker_url": "amqp://fazhi:fazhi@bus/"},
        {"broker_url": "amqp://bus/"},
        {"database_url": "postgresql+psycopg://fazhi:postgres@db/x"},
        {"partner_brokers": "petition=amqps://gw:k3-Vb9@bus/petition,hotline=amqp://guest:guest@bus/hotline"},
        {"cookie_secure": False},
        {"metrics_networks": "127.0.0.0/8, 0.0.0.0/0"},
    ],
)
def test_weak_settings_are_refused_in_production_and_not_repeated(weak):
    with pytest.raises(ValidationError) as refused:
        Settings(**{**GOOD, **weak})
    assert "guest:guest" not in str(refused.value)
    Settings(**{**GOOD, **weak, "production": False})


def test_a_key_file_others_may_read_is_refused_in_production(secret):
    secret.chmod(0o644)
    with pytest.raises(ValidationError, match="chmod 600"):
        Settings(**GOOD, identity_key_file=secret)
