"""Which browser the tests take, and what they say when there is none that starts."""

import pytest

from tests.support import chromium
from tests.support.programs import ServerUnavailable


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with these programs and no others."""
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    def has(name, exits_with):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\nexit {exits_with}\n")
        path.chmod(0o755)
        return path

    return has


def test_a_pointer_to_a_snap_is_no_browser_and_the_way_out_is_named(machine):
    machine("chromium-browser", exits_with=1)
    with pytest.raises(ServerUnavailable, match="CHROMIUM=/path/to/chrome"):
        chromium.executable()


def test_the_first_browser_that_starts_is_taken(machine):
    machine("chromium-browser", exits_with=1)
    chrome = machine("google-chrome", exits_with=0)
    assert chromium.executable() == chrome


def test_a_named_browser_is_taken_and_no_other_in_its_place(machine, monkeypatch, tmp_path):
    machine("chromium", exits_with=0)
    monkeypatch.setenv("CHROMIUM", str(machine("own", exits_with=0)))
    assert chromium.executable() == tmp_path / "own"
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "away"))
    with pytest.raises(ServerUnavailable, match="away"):
        chromium.executable()
