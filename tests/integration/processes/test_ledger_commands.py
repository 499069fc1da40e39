"""`fazhi ledger ...` as an operator and another institution run it: processes, files, exit codes."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import httpx
import orjson
import pytest

from services.assessment.app import ledger_signer
from services.assessment.ledger.rules import read_witnesses
from services.assessment.ledger.witnessing import Witnesses
from tests.integration.assessment.conftest import Fed
from tests.support.events import an_event
from tests.support.stores import built, sqlite_runtime

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}:{ROOT / 'src'}"}
ORIGIN = "fazhi.local/assessment"


def fazhi(data, *words, **more):
    return subprocess.run(
        [sys.executable, "-m", "fazhi", "ledger", *map(str, words)],
        env={**ENVIRONMENT, "FAZHI_DATA": str(data), **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class WitnessProcess:
    """A witness as another institution starts it."""

    def __init__(self, folder, log_key, *, first, port=0):
        words = ["--state", folder / "state", "--key", folder / "key.pem", "--name", "audit.example.gov.cn"]
        words += ["--log-key", log_key, "--port", port, *(["--first"] if first else [])]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fazhi", "ledger", "witness", *map(str, words)],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.setting = ""
        for line in self.process.stdout:
            if line.startswith("audit.example.gov.cn+"):
                self.setting = line.strip()
                break

    @property
    def url(self):
        return self.setting.partition(" ")[2]

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(timeout=20)
        self.process.stdout.close()
        return self.process.returncode


@pytest.fixture
def town(tmp_path):
    data = tmp_path / "data"
    runtime = sqlite_runtime(data)
    app = built(runtime, "services.assessment")
    app.prepare()
    fed = Fed(app, runtime)
    fed.data = data
    fed.key = ledger_signer(runtime)().key
    fed.grow = lambda count: (
        fed.events(*(an_event(subject=f"enforcement/cases/{n}") for n in range(count))),
        app.sealer.seal(),
    )
    fed.witness = lambda setting: Witnesses(app.store, ORIGIN, read_witnesses(setting)).round()
    yield fed
    runtime.close()


def forge(data, statement):
    with closing(sqlite3.connect(data / "assessment.db")) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement)
        database.commit()


def test_verify_says_good_tampered_wrong_usage_and_unreadable(town, tmp_path):
    town.grow(300)
    good = fazhi(town.data, "verify", "--json", "--record")
    assert good.returncode == 0, good.stdout + good.stderr
    assert orjson.loads(good.stdout)["good"]
    assert fazhi(town.data, "verify", "--log-key", "nonsense").returncode == 2
    assert fazhi(tmp_path / "nowhere", "verify").returncode == 2  # no key here, and none is made up
    assert fazhi(tmp_path / "nowhere", "verify", "--log-key", town.key).returncode == 3
    assert fazhi(town.data, "verify", "--witness-state", tmp_path).returncode == 3
    forge(town.data, "UPDATE event_log SET score_milli = 1 WHERE seq = 123")
    bad = fazhi(town.data, "verify")
    assert bad.returncode == 1
    assert "第 123 号" in bad.stdout
    assert "发现不了" in bad.stdout


def test_a_witness_killed_at_any_moment_never_signs_two_histories(town, tmp_path):
    folder = tmp_path / "witness"
    folder.mkdir()
    town.grow(5)
    witness = WitnessProcess(folder, town.key, first=True)
    assert town.witness(witness.setting) == 1
    for size in (7, 300, 1):
        witness.end(signal.SIGKILL)
        witness = WitnessProcess(folder, town.key, first=False)
        town.grow(size)
        assert town.witness(witness.setting) == 1
    remembered = httpx.get(f"{witness.url}/checkpoint", params={"origin": ORIGIN}, trust_env=False).text
    assert remembered.split("\n")[1] == "313"
    assert httpx.get(f"{witness.url}/healthz", trust_env=False).json()["status"] == "ok"
    checked = fazhi(
        town.data, "verify", "--json", "--witness-url", witness.url, FAZHI_LEDGER_WITNESSES=witness.setting
    )
    said = orjson.loads(checked.stdout)
    assert (said["good"], said["witnessed"], said["remembered"], said["cosignatures"]) == (True, 313, 1, 4)
    assert witness.end() == 0


def test_a_witness_without_memory_or_with_it_twice_does_not_start(town, tmp_path):
    folder = tmp_path / "witness"
    folder.mkdir()
    words = [
        "--state",
        folder / "state",
        "--key",
        folder / "key.pem",
        "--name",
        "audit",
        "--log-key",
        town.key,
    ]
    refused = fazhi(town.data, "witness", *words)
    assert refused.returncode == 1
    witness = WitnessProcess(folder, town.key, first=True)
    try:
        again = fazhi(town.data, "witness", *words, "--first")
        assert again.returncode == 1
        assert "--first" in again.stderr
    finally:
        witness.end()


def test_a_bundle_has_every_leaf_byte_for_byte(town, tmp_path):
    town.grow(3)
    assert fazhi(town.data, "export", tmp_path / "bundle").returncode == 0
    lines = (tmp_path / "bundle" / "leaves.jsonl").read_bytes().splitlines()
    with closing(sqlite3.connect(town.data / "assessment.db")) as database:
        stored = [row[0].encode() for row in database.execute("SELECT leaf FROM event_log ORDER BY seq")]
    assert lines == stored
    (note,) = (tmp_path / "bundle" / "checkpoints.jsonl").read_bytes().splitlines()
    assert orjson.loads(note)["size"] == 3
    assert str(town.key) in (tmp_path / "bundle" / "keys.json").read_text()
    assert fazhi(town.data, "export", tmp_path / "bundle").returncode == 1


def test_one_event_is_proved_with_its_checkpoint(town):
    town.grow(3)
    proved = orjson.loads(fazhi(town.data, "prove", 2).stdout)
    assert proved["seq"] == 2
    assert len(proved["proof"]) == 2
    assert fazhi(town.data, "prove", 9).returncode == 1


def test_a_sealer_killed_at_any_moment_never_signs_two_roots_for_one_size(town):
    """F32: seal in a process of its own, kill it at five moments, verify, and let the next one go on."""
    script = (
        "from tests.support.stores import sqlite_runtime; from pathlib import Path; import sys\n"
        "from services.assessment.app import build\n"
        "app = build(sqlite_runtime(Path(sys.argv[1])))\n"
        "print('ready', flush=True)\n"
        "while True: app.sealer.seal()\n"
    )
    for moment in range(5):
        town.events(*(an_event(subject=f"enforcement/cases/{n}") for n in range(400)))
        sealing = subprocess.Popen(
            [sys.executable, "-c", script, str(town.data)],
            env=ENVIRONMENT,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        sealing.stdout.readline()
        time.sleep(0.008 * moment)
        sealing.kill()
        sealing.wait(timeout=20)
        sealing.stdout.close()
    town.app.sealer.seal()
    checked = fazhi(town.data, "verify", "--json")
    assert checked.returncode == 0, checked.stdout
    assert orjson.loads(checked.stdout)["sealed"] == 2000
