"""
Measured work: `python -m fazhi.bench.measured rebuild` in a process of its own, so that its memory is its own.

It prints one JSON line: seconds, what was made, and the highest resident memory of this process and of the
PostgreSQL process that worked for it (where /proc lets us see it; shared buffers it touched are in it).
"""

import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import text

from fazhi.services import build
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from services.assessment.app import Assessment


def main(work: str) -> None:
    """Do it, and say how long it took and what it needed."""
    app: Assessment = build("assessment", Runtime(Settings())).app
    app.frameworks.current()  # reading the framework is not what is measured
    before = _own_peak()
    started = time.monotonic()
    if work == "rebuild":
        done = app.rebuild()
        made = {"events": done.events, "states": done.states, "scores": done.scores}
    else:
        made = {"scores": app.roll_up.everything()}
    seconds = time.monotonic() - started
    found: dict[str, Any] = {"seconds": seconds, **made, "peak_mb": _own_peak(), "peak_before_mb": before}
    sys.stdout.buffer.write(orjson.dumps(found | {"postgresql_peak_mb": _server_peak(app)}))


def _own_peak() -> float:
    """Highest resident memory of this program in MB; rusage would carry over that of whoever started it."""
    return _peak_of(Path("/proc/self/status"))


def _peak_of(status: Path) -> float:
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _server_peak(app: Assessment) -> float | None:
    backends = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    with app.store.reading() as session:
        pids = [row.pid for row in session.execute(backends)]
    peaks = []
    for pid in pids:
        with suppress(OSError):
            peaks.append(_peak_of(Path(f"/proc/{pid}/status")))
    return max(peaks, default=None)


if __name__ == "__main__":
    main(sys.argv[1])
