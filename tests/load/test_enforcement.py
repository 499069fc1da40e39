"""The registers and cases of a whole province load in well under a minute each, in little memory."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ROOTS = os.pathsep.join(str(path) for path in (ROOT, ROOT / "proto", ROOT / "src"))


@pytest.fixture(params=["sqlite", "postgresql"])
def load(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.enforcement_load", str(tmp_path), *([url] if url else [])],
        env={**os.environ, "PYTHONPATH": ROOTS},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=True,
    )
    sys.stdout.write(done.stdout)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_a_province_loads_in_well_under_a_minute(load: dict[str, Any]) -> None:
    assert load["counts"] == {"bodies": 8_300, "items": 83_000, "officers": 127_000, "cases": 20_000}
    assert load["seconds"]["bodies"] + load["seconds"]["officers"] < 45
    assert load["seconds"]["check"] + load["seconds"]["confirm"] + load["seconds"]["look"] < 90
    assert load["peak_mb"] < 400
