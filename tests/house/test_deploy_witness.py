"""deploy/witness is what another institution runs: its command exists, it is confined, and only its door is open."""

import re
import shlex
from configparser import ConfigParser
from inspect import getsource
from typing import Any

import typer

from fazhi.commands import ledger
from fazhi.witness import server
from tests.support.manifests import ROOT

FOLDER = ROOT / "deploy" / "witness"
PROXY = (FOLDER / "nginx.conf").read_text()


def service() -> dict[str, str]:
    """The [Service] of the unit."""
    unit = ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(FOLDER / "fazhi-witness.service")
    return dict(unit["Service"])


def started() -> dict[str, Any]:
    """What `fazhi ledger witness` makes of the unit's command line."""
    words = shlex.split(service()["ExecStart"].replace("${LEDGER_KEY}", "KEY"))
    assert words[1:5] == ["-m", "fazhi", "ledger", "witness"]
    app = typer.Typer()
    app.command()(ledger.witness)
    return typer.main.get_command(app).make_context("witness", words[5:]).params


def test_the_unit_starts_a_witness_that_only_the_proxy_reaches() -> None:
    said = started()
    assert said["host"] == "127.0.0.1"
    assert set(re.findall(r"proxy_pass http://([\d.]+:\d+);", PROXY)) == {f"127.0.0.1:{said['port']}"}


def test_the_unit_never_begins_a_memory_anew() -> None:
    """A witness without its memory must be retired; systemd would start it again and again."""
    assert started()["first"] is False


def test_the_unit_writes_only_its_own_folder() -> None:
    said, unit = started(), service()
    home = f"/var/lib/{unit['StateDirectory']}"
    assert {str(said["state"].parent), str(said["key_file"].parent)} == {home}
    assert (unit["ProtectSystem"], unit["StateDirectoryMode"], unit["UMask"]) == ("strict", "0700", "0077")
    assert (unit["NoNewPrivileges"], unit["CapabilityBoundingSet"], unit["User"]) == (
        "yes",
        "",
        "fazhi-witness",
    )


def test_the_proxy_opens_what_a_witness_answers_and_nothing_else() -> None:
    opened = set(re.findall(r"location = (/\S+) ", PROXY))
    assert opened == set(re.findall(r'== "(/[\w-]+)"', getsource(server))) | set(
        re.findall(r'!= "(/[\w-]+)"', getsource(server))
    )
    assert "location / { return 404; }" in PROXY
    assert f"client_max_body_size {server.MAX_BODY_BYTES // 1024}k;" in PROXY
