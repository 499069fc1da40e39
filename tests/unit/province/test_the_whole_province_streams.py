"""8,300 bodies and 127,000 officers, every row of the year, in less than 500 MB (measured: 30 MB, 17 s)."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

_STREAM_EVERYTHING = """
import json, sys
from fazhi.province import Province
box = Province(seed=1, size="province")
made = {name: sum(1 for _ in getattr(box, name)()) for name in box.counts()}
made["truths"] = sum(1 for subject in ("decision", "normative_document", "clue") for _ in box.truths_of(subject))
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) // 1024
sys.stdout.write(json.dumps({"made": made, "said": box.counts(), "peak_mb": peak}))
"""


def test_a_province_has_its_bodies_and_officers_and_fits_into_memory() -> None:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}"}
    done = subprocess.run(
        [sys.executable, "-c", _STREAM_EVERYTHING],
        env=environment, capture_output=True, text=True, check=True, timeout=240,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert told["made"]["bodies"] == 8300
    assert told["made"]["officers"] == 127_000
    assert told["made"].pop("truths") > 1000
    assert told["made"] == told["said"]
    assert told["peak_mb"] < 500
