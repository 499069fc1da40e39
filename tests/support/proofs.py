"""
Proofs as commands: `fazhi prove` in a process of its own, with its counters; and the bugs to plant in this run.

Of the bugs that a proof must notice the first is planted in every run, all of them before a release:

    FAZHI_EVERY_PLANT=1 ./test tests/end_to_end
"""

import json
import os
import subprocess
import sys
from typing import Any, TypeVar

SEED = 20261122
T = TypeVar("T")


def planted(*bugs: T) -> tuple[T, ...]:
    """The bugs to plant in this run."""
    return bugs if os.environ.get("FAZHI_EVERY_PLANT") == "1" else bugs[:1]


def proved(promise: str, *arguments: str) -> tuple[int, Any]:
    """Exit code and counters of one proof."""
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "fazhi",
        "prove",
        promise,
        "--seed",
        str(SEED),
        *arguments,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=580, check=False)
    assert done.stdout.startswith("{"), done.stderr[-2000:]
    return done.returncode, json.loads(done.stdout)
