"""
Start: a process whose database is away waits for it instead of dying and being started again and again (R55).

Nothing is served meanwhile, so nothing is ready. Whatever else goes wrong at start ends the process, with the
reason in its last line.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from kernel.bus.port import backoff
from kernel.errors import TemporaryError
from kernel.telemetry.log import logger

log = logger(__name__)

T = TypeVar("T")


def patiently(build: Callable[[], T], *, wait: Callable[[float], None] = time.sleep) -> T:
    """Build something, waiting out outages with growing pauses."""
    failures = 0
    while True:
        try:
            return build()
        except TemporaryError as error:
            log.warning("start_waits", code=error.stable_code, reason=error.text)
        wait(min(backoff(failures), 8.0))
        failures += 1
